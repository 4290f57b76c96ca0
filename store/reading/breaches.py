"""Breaches of conditions: suspected, judged, answered by a revocation or closed (F2.23)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from core.canonical import read_json
from core.errors import NoSuchThing
from core.kinds import OPEN_BREACH, BreachState
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import breaches, conditions

_OWED = (
    select(
        breaches.c.id,
        breaches.c.approval,
        breaches.c.condition,
        breaches.c.judged_at,
        approvals.c.expiry,
        approvals.c.ended_at,
    )
    .join(approvals, approvals.c.identifier == breaches.c.approval)
    .where(breaches.c.state == BreachState.CONFIRMED)
    .order_by(breaches.c.judged_at, breaches.c.id)
)


@dataclass(frozen=True)
class SaltedWords:
    """Words of the SSC, with the random salt of the digest that stands for them in the journal (F2.22)."""

    text: str
    salt: bytes


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A breach.

    Args:
        id: its identifier.
        approval: of which approval.
        condition: the number of the condition; None for the limit of F2.21(d).
        state: suspected, confirmed, dismissed, answered or closed.
        note: what is suspected.
        suspected_at, suspected_by: when and by whom.
        judged_at, judged_by: when and by whom it was confirmed or dismissed.
        why: the last words said of it: of the judgement, or of its closing.
        closed_at: when it was answered or closed.
        decision: the revocation that answered it.
        kept_at: of the limit: when what made the suspicion had been corrected, so that the limit was kept.
    """

    id: str
    approval: str
    condition: int | None
    state: BreachState
    note: SaltedWords
    suspected_at: datetime
    suspected_by: str
    judged_at: datetime | None
    judged_by: str | None
    why: SaltedWords | None
    closed_at: datetime | None
    decision: str | None
    kept_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OwedRevocation:
    """A confirmed breach that no revocation has answered.

    Args:
        breach: its identifier.
        approval: the approval to be revoked.
        condition: the number of the condition; None for the limit.
        confirmed_at: since when the revocation is owed.
        expiry, ended_at: of the approval: one that has ended otherwise leaves nothing to revoke, and is closed.
    """

    breach: str
    approval: str
    condition: int | None
    confirmed_at: datetime
    expiry: datetime
    ended_at: datetime | None


def breach(tx: Transaction, identifier: str) -> Breach:
    """Return one breach; NoSuchThing if there is none."""
    row = tx.connection.execute(select(breaches).where(breaches.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="breach", identifier=identifier)
    return _breach(row)


def breach_list(
    tx: Transaction, *, approval: str | None = None, state: BreachState | None = None, after: str, limit: int
) -> list[Breach]:
    """Return breaches of one approval or all, in any or one state, in order of identifier, from behind `after` on."""
    c = breaches.c
    query = select(breaches).where(c.id > after).order_by(c.id).limit(limit)
    if approval is not None:
        query = query.where(c.approval == approval)
    if state is not None:
        query = query.where(c.state == state)
    return [_breach(row) for row in tx.connection.execute(query)]


def open_limit_breach(tx: Transaction, approval: str) -> str | None:
    """Return the breach of the limit of an approval that is suspected or confirmed, if there is one."""
    c = breaches.c
    query = select(c.id).where(c.approval == approval, c.condition.is_(None), c.state.in_(OPEN_BREACH))
    found = tx.connection.execute(query).scalar()
    return None if found is None else str(found)


def dismissed_limits(tx: Transaction, approval: str) -> list[tuple[int, datetime]]:
    """Return of each dismissed suspicion of the limit of an approval how many devices it was about, and since when."""
    c = breaches.c
    mine = (c.approval == approval, c.condition.is_(None), c.state == BreachState.DISMISSED)
    query = select(c.deployed, c.since).where(*mine, c.deployed.is_not(None), c.since.is_not(None))
    return [(int(row.deployed), row.since) for row in tx.connection.execute(query)]


def owed(tx: Transaction) -> list[OwedRevocation]:
    """Return every confirmed breach that no revocation has answered, the oldest first."""
    return [
        OwedRevocation(
            breach=row.id,
            approval=row.approval,
            condition=row.condition,
            confirmed_at=row.judged_at,
            expiry=row.expiry,
            ended_at=row.ended_at,
        )
        for row in tx.connection.execute(_OWED)
    ]


def condition_begun(tx: Transaction, approval: str, number: int, at: datetime) -> bool:
    """Return whether an approval has, or had, a condition of that number at an instant; one that waits binds nobody."""
    c = conditions.c
    query = select(c.number).where(c.approval == approval, c.number == number, c.set_at <= at)
    return tx.connection.execute(query).scalar() is not None


def _breach(row: Row[Any]) -> Breach:
    return Breach(
        id=row.id,
        approval=row.approval,
        condition=row.condition,
        state=row.state,
        note=_words(row.note),
        suspected_at=row.suspected_at,
        suspected_by=row.suspected_by,
        judged_at=row.judged_at,
        judged_by=row.judged_by,
        why=None if row.why is None else _words(row.why),
        closed_at=row.closed_at,
        decision=row.decision_id,
        kept_at=row.kept_at,
    )


def _words(kept: str) -> SaltedWords:
    said = read_json(kept)
    return SaltedWords(said["text"], bytes.fromhex(said["salt"]))
