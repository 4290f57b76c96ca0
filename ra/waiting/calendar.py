"""calendar: starts, expiries and report dates as a feed for ordinary calendar programs."""

import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from core.actors import Actor, Party, PartyKind
from core.approval import ApprovalRecord
from core.canonical import canonical
from core.instants import first_second
from core.local_time import uk, utc
from core.waiting import EXPIRY, pending, terms_at
from documents.calendar import MEDIA_TYPE, CalendarEvent, calendar
from policy.roles import Operation
from ra.desk import Desk, Rules
from ra.reporting.figures import months_after
from ra.reporting.report import month_of
from ra.waiting.tasks import whose_list
from store.reading import approvals as approval_reading
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


def calendar_of(tx: Transaction, party: Party, at: datetime, rules: Rules, *, white: bool = False) -> Feed:
    """Return the calendar of a party at an instant.

    Args:
        tx: open.
        party: whose.
        at: the instant.
        rules: from the settings.
        white: only what is White (state, device, dates), as on an approval's public page: no organisation, no limit, no
            firmware.
    """
    authority = authority_row(tx)
    found = reading.standing_since(tx, at - REMEMBERED, organisation_id=party.organisation)
    place = _Place(authority.base_url, min(rules.expiry_days, default=None), white)
    records = {each.identifier: each for each in approval_reading.records(tx, [each.identifier for each in found])}
    events = [event for each in found for event in place.approval(each, records[each.identifier], at)]
    if party.kind in _REPORTED_TO:
        events += place.reports(at, rules, report_reading.newest_month(tx))
    name = f"{authority.name}: trials"
    shown = canonical([name, *([str(value) for value in astuple(each)] for each in events)])
    octets = calendar(name, events, made_at=at, organizer=authority.base_url)
    return Feed(octets, hashlib.sha256(shown).hexdigest())


@dataclass(frozen=True)
class _Place:
    """Where the authority is, for identifiers and links.

    Args:
        base_url: its address.
        alarm_days: how many days before an expiry a calendar rings.
        white: whether only what is White is said.
    """

    base_url: str
    alarm_days: int | None
    white: bool

    def approval(self, approval: RunningApproval, record: ApprovalRecord, at: datetime) -> Iterator[CalendarEvent]:
        """Its start, what waits, and its end as it holds now; of one that somebody ended it moves to that day."""
        identifier, ended = approval.identifier, approval.ended_at
        link = f"{self.base_url}/approvals/{identifier}"
        of = approval.device.words if self.white else f"{approval.device.words}, of {approval.organisation}"
        if ended is None or ended > approval.start:
            told = f"The trial of {of} starts: {utc(approval.start)}, which is {uk(approval.start)} (F2.27)."
            title = f"Trial starts: {identifier}"
            yield self._event(f"{identifier}-start", approval.start, title, told, link, sequence=approval.changes)
        if ended is not None:
            told = f"The approval of {of} was ended: {utc(ended)}, which is {uk(ended)} (F2.31)."
            title = f"Trial ended: {identifier}"
            yield self._event(f"{identifier}-end", ended, title, told, link, sequence=approval.changes)
            return
        for each in pending(record, at):
            told_of = [one for one in each.changes if not self.white or one.subject == EXPIRY]
            changes = "; ".join(f"{one.subject} from {one.before} to {one.after}" for one in told_of)
            told = f"What is decided of the approval of {of} takes effect: {utc(each.effective)}, which is "
            otherwise = "other terms, or a new certificate" if self.white else "a new certificate"
            told += f"{uk(each.effective)} (F2.29): {changes or otherwise}."
            title = f"Change takes effect: {identifier}"
            yield self._event(
                f"{identifier}-issue-{each.issue}", each.effective, title, told, link, sequence=approval.changes
            )
        expiry = terms_at(record, at).expiry
        told = f"The approval of {of} expires: {utc(expiry)}, which is {uk(expiry)} (F2.31)."
        title = f"Trial expires: {identifier}"
        end = self._event(f"{identifier}-end", expiry, title, told, link, sequence=approval.changes)
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
