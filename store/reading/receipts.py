"""Receipts of ends: how long it took until each channel told one, and who has acknowledged it (ADR 52)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, exists, func, or_, select, true, tuple_

from core.classification import Recipient
from core.cpl import OPEN_INSTRUCTION
from core.kinds import Channel, DeliveryState, Told
from store.portions import portions
from store.reading.approvals import of_issuer_in_service
from store.tables import certificates, ocsp_answers
from store.transactions import Transaction
from store.trial_tables import cpl_instructions, deliveries, notice_copies, notices, receipt_lines, receipts


@dataclass(frozen=True, kw_only=True)
class Line:
    """Who told an end.

    Args:
        told: who, or to whom.
        after: milliseconds from the act's commit.
        number: of the list that says it; None of all else.
    """

    told: Told
    after: int
    number: int | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What came of an act that ended an approval, or certificates of it.

    Args:
        approval, decision: what ended, and by which decision.
        ended_at: the instant of the end.
        certificates: how many it ended.
        lines: who has told it.
        notice: the notice of it; None while it is not written.
        dcc_at: when the DCC acknowledged it; None if it has not.
        panel_at: the same of the Panel.
        closed_at: when nothing was awaited any more.
    """

    approval: str
    decision: str
    ended_at: datetime
    certificates: int
    lines: tuple[Line, ...]
    notice: str | None
    dcc_at: datetime | None
    panel_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """An end that verification is not known to tell.

    Args:
        approval, decision, ended_at: as in its receipt.
    """

    approval: str
    decision: str
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class Took:
    """How long one channel took, of every receipt that there is.

    Args:
        count: lines.
        milliseconds: of all of them together.
        within: of each bound in milliseconds, how many took no longer.
    """

    count: int
    milliseconds: int
    within: Mapping[int, int]


def unlisted_yet() -> ColumnElement[bool]:
    """Return the condition on a receipt that a certificate which its act ended is on no list yet."""
    return _certificate_of_it(certificates.c.listed_in.is_(None))


def unanswered_yet() -> ColumnElement[bool]:
    """Return the condition on a receipt that a certificate which its act ended has no answer that says so."""
    c, o = certificates.c, ocsp_answers.c
    return _certificate_of_it(~exists().where(o.serial == c.serial, o.revoked_at == c.ends_at))


def _certificate_of_it(so: ColumnElement[bool]) -> ColumnElement[bool]:
    c, r = certificates.c, receipts.c
    ended = and_(c.approval == r.approval, c.ends_at == r.ended_at, c.revoked_at == r.ended_at)
    # Of an issuing CA that was itself ended no list and no answer follows.
    return exists().where(ended, of_issuer_in_service(), so).correlate(receipts)


def receipts_of(tx: Transaction, approval: str) -> list[Receipt]:
    """Return the receipts of the ends of an approval and of its certificates, oldest first."""
    r, line = receipts.c, receipt_lines.c
    rows = tx.connection.execute(
        select(receipts).where(r.approval == approval).order_by(r.ended_at, r.began, r.decision)
    ).all()
    lines = defaultdict[str, list[Line]](list)
    for each in tx.connection.execute(select(receipt_lines).where(line.approval == approval)):
        lines[each.decision].append(Line(told=each.told, after=each.after, number=each.number))
    order = list(Told)
    return [
        Receipt(
            approval=approval,
            decision=row.decision,
            ended_at=row.ended_at,
            certificates=row.certificates,
            lines=tuple(sorted(lines[row.decision], key=lambda each: order.index(each.told))),
            notice=tx.connection.execute(
                select(notices.c.number).where(notices.c.decision_id == row.decision, notices.c.approval == approval)
            ).scalar(),
            dcc_at=_read_at(tx, approval, row.decision, Recipient.DCC),
            panel_at=_panel_at(tx, approval, row.decision),
            closed_at=row.closed_at,
        )
        for row in rows
    ]


def _read_at(tx: Transaction, approval: str, decision: str, recipient: Recipient) -> datetime | None:
    """When a recipient fetched its copy of the notice, or a listener of its took it."""
    n, c, d = notices.c, notice_copies.c, deliveries.c
    row = tx.connection.execute(
        select(
            c.fetched_at,
            select(func.min(d.delivered_at, type_=d.delivered_at.type))
            .where(d.notice == c.notice, d.recipient == c.recipient, d.channel == Channel.WEBHOOK)
            .scalar_subquery()
            .label("taken_at"),
        )
        .join(notices, n.number == c.notice)
        .where(n.decision_id == decision, n.approval == approval, c.recipient == recipient)
    ).one_or_none()
    return None if row is None else min((each for each in row if each is not None), default=None)


def _panel_at(tx: Transaction, approval: str, decision: str) -> datetime | None:
    """When the Panel answered for the last instruction that came of an end; where none did, when it read its notice."""
    i = cpl_instructions.c
    rows = tx.connection.execute(
        select(i.state, i.acknowledged_at).where(i.approval == approval, i.cause == decision)
    ).all()
    if any(row.state in OPEN_INSTRUCTION for row in rows):
        return None
    answered = [row.acknowledged_at for row in rows if row.acknowledged_at is not None]
    return max(answered) if answered else _read_at(tx, approval, decision, Recipient.PANEL)


def _told(told: Told) -> ColumnElement[bool]:
    r, line = receipts.c, receipt_lines.c
    return exists().where(line.approval == r.approval, line.decision == r.decision, line.told == told)


# Asked about whatever is read anew for the snapshot: put together once.
_UNSEEN = (
    select(receipts.c.approval, receipts.c.decision, receipts.c.ended_at)
    .where(receipts.c.closed_at.is_(None), ~_told(Told.VERIFICATION))
    .order_by(receipts.c.approval, receipts.c.decision)
)
_UNSEEN_OF = _UNSEEN.where(receipts.c.approval.in_(bindparam("named", expanding=True, type_=Text())))


def unseen(tx: Transaction, approvals: Iterable[str] | None) -> list[Unseen]:
    """Return the ends of approvals, or of all (None), that verification is not known to tell."""
    asked: Iterable[tuple[Select[Any], Mapping[str, Any]]] = (
        [(_UNSEEN, {})]
        if approvals is None
        else ((_UNSEEN_OF, {"named": some}) for some in portions(sorted(approvals)))
    )
    return [
        Unseen(approval=row.approval, decision=row.decision, ended_at=row.ended_at)
        for query, given in asked
        for row in tx.connection.execute(query, given)
    ]


def unacknowledged(tx: Transaction, *, ended_before: datetime, limit: int) -> list[Receipt]:
    """Return receipts of ends before an instant that the DCC or the Panel has not acknowledged, oldest first."""
    r = receipts.c
    query = (
        select(r.approval, r.decision)
        .where(r.closed_at.is_(None), r.ended_at < ended_before, ~and_(_by_dcc(), _by_panel()))
        .order_by(r.ended_at, r.approval, r.decision)
        .limit(limit)
    )
    return [
        receipt
        for row in tx.connection.execute(query).all()
        for receipt in receipts_of(tx, row.approval)
        if receipt.decision == row.decision
    ]


def untold(tx: Transaction, before: Mapping[Told, int]) -> dict[Told, int]:
    """Return of how many ends each channel has told nothing, though they began before its own instant.

    Args:
        tx: open.
        before: of verification, OCSP and the list, milliseconds since 1970.
    """
    r = receipts.c
    owed = {Told.VERIFICATION: true(), Told.OCSP: unanswered_yet(), Told.LIST: unlisted_yet()}
    found = {}
    for told, began in before.items():
        query = select(func.count()).select_from(receipts).where(r.closed_at.is_(None), r.began < began)
        found[told] = int(tx.connection.execute(query.where(~_told(told), owed[told])).scalar() or 0)
    return found


def settled(
    tx: Transaction, *, behind: tuple[str, str], limit: int
) -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """Look at some open receipts; return those of which nothing is awaited any more, and the last that was looked at.

    Args:
        tx: open.
        behind: the last that was looked at before, by approval and decision.
        limit: how many are looked at.
    """
    r = receipts.c
    page = (
        select(r.approval, r.decision)
        .where(r.closed_at.is_(None), tuple_(r.approval, r.decision) > tuple_(*behind))
        .order_by(r.approval, r.decision)
        .limit(limit)
    )
    looked = [(row.approval, row.decision) for row in tx.connection.execute(page)]
    if not looked:
        return [], None
    done = and_(
        _told(Told.VERIFICATION),
        or_(_told(Told.OCSP), ~unanswered_yet()),
        or_(_told(Told.LIST), ~unlisted_yet()),
        _by_dcc(),
        _by_panel(),
    )
    query = select(r.approval, r.decision).where(tuple_(r.approval, r.decision).in_(looked), done)
    return [(row.approval, row.decision) for row in tx.connection.execute(query)], looked[-1]


def took(tx: Transaction, bounds: Sequence[int]) -> dict[Told, Took]:
    """Return how long each channel took, of every receipt that there is.

    Args:
        tx: open.
        bounds: in milliseconds.
    """
    line = receipt_lines.c
    within = [func.sum(case((line.after <= bound, 1), else_=0)).label(f"within_{bound}") for bound in bounds]
    query = select(line.told, func.count().label("lines"), func.sum(line.after).label("together"), *within)
    return {
        row.told: Took(
            count=int(row.lines),
            milliseconds=int(row.together),
            within={bound: int(getattr(row, f"within_{bound}")) for bound in bounds},
        )
        for row in tx.connection.execute(query.group_by(line.told))
    }


def _by_dcc() -> ColumnElement[bool]:
    return _read_by(Recipient.DCC)


def _by_panel() -> ColumnElement[bool]:
    r, i = receipts.c, cpl_instructions.c
    instructed = exists().where(i.approval == r.approval, i.cause == r.decision)
    waits = exists().where(i.approval == r.approval, i.cause == r.decision, i.state.in_(OPEN_INSTRUCTION))
    return and_(~waits, or_(instructed, _read_by(Recipient.PANEL)))


def _read_by(recipient: Recipient) -> ColumnElement[bool]:
    r, n, c, d = receipts.c, notices.c, notice_copies.c, deliveries.c
    taken = exists().where(
        d.notice == c.notice,
        d.recipient == c.recipient,
        d.channel == Channel.WEBHOOK,
        d.state == DeliveryState.DELIVERED,
    )
    return exists().where(
        n.decision_id == r.decision,
        n.approval == r.approval,
        c.notice == n.number,
        c.recipient == recipient,
        or_(c.fetched_at.is_not(None), taken.correlate(notice_copies)),
    )
