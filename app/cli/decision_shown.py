"""A decision as an officer must see it before seconding it: everything that will be true."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from app.cli import application_shown, interests_shown, shown
from core.kinds import OPEN_DECISION
from ra.applying.views import ContactAnswer
from ra.deciding.views import DecidedCondition, DecidedPassage, DecidedUpon, DecisionAnswer, PreviewAnswer
from ra.reporting.views import BreachAnswer
from ra.telling.views import StepForeseen
from ra.views import DecidedChange, document

Document = Mapping[str, Any]


def show(console: Console, said: DecisionAnswer, certificates: Sequence[Sequence[tuple[str, object]]] = ()) -> None:
    """Show a decision: who and what, the words, the certificate, the difference, the notices, the CPL, the findings.

    Args:
        console: where.
        said: as the service shows it.
        certificates: what the very bytes to be signed say, in order of issue (app/recomputed.py).
    """
    about = about_of(said)
    shown.heading(console, f"{said.decision}: {said.kind} {about}, {said.state}", "bold reverse")
    shown.facts(
        console,
        [
            ("proposed", f"{shown.when(said.proposed_at)} by {said.proposer}"),
            ("signed for", shown.when(said.authorised_at) if said.authorised_at else None),
            ("seconded", f"{shown.when(said.seconded_at)} by {said.seconder}" if said.seconder else None),
            ("officers needed", said.officers),
            ("urgent", "yes, by one officer" if said.urgent else None),
            (
                "acknowledged",
                f"{shown.when(said.acknowledged_at)} by {said.acknowledged_by}" if said.acknowledged_by else None,
            ),
            ("application", said.application),
            ("cause", said.proposal.get("cause")),
            ("keys compromised since", said.proposal.get("invalidity_date")),
            ("breach", said.breach),
            ("request", said.amendment_request),
            ("meeting", f"{said.meeting} {said.minute}".strip()),
            ("lapses", shown.when(said.lapses_at) if said.state in OPEN_DECISION else None),
            ("outcome", said.outcome),
            ("proposal digest", said.proposal_sha256),
            ("certificate digest", [each.tbs_sha256 for each in said.drafts] or said.tbs_sha256),
        ],
    )
    _many(console, said.proposal)
    if said.witnesses:
        shown.heading(console, "What officers say of it")
        shown.table(
            console,
            ("officer", "says", "at", "why"),
            [(each.officer, each.saw, shown.when(each.at), each.why or "") for each in said.witnesses],
        )
    if said.upon is not None:
        _upon(console, said, said.upon)
    listed: list[DecidedPassage | DecidedCondition] = [*said.passages, *said.conditions]
    shown.heading(console, "Words of the decision, and who gets them")
    shown.table(
        console,
        ("", "class", "recipients", "text"),
        [(each.subject, each.classification, ", ".join(each.recipients) or "nobody", each.text) for each in listed],
    )
    for place, certificate in enumerate(certificates):
        which = "The certificate" if not place else "The change that waits, made anew: its certificate"
        shown.heading(console, f"{which}, read from the very bytes")
        shown.facts(console, certificate)
    if said.preview is not None:
        _preview(console, said.preview)
    shown.heading(console, "What the rules found")
    shown.findings(console, said.findings)
    if said.interests:
        shown.heading(console, "Interests that were declared; the authority counts none")
        interests_shown.show(console, said.interests)
    if said.against:
        shown.heading(console, "What stands against it now")
        shown.findings(console, said.against)
    if said.requirements:
        shown.heading(console, "Further requirements that are open (F2.20)")
        shown.table(console, ("requirement", "text"), [(each.requirement, each.text) for each in said.requirements])


def about_of(said: DecisionAnswer) -> str:
    """Return what a decision is about: an approval, an application, or how many approvals."""
    listed = said.proposal.get("approvals")
    return said.approval or said.application or (shown.many(len(listed), "approval") if listed else "")


def _many(console: Console, proposal: Document) -> None:
    """Show each approval that one act revokes: for this list, and no other, is signed (app/recomputed.py)."""
    listed = proposal.get("approvals")
    if not listed:
        return
    shown.heading(console, f"It revokes {shown.many(len(listed), 'approval')}, together (F2.30)")
    shown.facts(
        console,
        [
            ("under", f"the issuing CA {proposal['issuing_ca']}" if proposal.get("issuing_ca") else None),
            ("list digest", proposal.get("approvals_sha256")),
        ],
    )
    shown.sentence(console, "  ".join(listed))


def _upon(console: Console, said: DecisionAnswer, about: DecidedUpon) -> None:
    """Show what it is about, whole: the application, the request, the breach, and the last decision beside it."""
    heading = "The application" if said.application else "The application on which the approval was granted"
    shown.heading(console, f"{heading}: {about.application.application}, {about.application.state}")
    application_shown.show(console, about.application)
    _contact(console, about.contact)
    if about.request is not None:
        shown.heading(console, f"The request {about.request.request} (F2.29)")
        asked = document(about.request.asked)
        wanted = [(name.replace("_", " "), str(value)) for name, value in asked.items() if value not in (None, [], "")]
        shown.facts(console, [*wanted, ("why", about.request.reasons)])
    if about.end_request is not None:
        asked_at = shown.when(about.end_request.asked_at)
        shown.heading(console, f"The request for the end {about.end_request.request} (F2.30)")
        shown.facts(
            console, [("asked", f"{asked_at} by {about.end_request.asked_by}"), ("why", about.end_request.reasons)]
        )
    if about.breach is not None:
        shown.heading(console, f"The breach {about.breach.breach}, {about.breach.state} ({about.breach.clause})")
        shown.facts(
            console,
            [
                ("suspected", f"{shown.when(about.breach.suspected_at)} by {about.breach.suspected_by}"),
                ("note", about.breach.note),
                ("why", about.breach.why),
                *answered(about.breach),
            ],
        )
    for each in about.suspicions:
        if about.breach is None or each.breach != about.breach.breach:
            shown.heading(
                console, f"The Manufacturer was told of breach {each.breach} of {each.approval}, {each.state}"
            )
            shown.facts(console, [("note", each.note), *answered(each)])
    if about.request is not None or about.breach is not None or about.suspicions:
        shown.heading(console, "Evidence of these")
        application_shown.evidence(console, about.evidence)
    if about.before is not None:
        last = about.before
        when = shown.when(last.proposed_at)
        shown.heading(console, f"Since the last decision: {last.decision}, {last.kind}, {last.state}, proposed {when}")
        application_shown.differences(console, last.differences)


def answered(breach: BreachAnswer) -> list[tuple[str, str | None]]:
    """Return what a Manufacturer was told of a breach, and what it answers, as facts."""
    told = breach.told
    if told is None:
        return [("told", "the Manufacturer was told nothing of it")]
    when = "not yet" if told.answered_at is None else f"{shown.when(told.answered_at)} by {told.answered_by}"
    return [
        ("told", f"{shown.when(told.at)} by {told.by}, in {told.notice}"),
        ("in the words", told.text),
        ("answered", when),
        ("its answer", told.answer),
    ]


def _contact(console: Console, held: ContactAnswer | None) -> None:
    shown.heading(console, "Where its notices go now")
    if held is None:
        shown.sentence(console, "It named no contact: notices are only fetched.")
        return
    shown.facts(
        console,
        [
            ("notices", held.notices or "only fetched"),
            ("urgent ones, too", held.urgent or "none was named"),
            ("since", f"{shown.when(held.since)} by {held.set_by}"),
        ],
    )


def _preview(console: Console, preview: PreviewAnswer) -> None:
    if preview.certificate:
        shown.heading(console, "The certificate, in words")
        for each in preview.certificate:
            shown.sentence(console, f"- {each}")
    if preview.difference:
        shown.heading(console, "What changes")
        rows = [(each.subject, each.before, each.after) for each in preview.difference]
        shown.table(console, ("", "before", "after"), rows)
    for change in preview.carried:
        told = f"What waits until {shown.when(change.effective)} still takes effect then, as issue {change.issue}"
        _change(console, told, change.changes)
    for gone in preview.withdrawn:
        _change(console, f"What waits until {shown.when(gone.effective)} is withdrawn: this never comes", gone.changes)
    _notices(console, preview.notices)
    if preview.wanting:
        shown.heading(console, "What its recipients would NOT be told", "bold yellow")
        shown.findings(console, preview.wanting)
    _cpl(console, preview.cpl)


def _change(console: Console, heading: str, changes: Sequence[DecidedChange]) -> None:
    shown.heading(console, heading)
    shown.table(console, ("", "before", "from then on"), [(each.subject, each.before, each.after) for each in changes])


def _notices(console: Console, notices: Mapping[str, Document]) -> None:
    """Show each notice as its recipient gets it; those that say the same are shown once, under all their names."""
    alike: list[tuple[list[str], Document]] = []
    for recipient, notice in notices.items():
        same = next((names for names, held in alike if _without_recipient(held) == _without_recipient(notice)), None)
        if same is None:
            alike.append(([recipient], notice))
        else:
            same.append(recipient)
    for names, notice in alike:
        _notice(console, " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names), notice)


def _without_recipient(notice: Document) -> Document:
    return {name: value for name, value in notice.items() if name != "recipient"}


def _notice(console: Console, recipient: str, notice: Document) -> None:
    shown.heading(console, f"The notice to {recipient}: {notice.get('title', '')} ({notice.get('classification', '')})")
    shown.facts(
        console,
        [
            (str(each.get("label")), shown.when(each["instant"]) if "instant" in each else each.get("value"))
            for each in notice.get("facts", [])
        ],
    )
    shown.table(
        console,
        ("", "class", "text"),
        [
            *(
                (each.get("heading") or each.get("subject"), each.get("classification"), each.get("text"))
                for each in notice.get("passages", [])
            ),
            *(
                (f"condition {each.get('number')}", each.get("classification"), each.get("text"))
                for each in notice.get("conditions", [])
            ),
        ],
        none="No passage.",
    )
    withheld = int(notice.get("withheld") or 0)
    if withheld:
        shown.sentence(console, f"Withheld from {recipient}: {withheld} (F2.22).", style="yellow")


def _cpl(console: Console, entries: Sequence[StepForeseen]) -> None:
    if not entries:
        return
    shown.heading(console, "The Central Products List (F2.27, F2.29, F2.31)")
    shown.table(
        console,
        ("the Panel is told to", "due", "firmware", "trial", "approval", "expiry"),
        [
            (
                each.kind,
                shown.day_of(each.due),
                each.firmware_version,
                each.trial,
                each.approval,
                shown.day_of(each.expiry),
            )
            for each in entries
        ],
    )
