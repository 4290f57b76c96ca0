"""The conditions of an approval, those that hold and those that did."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.classification import Classification, Passage, Recipient
from store.transactions import Transaction
from store.trial_tables import conditions


@dataclass(frozen=True)
class Condition:
    """One condition.

    Args:
        number: counted through from 1.
        passage: its words, with their class and recipients.
        set_at, ended_at: from when to when it holds.
    """

    number: int
    passage: Passage
    set_at: datetime
    ended_at: datetime | None


def conditions_of(tx: Transaction, approval: str) -> list[Condition]:
    """Return every condition that an approval ever had, in order of number."""
    query = select(conditions).where(conditions.c.approval == approval).order_by(conditions.c.number)
    return [
        Condition(
            row.number,
            Passage(
                f"condition {row.number}",
                row.text,
                Classification(row.classification),
                tuple(Recipient(each) for each in row.recipients.split()),
                bytes(row.salt),
            ),
            row.set_at,
            row.ended_at,
        )
        for row in tx.connection.execute(query)
    ]
