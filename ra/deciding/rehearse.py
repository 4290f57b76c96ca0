"""rehearse: what would be true if something were proposed and decided, for an officer who still writes it.

Everything is done as `propose` does it, in a transaction that leaves nothing behind: what is shown is what the rules,
the certificate and the notices make of it, and not somebody's second idea of them.
"""

from core.actors import Actor
from policy.roles import Operation
from ra.access import authorise
from ra.deciding.every_kind import Proposal
from ra.deciding.look import preview_of
from ra.deciding.propose import tabled
from ra.deciding.views import DecisionRehearsed
from ra.desk import Desk


def rehearse(desk: Desk, actor: Actor, command: Proposal) -> DecisionRehearsed:
    """Return what would be true if a decision were proposed now, and made.

    Raises:
        TrialCpaError: it could not be proposed: as of `propose`.
    """
    authorise(actor, Operation.PROPOSE)
    at = desk.clock.now()
    with desk.store.rehearse() as tx:
        decision, found = tabled(desk, tx, actor, command, at)
        return DecisionRehearsed(officers=decision.officers, findings=found, preview=preview_of(tx, decision, at))
