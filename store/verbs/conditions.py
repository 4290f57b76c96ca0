"""Conditions of an approval (F2.21(e)): set by one decision, ended by another, never renumbered."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, or_, update

from core.classification import Passage
from store.transactions import Transaction
from store.trial_tables import conditions


def set_conditions(
    tx: Transaction, approval: str, decision_id: str, numbered: Sequence[tuple[int, Passage]], *, since: datetime
) -> None:
    """Write the conditions that a decision sets, and from when on they hold; a number that is taken breaks the key."""
    if not numbered:
        return
    tx.connection.execute(
        insert(conditions),
        [
            {
                "approval": approval,
                "number": number,
                "decision_id": decision_id,
                "text": each.text,
                "classification": each.classification,
                "recipients": f" {' '.join(each.recipients)} ",
                "salt": each.salt,
                "set_at": since,
            }
            for number, each in numbered
        ],
    )


def end_conditions(
    tx: Transaction, approval: str, numbers: Collection[int], *, decision_id: str, until: datetime
) -> list[int]:
    """End conditions that would hold at an instant; return the numbers that this call ended."""
    if not numbers:
        return []
    c = conditions.c
    rows = tx.connection.execute(
        update(conditions)
        .where(c.approval == approval, c.number.in_(list(numbers)), or_(c.ended_at.is_(None), c.ended_at > until))
        .values(ended_at=until, ended_by_decision=decision_id)
        .returning(c.number)
    )
    return sorted(int(row.number) for row in rows)


def take_back(tx: Transaction, approval: str, decided: Collection[str], *, by: str, at: datetime) -> None:
    """Let what some decisions were to do to conditions behind an instant never come to be.

    Args:
        tx: open.
        approval: whose conditions they are.
        decided: the decisions that are taken back.
        by: the decision that takes them back.
        at: now: what has begun, or ended, by then stays.
    """
    c, named = conditions.c, list(decided)
    ends = update(conditions).where(c.approval == approval, c.ended_by_decision.in_(named), c.ended_at > at)
    tx.connection.execute(ends.values(ended_at=None, ended_by_decision=None))
    begins = update(conditions).where(c.approval == approval, c.decision_id.in_(named), c.set_at > at)
    tx.connection.execute(begins.values(ended_at=c.set_at, ended_by_decision=by))
