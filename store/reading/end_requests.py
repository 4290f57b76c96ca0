"""What Manufacturers have asked to be ended (F2.30)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from core.errors import NoSuchThing
from core.kinds import OPEN_END_REQUEST, EndRequestState
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import end_requests

_AFTER_THE_END = (
    select(end_requests.c.id)
    .join(approvals, approvals.c.identifier == end_requests.c.approval)
    .where(
        end_requests.c.state == EndRequestState.OPEN,
        or_(approvals.c.ended_at.is_not(None), approvals.c.expiry < bindparam("at")),
    )
    .order_by(end_requests.c.asked_at, end_requests.c.id)
)


@dataclass(frozen=True, kw_only=True)
class EndRequest:
    """One request."""

    id: str
    approval: str
    state: EndRequestState
    reasons: str
    asked_at: datetime
    asked_by: str
    decision_id: str | None = None
    answer: str | None = None
    answered_by: str | None = None
    closed_at: datetime | None = None


def end_request(tx: Transaction, identifier: str) -> EndRequest:
    """Return a request; NoSuchThing if there is none."""
    row = tx.connection.execute(select(end_requests).where(end_requests.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="request for an end", identifier=identifier)
    return _request(row)


def end_request_list(
    tx: Transaction,
    *,
    organisation_id: str | None,
    approval: str | None,
    state: EndRequestState | None,
    after: str,
    limit: int,
) -> list[EndRequest]:
    """Return requests about approvals of one organisation or all, in order of identifier, from behind `after` on."""
    c, a = end_requests.c, approvals.c
    query = select(end_requests).where(c.id > after).order_by(c.id).limit(limit)
    if organisation_id is not None:
        query = query.where(c.approval.in_(select(a.identifier).where(a.organisation_id == organisation_id)))
    if approval is not None:
        query = query.where(c.approval == approval)
    if state is not None:
        query = query.where(c.state == state)
    return [_request(row) for row in tx.connection.execute(query)]


def end_asked(tx: Transaction, approval: str) -> EndRequest | None:
    """Return the request for the end of an approval that is not closed, if there is one."""
    c = end_requests.c
    row = tx.connection.execute(
        select(end_requests).where(c.approval == approval, c.state.in_(OPEN_END_REQUEST))
    ).one_or_none()
    return None if row is None else _request(row)


def ends_open_after_the_end(tx: Transaction, at: datetime, *, but: Collection[str] = ()) -> list[str]:
    """Return the identifiers of requests that wait for a proposal under an approval that has ended, oldest first.

    Args:
        tx: reads.
        at: now.
        but: identifiers that are passed over.
    """
    found = tx.connection.execute(_AFTER_THE_END, {"at": at}).scalars()
    return [str(each) for each in found if each not in but]


def _request(row: Row[Any]) -> EndRequest:
    return EndRequest(
        id=row.id,
        approval=row.approval,
        state=row.state,
        reasons=row.reasons,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        decision_id=row.decision_id,
        answer=row.answer,
        answered_by=row.answered_by,
        closed_at=row.closed_at,
    )
