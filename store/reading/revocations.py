"""How far many approvals have been revoked by one decision."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, select

from store.officers_tables import revocation_outcomes, revocations
from store.portions import portions
from store.tables import approvals, certificates
from store.transactions import Transaction
from store.trial_tables import notices

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


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What has become of the approvals of a revocation of many.

    Args:
        ended: by it.
        already_ended: before it.
        noticed: of how many a notice of it is written.
    """

    ended: int
    already_ended: int
    noticed: int


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


def counted(tx: Transaction, decision: str) -> Counted:
    """Return what has become of the approvals of one."""
    o, n = revocation_outcomes.c, notices.c
    ended, before = tx.connection.execute(
        select(func.count(o.ended_at), func.count() - func.count(o.ended_at)).where(o.decision_id == decision)
    ).one()
    written = select(func.count()).where(n.decision_id == decision, n.approval.is_not(None))
    return Counted(ended=ended, already_ended=before, noticed=int(tx.connection.execute(written).scalar_one()))


def without_outcome(tx: Transaction, decision: str, identifiers: Sequence[str]) -> list[str]:
    """Return, of some approvals, those of which nothing has become yet, in the same order."""
    o = revocation_outcomes.c
    known: set[str] = set()
    for some in portions(identifiers):
        named = o.decision_id == decision, o.approval.in_(some)
        known.update(str(each) for each in tx.connection.execute(select(o.approval).where(*named)).scalars())
    return [each for each in identifiers if each not in known]


def untold(tx: Transaction, decision: str, identifiers: Collection[str] | None) -> list[str]:
    """Return approvals that the act has ended and of which no notice is written, in order.

    Args:
        tx: open.
        decision: by which.
        identifiers: of the approvals that are looked at; None for all.
    """
    o, n = revocation_outcomes.c, notices.c
    there = exists().where(n.decision_id == o.decision_id, n.approval == o.approval)
    query = select(o.approval).where(o.decision_id == decision, o.ended_at.is_not(None), ~there).order_by(o.approval)
    if identifiers is not None:
        query = query.where(o.approval.in_(identifiers))
    return [str(each) for each in tx.connection.execute(query).scalars()]


def is_done(tx: Transaction, decision: str, total: int) -> bool:
    """Return whether something has become of each of so many approvals, and each that was ended is told of."""
    found = counted(tx, decision)
    return found.ended + found.already_ended >= total and not untold(tx, decision, None)


def standing(tx: Transaction, identifiers: Sequence[str], at: datetime) -> list[str]:
    """Return, of some approvals, those that nobody has ended and that have not expired."""
    a = approvals.c
    query = select(a.identifier).where(a.ended_at.is_(None), a.expiry >= at)
    return _of(tx, query, a.identifier, identifiers)


def uncancelled(tx: Transaction, identifiers: Sequence[str], since: datetime, at: datetime) -> list[str]:
    """Return, of some approvals that stand, those of which no certificate was cancelled from an instant on, and one
    stands that was signed by then.
    """
    a, c = approvals.c, certificates.c
    other = certificates.alias("other")
    stands = exists().where(c.approval == a.identifier, c.ends_at > at, c.revoked_at.is_(None), c.signed_at <= since)
    cancelled = exists().where(other.c.approval == a.identifier, other.c.revoked_at >= since)
    query = select(a.identifier).where(a.ended_at.is_(None), a.expiry >= at, stands, ~cancelled)
    return _of(tx, query, a.identifier, identifiers)


def _of(tx: Transaction, query: Select[str], name: ColumnElement[str], identifiers: Sequence[str]) -> list[str]:
    found: list[str] = []
    for some in portions(identifiers):
        rows = tx.connection.execute(query.where(name.in_(some)).order_by(name))
        found.extend(str(each) for each in rows.scalars())
    return found


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
