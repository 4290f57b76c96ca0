"""The journal: what is sealed, what waits to be sealed, and what readers with cursors have not seen."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, Select, Text, and_, bindparam, func, or_, select

from core.canonical import LARGEST_EXACT
from core.chain import GENESIS, SealedRow, link
from core.facts import FactKind
from core.instants import parse, text
from core.mirror import Proof
from store.tables import cursors, journal, journal_heads, waits_to_be_sealed
from store.transactions import Transaction
from store.types import one_of_words

_MOST_PROVED = 10_000
"""Rows from a fact to the head that covers it; the sealer signs one after each thousand."""

_MOST_HEADS = 8
"""Heads that are looked at where the newest is not signed: the authority takes back what nobody of ours sealed."""


_PAGE = 1_000
# What the authority asks in each turn is put together once: that costs more than the asking.
_NUMBER, _MOST = bindparam("number", type_=BigInteger()), bindparam("most", type_=Integer())
_LAST_SEALED = (
    select(journal.c.seal_number, journal.c.link, journal.c.sealed_at)
    .where(journal.c.seal_number.is_not(None))
    .order_by(journal.c.seal_number.desc())
    .limit(1)
)
_SEALED_AFTER = select(journal).where(journal.c.seal_number > _NUMBER).order_by(journal.c.seal_number).limit(_MOST)
_LINK_OF = select(journal.c.link).where(journal.c.seal_number == _NUMBER)
_HEADS_AFTER = (
    select(journal_heads).where(journal_heads.c.number > _NUMBER).order_by(journal_heads.c.number).limit(_MOST)
)
_STANDING_HEADS = (
    select(journal_heads)
    .join(
        journal,
        (journal.c.seal_number == journal_heads.c.number)
        & (journal.c.link == journal_heads.c.link)
        & (journal_heads.c.number <= LARGEST_EXACT),  # no other can be signed
    )
    .order_by(journal_heads.c.number.desc())
    .limit(_MOST_HEADS)
)
_HEAD_LINK = select(journal_heads.c.link).where(journal_heads.c.number == _NUMBER)
_KINDS = bindparam("kinds", expanding=True, type_=Text())
_LAST_OF = select(journal).where(journal.c.kind.in_(_KINDS)).order_by(journal.c.id.desc()).limit(1)
_UNSEALED = select(journal).where(waits_to_be_sealed).order_by(journal.c.at, journal.c.id).limit(_MOST)
_BEHIND = or_(
    journal.c.at > bindparam("behind_at"),
    and_(journal.c.at == bindparam("behind_at"), journal.c.id > bindparam("behind_id")),
)


@dataclass(frozen=True)
class Unsealed:
    """A fact that has no number yet; `row` is complete but for its number; with the approvals it touches."""

    row_id: int
    row: SealedRow
    approvals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed row with its link and the approvals it touches."""

    row: SealedRow
    link: bytes
    approvals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Head:
    """A signed head of the journal."""

    number: int
    link: bytes
    signature: bytes
    signed_at: str


def last_sealed(tx: Transaction) -> tuple[int, bytes, str | None]:
    """Return (number, link, sealed_at) of the last sealed row; (0, GENESIS, None) before the first."""
    row = tx.connection.execute(_LAST_SEALED).one_or_none()
    return (0, GENESIS, None) if row is None else (int(row.seal_number), _octets(row.link), _text(row.sealed_at))


@cache
def _unsealed(kinds: frozenset[FactKind], *, wanted: bool) -> Select[Any]:
    """Return the question for facts of some kinds, or of all others; it is put together once for each set of them."""
    if not kinds and not wanted:
        return _UNSEALED
    of_them = one_of_words(journal.c.kind, sorted(kinds))
    return _UNSEALED.where(of_them if wanted else ~of_them)


def unsealed(
    tx: Transaction,
    limit: int,
    *,
    only: Collection[FactKind] | None = None,
    but: Collection[FactKind] = (),
    behind: Unsealed | None = None,
) -> list[Unsealed]:
    """Return facts that wait for their number, in the order in which they will get one.

    Args:
        tx: open.
        limit: the most.
        only: of these kinds alone; None for all but some.
        but: of other kinds than these, where none are named that alone are asked for.
        behind: those that come after this one in that order; None for all.
    """
    query = _unsealed(frozenset(but if only is None else only), wanted=only is not None)
    asked: dict[str, object] = {"most": limit}
    if behind is not None:
        query = query.where(_BEHIND)
        asked |= {"behind_at": parse(behind.row.at), "behind_id": behind.row_id}
    rows = tx.connection.execute(query, asked)
    return [Unsealed(int(row.id), _row(row, 0, ""), tuple((row.approvals or "").split())) for row in rows]


def every_unsealed(tx: Transaction, *, only: Collection[FactKind]) -> Iterator[Unsealed]:
    """Read the facts of some kinds that wait for their number, in that order, page by page: all of them."""
    page = unsealed(tx, _PAGE, only=only)
    while page:
        yield from page
        page = unsealed(tx, _PAGE, only=only, behind=page[-1])


def count_unsealed(tx: Transaction) -> int:
    """Return how many facts wait for their number."""
    query = select(func.count()).select_from(journal).where(journal.c.seal_number.is_(None))
    return int(tx.connection.execute(query).scalar_one())


def sealed_after(tx: Transaction, number: int, limit: int) -> list[Sealed]:
    """Return sealed rows behind `number`, in order."""
    rows = tx.connection.execute(_SEALED_AFTER, {"number": number, "most": limit})
    return [sealed_row(row) for row in rows]


def sealed_about(
    tx: Transaction, said: str, number: int, limit: int, *, since: datetime | None = None, until: datetime | None = None
) -> list[Sealed]:
    """Return sealed rows behind `number` about a subject or an approval, of a kind, or by somebody, in order.

    Args:
        tx: open.
        said: which; empty for all.
        number: of the last row before them.
        limit: the most.
        since: of what happened at this instant or later; None from the beginning.
        until: of what happened at this instant or before; None without end.
    """
    c = journal.c
    query = select(journal).where(c.seal_number > number).order_by(c.seal_number).limit(limit)
    if said:
        touched = c.approvals.contains(f" {said} ", autoescape=True)
        query = query.where(or_(c.subject == said, c.kind == said, c.actor == said, touched))
    if since is not None:
        query = query.where(c.at >= since)
    if until is not None:
        query = query.where(c.at <= until)
    return [sealed_row(row) for row in tx.connection.execute(query)]


def numbered_after(tx: Transaction, number: int, limit: int) -> list[tuple[int, Sealed]]:
    """Return rows that carry a number behind `number`, in order, each with its row id."""
    query = select(journal).where(journal.c.seal_number > number).order_by(journal.c.seal_number).limit(limit)
    return [(int(row.id), sealed_row(row)) for row in tx.connection.execute(query)]


def last_numbers(tx: Transaction, most: int, limit: int) -> list[int]:
    """Return the largest numbers of rows up to and with `most`, the largest first."""
    number = journal.c.seal_number
    query = select(number).where(number <= most).order_by(number.desc()).limit(limit)
    return [int(each) for each in tx.connection.execute(query).scalars()]


def link_of(tx: Transaction, number: int) -> bytes | None:
    """Return the link that a sealed row carries; None if there is no such row."""
    found = tx.connection.execute(_LINK_OF, {"number": number}).scalar()
    return None if found is None else bytes(found)


def heads(tx: Transaction) -> list[Head]:
    """Return every signed head, in order."""
    rows = tx.connection.execute(select(journal_heads).order_by(journal_heads.c.number))
    return [_head(row) for row in rows]


def heads_after(tx: Transaction, number: int, limit: int) -> list[Head]:
    """Return the heads that the register has for rows behind a number, in order."""
    rows = tx.connection.execute(_HEADS_AFTER, {"number": number, "most": limit})
    return [_head(row) for row in rows]


def heads_between(tx: Transaction, after: int, last: int) -> list[Head]:
    """Return the signed heads for rows behind `after` up to and with `last`, in order."""
    number = journal_heads.c.number
    query = select(journal_heads).where(number > after, number <= last).order_by(number)
    return [_head(row) for row in tx.connection.execute(query)]


def last_head(tx: Transaction) -> int:
    """Return the number of the last row that a head was signed for; 0 before the first."""
    return int(tx.connection.execute(select(func.max(journal_heads.c.number))).scalar() or 0)


def standing_heads(tx: Transaction) -> list[Head]:
    """Return the newest heads that there are for rows of the journal as they stand, the newest first.

    Whoever writes rows can write both; whether a head is signed is for whoever acts upon it to find out.
    """
    return [_head(row) for row in tx.connection.execute(_STANDING_HEADS)]


def head_link(tx: Transaction, number: int) -> bytes | None:
    """Return the link that a head of exactly this row is for; None if there is no such head."""
    found = tx.connection.execute(_HEAD_LINK, {"number": number}).scalar()
    return None if found is None else bytes(found)


def last_of(tx: Transaction, *kinds: FactKind) -> SealedRow | None:
    """Return the newest fact of some kinds, sealed or not; None if there is none."""
    row = tx.connection.execute(_LAST_OF, {"kinds": kinds}).one_or_none()
    return None if row is None else _row(row, int(row.seal_number or 0), "")


def restores(tx: Transaction) -> dict[str, int]:
    """Return the number of its row, 0 while it is not sealed, of every restore that was accepted.

    The identity of a restore is the digest of when it was accepted and of what was lost: a register that went back to
    before it and was accepted again has another one under the same number. There is no index: this reads the journal.
    """
    query = select(journal).where(journal.c.kind == FactKind.RESTORE_ACCEPTED)
    return {
        hashlib.sha256(f"{text(row.at)} {row.payload}".encode()).hexdigest(): int(row.seal_number or 0)
        for row in tx.connection.execute(query)
    }


def proof(tx: Transaction, number: int) -> Proof | None:
    """Return a sealed row with those up to the first signed head that covers it; None if none does, or it is far."""
    heads = select(journal_heads).where(journal_heads.c.number >= number).order_by(journal_heads.c.number).limit(1)
    head = tx.connection.execute(heads).one_or_none()
    before = GENESIS if number == 1 else link_of(tx, number - 1)
    if head is None or before is None or head.number - number >= _MOST_PROVED:
        return None
    rows = tuple(each.row for each in sealed_after(tx, number - 1, int(head.number) - number + 1))
    return Proof(before=before, rows=rows, signature=bytes(head.signature))


def links_from(proof: Proof) -> list[bytes]:
    """Return the links of the rows of a proof, computed from what they say."""
    links = [proof.before]
    for row in proof.rows:
        links.append(link(links[-1], row))
    return links[1:]


def cursor(tx: Transaction, reader: str) -> int:
    """Return the last sealed number that a reader has dealt with; 0 before its first."""
    return int(tx.connection.execute(select(cursors.c.number).where(cursors.c.reader == reader)).scalar() or 0)


def sealed_row(row: Row[Any]) -> Sealed:
    """Return a sealed row of the journal as it was read."""
    return Sealed(
        row=_row(row, int(row.seal_number), _text(row.sealed_at)),
        link=_octets(row.link),
        approvals=tuple((row.approvals or "").split()),
    )


def _text(at: datetime | None) -> str:
    """Return an instant as text; none where somebody has taken it out of a row that must have one."""
    return "" if at is None else text(at)


def _octets(value: bytes | None) -> bytes:
    """Return octets; none where somebody has taken them out of a row that must have some."""
    return bytes(value or b"")


def _head(row: Row[Any]) -> Head:
    return Head(
        number=int(row.number),
        link=_octets(row.link),
        signature=_octets(row.signature),
        signed_at=_text(row.signed_at),
    )


def _row(row: Row[Any], number: int, sealed_at: str) -> SealedRow:
    return SealedRow(
        number=number,
        sealed_at=sealed_at,
        kind=row.kind,
        at=_text(row.at),
        actor=row.actor,
        role=row.role,
        organisation=row.organisation,
        subject=row.subject,
        payload=row.payload,
    )
