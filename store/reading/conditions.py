"""The conditions of an approval, those that hold and those that did."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from core.classification import Passage, Recipient
from store.transactions import Transaction
from store.trial_tables import conditions

_CONDITIONS = select(conditions).where(conditions.c.approval == bindparam("approval")).order_by(conditions.c.number)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition.

    Args:
        number: counted through from 1.
        passage: its words, with their class and recipients.
        set_at: from when on it holds: the effective instant of what set it.
        ended_at: the first second in which it does not; None where nobody has ended it. One that was taken back before
            it began ends as it begins.
    """

    number: int
    passage: Passage
    set_at: datetime
    ended_at: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        """Return whether it holds at an instant, as far as is decided."""
        return self.set_at <= instant and (self.ended_at is None or instant < self.ended_at)


def conditions_of(tx: Transaction, approval: str) -> list[Condition]:
    """Return every condition that an approval ever had, in order of number."""
    return [
        Condition(
            number=row.number,
            passage=Passage(
                subject=f"condition {row.number}",
                text=row.text,
                classification=row.classification,
                recipients=tuple(Recipient(each) for each in row.recipients.split()),
                salt=bytes(row.salt),
            ),
            set_at=row.set_at,
            ended_at=row.ended_at,
        )
        for row in tx.connection.execute(_CONDITIONS, {"approval": approval})
    ]
