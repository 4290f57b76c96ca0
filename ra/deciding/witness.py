"""witness: an officer says of a decision that they have seen it, or that it was not made as the register has it.

Whoever can write rows can pretend that two officers decided. They are people who can say that they did not, so every
issue and every end is told to every officer, to those who are named in it as well (ra/waiting/tasks.py).
"""

from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.kinds import Witnessed
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.deciding.views import DecisionWitnessed
from ra.desk import Desk
from ra.repeat import RequestKey, once
from store.reading import requests
from store.reading.witnesses import issued_or_ended
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import facts, secondings, witnesses

_FACTS = {Witnessed.SEEN: FactKind.DECISION_SEEN, Witnessed.DISOWNED: FactKind.DECISION_DISOWNED}


@dataclass(frozen=True)
class Witness:
    """What an officer says of a decision.

    Args:
        decision: its identifier.
        saw: what they say.
        why: why they disown it; empty if they have seen it.
    """

    decision: str
    saw: Witnessed
    why: str = ""


@serves("F2.18")
def witness(desk: Desk, actor: Actor, command: Witness, request: RequestKey | None = None) -> DecisionWitnessed:
    """Write what an officer says of a decision by which something was issued or ended. It undoes nothing.

    Raises:
        NoSuchThing: there is no such decision.
        NothingSaid: it is disowned without a word of why.
        WrongState: nothing was issued or ended by it, or the officer has said so before; who has disowned a decision
            cannot take that back.
    """
    authorise(actor, Operation.WITNESS_DECISION)
    at = desk.clock.now()
    with desk.store.begin("witness decision") as tx:
        return once(desk, tx, actor, request, DecisionWitnessed, lambda: _witness(tx, actor, command, at), at=at)


def _witness(tx: Transaction, actor: Actor, command: Witness, at: datetime) -> DecisionWitnessed:
    disowned = command.saw is Witnessed.DISOWNED
    decision, why = requests.decision(tx, command.decision), required(command.why, of="why") if disowned else None
    if not issued_or_ended(decision.kind, decision.state, decision.issue):
        raise WrongState(
            kind="Decision", identifier=decision.id, state=decision.state, needed="one that issued or ended something"
        )
    witnesses.say(tx, decision.id, officer=actor.name, saw=command.saw, why=why, at=at)
    said: dict[str, Json] = {
        "kind": decision.kind,
        "proposal_sha256": decision.proposal_sha256,
        "named": actor.name in _named(tx, decision),
        "credential": actor.credential,
    }
    if why is not None:
        said["why"] = why
    facts.record(tx, Fact(_FACTS[command.saw], at, actor, subject=decision.id, payload=said))
    return DecisionWitnessed(decision=decision.id, officer=actor.name, saw=command.saw, why=why, at=at)


def _named(tx: Transaction, decision: Decision) -> frozenset[str]:
    """Return who is said to have made a decision."""
    seconder = () if decision.seconder is None else (decision.seconder,)
    return secondings.officers_of(tx, decision.id) | {decision.proposer, *seconder}
