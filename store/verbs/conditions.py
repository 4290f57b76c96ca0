"""Conditions of an approval (F2.21(e)): set by one decision, ended by another, never renumbered."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, update

from core.classification import Passage
from store.transactions import Transaction
from store.trial_tables import conditions


def set_conditions(
    tx: Transaction, approval: str, decision_id: str, numbered: Sequence[tuple[int, Passage]], *, at: datetime
) -> None:
    """Write the conditions that a decision sets; a number that is taken breaks the key."""
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
                "set_at": at,
            }
            for number, each in numbered
        ],
    )


def end_conditions(
    tx: Transaction, approval: str, numbers: Collection[int], *, decision_id: str, at: datetime
) -> list[int]:
    """End conditions that hold; return the numbers that this call ended."""
    if not numbers:
        return []
    rows = tx.connection.execute(
        update(conditions)
        .where(
            conditions.c.approval == approval,
            conditions.c.number.in_(list(numbers)),
            conditions.c.ended_at.is_(None),
        )
        .values(ended_at=at, ended_by_decision=decision_id)
        .returning(conditions.c.number)
    )
    return sorted(int(row.number) for row in rows)
