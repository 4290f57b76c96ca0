"""orders: the authority takes up what officers order, by the authorisations that it has proved and remembered itself.

A row of the register only says that there may be an order. What it says counts if its digest is the one that officers
signed for; who counts is on the roster that is remembered, and not concerned.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.errors import MemoryContradicted, OrderRefused, RosterUnusable
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import AuthorisedAct, OrderKind, OrderState, RosterCause
from jobs.duty import Duty
from jobs.roster import roster_record, show
from memory.records import Issuing, RosterSet
from officers.means import key_wanted_for, with_a_key
from officers.order import Change, Ordered, Start, Stop, body_sha256, changed, counting, officers_wanted, read_order
from officers.roster import Roster
from store.reading import orders as reading
from store.reading.orders import Order
from store.transactions import Transaction
from store.verbs import facts, orders

_MOST_LAPSED = 100
"""Orders that lapse in one turn; each is a transaction."""


@dataclass(frozen=True, kw_only=True)
class _Agreed:
    """An order that enough officers have authorised.

    Args:
        ordered: what it says.
        statements: digests of what they signed, hex.
        roster: by which they count.
    """

    ordered: Ordered
    statements: tuple[str, ...]
    roster: Roster


def take_up_stops(duty: Duty, at: datetime) -> int:
    """Stop issuing where an officer has ordered it, whatever else is in doubt; return how many orders were closed."""
    done = _take_up(duty, (OrderKind.STOP_ISSUING,), at)
    held = duty.memory.issuing
    if held is not None and held.stopped:
        said = f"Issuing has stood since {text(held.at)}, by order {held.order}; two officers start it again."
        duty.notice(AlarmCode.ISSUING_STOPPED, said, subject=held.order)
    return done


def take_up_orders(duty: Duty, at: datetime) -> int:
    """Take up every other order that enough officers have authorised; let lapse what nobody took up in time."""
    return _take_up(duty, (OrderKind.START_ISSUING, OrderKind.CHANGE_ROSTER), at) + _lapse_passed(duty, at)


def _take_up(duty: Duty, kinds: Collection[OrderKind], at: datetime) -> int:
    aside = duty.aside("take_up_orders")
    with duty.read() as tx:
        # Those alone for which an officer has signed: whoever writes rows may write a million others.
        signed = duty.memory.ordered() - aside.passed_over(duty.noticed, at)
        waiting = reading.open_orders(tx, signed, kinds)
    return sum(aside.alone(duty.noticed, each.id, at, partial(_one, duty, each, at)) or 0 for each in waiting)


def _one(duty: Duty, order: Order, at: datetime) -> int:
    """Take up one order; return whether something became of it."""
    try:
        before = _carried_out_before(duty, order)
        if before is not None:
            return _write_done(duty, order, before, at)
        agreed = _agreed(duty, order, at)
        return 0 if agreed is None else _carried_out(duty, order, agreed, at)
    except (OrderRefused, RosterUnusable, MemoryContradicted) as error:
        return _close(duty, order, OrderState.REFUSED, str(error), FactKind.ORDER_REFUSED, at)


def _agreed(duty: Duty, order: Order, at: datetime) -> _Agreed | None:
    """Return an order that enough officers have authorised, by what is remembered; None while they are too few."""
    used = duty.memory.consumed(order.id, {AuthorisedAct(order.kind.value)})
    roster = duty.memory.roster(at)
    if roster is None or not used:
        return None
    digest = body_sha256(order.body)
    signed = [each for each in used if each.proposal_sha256 == digest]
    if digest != order.body_sha256 or not signed:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"Order {order.id} is not the one that officers have signed for: it is not carried out.",
            subject=order.id,
        )
        raise OrderRefused(detail="what the register holds is not what officers have signed for")
    ordered = read_order(order.kind, order.body)
    people = counting(ordered, {(each.officer, each.key) for each in signed}, roster)
    if len(people) < officers_wanted(order.kind):
        return None
    if key_wanted_for(order.kind) and not with_a_key(roster, (each.key for each in signed if each.officer in people)):
        return None  # it waits for one who signs with a key of their own, as for any other who is wanting
    statements = sorted(each.statement_sha256 for each in signed if each.officer in people)
    return _Agreed(ordered=ordered, statements=tuple(statements), roster=roster)


def _carried_out(duty: Duty, order: Order, agreed: _Agreed, at: datetime) -> int:
    """Carry out an order: the memory first.

    If we die behind the memory, the next turn finds there that it is done, and writes so into the register.
    """
    record: Issuing | RosterSet
    match agreed.ordered:
        case Stop():
            record = Issuing(stopped=True, at=at, order=order.id, statements=agreed.statements)
        case Start(ends=ends):
            held = duty.memory.issuing
            if held is None or not held.stopped or held.order != ends:
                raise OrderRefused(detail=f"issuing does not stand by order {ends}")
            record = Issuing(stopped=False, at=at, order=order.id, statements=agreed.statements)
        case Change() as change:
            record = _roster(duty, change, agreed, at)
        case _:
            assert_never(agreed.ordered)
    duty.memory.remember([record], now=at)
    return _write_done(duty, order, record, at)


def _carried_out_before(duty: Duty, order: Order) -> Issuing | RosterSet | None:
    """Return what is remembered of an order that we carried out before we died, or before somebody opened it again."""
    used = {each.statement_sha256 for each in duty.memory.consumed(order.id, {AuthorisedAct(order.kind.value)})}
    issuing, roster = duty.memory.issuing, duty.memory.newest_roster
    if issuing is not None and used and used.issuperset(issuing.statements):
        return issuing
    if roster is not None and roster.statements and used.issuperset(roster.statements):
        return roster
    return None


def _roster(duty: Duty, change: Change, agreed: _Agreed, at: datetime) -> RosterSet:
    """Return the roster that comes of a change.

    Raises:
        OrderRefused: it is about another roster than the one in force, or its number is not the next.
        RosterUnusable: no roster can come of it.
    """
    newest = duty.memory.newest_roster
    assert newest is not None, "there is one in force"
    if (agreed.roster.number, newest.number + 1) != (change.roster, change.number):
        raise OrderRefused(
            detail=f"it makes roster {change.number} of roster {change.roster}; roster {agreed.roster.number} is in "
            f"force, and the next is roster {newest.number + 1}"
        )
    members = changed(agreed.roster, change)
    return roster_record(members, RosterCause.CHANGE, number=change.number, at=at, statements=agreed.statements)


def _write_done(duty: Duty, order: Order, record: Issuing | RosterSet, at: datetime) -> int:
    """Let the register say that an order is done, and what came of it."""
    with duty.begin("order is done") as tx:
        said = "carried out" if isinstance(record, Issuing) else f"roster {record.number} counts"
        if not orders.close(tx, order.id, to=OrderState.DONE, outcome=said, at=at):
            return 0
        if isinstance(record, Issuing):
            _tell_issuing(tx, record, at)
        else:
            show(tx, record, AUTHORITY, at)
    return 1


def _tell_issuing(tx: Transaction, record: Issuing, at: datetime) -> None:
    kind = FactKind.ISSUING_STOPPED if record.stopped else FactKind.ISSUING_STARTED
    said: Mapping[str, Json] = {"order": record.order, "statements": list(record.statements)}
    facts.record(tx, Fact(kind, at, AUTHORITY, subject=record.order, payload=said))


def _lapse_passed(duty: Duty, at: datetime) -> int:
    aside = duty.aside("lapse_orders")
    with duty.read() as tx:
        waiting = reading.orders_passed(tx, at, _MOST_LAPSED, aside.passed_over(duty.noticed, at))
    why = "it was not authorised by enough officers in time"
    lapse = (partial(_close, duty, each, OrderState.LAPSED, why, FactKind.ORDER_LAPSED, at) for each in waiting)
    return sum(aside.alone(duty.noticed, each.id, at, act) or 0 for each, act in zip(waiting, lapse, strict=True))


def _close(duty: Duty, order: Order, to: OrderState, why: str, kind: FactKind, at: datetime) -> int:
    with duty.begin("close order") as tx:
        closed = orders.close(tx, order.id, to=to, outcome=why, at=at)
        if closed:
            said: Mapping[str, Json] = {"kind": order.kind.value, "why": why}
            facts.record(tx, Fact(kind, at, AUTHORITY, subject=order.id, payload=said))
    return int(closed)
