"""Receipts of ends: opened with the act, and a line for each who told it, written once by whoever sees it first.

They are measured and state nothing: no fact goes with them. A line is written in the transaction in which it becomes
true, so its milliseconds are those of the moment before that commit.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    insert,
    literal,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.classification import Recipient
from core.clock import milliseconds
from core.identifiers import Serial
from core.kinds import Told
from store.portions import portions
from store.reading.receipts import unanswered_yet, unlisted_yet
from store.tables import certificates
from store.transactions import Transaction
from store.trial_tables import notices, receipt_lines, receipts
from store.types import Number, String

_RECIPIENTS: Mapping[Recipient, Told | None] = {
    Recipient.MANUFACTURER: None,
    Recipient.DCC: Told.DCC,
    Recipient.PANEL: Told.PANEL,
}
"""Whose being told is on a receipt: those whom the certificates are for. The Manufacturer has its notice (F2.30)."""

_OPEN = insert(receipts)


def open_receipts(tx: Transaction, ended: Mapping[str, int], *, decision: str, at: datetime) -> None:
    """Open the receipts of an act that ended approvals, or certificates of them; time counts from now.

    Args:
        tx: the transaction of the act, as late in it as may be.
        ended: by approval, how many certificates it ended.
        decision: which did it.
        at: the instant of the end.
    """
    same = {"decision": decision, "ended_at": at, "began": milliseconds()}
    rows = [{"approval": approval, "certificates": many, **same} for approval, many in ended.items()]
    if rows:
        tx.connection.execute(_OPEN, rows)


def note_answered(tx: Transaction, serials: Sequence[Serial]) -> None:
    """Note that OCSP tells of ends, of which each certificate has an answer now that says so.

    Args:
        tx: the one that keeps the answers.
        serials: of certificates whose answers say that they are revoked.
    """
    _of_certificates(tx, Told.OCSP, serials, ~unanswered_yet(), number=None)


def note_listed(tx: Transaction, serials: Sequence[Serial], *, number: int) -> None:
    """Note that lists tell of ends, of which each certificate is on one now.

    Args:
        tx: the one that publishes the list.
        serials: what it lists for the first time.
        number: of the list.
    """
    _of_certificates(tx, Told.LIST, serials, ~unlisted_yet(), number=number)


def note_verified(tx: Transaction, seen: Mapping[tuple[str, str], int]) -> None:
    """Note that verification tells of ends.

    Args:
        tx: one of its own; nobody waits for it.
        seen: by approval and decision, the milliseconds since 1970 at which it told it.
    """
    r = receipts.c
    for portion in portions(sorted(seen)):
        rows = tx.connection.execute(
            select(r.approval, r.decision, r.began).where(tuple_(r.approval, r.decision).in_(portion))
        ).all()
        if not rows:
            continue
        tx.connection.execute(
            _insert(tx).on_conflict_do_nothing(),
            [
                {
                    "approval": row.approval,
                    "decision": row.decision,
                    "told": Told.VERIFICATION,
                    "after": max(0, seen[row.approval, row.decision] - row.began),
                    "number": None,
                }
                for row in rows
            ],
        )


def note_notified(tx: Transaction, notice: str, recipient: Recipient) -> None:
    """Note that a notice of an end has come to the DCC or the Panel; of any other notice nothing."""
    told = _RECIPIENTS[recipient]
    if told is not None:
        n, r = notices.c, receipts.c
        of_it = exists().where(n.number == notice, n.decision_id == r.decision, n.approval == r.approval)
        _write(tx, told, of_it, number=None)


def close_receipts(tx: Transaction, keys: Collection[tuple[str, str]], *, at: datetime) -> int:
    """Close receipts of which nothing is awaited any more; return how many were open."""
    r, done = receipts.c, 0
    for portion in portions(sorted(keys)):
        of_them = tuple_(r.approval, r.decision).in_(portion)
        done += tx.connection.execute(
            update(receipts).where(of_them, r.closed_at.is_(None)).values(closed_at=at)
        ).rowcount
    return done


def _of_certificates(
    tx: Transaction, told: Told, serials: Sequence[Serial], so: ColumnElement[bool], *, number: int | None
) -> None:
    for portion in portions(serials):
        of_them = select(certificates.c.approval).where(certificates.c.serial.in_(portion))
        _write(tx, told, and_(receipts.c.approval.in_(of_them), so), number=number)


def _write(tx: Transaction, told: Told, which: ColumnElement[bool], *, number: int | None) -> None:
    """Write a line of those receipts that have none of its kind; two may do so at once, and the first is kept."""
    query = _lines(told, number).where(which)
    names = ["approval", "decision", "told", "after", "number"]
    tx.connection.execute(_insert(tx).from_select(names, query).on_conflict_do_nothing(), {"now": milliseconds()})


def _lines(told: Told, number: int | None) -> Select[tuple[str, str, str, int, int]]:
    r, line, now = receipts.c, receipt_lines.c, bindparam("now", type_=Number)
    there = exists().where(line.approval == r.approval, line.decision == r.decision, line.told == told)
    return select(
        r.approval,
        r.decision,
        literal(told.value, String),
        # Clocks of two machines may be a little apart; nothing is told before it is so.
        case((r.began > now, 0), else_=now - r.began),
        null() if number is None else literal(number, Number),
    ).where(r.closed_at.is_(None), ~there)


def _insert(tx: Transaction) -> "sqlite.Insert | postgresql.Insert":
    return sqlite.insert(receipt_lines) if tx.dialect == "sqlite" else postgresql.insert(receipt_lines)
