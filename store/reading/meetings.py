"""Meetings of the committee, with who attends them, what is on their agenda and what was minuted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Column, Row, Text, and_, bindparam, desc, func, or_, select

from core.errors import NoSuchThing
from core.kinds import AgendaKind
from store.committee_tables import agenda_items, attendances, item_minutes, meetings
from store.rows import Decision
from store.tables import approvals, certificates, decisions
from store.transactions import Transaction
from store.trial_tables import amendment_requests, breaches, end_requests
from store.types import Instant

_IDENTIFIER = bindparam("identifier", type_=Text())
_MEETING = select(meetings).where(meetings.c.id == _IDENTIFIER)
_HOLD = select(meetings.c.id).where(meetings.c.id == _IDENTIFIER).with_for_update()
_NEXT = (
    select(meetings)
    .where(meetings.c.cancelled_at.is_(None), meetings.c.held_on >= bindparam("since", type_=Instant()))
    .order_by(meetings.c.held_on, meetings.c.id)
    .limit(1)
)
_ATTENDANCES = (
    select(attendances)
    .where(attendances.c.meeting_id == _IDENTIFIER, attendances.c.struck_at.is_(None))
    .order_by(attendances.c.recorded_at, attendances.c.id)
)
_ITEMS = (
    select(agenda_items)
    .where(agenda_items.c.meeting_id == _IDENTIFIER, agenda_items.c.taken_off_at.is_(None))
    .order_by(agenda_items.c.place)
)
_ITEM = select(agenda_items).where(agenda_items.c.id == _IDENTIFIER)
_MINUTES = (
    select(item_minutes)
    .join(agenda_items, agenda_items.c.id == item_minutes.c.item_id)
    .where(agenda_items.c.meeting_id == _IDENTIFIER)
    .order_by(item_minutes.c.version)
)


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """A meeting.

    Args:
        id: its identifier.
        name: as minutes of decisions name it.
        held_on: the first second of its day.
        called_at, called_by: when it was called, and by whom.
        cancelled_at, cancelled_by: when it was cancelled, and by whom.
    """

    id: str
    name: str
    held_on: datetime
    called_at: datetime
    called_by: str
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """Somebody who attends a meeting; `salt` and the name are what its fact has the digest of."""

    id: str
    meeting: str
    name: str
    salt: bytes
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class AgendaItem:
    """What is to be decided at a meeting.

    Args:
        id: its identifier.
        meeting: at which.
        place: in its order.
        kind: what waited when it was placed.
        subject: the identifier of that.
        title: what waited, in words.
        application: that it comes from.
        approval: that it is about; None if there is none yet.
        placed_at, placed_by: when it was placed, and by whom.
        taken_off_at: when it was taken off.
    """

    id: str
    meeting: str
    place: int
    kind: AgendaKind
    subject: str
    title: str
    application: str | None
    approval: str | None
    placed_at: datetime
    placed_by: str
    taken_off_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ItemMinute:
    """What was minuted of an item; `salt` and the words are what its fact has the digest of."""

    item: str
    version: int
    minute: str
    text: str
    salt: bytes
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class About:
    """What an item is about: the application that it comes from, and the approval."""

    application: str | None
    approval: str | None


def meeting(tx: Transaction, identifier: str) -> Meeting:
    """Return a meeting; NoSuchThing if there is none."""
    row = tx.connection.execute(_MEETING, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="meeting", identifier=identifier)
    return _meeting(row)


def locked_meeting(tx: Transaction, identifier: str) -> Meeting:
    """Return a meeting and hold its row until the commit, so that what is counted of it stays so; NoSuchThing."""
    if tx.dialect == "postgresql":
        tx.connection.execute(_HOLD, {"identifier": identifier})
    return meeting(tx, identifier)


def next_meeting(tx: Transaction, since: datetime) -> Meeting | None:
    """Return the first meeting that is held on the day that begins at an instant, or later; None if there is none."""
    row = tx.connection.execute(_NEXT, {"since": since}).one_or_none()
    return None if row is None else _meeting(row)


def meeting_list(tx: Transaction, *, after: str, limit: int) -> list[Meeting]:
    """Return meetings, the newest day first, from behind one of them on.

    Args:
        tx: open.
        after: the identifier of the last of the page before; empty for the first.
        limit: how many.
    """
    c = meetings.c
    query = select(meetings).order_by(desc(c.held_on), desc(c.id)).limit(limit)
    if after:
        last = meeting(tx, after)
        query = query.where(or_(c.held_on < last.held_on, and_(c.held_on == last.held_on, c.id < last.id)))
    return [_meeting(row) for row in tx.connection.execute(query)]


def attendances_of(tx: Transaction, identifier: str) -> list[Attendance]:
    """Return who attends a meeting, in the order in which they were recorded; who was struck is left out."""
    return [
        Attendance(
            id=row.id,
            meeting=row.meeting_id,
            name=row.name,
            salt=bytes(row.salt),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
        for row in tx.connection.execute(_ATTENDANCES, {"identifier": identifier})
    ]


def items_of(tx: Transaction, identifier: str) -> list[AgendaItem]:
    """Return what is on the agenda of a meeting, in order; what was taken off is left out."""
    return [_item(row) for row in tx.connection.execute(_ITEMS, {"identifier": identifier})]


def item(tx: Transaction, identifier: str) -> AgendaItem:
    """Return an item of an agenda, one that was taken off too; NoSuchThing if there is none."""
    row = tx.connection.execute(_ITEM, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="agenda item", identifier=identifier)
    return _item(row)


def minutes_of(tx: Transaction, identifier: str) -> dict[str, ItemMinute]:
    """Return what is minuted of each item of a meeting, by the item: the newest of each stands."""
    return {
        row.item_id: ItemMinute(
            item=row.item_id,
            version=row.version,
            minute=row.minute,
            text=row.text,
            salt=bytes(row.salt),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
        for row in tx.connection.execute(_MINUTES, {"identifier": identifier})
    }


def last_place(tx: Transaction, identifier: str) -> int:
    """Return the place of the last item that was ever on the agenda of a meeting; 0 if none was."""
    query = select(func.max(agenda_items.c.place)).where(agenda_items.c.meeting_id == identifier)
    return int(tx.connection.execute(query).scalar() or 0)


_DECISION_ABOUT = select(decisions.c.application_id, decisions.c.approval).where(decisions.c.id == _IDENTIFIER)
_OF_BREACH = select(breaches.c.approval).where(breaches.c.id == _IDENTIFIER)
_OF_CERTIFICATE = select(certificates.c.approval).where(certificates.c.serial == _IDENTIFIER)
_OF_REQUEST = select(amendment_requests.c.approval).where(amendment_requests.c.id == _IDENTIFIER)
_OF_END_REQUEST = select(end_requests.c.approval).where(end_requests.c.id == _IDENTIFIER)
_APPLICATION_OF = select(approvals.c.application_id).where(approvals.c.identifier == _IDENTIFIER)


def about(tx: Transaction, kind: AgendaKind, subject: str) -> About:
    """Return what a thing that waits is about.

    Args:
        tx: open.
        kind: what sort of thing waits.
        subject: its identifier.
    """
    match kind:
        case AgendaKind.APPLICATION:
            return About(application=subject, approval=None)
        case AgendaKind.DECISION | AgendaKind.REVOCATION:
            row = tx.connection.execute(_DECISION_ABOUT, {"identifier": subject}).one()
            application = row.application_id or application_of(tx, row.approval)
            return About(application=application, approval=row.approval)
        case AgendaKind.ADDITION:
            return About(application=application_of(tx, subject), approval=subject)
        case AgendaKind.SUSPICION | AgendaKind.OWED:
            query = _OF_BREACH
        case AgendaKind.REJECTED:
            query = _OF_CERTIFICATE
        case AgendaKind.AMENDMENT:
            query = _OF_REQUEST
        case AgendaKind.END:
            query = _OF_END_REQUEST
        case _:
            assert_never(kind)
    found = tx.connection.execute(query, {"identifier": subject}).scalar()
    return About(application=application_of(tx, found), approval=found)


def application_of(tx: Transaction, approval: str | None) -> str | None:
    """Return the application that an approval was granted for; None where there is no such approval yet."""
    if approval is None:
        return None
    found = tx.connection.execute(_APPLICATION_OF, {"identifier": approval}).scalar()
    return None if found is None else str(found)


def decided_by(tx: Transaction, items: Sequence[AgendaItem]) -> dict[str, str]:
    """Return the newest decision about each of some items, by the item; those are left out that have none."""
    by_kind: dict[AgendaKind, list[AgendaItem]] = {}
    found: dict[str, str] = {}
    for each in items:
        by_kind.setdefault(each.kind, []).append(each)
    for kind, listed in by_kind.items():
        of = _decisions_about(tx, kind, [each.subject for each in listed])
        found |= {each.id: of[each.subject] for each in listed if each.subject in of}
    return found


def _decisions_about(tx: Transaction, kind: AgendaKind, subjects: Sequence[str]) -> dict[str, str]:
    match kind:
        case AgendaKind.APPLICATION:
            about: Column[Any] = decisions.c.application_id
        case AgendaKind.SUSPICION | AgendaKind.OWED:
            about = decisions.c.breach
        case AgendaKind.AMENDMENT:
            about = decisions.c.amendment_request
        case AgendaKind.END:
            c = end_requests.c
            ending = select(c.id, c.decision_id).where(c.id.in_(subjects), c.decision_id.is_not(None))
            return {str(subject): str(decision) for subject, decision in tx.connection.execute(ending)}
        case AgendaKind.DECISION | AgendaKind.REVOCATION:
            return {each: each for each in subjects}
        case AgendaKind.REJECTED | AgendaKind.ADDITION:
            return {}  # what is decided of them names the approval alone
        case _:
            assert_never(kind)
    query = select(about, decisions.c.id).where(about.in_(subjects)).order_by(decisions.c.proposed_at, decisions.c.id)
    return {str(subject): str(decision) for subject, decision in tx.connection.execute(query)}


def comes_from(tx: Transaction, decision: Decision) -> str | None:
    """Return the application that a decision is about, or that its approval was granted for."""
    return decision.application_id or application_of(tx, decision.approval)


def _meeting(row: Row[Any]) -> Meeting:
    return Meeting(
        id=row.id,
        name=row.name,
        held_on=row.held_on,
        called_at=row.called_at,
        called_by=row.called_by,
        cancelled_at=row.cancelled_at,
        cancelled_by=row.cancelled_by,
    )


def _item(row: Row[Any]) -> AgendaItem:
    return AgendaItem(
        id=row.id,
        meeting=row.meeting_id,
        place=row.place,
        kind=row.kind,
        subject=row.subject,
        title=row.title,
        application=row.application_id,
        approval=row.approval,
        placed_at=row.placed_at,
        placed_by=row.placed_by,
        taken_off_at=row.taken_off_at,
    )
