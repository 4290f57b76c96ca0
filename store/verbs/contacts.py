"""Contacts of organisations: the next takes over from the one that holds, in one transaction."""

from datetime import datetime

from sqlalchemy import case, insert, literal, update

from store.reading.contacts import Contact
from store.transactions import Transaction
from store.trial_tables import contacts


def take_over(tx: Transaction, contact: Contact) -> None:
    """Write a contact that holds from now on; the one before it holds until then.

    The caller holds the organisation: a second one that holds breaks a constraint.
    """
    _end(tx, contact.organisation, at=contact.held_from)
    tx.connection.execute(
        insert(contacts).values(
            id=contact.id,
            organisation_id=contact.organisation,
            notices=contact.notices,
            urgent=contact.urgent,
            salt=contact.salt,
            application_id=contact.application,
            held_from=contact.held_from,
            set_by=contact.set_by,
        )
    )


def _end(tx: Transaction, organisation: str, *, at: datetime) -> None:
    c = contacts.c
    holding = update(contacts).where(c.organisation_id == organisation, c.held_until.is_(None))
    # A clock that was set back since: it held until it began, and the next one holds from what the clock says now.
    tx.connection.execute(
        holding.values(held_until=case((c.held_from > at, c.held_from), else_=literal(at, c.held_from.type)))
    )
