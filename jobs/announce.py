"""announce: whose keys count is mailed when that changes: a roster of the root's to everybody, others to the SSC.

It is noted after the relay has taken it: if we die between the two it is sent again, never not at all, and its
Message-ID tells that it is the same.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from textwrap import fill

from core.actors import PartyKind
from core.errors import MailRefused
from core.instants import text
from core.kinds import RosterCause
from jobs.remind import Sender
from officers.roster import members_digest, read_members
from ra.desk import Desk
from store.reading.authorisations import ShownRoster, shown_rosters
from store.reading.authority import AuthorityRow, authority_row
from store.reading.tasks import reminded
from store.verbs import reminders

_log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=60)
"""How long after a look the next one follows; a roster that waits waits for hours."""

TOLD_FOR = timedelta(days=30)
"""How long after it was set a roster is told: a relay may be away for days, and a new address hears no history."""

_WIDTH = 76


@dataclass
class Announcements:
    """The courier's errand with rosters.

    Args:
        desk: where.
        mailer: sends mail; None where no relay is configured.
        addresses: of SSC, DCC and Panel.
    """

    desk: Desk
    mailer: Sender | None = None
    addresses: Mapping[PartyKind, Sequence[str]] = field(default_factory=dict)
    _quiet_until: datetime | None = field(default=None, init=False)

    def turn(self) -> int:
        """Mail what nobody has been told yet; return how many messages were taken."""
        at = self.desk.clock.now()
        if self.mailer is None or (self._quiet_until is not None and at < self._quiet_until):
            return 0
        self._quiet_until = at + LOOK_AGAIN
        with self.desk.store.read() as tx:
            authority = authority_row(tx)
            news = [each for each in shown_rosters(tx) if each.set_at > at - TOLD_FOR]
            due = [(each, address) for each in news for address in self._recipients(each)]
            known = reminded(tx, [_key(each, address) for each, address in due])
        waiting = [(each, address) for each, address in due if _key(each, address) not in known]
        return sum(self._sent(self.mailer, authority, each, address) for each, address in waiting)

    def _recipients(self, roster: ShownRoster) -> Sequence[str]:
        if roster.cause == RosterCause.CEREMONY.value:
            return ()  # whoever held the ceremony was there
        everybody = roster.cause != RosterCause.CHANGE.value
        parties = tuple(PartyKind) if everybody else (PartyKind.SSC,)
        return tuple(dict.fromkeys(each for party in parties for each in self.addresses.get(party, ())))

    def _sent(self, mailer: Sender, authority: AuthorityRow, roster: ShownRoster, address: str) -> bool:
        key = _key(roster, address)
        subject = f"{authority.name}: other officers' keys count, roster {roster.number}"
        try:
            mailer.send(address, subject, "\n".join(_lines(authority, roster)) + "\n", [], key.replace(" ", "."))
        except MailRefused as error:
            # Never the address: it is somebody's. The next look tries again.
            _log.warning("word of roster %d was not taken: %s", roster.number, error)
            return False
        # If we die here, it is sent again.
        with self.desk.store.begin("record announcement") as tx:
            reminders.keep(tx, [key], at=self.desk.clock.now())
        return True


def _key(roster: ShownRoster, address: str) -> str:
    what = hashlib.sha256(f"{roster.members} {text(roster.effective_at)}".encode()).hexdigest()[:16]
    return f"roster {roster.number} {what} {hashlib.sha256(address.encode()).hexdigest()[:16]}"


def _lines(authority: AuthorityRow, roster: ShownRoster) -> Iterator[str]:
    if authority.environment != "live":
        yield from (fill("TEST: this comes from a test authority; nothing in it holds outside the test.", _WIDTH), "")
    members = read_members(roster.members)
    yield f"Roster {roster.number} of officers' keys counts from {text(roster.effective_at)}."
    yield ""
    for each in members:
        yield f"  {each.key}  {each.officer}"
    yield from ("", f"SHA-256 of its members: {members_digest(members)}", "")
    if roster.cause == RosterCause.ROOT.value:
        said = (
            "The root's key has signed it, as it does where fewer than two officers have their keys. If you have yours "
            "and know nothing of this, stop it before that instant, with one other officer: trialcpa roster change "
            "--keep, and trialcpa order authorise."
        )
        yield from (fill(said, _WIDTH, break_on_hyphens=False), "")
    yield fill("Whoever finds themselves on it, or missing from it, without knowing why: stop issuing.", _WIDTH)
    yield f"{authority.base_url}/v1/roster"
