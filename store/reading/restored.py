"""Certificates that were entered again after a restore, and that no officer has looked at yet."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from core.identifiers import Serial
from store.reading.tasks import MOST_OF_A_KIND
from store.tables import certificates, organisations
from store.transactions import Transaction
from store.trial_tables import restored_certificates, witnesses


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A certificate that waits for an officer's look.

    Args:
        serial, approval, decision: whose it is, and under which decision it stands.
        at: when it was entered again.
        unknown: what of it could not be known, in words.
    """

    serial: Serial
    approval: str
    decision: str
    at: datetime
    unknown: str


def restored_unseen(tx: Transaction) -> list[Restored]:
    """Return certificates that were entered again and of whose decision no officer has said anything, oldest first."""
    c, r = certificates.c, restored_certificates.c
    query = (
        select(r.serial, c.approval, r.decision_id, r.restored_at, r.unknown)
        .join(certificates, c.serial == r.serial)
        .where(~exists().where(witnesses.c.decision_id == r.decision_id))
        .order_by(r.restored_at, r.serial)
        .limit(MOST_OF_A_KIND + 1)
    )
    return [
        Restored(
            serial=Serial(row.serial),
            approval=row.approval,
            decision=row.decision_id,
            at=row.restored_at,
            unknown=row.unknown,
        )
        for row in tx.connection.execute(query)
    ]


def organisations_certified_as(tx: Transaction, name: str) -> list[str]:
    """Return the identifiers of the organisations whose certificates carry a name."""
    c = organisations.c
    query = select(c.id).where((c.certificate_name == name) | (c.certificate_name.is_(None) & (c.name == name)))
    return list(tx.connection.execute(query.order_by(c.id)).scalars())


def organisation_called(tx: Transaction, name: str) -> str | None:
    """Return the identifier of the organisation of a name; None if there is none."""
    query = select(organisations.c.id).where(organisations.c.name == name)
    return tx.connection.execute(query).scalar()
