"""minutes: what a meeting came to, as a document: who was present, each item, and what was decided of it.

It is made anew for whoever asks, of the register as it is then; nothing of it is kept, and nothing is frozen by it.
"""

from collections.abc import Mapping

from core.actors import Actor
from core.canonical import Json
from core.instants import text
from core.kinds import OPEN_DECISION, AgendaKind
from core.local_time import uk_day
from ra.committee.views import InterestAnswer
from ra.desk import Desk
from ra.meeting.agenda import meeting
from ra.meeting.views import ItemAnswer, ItemDecision, MeetingAnswer, MeetingShown
from store.reading.authority import authority_row

TITLES: Mapping[AgendaKind, str] = {
    AgendaKind.APPLICATION: "An application",
    AgendaKind.DECISION: "A proposal",
    AgendaKind.REVOCATION: "A revocation to acknowledge",
    AgendaKind.SUSPICION: "A suspected breach",
    AgendaKind.OWED: "A revocation that is owed",
    AgendaKind.REJECTED: "A certificate that was rejected",
    AgendaKind.ADDITION: "An addition to the list",
    AgendaKind.AMENDMENT: "An amendment that is asked for",
    AgendaKind.END: "An end that is asked for",
}


def minutes(desk: Desk, actor: Actor, identifier: str) -> tuple[str, bytes]:
    """Return the minutes of a meeting as they stand now: the name of their file, and the PDF.

    Args:
        desk: where.
        actor: who may read what the Sub-Committee keeps.
        identifier: of the meeting.

    Raises:
        OperationNotPermitted: these are the Sub-Committee's and its auditor's.
        NoSuchThing: there is no such meeting.
    """
    found = meeting(desk, actor, identifier)
    with desk.store.read() as tx:
        authority = authority_row(tx)
    said = {"authority": authority.name, "environment": authority.environment, **_said(found)}
    # Loaded when somebody asks for it: the typesetter is large, and most processes never need it.
    from documents.minutes import minutes_pdf  # noqa: PLC0415 - see above

    return f"minutes-{found.meeting.held_on}.pdf", minutes_pdf(said)


def title_of(item: ItemAnswer) -> str:
    """Return what an item is called: of a proposal, what it is to."""
    if item.kind is not AgendaKind.DECISION or item.decision is None:
        return TITLES[item.kind]
    what = item.approval or item.application or item.subject
    return f"{TITLES[item.kind]} to {item.decision.kind.replace('-', ' ')}: {what}"


def declared_then(item: ItemAnswer, held: MeetingAnswer) -> tuple[InterestAnswer, ...]:
    """Return the interests that minutes have beside an item: those that stood on the day of the meeting.

    That is a day of the United Kingdom, where the Sub-Committee meets. What was declared on it is there, and what was
    withdrawn on it too: the register does not know at which hour the item was dealt with.
    """
    return tuple(
        each
        for each in item.interests
        if uk_day(each.declared_at) <= held.held_on
        and (each.withdrawn_at is None or uk_day(each.withdrawn_at) >= held.held_on)
    )


def _said(found: MeetingShown) -> dict[str, Json]:
    held = found.meeting
    return {
        "meeting": held.meeting,
        "name": held.name,
        "held_on": held.held_on.isoformat(),
        "cancelled_at": None if held.cancelled_at is None else text(held.cancelled_at),
        "as_of": text(found.as_of),
        "present": [each.name for each in found.attendances],
        "items": [_item(each, held) for each in found.items],
    }


def _item(item: ItemAnswer, held: MeetingAnswer) -> Json:
    return {
        "minute": "" if item.minute is None else item.minute.minute,
        "text": "" if item.minute is None else item.minute.text,
        "title": title_of(item),
        "before": item.title,
        "interests": [{"officer": each.officer, "text": each.text} for each in declared_then(item, held)],
        "decision": None if item.decision is None else _decision(item.decision),
        "waits": item.waits,
    }


def _decision(found: ItemDecision) -> Json:
    return {
        "decision": found.decision,
        "kind": found.kind.value,
        "state": found.state.value,
        "open": found.state in OPEN_DECISION,
        "proposer": found.proposer,
        "seconder": found.seconder,
        "seconded_at": None if found.seconded_at is None else text(found.seconded_at),
        "meeting": found.meeting,
        "minute": found.minute,
    }
