"""Requests for the end of approvals (F2.30): open, proposed for decision, granted, answered in words, withdrawn."""

from datetime import datetime

from sqlalchemy import insert, select, update

from core.errors import NoSuchThing, WrongState
from core.kinds import EndRequestState
from store.reading.end_requests import EndRequest
from store.transactions import Transaction
from store.trial_tables import end_requests


def ask(tx: Transaction, asked: EndRequest) -> None:
    """Write a request; a second open one of an approval breaks a constraint, so the caller holds the approval."""
    tx.connection.execute(
        insert(end_requests).values(
            id=asked.id,
            approval=asked.approval,
            state=asked.state,
            reasons=asked.reasons,
            asked_at=asked.asked_at,
            asked_by=asked.asked_by,
        )
    )


def move(
    tx: Transaction,
    identifier: str,
    *,
    needed: EndRequestState,
    to: EndRequestState,
    at: datetime | None = None,
    decision_id: str | None = None,
    answer: str | None = None,
    answered_by: str | None = None,
) -> None:
    """Move a request from state `needed` to state `to`.

    Args:
        tx: open.
        identifier: of the request.
        needed: its state before.
        to: its state from now on.
        at: when it is closed by this; None where it is not.
        decision_id: that ended the approval as was asked.
        answer: what the SSC says of it instead.
        answered_by: who said so.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is in another state; somebody acted at the same moment.
    """
    c = end_requests.c
    won = tx.connection.execute(
        update(end_requests)
        .where(c.id == identifier, c.state == needed)
        .values(state=to, decision_id=decision_id, answer=answer, answered_by=answered_by, closed_at=at)
    ).rowcount
    if won:
        return
    state = tx.connection.execute(select(c.state).where(c.id == identifier)).scalar()
    if state is None:
        raise NoSuchThing(kind="request for an end", identifier=identifier)
    raise WrongState(kind="Request for an end", identifier=identifier, state=state, needed=needed)
