"""Where notices of an organisation go, and went: one row for each time that it was said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from store.tables import organisations
from store.transactions import Transaction, read_once
from store.trial_tables import contacts

_C = contacts.c
_CONTACTS = select(contacts, organisations.c.name).join(organisations, organisations.c.id == _C.organisation_id)
_HELD = _CONTACTS.where(_C.organisation_id == bindparam("organisation"), _C.held_until.is_(None))


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Where an organisation is reached, for as long as it holds.

    Args:
        id: its identifier.
        organisation, name: whose.
        notices: the e-mail address for notices; empty if they are only fetched.
        urgent: a second address, which urgent notices go to as well; empty if there is none.
        salt: of the digest that stands for both in the journal.
        application: that stated it, if the organisation had none; None if it was changed by itself.
        held_from, held_until: since and until when; until None it holds.
        set_by: who said so.
    """

    id: str
    organisation: str
    name: str
    notices: str
    urgent: str
    salt: bytes
    application: str | None
    held_from: datetime
    held_until: datetime | None
    set_by: str


@read_once
def held(tx: Transaction, organisation: str) -> Contact | None:
    """Return the contact of an organisation that holds; None if it never said one."""
    row = tx.connection.execute(_HELD, {"organisation": organisation}).one_or_none()
    return None if row is None else _contact(row)


def contact_list(
    tx: Transaction, *, organisation: str | None, holding: bool | None, after: str, limit: int
) -> list[Contact]:
    """Return contacts of one organisation or all, in order of identifier.

    Args:
        tx: reads.
        organisation: of this one; None for all.
        holding: those that hold, or those that do not any more; None for both.
        after: from behind this identifier on.
        limit: rows.
    """
    query = _CONTACTS.where(_C.id > after).order_by(_C.id).limit(limit)
    if organisation is not None:
        query = query.where(_C.organisation_id == organisation)
    if holding is not None:
        query = query.where(_C.held_until.is_(None) if holding else _C.held_until.is_not(None))
    return [_contact(row) for row in tx.connection.execute(query)]


def _contact(row: Row[Any]) -> Contact:
    return Contact(
        id=row.id,
        organisation=row.organisation_id,
        name=row.name,
        notices=row.notices,
        urgent=row.urgent,
        salt=bytes(row.salt),
        application=row.application_id,
        held_from=row.held_from,
        held_until=row.held_until,
        set_by=row.set_by,
    )
