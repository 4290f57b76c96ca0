"""order: an officer writes down what the authority is to do; what is signed for is the digest of exactly that.

It becomes true when the authority takes it up, by the authorisations that it has proved itself (jobs/orders.py). What
is refused here is refused as a courtesy.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from core.actors import Actor
from core.canonical import Json, read_json
from core.errors import NoSuchThing, WrongState
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import OrderState
from core.words import required
from officers.order import Change, Ordered, Start, Stop, body_sha256, changed, kind_of, officers_wanted, written
from officers.roster import Member, Roster
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import roster_shown
from ra.desk import Desk, new_identifier
from ra.issuing import stopped_by
from ra.ordering.views import OrderProposed
from ra.repeat import RequestKey, once
from store.reading import authorisations as rosters
from store.reading.orders import Order
from store.transactions import Transaction
from store.verbs import facts, orders


@dataclass(frozen=True)
class StopIssuing:
    """Halt everything that ends in a certificate."""

    why: str


@dataclass(frozen=True)
class StartIssuing:
    """Go on with it."""

    why: str


@dataclass(frozen=True, kw_only=True)
class ChangeRoster:
    """Let other keys count.

    Args:
        why: in a sentence.
        add: keys that count from then on.
        remove: thumbprints of keys that do not any more.
    """

    why: str
    add: tuple[Member, ...] = ()
    remove: tuple[str, ...] = ()


Command: TypeAlias = StopIssuing | StartIssuing | ChangeRoster


def order(desk: Desk, actor: Actor, command: Command, request: RequestKey | None = None) -> OrderProposed:
    """Write down an order.

    Args:
        desk: where.
        actor: an officer.
        command: what is to be done.
        request: the Idempotency-Key, if one was sent.

    Raises:
        WrongState: issuing stands already, or goes on.
        RosterUnusable: no roster can come of it.
        NoSuchThing: there is no roster of officers' keys, by which orders are authorised.
    """
    authorise(actor, Operation.ORDER)
    required(command.why, of="why")
    at = desk.clock.now()
    with desk.store.begin("propose order") as tx:
        return once(desk, tx, actor, request, OrderProposed, lambda: _order(desk, tx, actor, command, at), at=at)


def _order(desk: Desk, tx: Transaction, actor: Actor, command: Command, at: datetime) -> OrderProposed:
    roster = roster_shown(tx, at)
    if roster is None:
        raise NoSuchThing(kind="roster", identifier="of officers' keys")
    ordered = _meant(tx, command, roster)
    body = written(ordered)
    kind = kind_of(ordered)
    kept = Order(
        id=new_identifier("order", at),
        kind=kind,
        state=OrderState.OPEN,
        body=body,
        body_sha256=body_sha256(body),
        proposer=actor.name,
        proposed_at=at,
        lapses_at=at + desk.rules.order_life,
    )
    orders.propose(tx, kept)
    said: dict[str, Json] = {
        "kind": kind.value,
        "body_sha256": kept.body_sha256,
        "lapses_at": text(kept.lapses_at),
        "credential": actor.credential,
    }
    facts.record(tx, Fact(FactKind.ORDER_PROPOSED, at, actor, subject=kept.id, payload=said))
    return OrderProposed(
        order=kept.id,
        kind=kind,
        body=read_json(body),
        body_sha256=kept.body_sha256,
        officers=officers_wanted(kind),
        lapses_at=kept.lapses_at,
    )


def _meant(tx: Transaction, command: Command, roster: Roster) -> Ordered:
    """Return an order as it can be carried out now."""
    match command:
        case StopIssuing(why=why):
            if stopped_by(tx) is not None:
                raise WrongState(kind="The", identifier="issuing", state="stopped", needed="going on")
            return Stop(why=why)
        case StartIssuing(why=why):
            stop = stopped_by(tx)
            if stop is None:
                raise WrongState(kind="The", identifier="issuing", state="going on", needed="stopped")
            return Start(why=why, ends=stop)
        case ChangeRoster(why=why, add=add, remove=remove):
            newest = rosters.shown_rosters(tx)[-1]
            change = Change(why=why, roster=roster.number, number=newest.number + 1, add=add, remove=remove)
            changed(roster, change)
            return change
        case _:
            assert_never(command)
