"""Sessions begin and end; invitations are made and taken up once; passkeys are enrolled and count."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from store.console_tables import console_sessions, invitations, passkeys
from store.transactions import Transaction


def begin_session(
    tx: Transaction,
    identifier: str,
    *,
    secret_sha256: str,
    credential: str,
    challenge_sha256: str | None,
    at: datetime,
    until: datetime,
) -> bool:
    """Write a session; return False if the challenge that a passkey answered for it has begun one before."""
    try:
        tx.connection.execute(
            insert(console_sessions).values(
                id=identifier,
                secret_sha256=secret_sha256,
                credential_id=credential,
                challenge_sha256=challenge_sha256,
                begun_at=at,
                expires_at=until,
            )
        )
    except IntegrityError:
        return False
    return True


def stay_in_session(tx: Transaction, identifier: str, *, at: datetime, until: datetime) -> bool:
    """Move the end of a session on that holds at `at`; return whether this call did it."""
    c = console_sessions.c
    holds = (c.id == identifier, c.ended_at.is_(None), c.expires_at > at, c.expires_at < until)
    return bool(tx.connection.execute(update(console_sessions).where(*holds).values(expires_at=until)).rowcount)


def end_session(tx: Transaction, identifier: str, *, at: datetime) -> bool:
    """End a session; return whether this call did it."""
    c = console_sessions.c
    statement = update(console_sessions).where(c.id == identifier, c.ended_at.is_(None))
    return bool(tx.connection.execute(statement.values(ended_at=at)).rowcount)


def invite(
    tx: Transaction, identifier: str, *, secret_sha256: str, credential: str, at: datetime, until: datetime
) -> None:
    """Write an invitation with the digest of its secret."""
    tx.connection.execute(
        insert(invitations).values(
            id=identifier, secret_sha256=secret_sha256, credential_id=credential, made_at=at, expires_at=until
        )
    )


def take_up(tx: Transaction, identifier: str, *, at: datetime) -> bool:
    """Take an invitation up; return whether this call did it: nobody had, and it holds."""
    c = invitations.c
    statement = update(invitations).where(c.id == identifier, c.used_at.is_(None), c.expires_at > at)
    return bool(tx.connection.execute(statement.values(used_at=at)).rowcount)


def enrol(
    tx: Transaction,
    identifier: str,
    *,
    credential: str,
    invitation: str,
    key_id: bytes,
    public_key: bytes,
    sign_count: int,
    at: datetime,
) -> bool:
    """Write a passkey; return False if it is enrolled already."""
    try:
        tx.connection.execute(
            insert(passkeys).values(
                id=identifier,
                credential_id=credential,
                invitation_id=invitation,
                key_id=key_id,
                public_key=public_key,
                sign_count=sign_count,
                enrolled_at=at,
            )
        )
    except IntegrityError:
        return False
    return True


def count(tx: Transaction, identifier: str, *, before: int, shown: int) -> bool:
    """Note the counter that a passkey has shown; return False if another sign-in has noted one since."""
    c = passkeys.c
    statement = update(passkeys).where(c.id == identifier, c.sign_count == before)
    return bool(tx.connection.execute(statement.values(sign_count=shown)).rowcount)
