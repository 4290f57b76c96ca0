"""Idempotency keys: the outcome of a request is kept with the request, in the transaction of the act."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from core.errors import IdempotencyKeyReused, WrongState
from store.tables import idempotency
from store.transactions import Transaction


def hold(tx: Transaction, credential: str, key: str) -> None:
    """Wait for a request with this key that is being handled at this moment, and let none begin until we have ended.

    On SQLite a writing transaction has the whole store to itself. On PostgreSQL an advisory lock is held, as there is
    no row yet; another key that has the same number waits as well, which does no harm.
    """
    if tx.dialect != "sqlite":
        tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{credential} {key}", 0))))


def outcome_of(tx: Transaction, credential: str, key: str, request_sha256: str) -> str | None:
    """Return the outcome of an earlier request with this key; IdempotencyKeyReused if that was another request."""
    row = tx.connection.execute(
        select(idempotency).where(idempotency.c.credential == credential, idempotency.c.key == key)
    ).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise IdempotencyKeyReused(key=key)
    return str(row.outcome)


def keep(tx: Transaction, credential: str, key: str, request_sha256: str, *, outcome: str, at: datetime) -> None:
    """Keep the outcome; WrongState if the same request is being handled at this moment."""
    try:
        tx.connection.execute(
            insert(idempotency).values(
                credential=credential, key=key, request_sha256=request_sha256, outcome=outcome, at=at
            )
        )
    except IntegrityError as error:
        raise WrongState(
            kind="Request", identifier=key, state="being handled", needed="finished; send it again"
        ) from error
