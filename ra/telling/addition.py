"""addition: an entry whose certificate was cancelled for its key before the start: does its addition stand, or wait?

F2.27 has the Panel add it on the start date, F2.26 needs a valid Trial CPA Certificate. The officers say which. Until
they do, and where it stands, the instruction has the remark that a certificate is awaited.
"""

from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.cpl import certificate_awaited
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.kinds import Addition
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.repeat import RequestKey, once
from ra.telling.listing import ADDITION, instruct
from ra.telling.views import AdditionJudged
from store.reading import approvals as approval_reading
from store.transactions import Transaction
from store.verbs import cpl, facts


@serves("F2.26", "F2.27")
def judge_addition(
    desk: Desk, actor: Actor, approval: str, said: Addition, request: RequestKey | None = None
) -> AdditionJudged:
    """Say whether the entries of an approval are added on the start date, or once a certificate holds.

    Officers may say otherwise later, while a certificate is awaited.

    Args:
        desk: where.
        actor: an officer.
        approval: its identifier.
        said: which.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such approval.
        WrongState: it awaits no certificate, or that was said already.
    """
    authorise(actor, Operation.JUDGE_ADDITION)
    with desk.store.begin("judge addition") as tx:
        at = desk.clock.now()
        return once(desk, tx, actor, request, AdditionJudged, lambda: _judge(tx, actor, approval, said, at), at=at)


def _judge(tx: Transaction, actor: Actor, approval: str, said: Addition, at: datetime) -> AdditionJudged:
    record = approval_reading.locked(tx, approval)
    if not certificate_awaited(record, at):
        raise WrongState(kind="Approval", identifier=approval, state="as it is", needed="awaiting a certificate")
    cpl.judge_addition(tx, approval, said, by=actor.name, at=at)
    facts.record(tx, Fact(FactKind.ADDITION_JUDGED, at, actor, subject=approval, payload={"addition": said}))
    given = instruct(tx, approval, cause=ADDITION, actor=actor, at=at)
    return AdditionJudged(approval=approval, addition=said, instructions=tuple(given))
