"""How far many approvals have been revoked by one decision; each step a conditional write."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, update

from store.officers_tables import revocation_outcomes, revocations
from store.transactions import Transaction


def begin(tx: Transaction, decision_id: str, *, total: int, at: datetime) -> None:
    """Write that many approvals are to be revoked, in the transaction in which that was decided."""
    tx.connection.execute(insert(revocations).values(decision_id=decision_id, total=total, begun_at=at))


def advance(tx: Transaction, decision_id: str, *, done: int, by: int) -> bool:
    """Take up the next approvals; return whether this call did it: first, so that no two go on from the same place.

    Args:
        tx: open.
        decision_id: by which they are revoked.
        done: how many have been dealt with.
        by: how many are now.
    """
    c = revocations.c
    won = update(revocations).where(c.decision_id == decision_id, c.done == done).values(done=done + by)
    return bool(tx.connection.execute(won).rowcount)


def record(tx: Transaction, decision_id: str, outcomes: Mapping[str, datetime | None]) -> None:
    """Write what became of approvals that were taken up.

    Args:
        tx: in which they were.
        decision_id: by which.
        outcomes: of each approval when it ended by this; None where it had ended before.
    """
    if not outcomes:
        return
    c = revocations.c
    before = sum(each is None for each in outcomes.values())
    counted = update(revocations).where(c.decision_id == decision_id)
    tx.connection.execute(counted.values(already_ended=c.already_ended + before))
    tx.connection.execute(
        insert(revocation_outcomes),
        [{"decision_id": decision_id, "approval": each, "ended_at": at} for each, at in outcomes.items()],
    )


def tell(tx: Transaction, decision_id: str, *, told: int, by: int) -> bool:
    """Write that the notices of the next approvals are written; return whether this call did it."""
    c = revocations.c
    won = update(revocations).where(c.decision_id == decision_id, c.told == told).values(told=told + by)
    return bool(tx.connection.execute(won).rowcount)


def finish(tx: Transaction, decision_id: str, *, at: datetime) -> bool:
    """Write that all was done and told; return whether this call did it."""
    c = revocations.c
    won = (
        update(revocations)
        .where(c.decision_id == decision_id, c.told == c.total, c.finished_at.is_(None))
        .values(finished_at=at)
    )
    return bool(tx.connection.execute(won).rowcount)


def reopen(tx: Transaction, decision_id: str, *, total: int, at: datetime) -> None:
    """Write that an act is to be carried out from the beginning, whatever its row said, or although it has none."""
    opened = update(revocations).where(revocations.c.decision_id == decision_id)
    said = {"total": total, "done": 0, "already_ended": 0, "told": 0, "finished_at": None}
    if not tx.connection.execute(opened.values(said)).rowcount:
        begin(tx, decision_id, total=total, at=at)
