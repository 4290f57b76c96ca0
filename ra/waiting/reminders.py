"""reminders: who is to be reminded of what at an instant: on the days set, and when an approval nears its expiry.

A list goes to each address of a party at most once a day. What is noted is what was told, so a threshold that passed
while the courier slept is told when it wakes, and none is told twice.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.actors import Party, PartyKind
from core.clauses import serves
from ra.desk import Rules
from ra.waiting.calendar import calendar_of
from ra.waiting.seeing import to_witness_of_all
from ra.waiting.tasks import days_left, tasks_of, threshold
from ra.waiting.views import TaskAnswer, TaskList
from store.reading import contacts
from store.reading import tasks as reading
from store.reading.tasks import RunningApproval
from store.transactions import Transaction

_NAMES = {PartyKind.SSC: "the SSC", PartyKind.DCC: "the DCC", PartyKind.PANEL: "the Panel"}


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One list for one address.

    Args:
        party: whose list.
        name: how the party is called.
        address: to whom.
        day: of which UTC day.
        keys: what is noted once it is taken.
        tasks: what waits for the party; never empty.
        calendar: the party's calendar, octets of iCalendar.
        expiring: the approvals that have come down to a threshold of which this address has not been told.
    """

    party: Party
    name: str
    address: str
    day: date
    keys: tuple[str, ...]
    tasks: Sequence[TaskAnswer]
    calendar: bytes
    expiring: tuple[str, ...]

    @property
    def identifier(self) -> str:
        """The same whenever the same list is sent again; the address cannot be read from it."""
        return f"reminder.{self.party.key}.{self.day}.{_digest(self.address)}"


@serves("F2.20", "F2.23", "F2.27", "F2.31")
def reminders_due(
    tx: Transaction, at: datetime, rules: Rules, addresses: Mapping[PartyKind, Sequence[str]]
) -> Iterator[Reminder]:
    """Yield every list that is to be sent at an instant and has not been, party by party.

    Args:
        tx: reads.
        at: now.
        rules: on which days of the week, and at which thresholds, people are reminded.
        addresses: of SSC, DCC and Panel; a Manufacturer's is the contact that it has.
    """
    for party, name, known_addresses in _parties(tx, addresses):
        if not known_addresses:
            continue
        unseen = to_witness_of_all(tx, at) if party.kind is PartyKind.SSC else None
        found = [*_told(tasks_of(tx, party, at, rules)), *([] if unseen is None else [unseen])]
        passed = _thresholds(tx, party, at, rules)
        for address in known_addresses:
            today = f"{party.key} {at.date()} {_digest(address)}"
            keys = {f"{party.key} {each} {_digest(address)}": each for each in passed}
            known = reading.reminded(tx, [today, *keys])
            new = [key for key in keys if key not in known]
            if today in known or not found or not (new or at.weekday() in rules.reminder_weekdays):
                continue
            yield Reminder(
                party=party,
                name=name,
                address=address,
                day=at.date(),
                keys=(today, *new),
                tasks=found,
                calendar=calendar_of(tx, party, at, rules).octets,
                expiring=tuple(sorted(passed[keys[key]] for key in new)),
            )


def _told(listed: TaskList) -> Sequence[TaskAnswer]:
    """The tasks as they are mailed, where a list cannot say of itself that it was cut."""
    if not listed.truncated:
        return listed.tasks
    told = f"More waits than is listed here: of each kind the {reading.MOST_OF_A_KIND} oldest are."
    more = TaskAnswer(kind="more", subject=listed.party, sentence=told, since=listed.as_of, link="/v1/tasks")
    return (*listed.tasks, more)


def _parties(
    tx: Transaction, addresses: Mapping[PartyKind, Sequence[str]]
) -> Iterator[tuple[Party, str, Sequence[str]]]:
    for kind, name in _NAMES.items():
        yield Party(kind), name, addresses.get(kind, ())
    for organisation, name in reading.manufacturers(tx):
        held = contacts.held(tx, organisation)
        named = [] if held is None or not held.notices else [held.notices]
        yield Party(PartyKind.MANUFACTURER, organisation), name, named


def _thresholds(tx: Transaction, party: Party, at: datetime, rules: Rules) -> dict[str, str]:
    """The threshold that each approval has come down to, and which approval that is."""
    until = at + timedelta(days=max(rules.expiry_days, default=0) + 1)
    running = reading.running(tx, at, until=until, organisation_id=party.organisation)
    passed = ((each, _passed(each, at.date(), rules.expiry_days)) for each in running)
    # An approval that is extended passes its thresholds again: the expiry is part of what is noted.
    return {
        f"{each.identifier} {each.expiry.date()} {days}": each.identifier for each, days in passed if days is not None
    }


def _passed(approval: RunningApproval, day: date, expiry_days: Sequence[int]) -> int | None:
    """The threshold that an approval has come down to since it was granted; its notice told the rest (F2.21(c))."""
    days = threshold(days_left(approval.expiry, day), expiry_days)
    if days is None or approval.granted_at.date() >= approval.expiry.date() - timedelta(days=days):
        return None
    return days


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8")).hexdigest()[:16]
