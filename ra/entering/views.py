"""What is shown of who may come in, and of who is in."""

from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor, Role


@dataclass(frozen=True, kw_only=True)
class SessionAnswer:
    """A session in a browser that holds.

    Args:
        session: its identifier; whoever knows it may not come in by it.
        name: whose.
        role: as which.
        own: whether it is the asking person's.
    """

    session: str
    name: str
    role: Role
    own: bool
    begun_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AccessAnswer:
    """Somebody who has access, and may be invited to enrol a passkey."""

    credential: str
    name: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the passkey of an officer is asked for an act.

    Args:
        statement: that it is to authorise, as its octets are.
        challenge: their SHA-256.
        credential: by which a browser finds the passkey.
    """

    statement: str
    challenge: bytes
    credential: bytes


@dataclass(frozen=True, kw_only=True)
class EnrolledAnswer:
    """A passkey that somebody has enrolled.

    Args:
        key: the RFC 7638 thumbprint of its key; None where it can be on no roster.
        file: what goes to whoever keeps the roster.
        unfit: why it can be on no roster; empty where it can.
        counts: whether it is on the roster.
    """

    enrolled_at: datetime
    key: str | None
    file: str
    unfit: str = ""
    counts: bool = False


@dataclass(frozen=True, kw_only=True)
class Invited:
    """An invitation to enrol a passkey.

    Args:
        name: whose passkey it will be.
        secret: for the address that is sent to them; shown this once and kept nowhere.
        expires_at: until when it can be taken up, once.
    """

    name: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A session that has begun.

    Args:
        actor: whose.
        secret: what the browser shows from now on; kept nowhere but there.
        expires_at: until when.
    """

    actor: Actor
    secret: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Entered:
    """Whoever shows the secret of a session that holds."""

    session: str
    actor: Actor
    expires_at: datetime
