"""look: orders with what they say in words, who has signed for them, and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import read_json
from core.errors import OrderRefused
from core.kinds import OrderState
from officers.order import in_words, officers_wanted, read_order
from policy.roles import Operation, permitted
from ra.access import authorise
from ra.authorising import roster_shown
from ra.desk import Desk
from ra.ordering.authorise import counted
from ra.ordering.views import OrderAnswer, OrderPage, OrderSignerAnswer
from ra.views import page
from store.reading import orders as reading
from store.reading.orders import Order, OrderSigner
from store.transactions import Transaction


def order(desk: Desk, actor: Actor, identifier: str) -> OrderAnswer:
    """Return an order; NoSuchThing if there is none."""
    authorise(actor, Operation.READ_ORDERS)
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = reading.order(tx, identifier)
        return _shown(tx, found, reading.signers_of(tx, [found.id])[found.id], at)


def may_authorise(actor: Actor, it: OrderAnswer) -> bool:
    """Return whether somebody may sign for an order as it stands: each officer does so once."""
    own = any(each.officer == actor.name for each in it.authorised_by)
    return permitted(actor, Operation.ORDER, owner=None) and it.state is OrderState.OPEN and not own


def orders(desk: Desk, actor: Actor, *, after: str, limit: int) -> OrderPage:
    """Return a page of orders, and the cursor for the next."""
    authorise(actor, Operation.READ_ORDERS)
    at = desk.clock.now()
    with desk.store.read() as tx:
        rows = page(limit, lambda most: reading.order_list(tx, after=after, limit=most), lambda each: each.id)
        signers = reading.signers_of(tx, [each.id for each in rows.found])
        listed = tuple(_shown(tx, each, signers[each.id], at) for each in rows.found)
    return OrderPage(orders=listed, next=rows.next, truncated=rows.truncated)


def _shown(tx: Transaction, found: Order, signers: Sequence[OrderSigner], at: datetime) -> OrderAnswer:
    try:
        words = in_words(read_order(found.kind, found.body), roster_shown(tx, at))
        counts = counted(tx, found, at)
    except OrderRefused as error:
        # Somebody changed the row: it is shown as it is, and nobody's signature is for that.
        words, counts = [str(error)], frozenset()
    return OrderAnswer(
        order=found.id,
        kind=found.kind,
        state=found.state,
        body=_object(found.body),
        body_sha256=found.body_sha256,
        in_words=tuple(words),
        officers=officers_wanted(found.kind),
        authorised_by=tuple(
            OrderSignerAnswer(
                officer=each.officer, at=each.at, authorisation=each.statement_sha256, counts=each.officer in counts
            )
            for each in signers
        ),
        proposer=found.proposer,
        proposed_at=found.proposed_at,
        lapses_at=found.lapses_at,
        closed_at=found.closed_at,
        outcome=found.outcome,
    )


def _object(body: str) -> dict[str, object]:
    try:
        found = read_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
