"""acknowledge: another officer is informed of what one decided alone (F2.30)."""

from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import SamePerson
from core.facts import Fact, FactKind
from policy.roles import Operation
from ra.access import authorise
from ra.deciding.quorum import is_another
from ra.deciding.views import DecisionAcknowledged
from ra.desk import Desk
from ra.repeat import RequestKey, once
from store.reading import requests
from store.transactions import Transaction
from store.verbs import decisions, facts


@serves("F2.30")
def acknowledge(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> DecisionAcknowledged:
    """Write that an officer has been informed of an urgent revocation. It ends nothing and undoes nothing.

    Raises:
        SamePerson: whoever decided cannot be the second who is informed.
        WrongState: it is not urgent, or another was informed before.
    """
    authorise(actor, Operation.ACKNOWLEDGE_DECISION)
    at = desk.clock.now()
    with desk.store.begin("acknowledge decision") as tx:
        return once(
            desk, tx, actor, request, DecisionAcknowledged, lambda: _acknowledge(tx, actor, identifier, at), at=at
        )


def _acknowledge(tx: Transaction, actor: Actor, identifier: str, at: datetime) -> DecisionAcknowledged:
    if not is_another(actor, requests.decision(tx, identifier).proposer):
        raise SamePerson(person=actor.name)
    decisions.acknowledge(tx, identifier, by=actor.name, at=at)
    facts.record(tx, Fact(FactKind.DECISION_ACKNOWLEDGED, at, actor, subject=identifier))
    return DecisionAcknowledged(decision=identifier, acknowledged_by=actor.name, acknowledged_at=at)
