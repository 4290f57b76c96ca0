"""authorise: an officer signs for an order with a key of their own; the authority counts whom it has proved itself."""

from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import AuthorisationMissing, WrongState
from core.facts import Fact, FactKind
from core.kinds import AuthorisedAct, OrderState
from officers.claims import to_order
from officers.order import counting, officers_wanted, read_order
from officers.statement import Claim
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import Signed, authorised, roster_shown
from ra.desk import Desk
from ra.ordering.views import OrderAuthorised
from ra.repeat import RequestKey, once
from store.reading import orders as reading
from store.reading.orders import Order
from store.transactions import Transaction
from store.verbs import facts, orders


def claim_of(order: Order) -> Claim:
    """Return what an authorisation of an order has to say."""
    return to_order(AuthorisedAct(order.kind.value), order.id, order.body_sha256)


def authorise_order(
    desk: Desk, actor: Actor, identifier: str, *, signed: Signed | None, request: RequestKey | None = None
) -> OrderAuthorised:
    """Sign for an order.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the order.
        signed: the statement and its proof.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such order.
        AuthorisationMissing, AuthorisationRefused: nothing was signed, or something else.
        WrongState: it is closed or has lapsed, or this officer has signed for it before.
    """
    authorise(actor, Operation.ORDER)
    at = desk.clock.now()
    with desk.store.begin("authorise order") as tx:
        return once(
            desk, tx, actor, request, OrderAuthorised, lambda: _authorise(tx, actor, identifier, signed, at), at=at
        )


def _authorise(tx: Transaction, actor: Actor, identifier: str, signed: Signed | None, at: datetime) -> OrderAuthorised:
    order = reading.order(tx, identifier)
    claim = claim_of(order)
    if order.lapses_at <= at:
        raise WrongState(kind="Order", identifier=order.id, state=OrderState.LAPSED, needed=OrderState.OPEN)
    statement = authorised(tx, actor, claim, signed, at)
    if statement is None:
        raise AuthorisationMissing(act=claim.act)  # the roster that it was written under is not shown any more
    orders.authorise(tx, order.id, officer=actor.name, statement=statement, at=at)
    said: dict[str, Json] = {
        "order": order.id,
        "act": claim.act.value,
        "body_sha256": order.body_sha256,
        "credential": actor.credential,
        "authorisation": statement,
    }
    facts.record(tx, Fact(FactKind.ORDER_AUTHORISED, at, actor, subject=order.id, payload=said))
    return OrderAuthorised(
        order=order.id,
        kind=order.kind,
        authorised_by=actor.name,
        authorised_at=at,
        officers_wanting=max(0, officers_wanted(order.kind) - len(counted(tx, order, at))),
    )


def counted(tx: Transaction, order: Order, at: datetime) -> frozenset[str]:
    """Return who counts of those who have signed for an order, as far as the register knows."""
    roster = roster_shown(tx, at)
    if roster is None:
        return frozenset()
    of_order = reading.signers_of(tx, [order.id])[order.id]
    signers = {(each.officer, each.key) for each in of_order}
    return counting(read_order(order.kind, order.body), signers, roster)
