"""lapse: a proposal whose dates have passed, or whose approval has ended, comes to nothing and frees what it held."""

from datetime import datetime

from core.actors import Actor
from core.approval import ApprovalRecord
from core.facts import Fact, FactKind
from core.instants import first_second, text
from core.kinds import OPEN_DECISION, AmendmentRequestState, ApplicationState, DecisionKind, DecisionState
from core.status import open_at
from ra.proposal import certified_terms
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import amendment_requests, applications, decisions, drafts, facts


def passed(tx: Transaction, decision: Decision, at: datetime) -> str | None:
    """Return, in words, why a proposal can no longer be decided; None if it can.

    A grant's start is today or later (UTC); a later issue's effective instant has not come; the approval stands.
    """
    if decision.state is not DecisionState.SECONDED and decision.lapses_at is not None and decision.lapses_at <= at:
        return f"nobody seconded it by {text(decision.lapses_at)}"
    if decision.kind == DecisionKind.GRANT:
        start = certified_terms(decision).start
        return f"its start date {start.date()} has passed" if start < first_second(at.date()) else None
    if decision.kind in {DecisionKind.REFUSE, DecisionKind.REFUSE_AMENDMENT} or decision.approval is None:
        return None
    approval = approval_reading.record(tx, decision.approval)
    if not open_at(approval, at):
        return f"approval {decision.approval} has ended"
    return _issue_passed(decision, approval, at) if decision.issue is not None else None


def _issue_passed(decision: Decision, approval: ApprovalRecord, at: datetime) -> str | None:
    said = certified_terms(decision)
    if said.terms.effective <= at:
        return f"its effective instant {text(said.terms.effective)} has passed"
    if said.start != approval.start and approval.start <= at:
        return f"the start date {approval.start.date()} has come (F2.29)"
    return None


def lapse(tx: Transaction, decision: Decision, *, why: str, actor: Actor, at: datetime) -> bool:
    """Let a decision lapse, in any state before its end; return whether this call did it."""
    return _end(tx, decision, to=DecisionState.LAPSED, kind=FactKind.DECISION_LAPSED, why=why, actor=actor, at=at)


def reject(tx: Transaction, decision: Decision, *, why: str, actor: Actor, at: datetime) -> bool:
    """Reject a proposal that has not been seconded; return whether this call did it."""
    return _end(tx, decision, to=DecisionState.REJECTED, kind=FactKind.DECISION_REJECTED, why=why, actor=actor, at=at)


def _end(
    tx: Transaction, decision: Decision, *, to: DecisionState, kind: FactKind, why: str, actor: Actor, at: datetime
) -> bool:
    needed = (*OPEN_DECISION, DecisionState.SECONDED) if to is DecisionState.LAPSED else OPEN_DECISION
    if not decisions.close(tx, decision.id, needed=needed, to=to, outcome=why, at=at):
        return False
    abandoned = drafts.abandon(tx, decision.id)
    if decision.application_id is not None and decision.state is not DecisionState.SECONDED:
        applications.move(tx, decision.application_id, needed=ApplicationState.PROPOSED, to=ApplicationState.SUBMITTED)
    if decision.amendment_request is not None:
        amendment_requests.move(
            tx, decision.amendment_request, needed=AmendmentRequestState.PROPOSED, to=AmendmentRequestState.OPEN, at=at
        )
    facts.record(tx, Fact(kind=kind, at=at, actor=actor, subject=decision.id, payload={"why": why}))
    for serial in abandoned:
        given_up = {"serial": serial, "decision": decision.id}
        facts.record(
            tx, Fact(kind=FactKind.DRAFT_ABANDONED, at=at, actor=actor, subject=decision.approval, payload=given_up)
        )
    return True
