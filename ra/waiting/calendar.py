"""calendar: starts, expiries and report dates as a feed for ordinary calendar programs."""

import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from core.actors import Actor, Party, PartyKind
from core.canonical import canonical
from core.instants import first_second
from core.local_time import uk, utc
from documents.calendar import MEDIA_TYPE, CalendarEvent, calendar
from policy.roles import Operation
from ra.desk import Desk, Rules
from ra.reporting.figures import months_after
from ra.reporting.report import month_of
from ra.waiting.tasks import whose_list
from store.reading import reports as report_reading
from store.reading import tasks as reading
from store.reading.authority import authority_row
from store.reading.tasks import RunningApproval
from store.transactions import Transaction

__all__ = ["MEDIA_TYPE", "Feed", "calendar_feed", "calendar_of"]

REMEMBERED = timedelta(days=400)
"""How long a calendar shows what has ended: a little over a year."""

MONTHS_AHEAD = 12
"""Report dates that a calendar shows ahead."""

_REPORTED_TO = frozenset({PartyKind.SSC, PartyKind.DCC})


@dataclass(frozen=True)
class Feed:
    """A calendar.

    Args:
        octets: iCalendar (RFC 5545).
        digest: of what it shows, hexadecimal: the same as long as nothing has changed.
    """

    octets: bytes
    digest: str


def calendar_feed(desk: Desk, actor: Actor) -> Feed:
    """Return the calendar of the actor's party: a Manufacturer sees its own approvals, the others all."""
    party = whose_list(actor, Operation.READ_CALENDAR)
    at = desk.clock.now()
    with desk.store.read() as tx:
        return calendar_of(tx, party, at, desk.rules)


def calendar_of(tx: Transaction, party: Party, at: datetime, rules: Rules) -> Feed:
    """Return the calendar of a party at an instant."""
    authority = authority_row(tx)
    found = reading.standing_since(tx, at - REMEMBERED, organisation_id=party.organisation)
    place = _Place(authority.base_url, min(rules.expiry_days, default=None))
    events = [event for each in found for event in place.approval(each)]
    if party.kind in _REPORTED_TO:
        events += place.reports(at, rules, report_reading.newest_month(tx))
    name = f"{authority.name}: trials"
    shown = canonical([name, *([str(value) for value in astuple(each)] for each in events)])
    octets = calendar(name, events, made_at=at, organizer=authority.base_url)
    return Feed(octets, hashlib.sha256(shown).hexdigest())


@dataclass(frozen=True)
class _Place:
    """Where the authority is, for identifiers and links, and how many days before an expiry a calendar rings."""

    base_url: str
    alarm_days: int | None

    def approval(self, approval: RunningApproval) -> Iterator[CalendarEvent]:
        """Its start and its end; of one that was ended by somebody its end moves to that day."""
        identifier, ended = approval.identifier, approval.ended_at
        link = f"{self.base_url}/approvals/{identifier}"
        of = f"{approval.device.words}, of {approval.organisation}"
        if ended is None or ended > approval.start:
            told = f"The trial of {of} starts: {utc(approval.start)}, which is {uk(approval.start)} (F2.27)."
            title = f"Trial starts: {identifier}"
            yield self._event(f"{identifier}-start", approval.start, title, told, link, sequence=approval.changes)
        if ended is not None:
            told = f"The approval of {of} was ended: {utc(ended)}, which is {uk(ended)} (F2.31)."
            title = f"Trial ended: {identifier}"
            yield self._event(f"{identifier}-end", ended, title, told, link, sequence=approval.changes)
            return
        told = f"The approval of {of} expires: {utc(approval.expiry)}, which is {uk(approval.expiry)} (F2.31)."
        title = f"Trial expires: {identifier}"
        end = self._event(f"{identifier}-end", approval.expiry, title, told, link, sequence=approval.changes)
        yield replace(end, alarm_days=self.alarm_days)

    def reports(self, at: datetime, rules: Rules, newest: str | None) -> Iterator[CalendarEvent]:
        """The days on which the DCC's monthly report is due (F2.28), from the present month on."""
        this_month = at.date().replace(day=1)
        for ahead in range(MONTHS_AHEAD):
            begun = months_after(this_month, ahead)
            month = month_of(first_second(begun) - timedelta(days=1))
            done = newest is not None and newest >= month
            summary = f"Monthly report for {month} {'was issued' if done else 'is due'}"
            told = f"The DCC's report on Trial Devices for {month} (F2.28)."
            due = first_second(begun.replace(day=rules.report_day))
            link = f"{self.base_url}/v1/reports/{month}"
            yield self._event(f"report-{month}", due, summary, told, link, sequence=int(done))

    def _event(self, name: str, at: datetime, summary: str, told: str, link: str, *, sequence: int) -> CalendarEvent:
        uid = f"{name}@{urlsplit(self.base_url).hostname}"
        return CalendarEvent(uid=uid, day=at.date(), summary=summary, description=told, url=link, sequence=sequence)
