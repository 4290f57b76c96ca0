"""Addresses that calendars subscribe to: made, and revoked for ever."""

from datetime import datetime

from sqlalchemy import insert, update

from core.actors import Actor
from store.reading.calendars import CalendarAddress
from store.transactions import Transaction
from store.trial_tables import calendar_addresses


def add(tx: Transaction, made: CalendarAddress, *, secret_sha256: str) -> None:
    """Write an address with the digest of its secret."""
    tx.connection.execute(
        insert(calendar_addresses).values(
            id=made.id,
            secret_sha256=secret_sha256,
            name=made.name,
            owner=made.owner,
            role=made.role,
            organisation_id=made.organisation,
            made_at=made.made_at,
        )
    )


def revoke(tx: Transaction, identifier: str, owner: Actor, *, at: datetime) -> bool:
    """Revoke somebody's own address; return whether this call did it: it is theirs, and was not revoked."""
    c = calendar_addresses.c
    statement = update(calendar_addresses).where(
        c.id == identifier,
        c.owner == owner.name,
        c.role == owner.role,
        c.organisation_id.is_not_distinct_from(owner.organisation),
        c.revoked_at.is_(None),
    )
    return bool(tx.connection.execute(statement.values(revoked_at=at)).rowcount)
