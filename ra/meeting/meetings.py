"""meetings: the Sub-Committee meets on a day, under a name that the minutes of decisions have; who attends is recorded.

Whether enough attend is the Committee's own business (its terms of reference): the authority asks of no decision where
it was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.instants import first_second
from policy.roles import Operation
from ra.access import authorise
from ra.committee.saying import name_of, require_room, salted
from ra.desk import Desk, new_identifier
from ra.meeting.views import (
    AttendanceRecorded,
    AttendanceStruck,
    MeetingAnswer,
    MeetingCalled,
    MeetingCancelled,
    MeetingPage,
)
from ra.repeat import RequestKey, once
from ra.views import page
from store.reading import meetings as reading
from store.reading.meetings import Attendance, Meeting
from store.transactions import Transaction
from store.verbs import facts, meetings

MOST_ATTEND = 100
"""People who attend one meeting; chosen: a full room."""


@dataclass(frozen=True)
class CallMeeting:
    """A meeting to be held.

    Args:
        name: as minutes will name it: `SSC 34`.
        held_on: its day.
    """

    name: str
    held_on: date


def call_meeting(desk: Desk, actor: Actor, command: CallMeeting, request: RequestKey | None = None) -> MeetingCalled:
    """Call a meeting.

    Raises:
        NothingSaid: it has no name.
        BodyMalformed: its name is longer than it may be.
        WrongState: another of its name stands.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()
    name = name_of(command.name, of="the name of the meeting")
    with desk.store.begin("call meeting") as tx:
        return once(
            desk, tx, actor, request, MeetingCalled, lambda: _call(tx, actor, name, command.held_on, at=at), at=at
        )


def cancel_meeting(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> MeetingCancelled:
    """Cancel a meeting: it is not held, or on another day and is called anew. What was recorded of it stays.

    Raises:
        NoSuchThing: there is none.
        WrongState: it was cancelled before.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()
    with desk.store.begin("cancel meeting") as tx:
        return once(desk, tx, actor, request, MeetingCancelled, lambda: _cancel(tx, actor, identifier, at=at), at=at)


def record_attendance(
    desk: Desk, actor: Actor, identifier: str, names: Sequence[str], request: RequestKey | None = None
) -> AttendanceRecorded:
    """Record who attends a meeting; who is recorded already is passed over.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the meeting.
        names: of people, as the minutes will have them.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such meeting.
        NothingSaid: nobody is named.
        BodyMalformed: a name is longer than it may be.
        WrongState: it is cancelled.
        BoundReached: as many are recorded as may be.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()
    wanted = [name_of(each, of="the name of somebody who attends") for each in names or ("",)]
    with desk.store.begin("record attendance") as tx:
        return once(
            desk, tx, actor, request, AttendanceRecorded, lambda: _record(tx, actor, identifier, wanted, at=at), at=at
        )


def strike_attendance(
    desk: Desk, actor: Actor, identifier: str, attendance: str, request: RequestKey | None = None
) -> AttendanceStruck:
    """Strike somebody from those who attend a meeting: recorded in error, or did not come.

    Raises:
        NoSuchThing: there is no such meeting.
        WrongState: they do not stand there, or it is cancelled.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()

    def act() -> AttendanceStruck:
        standing_meeting(tx, identifier)
        meetings.strike(tx, identifier, attendance, by=actor.name, at=at)
        payload: dict[str, Json] = {"attendance": attendance}
        facts.record(tx, Fact(FactKind.ATTENDANCE_STRUCK, at, actor, subject=identifier, payload=payload))
        return AttendanceStruck(meeting=identifier, attendance=attendance)

    with desk.store.begin("strike attendance") as tx:
        return once(desk, tx, actor, request, AttendanceStruck, act, at=at)


def meetings_of(desk: Desk, actor: Actor, *, after: str, limit: int) -> MeetingPage:
    """Return a page of meetings, the newest day first, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.

    Raises:
        NoSuchThing: there is no meeting that is called `after`.
    """
    authorise(actor, Operation.READ_COMMITTEE)
    with desk.store.read() as tx:
        rows = page(limit, lambda most: reading.meeting_list(tx, after=after, limit=most), lambda each: each.id)
    return MeetingPage(meetings=tuple(map(meeting_shown, rows.found)), next=rows.next, truncated=rows.truncated)


def next_meeting(desk: Desk, actor: Actor) -> MeetingAnswer | None:
    """Return the meeting that is held today or next; None if none is called."""
    authorise(actor, Operation.READ_COMMITTEE)
    today = first_second(desk.clock.now().date())
    with desk.store.read() as tx:
        found = reading.next_meeting(tx, today)
    return None if found is None else meeting_shown(found)


def standing_meeting(tx: Transaction, identifier: str) -> Meeting:
    """Return a meeting that is not cancelled, and hold it until the commit; NoSuchThing, WrongState."""
    found = reading.locked_meeting(tx, identifier)
    if found.cancelled_at is not None:
        raise WrongState(kind="Meeting", identifier=identifier, state="cancelled", needed="called")
    return found


def meeting_shown(found: Meeting) -> MeetingAnswer:
    """Return a meeting as it is shown."""
    return MeetingAnswer(
        meeting=found.id,
        name=found.name,
        held_on=found.held_on.date(),
        called_at=found.called_at,
        called_by=found.called_by,
        cancelled_at=found.cancelled_at,
        cancelled_by=found.cancelled_by,
    )


def _call(tx: Transaction, actor: Actor, name: str, held_on: date, *, at: datetime) -> MeetingCalled:
    made = Meeting(
        id=new_identifier("mtg", at), name=name, held_on=first_second(held_on), called_at=at, called_by=actor.name
    )
    meetings.call(tx, made)
    payload: dict[str, Json] = {"name": name, "held_on": held_on.isoformat()}
    facts.record(tx, Fact(FactKind.MEETING_CALLED, at, actor, subject=made.id, payload=payload))
    return MeetingCalled(meeting=made.id, name=name, held_on=held_on)


def _cancel(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> MeetingCancelled:
    standing_meeting(tx, identifier)
    meetings.cancel(tx, identifier, by=actor.name, at=at)
    facts.record(tx, Fact(FactKind.MEETING_CANCELLED, at, actor, subject=identifier))
    return MeetingCancelled(meeting=identifier, cancelled_at=at)


def _record(
    tx: Transaction, actor: Actor, identifier: str, names: Sequence[str], *, at: datetime
) -> AttendanceRecorded:
    standing_meeting(tx, identifier)
    present = {each.name for each in reading.attendances_of(tx, identifier)}
    wanted = [each for each in dict.fromkeys(names) if each not in present]
    if not wanted:
        return AttendanceRecorded(meeting=identifier, recorded=())
    require_room(present, len(wanted), MOST_ATTEND, what="people who attend one meeting")
    made, told = [], []
    # In the order of their identifiers, which is that of the list: whoever chairs is named first.
    for name, made_as in zip(wanted, sorted(new_identifier("att", at) for _ in wanted), strict=True):
        salt, digest = salted(name)
        each = Attendance(
            id=made_as,
            meeting=identifier,
            name=name,
            salt=salt,
            recorded_at=at,
            recorded_by=actor.name,
        )
        payload: dict[str, Json] = {"attendance": each.id, "salted_sha256": digest}
        made.append(each)
        told.append(Fact(FactKind.ATTENDANCE_RECORDED, at, actor, subject=identifier, payload=payload))
    meetings.record_attendances(tx, made)
    facts.record(tx, *told)
    return AttendanceRecorded(meeting=identifier, recorded=tuple(each.id for each in made))
