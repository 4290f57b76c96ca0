"""What one organisation may keep open and store (adr 22), asked in the transaction that adds to it.

Whoever decides is not bounded: what the SSC adds, people of the SSC have chosen to add.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actors import Actor, PartyKind
from core.errors import BoundReached, TooMuchToday
from policy.roles import party_of
from store.reading import bounds as reading
from store.reading import calendars
from store.reading.bounds import Holder
from store.transactions import Transaction

DAY = timedelta(days=1)
"""Acts and lines are counted over the last 24 hours, not by the calendar: nobody gets twice as many at midnight."""

MEBIOCTET = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """How much one organisation may keep open and store.

    Args:
        open_applications: that nobody has decided; chosen: more than a committee reads in weeks.
        open_amendment_requests: that nobody has decided, about all of its approvals; as many, for the same reason.
        evidence_octets: of the files that it has attached, each counted once: 200 of the largest (10 MiB), four for
            each application that may be open.
        calendar_addresses: that answer, of one organisation, or of one person who acts for none: a program for each of
            twenty people, or ten who have two.
        acts_per_day: acts that leave a row, of whichever kind, in 24 hours: one in nine seconds, all day.
        deployment_lines_per_day: lines of reports of deployments in 24 hours: ten of the largest reports (100,000).
    """

    open_applications: int = 50
    open_amendment_requests: int = 50
    evidence_octets: int = 2048 * MEBIOCTET
    calendar_addresses: int = 20
    acts_per_day: int = 10_000
    deployment_lines_per_day: int = 1_000_000


def hold(tx: Transaction, actor: Actor) -> Holder | None:
    """Return whose things are bounded, and hold them still until the commit; None if they are not.

    Called before anything else is locked, so that two who act for one organisation never wait for each other crosswise.
    """
    party = party_of(actor)
    if party is None or party.kind is PartyKind.SSC:
        return None
    holder = Holder(actor.name, actor.organisation)
    reading.hold(tx, holder)
    return holder


def require_act(tx: Transaction, bounds: Bounds, actor: Actor, *, at: datetime) -> None:
    """Raise TooMuchToday if an actor's organisation has done as much in 24 hours as it may."""
    holder = hold(tx, actor)
    if holder is not None:
        present = reading.acts_since(tx, holder, at - DAY)
        _require_today("acts", present, 1, bounds.acts_per_day)


def require_lines(tx: Transaction, bounds: Bounds, actor: Actor, lines: int, *, at: datetime) -> None:
    """Raise TooMuchToday unless so many lines more may be taken from an actor's organisation."""
    holder = hold(tx, actor)
    if holder is not None:
        present = reading.lines_since(tx, holder, at - DAY)
        _require_today("lines of deployments", present, lines, bounds.deployment_lines_per_day)


def require_application(tx: Transaction, bounds: Bounds, organisation: str) -> None:
    """Raise BoundReached if an organisation, which is held, may have no further application open."""
    _require(
        "open applications",
        reading.open_applications(tx, organisation),
        1,
        bounds.open_applications,
        "Cancel one that is not needed, or wait until the SSC has decided one",
    )


def require_amendment_request(tx: Transaction, bounds: Bounds, organisation: str) -> None:
    """Raise BoundReached if an organisation, which is held, may have no further amendment request open."""
    _require(
        "open amendment requests",
        reading.open_amendment_requests(tx, organisation),
        1,
        bounds.open_amendment_requests,
        "Withdraw one that is not needed, or wait until the SSC has decided one",
    )


def require_calendar_address(tx: Transaction, bounds: Bounds, actor: Actor) -> None:
    """Raise BoundReached if an actor's organisation may have no further calendar address; the SSC's people, too."""
    reading.hold(tx, Holder(actor.name, actor.organisation))
    _require(
        "calendar addresses",
        calendars.addresses_answering(tx, actor),
        1,
        bounds.calendar_addresses,
        "Revoke one that is not needed (trialcpa calendar list)",
    )


def require_octets(tx: Transaction, bounds: Bounds, actor: Actor, sha256: str, size: int) -> None:
    """Raise BoundReached unless a file more may be kept for an actor's organisation.

    Args:
        tx: the transaction that would keep it.
        bounds: from the settings.
        actor: who attaches it.
        sha256: of the file.
        size: of the file, in octets; one that the organisation has attached before takes no further room.
    """
    holder = hold(tx, actor)
    if holder is not None:
        _require(
            "octets of attached files",
            reading.stored_octets(tx, holder, but=sha256),
            size,
            bounds.evidence_octets,
            "Send a smaller file, or ask the SSC: what is attached stays, and only its settings make more room",
        )


def _require(what: str, present: int, more: int, limit: int, remedy: str) -> None:
    if present + more > limit:
        raise BoundReached(what=what, limit=limit, present=present, remedy=remedy)


def _require_today(what: str, present: int, more: int, limit: int) -> None:
    if present + more > limit:
        raise TooMuchToday(what=what, limit=limit, present=present)
