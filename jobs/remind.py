"""remind: mails each party its list when it is due (ra/waiting/reminders.py says to whom, and when).

It is noted after the relay has taken it: if we die between the two it is sent again, never not at all, and its
Message-ID tells that it is the same.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from textwrap import fill
from typing import Protocol

from core.actors import COURIER, PartyKind
from core.canonical import Json
from core.clauses import serves
from core.errors import MailRefused
from core.facts import Fact, FactKind
from core.local_time import utc
from jobs.mail import Attachment
from ra.desk import Desk
from ra.waiting.calendar import MEDIA_TYPE
from ra.waiting.reminders import Reminder, reminders_due
from ra.waiting.views import TaskAnswer
from store.reading.authority import AuthorityRow, authority_row
from store.verbs import facts, reminders

_log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=10)
"""How long after a look the next one follows; also the pause after a relay that did not take a list."""

PORTION = 10
"""Lists mailed in one turn, so that nothing else that the courier does waits for a slow relay for long."""

_WIDTH = 76


class Sender(Protocol):
    """What takes a message (jobs/mail.py has it)."""

    def send(self, to: str, subject: str, body: str, attachments: Sequence[Attachment], message_id: str) -> None:
        """Hand over one message; MailRefused if it is not taken."""
        ...


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
    _refused: dict[str, int] = field(default_factory=dict, init=False)

    @serves("F2.20", "F2.23", "F2.27", "F2.31")
    def turn(self) -> int:
        """Mail what is due, one portion; return how many lists were taken."""
        at = self.desk.clock.now()
        if self.mailer is None or (self._quiet_until is not None and at < self._quiet_until):
            return 0
        with self.desk.store.read() as tx:
            authority = authority_row(tx)
            due = list(reminders_due(tx, at, self.desk.rules, self.addresses))
        # Who was refused comes after all others: ten addresses that no relay takes are not in everybody's way.
        self._refused = {each: self._refused[each] for each in (one.identifier for one in due) if each in self._refused}
        due.sort(key=lambda each: self._refused.get(each.identifier, 0))
        taken = sum(self._sent(self.mailer, authority, each, at) for each in due[:PORTION])
        more = len(due) > PORTION and taken
        self._quiet_until = None if more else at + LOOK_AGAIN
        return taken

    def _sent(self, mailer: Sender, authority: AuthorityRow, reminder: Reminder, looked_at: datetime) -> bool:
        subject, body = _subject(authority, reminder), _body(authority, reminder, looked_at)
        calendar = Attachment("calendar.ics", MEDIA_TYPE.partition(";")[0], reminder.calendar)
        try:
            mailer.send(reminder.address, subject, body, [calendar], reminder.identifier)
        except MailRefused as error:
            # Never the address: it is somebody's. The next look tries again.
            self._refused[reminder.identifier] = self._refused.get(reminder.identifier, 0) + 1
            _log.warning("the list of %s for %s was not taken: %s", reminder.day, reminder.party.key, error)
            return False
        told: dict[str, Json] = {
            "party": reminder.party.kind.value,
            "day": reminder.day.isoformat(),
            "tasks": len(reminder.tasks),
            "expiring": [*reminder.expiring],
        }
        # If we die here, it is sent again.
        at = self.desk.clock.now()
        with self.desk.store.begin("record reminder") as tx:
            if reminders.keep(tx, reminder.keys, at=at):
                organisation = reminder.party.organisation
                facts.record(
                    tx, Fact(kind=FactKind.REMINDER_SENT, at=at, actor=COURIER, subject=organisation, payload=told)
                )
        return True


def _subject(authority: AuthorityRow, reminder: Reminder) -> str:
    found = reminder.tasks
    many = "1 thing waits" if len(found) == 1 else f"{len(found)} things wait"
    urgent = sum(each.urgent for each in found)
    return f"{authority.name}: {many} for {reminder.name}" + (f", {urgent} urgent" if urgent else "")


def _body(authority: AuthorityRow, reminder: Reminder, at: datetime) -> str:
    found = reminder.tasks
    title = f"What waits for {reminder.name} on {at:%A}, {at.day} {at:%B %Y}"
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
