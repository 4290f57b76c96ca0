"""What Manufacturers have asked to be amended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from core.errors import NoSuchThing
from core.kinds import AmendmentRequestState
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import amendment_requests

_AFTER_THE_END = (
    select(amendment_requests)
    .join(approvals, approvals.c.identifier == amendment_requests.c.approval)
    .where(
        amendment_requests.c.state == AmendmentRequestState.OPEN,
        or_(approvals.c.ended_at.is_not(None), approvals.c.expiry < bindparam("at")),
    )
    .order_by(amendment_requests.c.asked_at, amendment_requests.c.id)
)


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
    return [each for each in map(_request, tx.connection.execute(_AFTER_THE_END, {"at": at})) if each.id not in but]


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
