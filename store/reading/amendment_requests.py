"""What Manufacturers have asked to be amended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select

from core.errors import NoSuchThing
from core.kinds import AmendmentRequestState
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import amendment_requests


@dataclass(frozen=True, kw_only=True)
class AmendmentRequest:
    """One request; `asked` is canonical JSON of what is to be amended."""

    id: str
    approval: str
    state: AmendmentRequestState
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


def open_after_the_end(tx: Transaction, at: datetime, *, but: Collection[str] = ()) -> list[AmendmentRequest]:
    """Return requests that wait for a proposal under an approval that has ended, oldest first.

    Args:
        tx: reads.
        at: now.
        but: identifiers that are passed over.
    """
    r, a = amendment_requests.c, approvals.c
    query = (
        select(amendment_requests)
        .join(approvals, a.identifier == r.approval)
        .where(r.state == AmendmentRequestState.OPEN, or_(a.ended_at.is_not(None), a.expiry < at))
        .order_by(r.asked_at, r.id)
    )
    return [each for each in map(_request, tx.connection.execute(query)) if each.id not in but]


def _request(row: Row[Any]) -> AmendmentRequest:
    return AmendmentRequest(
        id=row.id,
        approval=row.approval,
        state=row.state,
        asked=row.asked,
        reasons=row.reasons,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        decision_id=row.decision_id,
        closed_at=row.closed_at,
    )
