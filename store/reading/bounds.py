"""How much somebody keeps open and stored, counted at the moment it is asked, and held still until the commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from core.kinds import OPEN_REQUEST, UNDECIDED
from store.tables import applications, approvals, credentials, idempotency, journal, organisations
from store.transactions import Transaction
from store.trial_tables import amendment_requests, deployment_batches, evidence


@dataclass(frozen=True)
class Holder:
    """Whose things are counted together.

    Args:
        name: the person or system that acts.
        organisation: for which it acts, with everybody else who does; None if it acts for itself.
    """

    name: str
    organisation: str | None


def hold(tx: Transaction, holder: Holder) -> None:
    """Let nobody else of the holder's add anything until the commit: of two at once, one gets the last place.

    On SQLite a writing transaction has the whole store to itself. On PostgreSQL references to the organisation, and to
    its credentials, stay possible (FOR NO KEY UPDATE): whoever decides about its things does not wait for it.
    """
    if holder.organisation is not None:
        query = select(organisations.c.id).where(organisations.c.id == holder.organisation)
    else:
        mine = (credentials.c.name == holder.name) & credentials.c.organisation_id.is_(None)
        query = select(credentials.c.id).where(mine).order_by(credentials.c.id)
    tx.connection.execute(query.with_for_update(key_share=True)).all()


def open_applications(tx: Transaction, organisation: str) -> int:
    """Return how many applications of an organisation nobody has decided."""
    c = applications.c
    return _count(tx, c.organisation_id == organisation, c.state.in_(UNDECIDED))


def open_amendment_requests(tx: Transaction, organisation: str) -> int:
    """Return how many requests about an organisation's approvals nobody has decided."""
    mine = select(approvals.c.identifier).where(approvals.c.organisation_id == organisation)
    c = amendment_requests.c
    return _count(tx, c.approval.in_(mine), c.state.in_(OPEN_REQUEST))


def stored_octets(tx: Transaction, holder: Holder, *, but: str) -> int:
    """Return how many octets of files a holder has attached; a file that is attached several times is kept once.

    Args:
        tx: open.
        holder: whose.
        but: SHA-256 of a file that is not counted: the one that is to be attached.
    """
    c = evidence.c
    files = select(c.sha256, func.max(c.size).label("size")).where(_by(c.attached_by, holder), c.sha256 != but)
    kept = files.group_by(c.sha256).subquery()
    return int(tx.connection.execute(select(func.coalesce(func.sum(kept.c.size), 0))).scalar_one())


def acts_since(tx: Transaction, holder: Holder, since: datetime) -> int:
    """Return how many facts a holder has made, or outcomes had remembered, since an instant: whichever is more."""
    j, kept = journal.c, idempotency.c
    made = _count(tx, _by(j.actor, holder), j.organisation.is_not_distinct_from(holder.organisation), j.at > since)
    remembered = _count(tx, kept.credential.in_(select(credentials.c.id).where(_theirs(holder))), kept.at > since)
    return max(made, remembered)


def lines_since(tx: Transaction, holder: Holder, since: datetime) -> int:
    """Return how many lines of reports of deployments have been taken from a holder since an instant."""
    c = deployment_batches.c
    query = select(func.coalesce(func.sum(c.lines), 0)).where(_by(c.received_by, holder), c.received_at > since)
    return int(tx.connection.execute(query).scalar_one())


def _theirs(holder: Holder) -> ColumnElement[bool]:
    c = credentials.c
    if holder.organisation is not None:
        return c.organisation_id == holder.organisation
    return (c.name == holder.name) & c.organisation_id.is_(None)


def _by(column: ColumnElement[Any], holder: Holder) -> ColumnElement[bool]:
    """Whether a column names somebody who acts for the holder; who acts for two is counted for both."""
    return or_(column == holder.name, column.in_(select(credentials.c.name).where(_theirs(holder))))


def _count(tx: Transaction, *so: ColumnElement[bool]) -> int:
    return int(tx.connection.execute(select(func.count()).where(*so)).scalar_one())
