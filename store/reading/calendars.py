"""Addresses that calendar programs subscribe to, and whether whoever made one has access still."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from core.actors import Actor, Role
from store.tables import credentials
from store.transactions import Transaction
from store.trial_tables import calendar_addresses


@dataclass(frozen=True, kw_only=True)
class CalendarAddress:
    """An address under which one person's calendar is read; its secret is nowhere.

    Args:
        id: of the address.
        name: what its owner calls it.
        owner, role, organisation: whose calendar it shows.
        made_at, revoked_at: from when until when it answers; None for until it is revoked.
    """

    id: str
    name: str
    owner: str
    role: Role
    organisation: str | None
    made_at: datetime
    revoked_at: datetime | None = None


def address_of_secret(tx: Transaction, sha256: str) -> CalendarAddress | None:
    """Return the address with a secret, by its digest, revoked or not."""
    row = tx.connection.execute(
        select(calendar_addresses).where(calendar_addresses.c.secret_sha256 == sha256)
    ).one_or_none()
    return None if row is None else _address(row)


def addresses_of(tx: Transaction, owner: Actor) -> list[CalendarAddress]:
    """Return every address that somebody has made in one role and for one organisation, oldest first."""
    c = calendar_addresses.c
    mine = (c.owner == owner.name) & (c.role == owner.role) & c.organisation_id.is_not_distinct_from(owner.organisation)
    query = select(calendar_addresses).where(mine).order_by(c.made_at, c.id)
    return [_address(row) for row in tx.connection.execute(query)]


def addresses_answering(tx: Transaction, owner: Actor) -> int:
    """Return how many addresses of somebody's organisation answer; of somebody without one, how many of theirs."""
    c = calendar_addresses.c
    theirs = c.owner == owner.name if owner.organisation is None else c.organisation_id == owner.organisation
    whose = c.organisation_id.is_not_distinct_from(owner.organisation)
    query = select(func.count()).where(theirs, whose, c.revoked_at.is_(None))
    return int(tx.connection.execute(query).scalar_one())


def has_access(tx: Transaction, owner: CalendarAddress, at: datetime) -> bool:
    """Return whether an address's owner holds a credential of that role and organisation now."""
    c = credentials.c
    query = select(c.id).where(
        c.name == owner.owner,
        c.role == owner.role,
        c.organisation_id.is_not_distinct_from(owner.organisation),
        c.revoked_at.is_(None),
        c.expires_at > at,
    )
    return tx.connection.execute(query.limit(1)).scalar() is not None


def _address(row: Row[Any]) -> CalendarAddress:
    return CalendarAddress(
        id=row.id,
        name=row.name,
        owner=row.owner,
        role=row.role,
        organisation=row.organisation_id,
        made_at=row.made_at,
        revoked_at=row.revoked_at,
    )
