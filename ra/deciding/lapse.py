"""lapse: a proposal whose dates have passed, or whose approval has ended, comes to nothing and frees what it held."""

from datetime import datetime

from core.actors import Actor
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import OPEN_DECISION, DecisionState
from ra.deciding.every_kind import kind_of
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions, drafts, facts


def passed(tx: Transaction, decision: Decision, at: datetime) -> str | None:
    """Return, in words, why a proposal can no longer be decided; None if it can."""
    if decision.state is not DecisionState.SECONDED and decision.lapses_at is not None and decision.lapses_at <= at:
        return f"nobody seconded it by {text(decision.lapses_at)}"
    return kind_of(decision.kind).passed(tx, decision, at)


def lapse(tx: Transaction, decision: Decision, *, why: str, actor: Actor, at: datetime) -> bool:
    """Let a decision lapse, in any state before its end; return whether this call did it."""
    needed = (*OPEN_DECISION, DecisionState.SECONDED)
    if not decisions.close(tx, decision.id, needed=needed, to=DecisionState.LAPSED, outcome=why, at=at):
        return False
    _free(tx, decision, FactKind.DECISION_LAPSED, why=why, actor=actor, at=at)
    return True


def reject(tx: Transaction, decision: Decision, *, why: str, actor: Actor, at: datetime) -> bool:
    """Reject a proposal that has not been seconded; return whether this call did it."""
    if not decisions.close(tx, decision.id, needed=OPEN_DECISION, to=DecisionState.REJECTED, outcome=why, at=at):
        return False
    _free(tx, decision, FactKind.DECISION_REJECTED, why=why, actor=actor, at=at)
    return True


def _free(tx: Transaction, decision: Decision, kind: FactKind, *, why: str, actor: Actor, at: datetime) -> None:
    abandoned = drafts.abandon(tx, decision.id)
    kind_of(decision.kind).released(tx, decision, at)
    facts.record(tx, Fact(kind, at, actor, subject=decision.id, payload={"why": why}))
    for serial in abandoned:
        given_up = {"serial": serial, "decision": decision.id}
        facts.record(tx, Fact(FactKind.DRAFT_ABANDONED, at, actor, subject=decision.approval, payload=given_up))
