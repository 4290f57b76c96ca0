"""Officers revoke many by one act from where they sit, and see how far it has come."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Response

from api.forms.revoking import REVOCATIONS_LIMIT
from api.links import MOST_LINKS, with_proofs
from app.recomputed import recomputed
from core.canonical import digest
from core.errors import ShownOtherwise
from ra.deciding.views import DecisionAnswer
from ra.views import view_of
from tests.api_world import Api, application, done, refused
from tests.people_world import People, served
from tests.world import World, csr_pem


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


@pytest.mark.clause("F2.30")
def test_officers_revoke_a_file_of_approvals_and_follow_it(people: People, tmp_path: Path) -> None:
    api = people.api
    first = api.granted()
    second = api.granted(device={**application()["device"], "model": "OTHER"}, csr=csr_pem().decode())
    named = tmp_path / "approvals.txt"
    named.write_text(f"# all of them\n{second}\n\n{first.lower().replace('-', ' ')}  # the first\n{second}\n", "utf-8")
    words = ("decide", "revoke-many", str(named), "--cause", "ssc", "--why", "They were sold.")
    made = json.loads(people.run("officer-1", *words, "--json").out)
    decision = made["decision"]
    assert (made["progress"]["total"], made["progress"]["state"]) == (2, "proposed")
    assert made["authorised"][0]["authorised_by"] == "officer-1"

    shown = done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))
    assert shown["proposal"]["approvals"] == sorted([first, second])
    assert (shown["preview"]["notices"], shown["upon"]) == ({}, None)
    said = view_of(DecisionAnswer, json.dumps(shown))
    assert recomputed(said).listed.proposal_sha256 == made["proposal_sha256"]

    listed = people.run("officer-2", "decide", "list").out
    waits = people.run("officer-2", "status").out
    assert ("2 approvals" in listed, "revoke many approvals by one act" in " ".join(waits.split())) == (True, True)
    seconded = people.run("officer-2", "decide", "second", decision, "--yes-i-have-read")
    assert (seconded.status, "revoke" in seconded.out) == (0, True), seconded
    seen = ("It revokes 2 approvals, together", first, second, "cause", f"revoke-many --progress {decision}")
    assert [each for each in seen if each not in seconded.out] == []
    assert "not yet" in people.run("auditor", "decide", "revoke-many", "--progress", decision).out
    api.settle()
    told = people.run("officer-1", "decide", "revoke-many", "--progress", decision, "--wait")
    assert told.status == 0
    assert "says all of it" in told.out
    progress = api.ask("auditor", "GET", f"/v1/revocations/{decision}")
    proofs = [f'</v1/proofs/inclusion?approval={each}>; rel="describedby"' for each in sorted([first, second])]
    assert progress.headers.getlist("Link") == proofs
    template = progress.headers["Link-Template"]
    assert template == '"/v1/proofs/inclusion?approval={approval}"; rel="describedby"'
    found = done(progress)
    assert (found["total"], found["ended"], found["already_ended"], found["told"]) == (2, 2, 0, 2)
    assert found["crl_number"] is not None
    unseen = done(api.ask("officer-1", "GET", "/v1/tasks"))["tasks"]
    assert [
        "to revoke many approvals by one act" in each["sentence"] for each in unseen if each["subject"] == decision
    ] == [True]
    for each in (first, second):
        assert done(api.ask("dcc", "POST", "/v1/verify", {"approval": each}))["state"] == "cancelled"
        assert done(api.ask("dcc", "GET", f"/v1/approvals/{each}"))["end_cause"] == "ssc"
        notices = done(api.ask("dcc", "GET", f"/v1/approvals/{each}/notices"))["notices"]
        assert [one["kind"] for one in notices] == ["grant", "revocation"]


def test_a_list_that_was_written_otherwise_is_not_signed_for(people: People) -> None:
    api = people.api
    approval = api.granted()
    body = {"approvals": [approval], "cause": "ssc", "reasons": "x"}
    made = done(api.ask("officer-1", "POST", "/v1/revocations", body), 201)
    shown = done(api.ask("officer-1", "GET", f"/v1/decisions/{made['decision']}"))
    for name, other in (("count", 2), ("approvals_sha256", "0" * 64), ("approvals", [approval, approval])):
        proposal = {**shown["proposal"], name: other}
        altered = {**shown, "proposal": proposal, "proposal_sha256": digest(proposal).hex()}
        with pytest.raises(ShownOtherwise):
            recomputed(view_of(DecisionAnswer, json.dumps(altered)))


def test_what_cannot_be_asked(people: People, tmp_path: Path) -> None:
    api = people.api
    said = {"cause": "ssc", "reasons": "x"}
    for body in (said, {**said, "approvals": []}, {**said, "approvals": ["TDT-2027-0001-N"], "issuing_ca": "0" * 40}):
        refused(api.ask("officer-1", "POST", "/v1/revocations", body), 400, "body-malformed")
    breach = {**said, "cause": "breach", "approvals": ["TDT-2027-0001-N"]}
    refused(api.ask("officer-1", "POST", "/v1/revocations", breach), 400, "body-malformed")
    refused(api.ask("officer-1", "POST", "/v1/revocations", {**said, "issuing_ca": "0" * 40}), 404, "not-found")
    long = {**said, "approvals": ["TDT-2027-0001-N"] * (REVOCATIONS_LIMIT // 19)}
    refused(api.ask("officer-1", "POST", "/v1/revocations", long), 413, "body-too-large")
    nothing = people.run("officer-1", "decide", "revoke-many", "--cause", "ssc", "--why", "x")
    assert "Name a file" in nothing.err
    named = tmp_path / "none.txt"
    named.write_text("", "utf-8")
    assert people.run("officer-1", "decide", "revoke-many", str(named), "--cause", "ssc", "--why", "x").status


def test_of_many_approvals_the_template_alone_says_where_each_is_proved() -> None:
    """100,000 links would be in no header that a server in front lets through."""
    for count in (MOST_LINKS, MOST_LINKS + 1):
        said = with_proofs(Response(), [f"TDT-2027-{number:04d}-X" for number in range(count)])
        assert len(said.headers.getlist("Link")) == (count if count <= MOST_LINKS else 0)
        assert "{approval}" in said.headers["Link-Template"]
