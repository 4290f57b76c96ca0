"""What Manufacturers have asked to be amended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from core.errors import NoSuchThing
from store.transactions import Transaction
from store.trial_tables import amendment_requests


@dataclass(frozen=True)
class AmendmentRequest:
    """One request; `asked` is canonical JSON of what is to be amended."""

    id: str
    approval: str
    state: str
    asked: str
    reasons: str
    asked_at: datetime
    asked_by: str
    decision_id: str | None = None
    closed_at: datetime | None = None


def amendment_request(tx: Transaction, identifier: str) -> AmendmentRequest:
    """Return a request; NoSuchThing if there is none."""
    row = tx.connection.execute(select(amendment_requests).where(amendment_requests.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="amendment request", identifier=identifier)
    return _request(row)


def requests_of(tx: Transaction, approval: str) -> list[AmendmentRequest]:
    """Return the requests about an approval, oldest first."""
    columns = amendment_requests.c
    query = select(amendment_requests).where(columns.approval == approval).order_by(columns.asked_at, columns.id)
    return [_request(row) for row in tx.connection.execute(query)]


def _request(row: Row[Any]) -> AmendmentRequest:
    return AmendmentRequest(
        row.id,
        row.approval,
        row.state,
        row.asked,
        row.reasons,
        row.asked_at,
        row.asked_by,
        row.decision_id,
        row.closed_at,
    )
