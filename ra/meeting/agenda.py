"""agenda: what is to be decided at a meeting, chosen from what waits; each item is gone through and minuted.

An item names what waits and decides nothing: it is decided as it is between two meetings, and the agenda shows by which
decision. What is minuted is written anew by another version; the versions before it stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import NoSuchThing, WrongState
from core.facts import Fact, FactKind
from core.kinds import OPEN_DECISION, AgendaKind
from core.local_time import overdue_before
from policy.roles import Operation, party_of
from ra.access import authorise, not_permitted
from ra.committee.interests import interests_in_each
from ra.committee.saying import name_of, no_longer, require_room, salted
from ra.desk import Desk, new_identifier
from ra.meeting.meetings import meeting_shown, standing_meeting
from ra.meeting.views import (
    AgendaPlaced,
    AgendaStep,
    AgendaTakenOff,
    AttendanceAnswer,
    ItemAnswer,
    ItemDecision,
    ItemMinuted,
    MeetingShown,
    MinuteAnswer,
    OfferedAnswer,
)
from ra.repeat import RequestKey, once
from ra.waiting.tasks import tasks_of
from ra.waiting.views import TaskAnswer
from store.reading import meetings as reading
from store.reading import requests
from store.reading.meetings import AgendaItem, ItemMinute
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import facts, meetings

MOST_ITEMS = 200
"""Items of one agenda; chosen: more than a day has room for."""

MOST_VERSIONS = 100
"""How often one item is minuted; chosen: more than anybody mends a sentence."""

_KINDS = {each.value: each for each in AgendaKind}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits for the SSC and is decided at meetings.

    Args:
        tasks: by the identifier of what waits, what is overdue first.
        more: whether there is more.
        overdue_before: what is due before it is overdue.
    """

    tasks: Mapping[str, TaskAnswer]
    more: bool
    overdue_before: datetime

    def overdue(self, task: TaskAnswer) -> bool:
        """Return whether a task is overdue."""
        return task.due is not None and task.due < self.overdue_before


def place_on_agenda(
    desk: Desk, actor: Actor, meeting: str, subjects: Sequence[str], request: RequestKey | None = None
) -> AgendaPlaced:
    """Place things that wait on the agenda of a meeting, in the order in which they are named.

    Args:
        desk: where.
        actor: an officer.
        meeting: its identifier.
        subjects: the identifiers of what waits; what is on the agenda already is passed over.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such meeting, or nothing of such a name waits for a decision.
        WrongState: the meeting is cancelled.
        BoundReached: the agenda is as long as it may be.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()
    with desk.store.begin("place on agenda") as tx:
        return once(
            desk, tx, actor, request, AgendaPlaced, lambda: _place(desk, tx, actor, meeting, subjects, at=at), at=at
        )


def take_off_agenda(desk: Desk, actor: Actor, item: str, request: RequestKey | None = None) -> AgendaTakenOff:
    """Take an item off its agenda.

    Raises:
        NoSuchThing: there is none.
        WrongState: it was taken off before, or the meeting is cancelled.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()

    def act() -> AgendaTakenOff:
        found = reading.item(tx, item)
        standing_meeting(tx, found.meeting)
        meetings.take_off(tx, item, by=actor.name, at=at)
        payload: dict[str, Json] = {"item": item}
        facts.record(tx, Fact(FactKind.AGENDA_TAKEN_OFF, at, actor, subject=found.meeting, payload=payload))
        return AgendaTakenOff(meeting=found.meeting, item=item)

    with desk.store.begin("take off agenda") as tx:
        return once(desk, tx, actor, request, AgendaTakenOff, act, at=at)


@dataclass(frozen=True, kw_only=True)
class MinuteItem:
    """What is to be minuted of an item.

    Args:
        item: its identifier.
        minute: its number: `34/07`.
        text: what was said; may be empty.
        after: the version that whoever writes has read; 0 for none.
    """

    item: str
    minute: str
    text: str = ""
    after: int = 0


def minute_item(desk: Desk, actor: Actor, command: MinuteItem, request: RequestKey | None = None) -> ItemMinuted:
    """Minute an item: under which number, and what was said beside the decision.

    Raises:
        NoSuchThing: there is no such item.
        NothingSaid: it has no number.
        BodyMalformed: words are longer than they may be.
        WrongState: somebody has minuted it meanwhile, another item has the number, it is off the agenda, or the meeting
            is cancelled.
        BoundReached: it was written anew as often as it may be.
    """
    authorise(actor, Operation.KEEP_MEETINGS)
    at = desk.clock.now()
    minute = name_of(command.minute, of="the number of the minute")
    text = no_longer(command.text.strip(), of="the minute")
    with desk.store.begin("minute item") as tx:
        return once(
            desk, tx, actor, request, ItemMinuted, lambda: _minute(tx, actor, command, (minute, text), at=at), at=at
        )


def meeting(desk: Desk, actor: Actor, identifier: str) -> MeetingShown:
    """Return a meeting with who attends, its agenda as it stands now, and what else waits; NoSuchThing."""
    authorise(actor, Operation.READ_COMMITTEE)
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = reading.meeting(tx, identifier)
        listed = reading.items_of(tx, identifier)
        waiting = _waiting(desk, tx, actor, at=at)
        placed = {each.subject for each in listed}
        items = _items(tx, identifier, listed, waiting)
        # What was proposed of an item is decided with it, and not beside it.
        placed |= {each.decision.decision for each in items if each.decision is not None}
        attendances = reading.attendances_of(tx, identifier)
    return MeetingShown(
        meeting=meeting_shown(found),
        as_of=at,
        attendances=tuple(
            AttendanceAnswer(
                attendance=each.id, name=each.name, recorded_at=each.recorded_at, recorded_by=each.recorded_by
            )
            for each in attendances
        ),
        items=items,
        offered=tuple(
            _offered(each, overdue=waiting.overdue(each))
            for each in waiting.tasks.values()
            if each.subject not in placed
        ),
        more_waits=waiting.more,
    )


def step(desk: Desk, actor: Actor, item: str) -> AgendaStep:
    """Return where somebody is who goes through an agenda; NoSuchThing if there is no such item on one."""
    authorise(actor, Operation.READ_COMMITTEE)
    with desk.store.read() as tx:
        found = reading.item(tx, item)
        of = reading.meeting(tx, found.meeting)
        listed = reading.items_of(tx, found.meeting)
        minuted = reading.minutes_of(tx, found.meeting)
    place = next((place for place, each in enumerate(listed) if each.id == item), None)
    if place is None:
        raise NoSuchThing(kind="agenda item", identifier=item)
    minute = minuted.get(item)
    return AgendaStep(
        meeting=meeting_shown(of),
        item=item,
        title=found.title,
        number=place + 1,
        of=len(listed),
        minute=None if minute is None else minute.minute,
        previous=listed[place - 1].id if place else None,
        following=listed[place + 1].id if place + 1 < len(listed) else None,
    )


def _waiting(desk: Desk, tx: Transaction, actor: Actor, *, at: datetime) -> Waiting:
    party = party_of(actor)
    if party is None:
        raise not_permitted(actor, Operation.READ_TASKS)
    found, limit = tasks_of(tx, party, at, desk.rules), overdue_before(at)
    listed = [each for each in found.tasks if each.kind in _KINDS]
    listed.sort(
        key=lambda each: (each.due is None or each.due >= limit, not each.urgent, each.due or _NEVER, each.since)
    )
    return Waiting(tasks={each.subject: each for each in listed}, more=found.truncated, overdue_before=limit)


def _place(
    desk: Desk, tx: Transaction, actor: Actor, meeting_id: str, subjects: Sequence[str], *, at: datetime
) -> AgendaPlaced:
    standing_meeting(tx, meeting_id)
    present = {each.subject for each in reading.items_of(tx, meeting_id)}
    wanted = [each for each in dict.fromkeys(subjects) if each not in present]
    require_room(present, len(wanted), MOST_ITEMS, what="items on one agenda")
    waiting = _waiting(desk, tx, actor, at=at)
    last, made, told = reading.last_place(tx, meeting_id), [], []
    for number, subject in enumerate(wanted, last + 1):
        task = waiting.tasks.get(subject)
        if task is None:
            raise NoSuchThing(kind="thing that waits for a decision", identifier=subject)
        kind = AgendaKind(task.kind)
        about = reading.about(tx, kind, subject)
        item = AgendaItem(
            id=new_identifier("agi", at),
            meeting=meeting_id,
            place=number,
            kind=kind,
            subject=subject,
            title=task.sentence,
            application=about.application,
            approval=about.approval,
            placed_at=at,
            placed_by=actor.name,
        )
        payload: dict[str, Json] = {"item": item.id, "kind": kind.value, "about": subject}
        made.append(item)
        told.append(Fact(FactKind.AGENDA_PLACED, at, actor, subject=meeting_id, payload=payload))
    if made:
        meetings.place(tx, made)
        facts.record(tx, *told)
    return AgendaPlaced(meeting=meeting_id, items=tuple(each.id for each in made))


def _minute(tx: Transaction, actor: Actor, command: MinuteItem, words: tuple[str, str], *, at: datetime) -> ItemMinuted:
    found = reading.item(tx, command.item)
    standing_meeting(tx, found.meeting)
    if found.taken_off_at is not None:
        raise WrongState(kind="Agenda item", identifier=found.id, state="taken off", needed="on the agenda")
    minuted = reading.minutes_of(tx, found.meeting)
    version = minuted[found.id].version if found.id in minuted else 0
    if version != command.after:
        raise WrongState(kind="What is minuted of", identifier=found.id, state="written anew", needed="as you read it")
    minute, text = words
    standing = {each.id for each in reading.items_of(tx, found.meeting)}
    if any(each.minute == minute and name in standing for name, each in minuted.items() if name != found.id):
        raise WrongState(kind="Minute", identifier=minute, state="that of another item", needed="free")
    require_room(version, 1, MOST_VERSIONS, what="versions of one minute")
    salt, digest = salted(text)
    made = ItemMinute(
        item=found.id,
        version=version + 1,
        minute=minute,
        text=text,
        salt=salt,
        recorded_at=at,
        recorded_by=actor.name,
    )
    meetings.minute(tx, made)
    payload: dict[str, Json] = {
        "item": found.id,
        "version": made.version,
        "minute": minute,
        "salted_sha256": digest,
    }
    facts.record(tx, Fact(FactKind.AGENDA_MINUTED, at, actor, subject=found.meeting, payload=payload))
    return ItemMinuted(item=found.id, meeting=found.meeting, minute=minute, version=made.version)


def _items(tx: Transaction, meeting_id: str, listed: Sequence[AgendaItem], waiting: Waiting) -> tuple[ItemAnswer, ...]:
    decided, minuted = reading.decided_by(tx, listed), reading.minutes_of(tx, meeting_id)
    # For all of them together: an agenda has two hundred items.
    decisions = requests.decisions_by(tx, list(dict.fromkeys(decided.values())))
    declared = interests_in_each(tx, list({each.application: None for each in listed if each.application is not None}))
    found = []
    for each in listed:
        decision = _decision(decisions.get(decided.get(each.id, "")))
        task = waiting.tasks.get(each.subject)
        if task is None and decision is not None:
            task = waiting.tasks.get(decision.decision)
        minute = minuted.get(each.id)
        found.append(
            ItemAnswer(
                item=each.id,
                kind=each.kind,
                subject=each.subject,
                title=each.title,
                application=each.application,
                approval=each.approval,
                placed_at=each.placed_at,
                placed_by=each.placed_by,
                waits=task is not None or _may_wait(decision, waiting),
                due=None if task is None else task.due,
                overdue=task is not None and waiting.overdue(task),
                urgent=task is not None and task.urgent,
                decision=decision,
                minute=None if minute is None else _minuted(minute),
                interests=() if each.application is None else declared[each.application],
            )
        )
    return tuple(found)


def _may_wait(decision: ItemDecision | None, waiting: Waiting) -> bool:
    """Return whether what is no task that was read may wait all the same: of each kind only the oldest are read."""
    return waiting.more if decision is None else decision.state in OPEN_DECISION


def _decision(found: Decision | None) -> ItemDecision | None:
    if found is None:
        return None
    return ItemDecision(
        decision=found.id,
        kind=found.kind,
        state=found.state,
        proposer=found.proposer,
        proposed_at=found.proposed_at,
        authorised_at=found.authorised_at,
        seconder=found.seconder,
        seconded_at=found.seconded_at,
        outcome=found.outcome,
        meeting=found.meeting,
        minute=found.minute,
    )


def _minuted(found: ItemMinute) -> MinuteAnswer:
    return MinuteAnswer(
        minute=found.minute,
        text=found.text,
        version=found.version,
        recorded_at=found.recorded_at,
        recorded_by=found.recorded_by,
    )


def _offered(task: TaskAnswer, *, overdue: bool) -> OfferedAnswer:
    return OfferedAnswer(
        kind=AgendaKind(task.kind),
        subject=task.subject,
        sentence=task.sentence,
        since=task.since,
        due=task.due,
        overdue=overdue,
        urgent=task.urgent,
    )
