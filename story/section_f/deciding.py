"""Two officers decide: one proposes, the other looks at everything that will be true and seconds exactly that."""

from collections.abc import Mapping
from typing import Any

from story import grant
from story.cast import Reply
from story.section_f.stage import Trial

_ISSUING = frozenset({"grant", "rekey"})


def propose(trial: Trial, body: Mapping[str, Any]) -> Reply:
    """Propose a decision; ends the story if it is refused."""
    proposed = trial.cast.officer.propose(body)
    about = proposed.text("approval") or str(body.get("application") or body.get("approval"))
    said = f"{body['kind']} {about}, by ssc-officer-1" if proposed.ok else proposed.problem
    trial.teller.need("propose", proposed.ok, said)
    return proposed


def second(trial: Trial, proposed: Reply) -> Reply:
    """Look at a proposal, and second it; ends the story if that is refused. Returns what was looked at."""
    decision = proposed.text("decision")
    shown = trial.cast.second_officer.act("GET", f"/v1/decisions/{decision}")
    if shown.text("kind") in _ISSUING or shown.text("issue"):
        shown = grant.drafted(trial.scene, decision)
    seconded = trial.cast.second_officer.second(shown)
    said = f"by ssc-officer-2, who has signed for {'both digests' if shown.text('tbs_sha256') else 'its digest'}"
    trial.teller.need("second", seconded.ok, said if seconded.ok else seconded.problem)
    return shown


def prove_findings(trial: Trial, shown: Reply, *expected: str) -> None:
    """Prove which rules found something about a proposal: whoever decides sees each of them, and no other."""
    listed = shown.document.get("findings")
    found = [(str(each["code"]), str(each["detail"])) for each in listed] if isinstance(listed, list) else []
    told = " ".join(detail for _, detail in found)
    trial.teller.prove("findings", tuple(code for code, _ in found) == expected, f"the officers are told: {told}")


def certified(trial: Trial, approval: str, issue: int) -> str:
    """Wait until an issue's certificate is recorded; return its serial."""
    found: list[str] = []

    def recorded() -> bool:
        said = trial.cast.manufacturer.act("GET", f"/v1/approvals/{approval}")
        listed = said.document.get("certificates")
        found[:] = (
            [str(each["serial"]) for each in listed if each["issue"] == issue] if isinstance(listed, list) else []
        )
        return bool(found)

    took = trial.scene.wait(recorded)
    detail = f"issue {issue} after {took:.0f} ms, serial {found[0][:8]}…" if took is not None else "no certificate came"
    trial.teller.need("sign", took is not None, detail)
    return found[0]


def state_of(trial: Trial, question: Mapping[str, object]) -> Reply:
    """Ask /v1/verify as the DCC."""
    return trial.cast.dcc.act("POST", "/v1/verify", question)


def prove_state(trial: Trial, name: str, question: Mapping[str, object], expected: str, *reasons: str) -> None:
    """Prove what verification answers, with the codes of its reasons; the answer may be some moments old."""
    answers: list[Reply] = []

    def so() -> bool:
        answers[:] = [state_of(trial, question)]
        said = answers[0].document.get("reasons")
        codes = tuple(each.get("code") for each in said) if isinstance(said, list) else ()
        return answers[0].text("state") == expected and codes == reasons

    took = trial.scene.wait(so)
    said = answers[0]
    words = "valid" if said.document.get("valid") is True else "not valid"
    listed = said.document.get("reasons")
    why = "; ".join(str(each.get("detail")) for each in listed) if isinstance(listed, list) else said.problem
    trial.teller.prove(name, took is not None, f"{said.text('state')}, {words}. {why}".strip())
