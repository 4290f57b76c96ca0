"""Amendments that a Manufacturer asks for (F2.29): open, proposed for decision, granted, refused or withdrawn."""

from datetime import datetime

from sqlalchemy import insert, select, update

from core.errors import NoSuchThing, WrongState
from core.kinds import CLOSED_REQUEST, AmendmentRequestState
from store.reading.amendment_requests import AmendmentRequest
from store.transactions import Transaction
from store.trial_tables import amendment_requests


def ask(tx: Transaction, asked: AmendmentRequest) -> None:
    """Write a request."""
    tx.connection.execute(
        insert(amendment_requests).values(
            id=asked.id,
            approval=asked.approval,
            state=asked.state,
            asked=asked.asked,
            reasons=asked.reasons,
            asked_at=asked.asked_at,
            asked_by=asked.asked_by,
        )
    )


def move(
    tx: Transaction,
    identifier: str,
    *,
    needed: AmendmentRequestState,
    to: AmendmentRequestState,
    at: datetime,
    decision_id: str | None = None,
) -> None:
    """Move a request from state `needed` to state `to`.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is in another state; somebody acted at the same moment.
    """
    columns = amendment_requests.c
    won = tx.connection.execute(
        update(amendment_requests)
        .where(columns.id == identifier, columns.state == needed)
        .values(state=to, decision_id=decision_id, closed_at=at if to in CLOSED_REQUEST else None)
    ).rowcount
    if won:
        return
    state = tx.connection.execute(select(columns.state).where(columns.id == identifier)).scalar()
    if state is None:
        raise NoSuchThing(kind="amendment request", identifier=identifier)
    raise WrongState(kind="Amendment request", identifier=identifier, state=state, needed=needed)
