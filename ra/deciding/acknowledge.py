"""acknowledge: another officer is informed of what one decided alone (F2.30)."""

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.errors import SamePerson
from core.facts import Fact, FactKind
from core.instants import text
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.repeat import RequestKey, keep, recall
from store.reading import requests
from store.verbs import decisions, facts


@serves("F2.30")
def acknowledge(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> dict[str, Json]:
    """Write that an officer has been informed of an urgent revocation. It ends nothing and undoes nothing.

    Raises:
        SamePerson: whoever decided cannot be the second who is informed.
        WrongState: it is not urgent, or another was informed before.
    """
    authorise(actor, Operation.ACKNOWLEDGE_DECISION)
    at = desk.clock.now()
    with desk.store.begin("acknowledge decision") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        if requests.decision(tx, identifier).proposer == actor.name:
            raise SamePerson(person=actor.name)
        decisions.acknowledge(tx, identifier, by=actor.name, at=at)
        facts.record(tx, Fact(kind=FactKind.DECISION_ACKNOWLEDGED, at=at, actor=actor, subject=identifier))
        outcome: dict[str, Json] = {
            "decision": identifier,
            "acknowledged_by": actor.name,
            "acknowledged_at": text(at),
        }
        keep(tx, actor, request, outcome, at=at)
    return outcome
