"""lapse: a proposal whose dates have passed, or whose approval has ended, comes to nothing and frees what it held."""

from datetime import datetime

from core.actors import Actor
from core.canonical import Json
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
    _free(tx, decision, Fact(FactKind.DECISION_LAPSED, at, actor, subject=decision.id, payload={"why": why}))
    return True


def reject(tx: Transaction, decision: Decision, *, why: str, actor: Actor, statement: str | None, at: datetime) -> bool:
    """Reject a proposal that has not been seconded; return whether this call did it.

    Args:
        tx: open.
        decision: which.
        why: a sentence, for the record.
        actor: who.
        statement: the digest of what they signed for it, hex; None where there is no roster of officers' keys.
        at: now.
    """
    if not decisions.close(tx, decision.id, needed=OPEN_DECISION, to=DecisionState.REJECTED, outcome=why, at=at):
        return False
    said: dict[str, Json] = {"why": why}
    if statement is not None:
        said |= {"proposal_sha256": decision.proposal_sha256, "authorisation": statement}
    _free(tx, decision, Fact(FactKind.DECISION_REJECTED, at, actor, subject=decision.id, payload=said))
    return True


def _free(tx: Transaction, decision: Decision, fact: Fact) -> None:
    abandoned = drafts.abandon(tx, decision.id)
    kind_of(decision.kind).released(tx, decision, fact.at)
    facts.record(tx, fact)
    for serial in abandoned:
        given_up = {"serial": serial, "decision": decision.id}
        abandoned_fact = Fact(
            FactKind.DRAFT_ABANDONED, fact.at, fact.actor, subject=decision.approval, payload=given_up
        )
        facts.record(tx, abandoned_fact)
