"""How far many approvals have been revoked by one decision."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from store.officers_tables import revocation_outcomes, revocations
from store.tables import certificates
from store.transactions import Transaction

_MOST = 20
"""That are looked at in one turn; none of them is behind another for long."""

_OPEN = revocations.c.finished_at.is_(None)
_UNDER_WAY = select(revocations).where(_OPEN).order_by(revocations.c.decision_id).limit(_MOST)


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """A revocation of many.

    Args:
        decision: by which.
        total: how many approvals it is of.
        done: how many of them were dealt with, in the order of the proposal.
        already_ended: how many of these had ended before.
        told: of how many the notices are written, or none is due.
        begun_at: when it was decided.
        finished_at: when all was done and told; None before.
    """

    decision: str
    total: int
    done: int
    already_ended: int
    told: int
    begun_at: datetime
    finished_at: datetime | None


def under_way(tx: Transaction) -> list[UnderWay]:
    """Return the revocations of many that are not finished, the oldest first: a portion of them."""
    return [_read(row) for row in tx.connection.execute(_UNDER_WAY)]


def find(tx: Transaction, decision: str) -> UnderWay | None:
    """Return how far one is; None if it was not decided, or is none of many."""
    row = tx.connection.execute(select(revocations).where(revocations.c.decision_id == decision)).one_or_none()
    return None if row is None else _read(row)


def listed(tx: Transaction, decision: str) -> tuple[int, int | None]:
    """Return how many certificates that an act has ended are on no list yet, and the newest list that was first to have
    one of them.
    """
    c, o = certificates.c, revocation_outcomes.c
    joined = select(c.listed_in).join(revocation_outcomes, o.approval == c.approval)
    ended = joined.where(o.decision_id == decision, o.ended_at == c.revoked_at).subquery()
    waiting = select(func.count()).select_from(ended).where(ended.c.listed_in.is_(None))
    newest = tx.connection.execute(select(func.max(ended.c.listed_in))).scalar()
    return int(tx.connection.execute(waiting).scalar_one()), None if newest is None else int(newest)


def ended_by(tx: Transaction, decision: str, identifiers: Collection[str]) -> dict[str, datetime]:
    """Return, of some approvals, those that the act has ended, each with the instant.

    Args:
        tx: open.
        decision: by which.
        identifiers: of the approvals.
    """
    o = revocation_outcomes.c
    named = o.decision_id == decision, o.approval.in_(identifiers), o.ended_at.is_not(None)
    found = tx.connection.execute(select(o.approval, o.ended_at).where(*named).order_by(o.approval))
    return {str(row.approval): row.ended_at for row in found}


def _read(row: Row[Any]) -> UnderWay:
    return UnderWay(
        decision=row.decision_id,
        total=row.total,
        done=row.done,
        already_ended=row.already_ended,
        told=row.told,
        begun_at=row.begun_at,
        finished_at=row.finished_at,
    )
