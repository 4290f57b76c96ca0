"""subscribing: addresses under which ordinary calendar programs read one person's calendar, without a credential.

Whoever has the address has the calendar: it is kept by programs and services that nobody here knows. So it shows what
its owner may see, and of that only what is White; it is read and nothing else; and it falls silent at once when its
owner revokes it, or has no access any more.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import NoSuchThing, WrongState
from core.facts import Fact, FactKind
from policy.roles import Operation, party_of, permitted
from ra.access import authorise
from ra.bounds import require_calendar_address
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.waiting.calendar import Feed, calendar_of
from ra.waiting.views import CalendarAddressAnswer, CalendarAddressList, CalendarAddressMade, CalendarAddressRevoked
from store.reading import calendars as reading
from store.reading.authority import authority_row
from store.reading.calendars import CalendarAddress
from store.transactions import Transaction
from store.verbs import calendars, facts

SECRET_OCTETS = 32
"""Random octets in an address: 256 bits, so that its plain SHA-256 can be stored; there is nothing to guess."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Subscribed:
    """A calendar that was fetched by its address.

    Args:
        feed: the calendar.
        holder: whose addresses are counted together.
    """

    feed: Feed
    holder: str


@serves("F2.27", "F2.31")
def make_address(desk: Desk, actor: Actor, name: str, request: RequestKey | None = None) -> CalendarAddressMade:
    """Make an address. Its secret is in the answer of the call that made it and nowhere else, not in one that is kept.

    Args:
        desk: where.
        actor: whose calendar it is to show.
        name: what they call it.
        request: the Idempotency-Key, if one was sent.

    Raises:
        OperationNotPermitted: nobody's calendar is theirs.
        BoundReached: their organisation has as many addresses as it may have.
    """
    authorise(actor, Operation.SUBSCRIBE)
    assert actor.role is not None, "who is permitted something has a role"
    at = desk.clock.now()
    secret = secrets.token_urlsafe(SECRET_OCTETS)
    made = CalendarAddress(
        id=new_identifier("cal", at),
        name=name,
        owner=actor.name,
        role=actor.role,
        organisation=actor.organisation,
        made_at=at,
    )
    with desk.store.begin("make calendar address") as tx:
        base = authority_row(tx).base_url
        outcome = once(
            desk, tx, actor, request, CalendarAddressMade, lambda: _make(desk, tx, actor, made, secret), at=at
        )
    # Of the same request sent again it is another one's, whose secret nobody has but whoever was told it then.
    fresh = outcome.calendar == made.id
    return replace(outcome, address=f"{base}/calendars/{secret}.ics") if fresh else outcome


def addresses(desk: Desk, actor: Actor) -> CalendarAddressList:
    """Return the addresses that somebody has made, without their secrets."""
    authorise(actor, Operation.SUBSCRIBE)
    with desk.store.read() as tx:
        found = reading.addresses_of(tx, actor)
    return CalendarAddressList(
        tuple(
            CalendarAddressAnswer(calendar=each.id, name=each.name, made_at=each.made_at, revoked_at=each.revoked_at)
            for each in found
        )
    )


def revoke_address(
    desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None
) -> CalendarAddressRevoked:
    """Revoke an address of one's own: from the commit on it answers nothing.

    Raises:
        NoSuchThing: there is none, or it is somebody else's.
        WrongState: it was revoked before.
    """
    authorise(actor, Operation.SUBSCRIBE)
    at = desk.clock.now()
    with desk.store.begin("revoke calendar address") as tx:
        return once(
            desk, tx, actor, request, CalendarAddressRevoked, lambda: _revoke(tx, actor, identifier, at=at), at=at
        )


def subscribed(desk: Desk, secret: str) -> Subscribed | None:
    """Return the calendar that is read under a secret; None if there is none, whyever.

    Unknown, malformed, revoked, or its owner's access is over: nobody outside can tell these apart.
    """
    if not _SECRET.fullmatch(secret):
        return None
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = reading.address_of_secret(tx, _digest(secret))
        if found is None or found.revoked_at is not None or not reading.has_access(tx, found, at):
            return None
        owner = Actor(found.owner, found.role, found.organisation)
        party = party_of(owner)
        if party is None or not permitted(owner, Operation.READ_CALENDAR, owner=None):
            return None
        return Subscribed(calendar_of(tx, party, at, desk.rules, white=True), found.organisation or found.owner)


def _make(desk: Desk, tx: Transaction, actor: Actor, made: CalendarAddress, secret: str) -> CalendarAddressMade:
    require_calendar_address(tx, desk.rules.bounds, actor)
    calendars.add(tx, made, secret_sha256=_digest(secret))
    facts.record(tx, Fact(FactKind.CALENDAR_ADDRESS_MADE, made.made_at, actor, subject=made.id))
    return CalendarAddressMade(calendar=made.id, name=made.name, made_at=made.made_at)


def _revoke(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> CalendarAddressRevoked:
    if not calendars.revoke(tx, identifier, actor, at=at):
        if identifier not in {each.id for each in reading.addresses_of(tx, actor)}:
            raise NoSuchThing(kind="calendar address", identifier=identifier)
        raise WrongState(kind="Calendar address", identifier=identifier, state="revoked", needed="in use")
    facts.record(tx, Fact(FactKind.CALENDAR_ADDRESS_REVOKED, at, actor, subject=identifier))
    return CalendarAddressRevoked(calendar=identifier, revoked_at=at)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
