"""remind: mails each party its list, on the days set and when an approval comes so near to its expiry.

A list goes to each address of a party at most once a day. It is noted after the relay has taken it: if we die between
the two it is sent again, never not at all, and its Message-ID tells that it is the same. What is noted is what was
told, so a threshold that passed while the courier slept is told when it wakes, and none is told twice.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from textwrap import fill
from typing import Protocol

from core.actors import COURIER, Party, PartyKind
from core.canonical import Json
from core.clauses import serves
from core.errors import MailRefused
from core.facts import Fact, FactKind
from core.local_time import utc
from jobs.mail import Attachment
from ra.desk import Desk
from ra.waiting.calendar import MEDIA_TYPE, calendar_of
from ra.waiting.tasks import days_left, tasks_of, threshold
from ra.waiting.views import TaskAnswer
from store.reading import tasks as reading
from store.reading.authority import AuthorityRow, authority_row
from store.reading.tasks import RunningApproval
from store.transactions import Transaction
from store.verbs import facts, reminders

_log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=10)
"""How long after a look the next one follows; also the pause after a relay that did not take a list."""

PORTION = 10
"""Lists mailed in one turn, so that nothing else that the courier does waits for a slow relay for long."""

_WIDTH = 76
_NAMES = {PartyKind.SSC: "the SSC", PartyKind.DCC: "the DCC", PartyKind.PANEL: "the Panel"}


class Sender(Protocol):
    """What takes a message (jobs/mail.py has it)."""

    def send(self, to: str, subject: str, body: str, attachments: Sequence[Attachment], message_id: str) -> None:
        """Hand over one message; MailRefused if it is not taken."""
        ...


@dataclass(frozen=True)
class _Letter:
    """One list for one address.

    Args:
        party: whose list.
        address: to whom.
        day: of which UTC day.
        keys: what is noted once it is taken.
        subject, body: the message.
        calendar: the party's calendar.
        told: what its fact says.
    """

    party: Party
    address: str
    day: date
    keys: tuple[str, ...]
    subject: str
    body: str
    calendar: bytes
    told: Mapping[str, Json]

    @property
    def message_id(self) -> str:
        """The same whenever the same list is sent again."""
        return f"reminder.{self.party.key}.{self.day}.{_digest(self.address)}"


@dataclass
class Reminders:
    """The courier's errand with lists.

    Args:
        desk: where.
        mailer: sends mail; None where no relay is configured.
        addresses: of SSC, DCC and Panel; a Manufacturer's are in its applications.
    """

    desk: Desk
    mailer: Sender | None = None
    addresses: Mapping[PartyKind, Sequence[str]] = field(default_factory=dict)
    _quiet_until: datetime | None = field(default=None, init=False)

    @serves("F2.20", "F2.23", "F2.27", "F2.31")
    def turn(self) -> int:
        """Mail what is due, one portion; return how many lists were taken."""
        at = self.desk.clock.now()
        if self.mailer is None or (self._quiet_until is not None and at < self._quiet_until):
            return 0
        with self.desk.store.read() as tx:
            letters = list(self._letters(tx, at))
        taken = sum(self._sent(self.mailer, each) for each in letters[:PORTION])
        more = len(letters) > PORTION and taken
        self._quiet_until = None if more else at + LOOK_AGAIN
        return taken

    def _sent(self, mailer: Sender, letter: _Letter) -> bool:
        calendar = Attachment("calendar.ics", MEDIA_TYPE.partition(";")[0], letter.calendar)
        try:
            mailer.send(letter.address, letter.subject, letter.body, [calendar], letter.message_id)
        except MailRefused as error:
            # Never the address: it is somebody's. The next look tries again.
            _log.warning("the list of %s for %s was not taken: %s", letter.day, letter.party.key, error)
            return False
        # If we die here, it is sent again.
        at = self.desk.clock.now()
        with self.desk.store.begin("record reminder") as tx:
            if reminders.keep(tx, letter.keys, at=at):
                subject = letter.party.organisation
                facts.record(
                    tx, Fact(kind=FactKind.REMINDER_SENT, at=at, actor=COURIER, subject=subject, payload=letter.told)
                )
        return True

    def _letters(self, tx: Transaction, at: datetime) -> Iterator[_Letter]:
        authority = authority_row(tx)
        for party, name, addresses in self._parties(tx):
            if not addresses:
                continue
            found = tasks_of(tx, party, at, self.desk.rules)
            passed = self._thresholds(tx, party, at)
            for address in addresses:
                today = f"{party.key} {at.date()} {_digest(address)}"
                keys = {f"{party.key} {each} {_digest(address)}": each for each in passed}
                known = reading.reminded(tx, [today, *keys])
                new = [key for key in keys if key not in known]
                if today in known or not found or not (new or at.weekday() in self.desk.rules.reminder_weekdays):
                    continue
                yield _Letter(
                    party=party,
                    address=address,
                    day=at.date(),
                    keys=(today, *new),
                    subject=_subject(authority, name, found),
                    body=_body(authority, name, found, at),
                    calendar=calendar_of(tx, party, at, self.desk.rules).octets,
                    told={
                        "party": party.kind.value,
                        "day": at.date().isoformat(),
                        "tasks": len(found),
                        "expiring": sorted(passed[keys[key]] for key in new),
                    },
                )

    def _parties(self, tx: Transaction) -> Iterator[tuple[Party, str, Sequence[str]]]:
        for kind, name in _NAMES.items():
            yield Party(kind), name, self.addresses.get(kind, ())
        for organisation, name in reading.manufacturers(tx):
            yield Party(PartyKind.MANUFACTURER, organisation), name, reading.contacts(tx, organisation)

    def _thresholds(self, tx: Transaction, party: Party, at: datetime) -> dict[str, str]:
        """The threshold that each approval has come down to, and which approval that is."""
        rules = self.desk.rules
        until = at + timedelta(days=max(rules.expiry_days, default=0) + 1)
        running = reading.running(tx, at, until=until, organisation_id=party.organisation)
        passed = ((each, _passed(each, at.date(), rules.expiry_days)) for each in running)
        # An approval that is extended passes its thresholds again: the expiry is part of what is noted.
        return {
            f"{each.identifier} {each.expiry.date()} {days}": each.identifier
            for each, days in passed
            if days is not None
        }


def _passed(approval: RunningApproval, day: date, expiry_days: Sequence[int]) -> int | None:
    """The threshold that an approval has come down to since it was granted; its notice told the rest (F2.21(c))."""
    days = threshold(days_left(approval.expiry, day), expiry_days)
    if days is None or approval.granted_at.date() >= approval.expiry.date() - timedelta(days=days):
        return None
    return days


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8")).hexdigest()[:16]


def _subject(authority: AuthorityRow, name: str, found: Sequence[TaskAnswer]) -> str:
    many = "1 thing waits" if len(found) == 1 else f"{len(found)} things wait"
    urgent = sum(each.urgent for each in found)
    return f"{authority.name}: {many} for {name}" + (f", {urgent} urgent" if urgent else "")


def _body(authority: AuthorityRow, name: str, found: Sequence[TaskAnswer], at: datetime) -> str:
    title = f"What waits for {name} on {at:%A}, {at.day} {at:%B %Y}"
    parts = [title, "=" * len(title), ""]
    urgent = [each for each in found if each.urgent]
    parts += _section("URGENT", urgent, 1, authority.base_url)
    rest = [each for each in found if not each.urgent]
    parts += _section("ALSO" if urgent else "", rest, len(urgent) + 1, authority.base_url)
    parts += [
        "-- ",
        _wrapped(f"{authority.name} makes this list from its register; what is done drops off by itself."),
        _wrapped(
            "The calendar attached shows what is coming. To subscribe to it, give your calendar program the address "
            f"below, any user name, and your API key as the password.\n{authority.base_url}/v1/calendar.ics"
        ),
    ]
    return "\n".join(parts) + "\n"


def _section(heading: str, found: Sequence[TaskAnswer], first: int, base_url: str) -> Iterator[str]:
    if found and heading:
        yield from (heading, "")
    for number, each in enumerate(found, first):
        indent = " " * len(f"{number}. ")
        yield fill(f"{number}. {each.sentence}", _WIDTH, subsequent_indent=indent, break_long_words=False)
        if each.due is not None and utc(each.due) not in each.sentence:
            yield f"{indent}Due: {utc(each.due)}"
        yield from (f"{indent}{base_url}{each.link}", "")


def _wrapped(words: str) -> str:
    return "\n".join(fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) for line in words.split("\n"))
