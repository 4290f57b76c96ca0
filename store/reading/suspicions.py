"""Suspected breaches of which a Manufacturer was told, with what it answered (F2.23)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from core.kinds import OPEN_BREACH, BreachState
from store.reading.breaches import Breach, SaltedWords, breach
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import breaches, suspicions

_S, _B = suspicions.c, breaches.c
_SUSPICIONS = (
    select(suspicions, _B.approval, _B.condition, _B.state, approvals.c.organisation_id)
    .join(breaches, _B.id == _S.breach_id)
    .join(approvals, approvals.c.identifier == _B.approval)
)
_TOLD_AND_OPEN = _SUSPICIONS.where(
    approvals.c.organisation_id == bindparam("organisation"), _B.state.in_(OPEN_BREACH)
).order_by(_S.told_at, _S.breach_id)


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A suspicion as it was told.

    Args:
        breach: of which breach.
        approval, organisation: whose.
        condition: the number of the condition; None for the limit.
        state: of the breach, which is the SSC's own.
        told: what the Manufacturer was told.
        told_at, told_by: when and by whom.
        notice: in which notice.
        answer: what it answered; None before it did.
        answered_at, answered_by: when and by whom.
    """

    breach: str
    approval: str
    organisation: str
    condition: int | None
    state: BreachState
    told: SaltedWords
    told_at: datetime
    told_by: str
    notice: str
    answer: SaltedWords | None
    answered_at: datetime | None
    answered_by: str | None


def suspicion(tx: Transaction, identifier: str) -> Suspicion | None:
    """Return what a Manufacturer was told of a breach; None if it was told nothing."""
    row = tx.connection.execute(_SUSPICIONS.where(_S.breach_id == identifier)).one_or_none()
    return None if row is None else _suspicion(row)


def suspicion_list(
    tx: Transaction, *, organisation_id: str | None, approval: str | None, after: str, limit: int
) -> list[Suspicion]:
    """Return suspicions of one organisation or all, of one approval or all, by breach from behind `after` on."""
    query = _SUSPICIONS.where(_S.breach_id > after).order_by(_S.breach_id).limit(limit)
    if organisation_id is not None:
        query = query.where(approvals.c.organisation_id == organisation_id)
    if approval is not None:
        query = query.where(_B.approval == approval)
    return [_suspicion(row) for row in tx.connection.execute(query)]


def told_and_open(tx: Transaction, organisation_id: str) -> list[Breach]:
    """Return the breaches of an organisation's approvals of which it was told, and which are not settled."""
    told = tx.connection.execute(_TOLD_AND_OPEN, {"organisation": organisation_id})
    return [breach(tx, row.breach_id) for row in told]


def unanswered(tx: Transaction, organisation_id: str) -> Iterator[Suspicion]:
    """Yield the suspicions that an organisation may answer and has not, the oldest first."""
    mine = _SUSPICIONS.where(approvals.c.organisation_id == organisation_id, _B.state.in_(OPEN_BREACH))
    query = mine.where(_S.answer.is_(None)).order_by(_S.told_at, _S.breach_id)
    return (_suspicion(row) for row in tx.connection.execute(query))


def _suspicion(row: Row[Any]) -> Suspicion:
    return Suspicion(
        breach=row.breach_id,
        approval=row.approval,
        organisation=row.organisation_id,
        condition=row.condition,
        state=row.state,
        told=SaltedWords(row.told, bytes(row.told_salt)),
        told_at=row.told_at,
        told_by=row.told_by,
        notice=row.notice,
        answer=None if row.answer is None else SaltedWords(row.answer, bytes(row.answer_salt)),
        answered_at=row.answered_at,
        answered_by=row.answered_by,
    )
