"""Who may come in: sessions in a browser, invitations and passkeys, each with the credential that it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select

from core.actors import Actor, Role
from store.console_tables import console_sessions, invitations, passkeys
from store.tables import credentials
from store.transactions import Transaction

MOST_SESSIONS = 100
"""Sessions that are listed; more are open at once in no office."""


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """A session in a browser, of somebody whose access is in force.

    Args:
        id: of the session; its secret is nowhere.
        actor: whose.
        begun_at, expires_at: from when, and until when if nothing more is done in it.
    """

    id: str
    actor: Actor
    begun_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    """An invitation to enrol a passkey that can be taken up."""

    id: str
    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class EnrolledRow:
    """A passkey as it was enrolled.

    Args:
        key_id: by which a browser finds it.
        public_key: COSE_Key.
    """

    key_id: bytes
    public_key: bytes
    enrolled_at: datetime


@dataclass(frozen=True, kw_only=True)
class PasskeyRow:
    """A passkey of somebody whose access is in force.

    Args:
        id: of the row.
        actor: whose.
        public_key: COSE_Key.
        sign_count: the largest that it has shown.
    """

    id: str
    actor: Actor
    public_key: bytes
    sign_count: int


_WHO = (credentials.c.name, credentials.c.role, credentials.c.organisation_id, credentials.c.id.label("credential"))


def session_of_secret(tx: Transaction, sha256: str, at: datetime, *, apart: timedelta) -> SessionRow | None:
    """Return the session with a secret, by its digest; None if there is none that holds at `at`.

    Args:
        tx: open.
        sha256: of the secret.
        at: now.
        apart: by how much the clock that it began by may have been before this one; it does not hold if it was more.
    """
    row = tx.connection.execute(_sessions(at, apart).where(console_sessions.c.secret_sha256 == sha256)).one_or_none()
    return None if row is None else _session(row)


def sessions(tx: Transaction, at: datetime, *, apart: timedelta, of: str | None) -> list[SessionRow]:
    """Return the sessions that hold at `at`, newest first.

    Args:
        tx: open.
        at: now.
        apart: as for `session_of_secret`.
        of: the name of the person whose; None for everybody's.
    """
    query = (
        _sessions(at, apart).order_by(console_sessions.c.begun_at.desc(), console_sessions.c.id).limit(MOST_SESSIONS)
    )
    if of is not None:
        query = query.where(credentials.c.name == of)
    return [_session(row) for row in tx.connection.execute(query)]


def invitation_of_secret(tx: Transaction, sha256: str, at: datetime) -> InvitationRow | None:
    """Return the invitation with a secret, by its digest; None if there is none that can be taken up at `at`."""
    c = invitations.c
    query: Select[Any] = (
        select(c.id, c.expires_at, *_WHO)
        .join(credentials, credentials.c.id == c.credential_id)
        .where(c.secret_sha256 == sha256, c.used_at.is_(None), c.expires_at > at, *_in_force(at))
    )
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else InvitationRow(id=row.id, actor=_actor(row), expires_at=row.expires_at)


def passkeys_of(tx: Transaction, credential: str, at: datetime) -> list[EnrolledRow]:
    """Return the passkeys of somebody whose access is in force, oldest first."""
    c = passkeys.c
    query: Select[Any] = (
        select(c.key_id, c.public_key, c.enrolled_at)
        .join(credentials, credentials.c.id == c.credential_id)
        .where(c.credential_id == credential, *_in_force(at))
        .order_by(c.enrolled_at, c.id)
        .limit(MOST_SESSIONS)
    )
    return [
        EnrolledRow(key_id=row.key_id, public_key=row.public_key, enrolled_at=row.enrolled_at)
        for row in tx.connection.execute(query)
    ]


def passkey_of_key(tx: Transaction, key_id: bytes, at: datetime) -> PasskeyRow | None:
    """Return a passkey by what the browser names it; None if it is unknown, or its owner's access is over."""
    c = passkeys.c
    query: Select[Any] = (
        select(c.id, c.public_key, c.sign_count, *_WHO)
        .join(credentials, credentials.c.id == c.credential_id)
        .where(c.key_id == key_id, *_in_force(at))
    )
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    return PasskeyRow(id=row.id, actor=_actor(row), public_key=row.public_key, sign_count=row.sign_count)


def _sessions(at: datetime, apart: timedelta) -> Select[Any]:
    c = console_sessions.c
    return (
        select(c.id, c.begun_at, c.expires_at, *_WHO)
        .join(credentials, credentials.c.id == c.credential_id)
        .where(c.ended_at.is_(None), c.begun_at <= at + apart, c.expires_at > at, *_in_force(at))
    )


def _in_force(at: datetime) -> tuple[Any, ...]:
    return (credentials.c.revoked_at.is_(None), credentials.c.expires_at > at)


def _session(row: Row[Any]) -> SessionRow:
    return SessionRow(id=row.id, actor=_actor(row), begun_at=row.begun_at, expires_at=row.expires_at)


def _actor(row: Row[Any]) -> Actor:
    # Whose role is none that is known may do nothing.
    role = row.role if isinstance(row.role, Role) else None
    return Actor(name=row.name, role=role, organisation=row.organisation_id, credential=row.credential)
