"""Officers' orders to the authority: written once, authorised by each officer once, closed by a conditional write."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from core.kinds import CLOSED_ORDER, OrderState
from store.officers_tables import order_authorisations, orders
from store.reading.orders import Order
from store.transactions import Transaction


def propose(tx: Transaction, order: Order) -> None:
    """Write an order; nothing comes of it before it is authorised."""
    tx.connection.execute(
        insert(orders).values(
            id=order.id,
            kind=order.kind,
            state=order.state,
            body=order.body,
            body_sha256=order.body_sha256,
            proposer=order.proposer,
            proposed_at=order.proposed_at,
            lapses_at=order.lapses_at,
        )
    )


def authorise(tx: Transaction, identifier: str, *, officer: str, statement: str, at: datetime) -> None:
    """Write that an officer has authorised an order. Its row is held until the commit: one that is closed takes none.

    Args:
        tx: open.
        identifier: of the order.
        officer: who.
        statement: the digest of what they signed, hex, which is kept already.
        at: now.

    Raises:
        WrongState: it is closed, or this officer has authorised it before.
    """
    held = select(orders.c.state).where(orders.c.id == identifier).with_for_update()
    state = tx.connection.execute(held).scalar_one_or_none()
    if state != OrderState.OPEN:
        raise WrongState(kind="Order", identifier=identifier, state=state, needed=OrderState.OPEN)
    row = {"order_id": identifier, "officer": officer, "statement_sha256": statement, "at": at}
    try:
        tx.connection.execute(insert(order_authorisations).values(row))
    except IntegrityError as error:
        raise WrongState(
            kind="Order", identifier=identifier, state="authorised by you", needed="another officer"
        ) from error


def close(tx: Transaction, identifier: str, *, to: OrderState, outcome: str, at: datetime) -> bool:
    """Close an order that waits; return whether this call did it.

    Args:
        tx: open.
        identifier: of the order.
        to: one of CLOSED_ORDER.
        outcome: what became of it, in a sentence.
        at: now.
    """
    assert to in CLOSED_ORDER, to
    columns = orders.c
    statement = update(orders).where(columns.id == identifier, columns.state == OrderState.OPEN)
    return bool(tx.connection.execute(statement.values(state=to, closed_at=at, outcome=outcome)).rowcount)
