"""Decisions by which something was issued or ended, and what officers say of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select

from core.kinds import AGREED_DECISION, ENDING, DecisionKind, DecisionState, Witnessed
from store.reading.proof import seconders
from store.reading.tasks import MOST_OF_A_KIND
from store.tables import certificates, decisions
from store.transactions import Transaction
from store.trial_tables import witnesses

_SAID = (
    select(witnesses)
    .where(witnesses.c.decision_id.in_(bindparam("decisions", expanding=True)))
    .order_by(witnesses.c.at, witnesses.c.officer)
)

MOST_DISOWNED = 100
"""Disowned decisions that are told one by one: whoever has so many looks for one cause."""

# What the authority asks in each turn is put together once: that costs more than the asking.
_DISOWNED = (
    select(
        decisions.c.id,
        decisions.c.kind,
        decisions.c.approval,
        decisions.c.state,
        certificates.c.serial,
        certificates.c.ends_at,
    )
    .join(witnesses, witnesses.c.decision_id == decisions.c.id)
    .outerjoin(
        certificates,
        and_(certificates.c.approval == decisions.c.approval, certificates.c.issue == decisions.c.issue),
    )
    .where(
        witnesses.c.saw == Witnessed.DISOWNED,
        or_(
            certificates.c.ends_at > bindparam("at"),
            decisions.c.state == DecisionState.SECONDED,
            and_(decisions.c.state == DecisionState.DONE, witnesses.c.at > bindparam("since")),
        ),
    )
    .distinct()
    .order_by(decisions.c.id)
)
_DISOWNED_TOLD = _DISOWNED.limit(MOST_DISOWNED + 1)


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What an officer says of a decision; `why` is None if they have seen it."""

    decision: str
    officer: str
    saw: Witnessed
    why: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Unwitnessed:
    """A decision by which something was issued or ended, as its rows say it was made.

    Args:
        id: its identifier.
        kind, approval: what was decided, of which approval; None if many were revoked by one act.
        proposer: who is said to have proposed it, or to have decided it alone.
        agreed: who are said to have agreed, in order of their names; empty if one decided alone.
        at: since when it is done, or agreed if it waits for its signature.
    """

    id: str
    kind: DecisionKind
    approval: str | None
    proposer: str
    agreed: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Disowned:
    """A disowned decision of which something stands, or that was disowned of late.

    Args:
        id: its identifier.
        kind, approval: what was decided, of which approval; None if many were revoked by one act.
        state: seconded if its certificate is still to be signed.
        serial: of the certificate that has not ended; None if it is to be signed, if it has ended, or if the decision
            ended something.
    """

    id: str
    kind: DecisionKind
    approval: str | None
    state: DecisionState
    serial: str | None


def issued_or_ended(kind: DecisionKind, state: DecisionState, issue: int | None) -> bool:
    """Return whether something was issued, is about to be, or was ended by a decision."""
    return state in AGREED_DECISION and (issue is not None or kind in ENDING)


def _issued_or_ended() -> ColumnElement[bool]:
    c = decisions.c
    return and_(c.state.in_(AGREED_DECISION), or_(c.issue.is_not(None), c.kind.in_(ENDING)))


def witnesses_of(tx: Transaction, identifiers: Collection[str]) -> Mapping[str, list[Witness]]:
    """Return what was said of decisions, in order of time; decisions of which nothing was said are left out."""
    found = dict[str, list[Witness]]()
    for row in tx.connection.execute(_SAID, {"decisions": list(identifiers)}) if identifiers else ():
        said = Witness(decision=row.decision_id, officer=row.officer, saw=row.saw, why=row.why, at=row.at)
        found.setdefault(said.decision, []).append(said)
    return found


def unwitnessed(tx: Transaction, officer: str, *, since: datetime) -> list[Unwitnessed]:
    """Return decisions of which an officer has said nothing, the oldest first, one more than are told.

    Args:
        tx: open.
        officer: their name.
        since: what was done before is left out.
    """
    c = decisions.c
    query = (
        select(c.id, c.kind, c.approval, c.proposer, c.seconder, c.seconded_at, c.closed_at, c.proposed_at)
        .where(
            _issued_or_ended(),
            or_(c.state == DecisionState.SECONDED, c.closed_at >= since),
            ~exists().where(witnesses.c.decision_id == c.id, witnesses.c.officer == officer),
        )
        .order_by(c.closed_at, c.id)
        .limit(MOST_OF_A_KIND + 1)
    )
    rows = tx.connection.execute(query).all()
    agreed = seconders(tx, [row.id for row in rows])
    return [
        Unwitnessed(
            id=row.id,
            kind=row.kind,
            approval=row.approval,
            proposer=row.proposer,
            agreed=tuple(sorted({*agreed.get(row.id, ()), *([] if row.seconder is None else [row.seconder])})),
            at=row.closed_at or row.seconded_at or row.proposed_at,
        )
        for row in rows
    ]


def disowned(tx: Transaction, at: datetime, *, since: datetime) -> tuple[list[Disowned], int]:
    """Return disowned decisions of which a certificate stands or is to be signed, and those that were disowned of late.

    Of those that are more than MOST_DISOWNED there is the number.

    Args:
        tx: open.
        at: now.
        since: of what was disowned before, only those of which something is to be ended still are returned.
    """
    asked = {"at": at, "since": since}
    rows = tx.connection.execute(_DISOWNED_TOLD, asked).all()
    others = 0
    if len(rows) > MOST_DISOWNED:
        every = select(func.count()).select_from(_DISOWNED.subquery())
        others = tx.connection.execute(every, asked).scalar_one() - MOST_DISOWNED
    found = [
        Disowned(
            id=row.id,
            kind=row.kind,
            approval=row.approval,
            state=row.state,
            serial=row.serial if row.serial is not None and row.ends_at > at else None,
        )
        for row in rows[:MOST_DISOWNED]
    ]
    return found, others
