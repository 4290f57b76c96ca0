"""sessions: somebody is let in, is known again by a secret, and leaves or is put out.

A session belongs to a credential and ends with it. Its secret is in the browser and nowhere else. It ends, too, when
nothing was done in it for a while (`Rules.session_idle`): each look moves its end on, as far as SESSION_LIFE and no
further, so that the register says of each what is true if nothing more is done, whichever process is asked (ADR 75).
"""

import hashlib
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from core.actors import Actor
from core.errors import CredentialInvalid, NoSuchThing, StoreUnavailable
from core.facts import Fact, FactKind
from policy.roles import Operation, party_of, permitted
from ra.access import not_permitted
from ra.desk import Desk, new_identifier
from ra.entering.views import Begun, Entered, SessionAnswer
from store.reading import entering as reading
from store.verbs import entering, facts

SESSION_LIFE = timedelta(hours=2)
"""Longer than a meeting takes to decide what is before it, shorter than a machine stays open in an office."""

NOTED_EVERY = timedelta(minutes=1)
"""By no less is an end moved on: a look at a page writes to the register once a minute, not each time. A session may
end so much sooner than it says, never later."""

CLOCKS_APART = timedelta(minutes=1)
"""So much may the clock of the process that is asked be behind that of the one which began a session. What began later
than that is of a clock that was set back since, by which nothing in it would ever be idle: it does not hold."""

SECRET_OCTETS = 32
"""Random octets in a secret: 256 bits, so that its plain SHA-256 can be stored; there is nothing to guess."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def begin(desk: Desk, actor: Actor, *, challenge: bytes | None = None) -> Begun:
    """Let somebody in who has shown who they are.

    Args:
        desk: where.
        actor: who, with their credential.
        challenge: that their passkey answered: it begins one session and no other.

    Raises:
        OperationNotPermitted: they act for nobody; there is nothing in the console for them.
        CredentialInvalid: that challenge has begun a session before.
    """
    if party_of(actor) is None or actor.credential is None:
        raise not_permitted(actor, "sign in")
    at = desk.clock.now()
    until = _until(desk, at, at)
    secret = secrets.token_urlsafe(SECRET_OCTETS)
    with desk.store.begin("begin session") as tx:
        begun = entering.begin_session(
            tx,
            new_identifier("ses", at),
            secret_sha256=digest_of(secret),
            credential=actor.credential,
            challenge_sha256=None if challenge is None else hashlib.sha256(challenge).hexdigest(),
            at=at,
            until=until,
        )
        if not begun:
            raise CredentialInvalid
    return Begun(actor=actor, secret=secret, expires_at=until)


def entered(desk: Desk, secret: str, *, by_itself: bool = False) -> Entered | None:
    """Return whose session a secret is of; None if it is none that holds: unknown, ended, idle, too old, of a time to
    come, access over.

    Args:
        desk: where.
        secret: that a browser shows.
        by_itself: a page asks again and nobody has done anything: the session grows no older by it, and no younger.
    """
    if not _SECRET.fullmatch(secret):
        return None
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = reading.session_of_secret(tx, digest_of(secret), at, apart=CLOCKS_APART)
    if found is None:
        return None
    until = found.expires_at if by_itself else _until(desk, found.begun_at, at)
    if until - found.expires_at >= min(NOTED_EVERY, desk.rules.session_idle / 2):
        # If we die before, it ends as it stood. Where others write, or none may, the page is shown and they are not
        # waited for: the session ends as it stood, too, unless the next look moves it on.
        with suppress(StoreUnavailable), desk.store.begin("stay in session", aside=at) as tx:
            entering.stay_in_session(tx, found.id, at=at, until=until)
    return Entered(session=found.id, actor=found.actor, expires_at=max(until, found.expires_at))


def _until(desk: Desk, begun_at: datetime, at: datetime) -> datetime:
    """When a session ends in which nothing is done after `at`."""
    return min(at + desk.rules.session_idle, begun_at + SESSION_LIFE)


def sessions(desk: Desk, actor: Actor) -> list[SessionAnswer]:
    """Return the sessions that hold: one's own, and everybody's to those who manage access."""
    with desk.store.read() as tx:
        found = reading.sessions(tx, desk.clock.now(), apart=CLOCKS_APART, of=_whose(actor))
    return [
        SessionAnswer(
            session=each.id,
            name=each.actor.name,
            role=each.actor.role,
            own=each.actor.name == actor.name,
            begun_at=each.begun_at,
            expires_at=each.expires_at,
        )
        for each in found
        if each.actor.role is not None
    ]


def leave(desk: Desk, known: Entered) -> None:
    """End the session that one is in; twice is as once."""
    at = desk.clock.now()
    with desk.store.begin("leave session") as tx:
        entering.end_session(tx, known.session, at=at)


def revoke_session(desk: Desk, actor: Actor, identifier: str) -> None:
    """End a session that one sees in the list; its browser is asked to sign in again.

    Raises:
        NoSuchThing: there is none that holds, or it is somebody else's.
    """
    at = desk.clock.now()
    with desk.store.begin("revoke session") as tx:
        known = {each.id: each for each in reading.sessions(tx, at, apart=CLOCKS_APART, of=_whose(actor))}
        if identifier not in known or not entering.end_session(tx, identifier, at=at):
            raise NoSuchThing(kind="session", identifier=identifier)
        whose = {"name": known[identifier].actor.name}
        facts.record(tx, Fact(FactKind.SESSION_REVOKED, at, actor, subject=identifier, payload=whose))


def digest_of(secret: str) -> str:
    """Return the form in which a secret is stored and looked up: hex SHA-256."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _whose(actor: Actor) -> str | None:
    return None if permitted(actor, Operation.MANAGE_ACCESS, owner=None) else actor.name
