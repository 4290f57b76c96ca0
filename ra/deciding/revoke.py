"""revoke: the urgent revocation by one officer, where the settings allow it (F2.30); another is informed of it.

What it shares with a revocation by several is in ra/deciding/end.py.
"""

from dataclasses import replace
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.clauses import serves
from core.kinds import DecisionKind, DecisionState
from policy.roles import Operation
from ra.access import authorise, not_permitted
from ra.deciding import notice
from ra.deciding.end import Ending, Revoke, decision_to_end, end_approval, ending_findings, ending_of
from ra.deciding.views import ApprovalRevoked
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import grounds_of
from ra.instant import instant_of_end
from ra.proposal import Tabled
from ra.repeat import RequestKey, once
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions


@serves("F2.30")
def revoke(desk: Desk, actor: Actor, command: Revoke, request: RequestKey | None = None) -> ApprovalRevoked:
    """Revoke at once, where the settings allow one officer to.

    Raises:
        OperationNotPermitted: the role, or the settings, do not allow it.
        AlreadyEnded: it has ended; the first end stands.
        NoSuchThing: there is no such approval.
        RulesRefused: an invalidity date that cannot be.
    """
    authorise(actor, Operation.REVOKE)
    if not desk.rules.urgent_revocation_by_one or command.cause is EndCause.MANUFACTURER:
        raise not_permitted(actor, "revoke alone")
    with desk.store.begin("revoke") as tx:
        at = instant_of_end(desk, tx)  # only now: waiting for our turn to write must not backdate the end
        refuse_fatal(ending_findings(command, at))
        return once(desk, tx, actor, request, ApprovalRevoked, lambda: _revoke(desk, tx, actor, command, at), at=at)


def _revoke(desk: Desk, tx: Transaction, actor: Actor, command: Revoke, at: datetime) -> ApprovalRevoked:
    decision = _urgent_decision(desk, tx, actor, command, at)
    decisions.propose(tx, decision)
    serials = end_approval(tx, ending_of(decision), decision=decision, actor=actor, at=at)
    notice.write(tx, decision, actor=actor, at=at)
    return ApprovalRevoked(
        approval=command.approval,
        cause=command.cause,
        revoked_at=at,
        serials=tuple(serials),
        decision=decision.id,
    )


def _urgent_decision(desk: Desk, tx: Transaction, actor: Actor, command: Revoke, at: datetime) -> Decision:
    """The decision of one officer: done when it is written; another is informed of it (ra/deciding/acknowledge.py)."""
    tabled = Tabled(
        environment=authority_row(tx).environment,
        by=actor.name,
        at=at,
        officers=1,
        lapses_at=at + desk.rules.proposal_life,
    )
    ending = Ending(command.approval, command.cause, command.invalidity_date)
    grounds = grounds_of(command.reasons, command.minutes)
    decided = decision_to_end(DecisionKind.REVOKE, ending, grounds, tabled, breach=command.breach)
    return replace(decided, state=DecisionState.DONE, closed_at=at, urgent=True)
