"""Officers' orders to the authority, one by one and as a list, with who has authorised them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, bindparam, select

from core.errors import NoSuchThing
from core.kinds import OrderKind, OrderState
from store.officers_tables import authorisations, order_authorisations, orders
from store.transactions import Transaction
from store.types import one_of_words

_PASSED = (
    select(orders)
    .where(
        orders.c.state == OrderState.OPEN,
        orders.c.lapses_at <= bindparam("at"),
        one_of_words(orders.c.kind, OrderKind),
    )
    .order_by(orders.c.lapses_at, orders.c.id)
    .limit(bindparam("most", type_=Integer()))
)
_OPEN = (
    select(orders)
    .where(orders.c.id.in_(bindparam("identifiers", expanding=True)), orders.c.state == OrderState.OPEN)
    .order_by(orders.c.proposed_at, orders.c.id)
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as it is kept.

    Args:
        id: its identifier.
        kind: what is ordered.
        state: where it stands.
        body: canonical JSON (officers/order.py).
        body_sha256: its digest, hex: what is signed for.
        proposer: who wrote it down; it counts for nothing.
        proposed_at: when.
        lapses_at: when it comes to nothing, unless the authority has taken it up.
        closed_at: when that, or something else, became of it.
        outcome: what, in a sentence.
    """

    id: str
    kind: OrderKind
    state: OrderState
    body: str
    body_sha256: str
    proposer: str
    proposed_at: datetime
    lapses_at: datetime
    closed_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class OrderSigner:
    """Who has authorised an order, with which key, and by which statement."""

    officer: str
    key: str
    statement_sha256: str
    at: datetime


def order(tx: Transaction, identifier: str) -> Order:
    """Return an order; NoSuchThing if there is none."""
    row = tx.connection.execute(select(orders).where(orders.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="order", identifier=identifier)
    return _order(row)


def order_list(tx: Transaction, *, after: str, limit: int) -> list[Order]:
    """Return orders in order of identifier, from behind `after` on."""
    query = select(orders).where(orders.c.id > after).order_by(orders.c.id).limit(limit)
    return [_order(row) for row in tx.connection.execute(query)]


def open_orders(tx: Transaction, identifiers: Collection[str], kinds: Collection[OrderKind]) -> list[Order]:
    """Return those of some orders that are of some kinds and wait, oldest first."""
    if not identifiers:
        return []
    rows = tx.connection.execute(_OPEN, {"identifiers": list(identifiers)})
    return [_order(row) for row in rows if row.kind in kinds]


def orders_passed(tx: Transaction, at: datetime, limit: int, but: Collection[str] = ()) -> list[Order]:
    """Return orders of kinds that there are, that wait and whose time has passed, the earliest first.

    Args:
        tx: open.
        at: now.
        limit: the most.
        but: identifiers of those that are passed over.
    """
    rows = tx.connection.execute(_PASSED, {"at": at, "most": limit + len(but)})
    return [_order(row) for row in rows if row.id not in but][:limit]


def signers_of(tx: Transaction, identifiers: Collection[str]) -> Mapping[str, list[OrderSigner]]:
    """Return who has authorised some orders, in order of time."""
    columns = order_authorisations.c
    query = (
        select(order_authorisations, authorisations.c.key)
        .join(authorisations)
        .where(columns.order_id.in_(identifiers))
        .order_by(columns.at, columns.officer)
    )
    found: dict[str, list[OrderSigner]] = {each: [] for each in identifiers}
    for row in tx.connection.execute(query):
        signer = OrderSigner(officer=row.officer, key=row.key, statement_sha256=row.statement_sha256, at=row.at)
        found[row.order_id].append(signer)
    return found


def _order(row: Row[Any]) -> Order:
    return Order(
        id=row.id,
        kind=OrderKind(row.kind),
        state=OrderState(row.state),
        body=row.body,
        body_sha256=row.body_sha256,
        proposer=row.proposer,
        proposed_at=row.proposed_at,
        lapses_at=row.lapses_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
    )
