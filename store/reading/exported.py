"""The register as an auditor takes it away: what stands in its tables, as it stands there.

Nothing is decoded and nothing believed: whoever writes rows may have written a text where a number is, and it is the
auditor who says so. Octets come as octets, instants as seconds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, bindparam, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from store.log_tables import checkpoints, log_documents, log_leaves
from store.officers_tables import authorisations, orders, rosters
from store.portions import portions
from store.tables import (
    applications,
    approvals,
    authority,
    authority_certificates,
    authority_ends,
    certificates,
    crls,
    decisions,
    drafts,
    journal,
    journal_heads,
    ocsp_answers,
    public_keys,
    terms,
    waits_to_be_sealed,
)
from store.transactions import Transaction
from store.trial_tables import notices, restored_certificates, secondings

PAGE = 500
"""Rows that are read at once."""

MOST_TOUCHED = 10_000
"""Facts that wait and are told of; where more do, nothing is said of what they touch."""

Said = Mapping[str, Any]
"""A row: by the names of its columns what stands there."""


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """A numbered row of the journal, as it stands there.

    Args:
        row: its columns.
        salt: of its leaf in the log; None where it has none.
        carries: approvals with the documents that it carries in the log.
    """

    row: Said
    salt: bytes | None
    carries: Sequence[tuple[str, str]]


def authority_said(tx: Transaction) -> Said:
    """Return what the register says that the authority is."""
    return next(iter(_all(tx, authority)), {})


def numbered_after(tx: Transaction, number: int, limit: int) -> list[Numbered]:
    """Return rows of the journal that carry a number behind `number`, in order.

    Args:
        tx: open.
        number: behind which they are.
        limit: the most.
    """
    query = _raw(journal).where(journal.c.seal_number > number).order_by(journal.c.seal_number).limit(limit)
    rows = [_said(row) for row in tx.connection.execute(query)]
    if not rows:
        return []
    last = rows[-1]["seal_number"]
    leaves = log_leaves.c
    salts = dict(
        tx.connection.execute(select(leaves.number, leaves.salt).where(leaves.number.between(number, last))).all()
    )
    carried: dict[int, list[tuple[str, str]]] = {}
    said = log_documents.c
    query = select(said.number, said.approval, said.document).where(said.number.between(number + 1, last))
    for each in tx.connection.execute(query.order_by(said.number, said.approval)):
        carried.setdefault(each.number, []).append((each.approval, each.document))
    return [
        Numbered(row=row, salt=salts.get(row["seal_number"]), carries=carried.get(row["seal_number"], ()))
        for row in rows
    ]


def heads_between(tx: Transaction, after: int, upto: int | None) -> list[Said]:
    """Return the heads for rows behind `after`, up to and with `upto` or all, in order."""
    return _between(tx, journal_heads, journal_heads.c.number, after, upto)


def checkpoints_between(tx: Transaction, after: int, upto: int | None) -> list[Said]:
    """Return the checkpoints of sizes behind `after`, up to and with `upto` or all, in order."""
    return _between(tx, checkpoints, checkpoints.c.size, after, upto)


def waiting(tx: Transaction, limit: int = MOST_TOUCHED) -> list[Said]:
    """Return facts that have no number and were not refused, in the order in which they were written.

    Args:
        tx: open.
        limit: the most.
    """
    query = _raw(journal).where(waits_to_be_sealed).order_by(journal.c.id).limit(limit)
    return [_said(row) for row in tx.connection.execute(query)]


def refused(tx: Transaction, subjects: Collection[str | None]) -> list[Said]:
    """Return the facts that were refused about some subjects."""
    query = _raw(journal).where(journal.c.refused.is_not(None))
    named = sorted(each for each in subjects if each is not None)
    found = [
        _said(row)
        for some in portions(named)
        for row in tx.connection.execute(query.where(journal.c.subject.in_(some)))
    ]
    if None in subjects:
        found += [_said(row) for row in tx.connection.execute(query.where(journal.c.subject.is_(None)))]
    return found


# --- what rows name --------------------------------------------------------------------------------------------------


def statements(tx: Transaction, digests: Collection[str]) -> dict[str, Said]:
    """Return what officers signed, by the digests of their statements."""
    return _named(tx, authorisations, authorisations.c.statement_sha256, digests)


def proposals(tx: Transaction, identifiers: Collection[str]) -> dict[str, Said]:
    """Return decisions by identifier."""
    return _named(tx, decisions, decisions.c.id, identifiers, (decisions.c.id, decisions.c.proposal))


def order_bodies(tx: Transaction, identifiers: Collection[str]) -> dict[str, Said]:
    """Return orders by identifier."""
    return _named(tx, orders, orders.c.id, identifiers, (orders.c.id, orders.c.body))


def roster_members(tx: Transaction, numbers: Collection[int]) -> dict[int, Said]:
    """Return rosters by number."""
    return _named(tx, rosters, rosters.c.number, numbers, (rosters.c.number, rosters.c.members))


def drafted(tx: Transaction, serials: Collection[str]) -> dict[str, Said]:
    """Return the bytes of drafts by serial."""
    return _named(tx, drafts, drafts.c.serial, serials, (drafts.c.serial, drafts.c.tbs))


def issued(tx: Transaction, serials: Collection[str]) -> dict[str, Said]:
    """Return certificates by serial."""
    return _named(tx, certificates, certificates.c.serial, serials, (certificates.c.serial, certificates.c.der))


def hierarchy(tx: Transaction, serials: Collection[str]) -> dict[str, Said]:
    """Return the bytes of certificates of the hierarchy by serial."""
    c = authority_certificates.c
    return _named(tx, authority_certificates, c.serial, serials, (c.serial, c.der))


def lists(tx: Transaction, named: Collection[tuple[str, int]]) -> dict[tuple[str, int], Said]:
    """Return lists by key and number."""
    if not named:
        return {}
    query = _chosen([crls.c.key_id, crls.c.number, crls.c.der]).where(
        tuple_(crls.c.key_id, crls.c.number).in_(sorted(named))
    )
    rows = [_said(row) for row in tx.connection.execute(query)]
    return {(row["key_id"], row["number"]): row for row in rows}


# --- what stands there -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A table of which every row is handed out.

    Args:
        name: of its rows in an export.
        table: it.
        key: the columns that tell its rows apart.
        without: columns that are not handed out: what is large and is handed out beside the journal's rows, or words
            that an auditor need not have.
    """

    name: str
    table: Table
    key: tuple[Column[Any], ...]
    without: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """What is handed out of each row."""
        return tuple(each for each in self.table.c if each.name not in self.without)


_WORDS = frozenset({"reasons", "reasons_salt", "meeting", "minute", "passages", "conditions", "findings", "public_key"})

KEPT = (
    Kept(
        name="restored",
        table=restored_certificates,
        key=(restored_certificates.c.serial,),
        without=frozenset({"unknown", "source"}),
    ),
    Kept(
        name="ca",
        table=authority_certificates,
        key=(authority_certificates.c.serial,),
        without=frozenset({"der"}),
    ),
    Kept(name="ca-end", table=authority_ends, key=(authority_ends.c.serial,)),
    Kept(name="shown-roster", table=rosters, key=(rosters.c.number,)),
    Kept(name="kept-order", table=orders, key=(orders.c.id,), without=frozenset({"outcome"})),
    Kept(
        name="application",
        table=applications,
        key=(applications.c.id,),
        without=frozenset({*_WORDS, "purpose", "contact", "assurance", "earlier_cpa", "csr", "submitted_by"}),
    ),
    Kept(name="decision", table=decisions, key=(decisions.c.id,), without=_WORDS | {"outcome"}),
    Kept(name="seconding", table=secondings, key=(secondings.c.decision_id, secondings.c.officer)),
    Kept(name="kept-draft", table=drafts, key=(drafts.c.serial,), without=frozenset({"tbs", "preview", "lint"})),
    Kept(name="key", table=public_keys, key=(public_keys.c.sha256,)),
    Kept(name="kept-list", table=crls, key=(crls.c.key_id, crls.c.number), without=frozenset({"der"})),
)
"""Tables of which the journal says each row, but for approvals, answers and notices."""


def kept_after(tx: Transaction, kept: Kept, behind: Sequence[Any] | None, limit: int) -> list[Said]:
    """Return rows of a table behind one, in the order of their key.

    Args:
        tx: open.
        kept: the table.
        behind: the key of the row before; None from the first on.
        limit: the most.
    """
    query, asked = _kept(kept.table, kept.key, kept.columns, first=behind is None), {"most": limit}
    if behind is not None:
        asked |= {f"behind_{place}": each for place, each in enumerate(behind)}
    return [_said(row) for row in tx.connection.execute(query, asked)]


ANSWERS = Kept(name="answer", table=ocsp_answers, key=(ocsp_answers.c.id,))
NOTICES = Kept(name="notice", table=notices, key=(notices.c.number,))
APPROVALS = Kept(name="approval", table=approvals, key=(approvals.c.identifier,))


def of_approvals(tx: Transaction, identifiers: Sequence[str]) -> dict[str, tuple[list[Said], list[Said]]]:
    """Return the terms and the certificates of some approvals, in order of issue; octets are left out."""
    found: dict[str, tuple[list[Said], list[Said]]] = {each: ([], []) for each in identifiers}
    cert = [each for each in certificates.c if each.name != "der"]
    for some in portions(identifiers):
        for place, query in (
            (0, _raw(terms).where(terms.c.approval.in_(some)).order_by(terms.c.approval, terms.c.issue)),
            (
                1,
                _chosen(cert)
                .where(certificates.c.approval.in_(some))
                .order_by(certificates.c.approval, certificates.c.issue),
            ),
        ):
            for row in tx.connection.execute(query):
                found[row.approval][place].append(_said(row))
    return found


def certificates_of_nothing(tx: Transaction) -> list[Said]:
    """Return certificates and terms of approvals that there are not; foreign keys allow none."""
    there = select(approvals.c.identifier)
    return [
        _said(row)
        for table in (terms, certificates)
        for row in tx.connection.execute(
            _chosen([table.c.approval, table.c.issue]).where(table.c.approval.not_in(there)).limit(PAGE)
        )
    ]


# --- statements ------------------------------------------------------------------------------------------------------


def _chosen(columns: Sequence[Column[Any]]) -> Select[Any]:
    chosen: list[ColumnElement[Any]] = [type_coerce(each, NullType()).label(each.name) for each in columns]
    return select(*chosen)


@cache
def _raw(table: Table) -> Select[Any]:
    """Return the question for all columns of a table, as they stand there."""
    return _chosen(list(table.c))


@cache
def _kept(table: Table, key: tuple[Column[Any], ...], columns: tuple[Column[Any], ...], *, first: bool) -> Select[Any]:
    del table
    query = _chosen(columns).order_by(*key).limit(bindparam("most"))
    if first:
        return query
    behind = [bindparam(f"behind_{place}", type_=NullType()) for place in range(len(key))]
    if len(key) == 1:
        return query.where(type_coerce(key[0], NullType()) > behind[0])
    return query.where(tuple_(*(type_coerce(each, NullType()) for each in key)) > tuple_(*behind))


def _all(tx: Transaction, table: Table) -> list[Said]:
    return [_said(row) for row in tx.connection.execute(_raw(table))]


def _between(tx: Transaction, table: Table, key: Column[Any], after: int, upto: int | None) -> list[Said]:
    query = _raw(table).where(key > after).order_by(key)
    query = query.where(key <= upto) if upto is not None else query.limit(PAGE)
    return [_said(row) for row in tx.connection.execute(query)]


def _named(
    tx: Transaction,
    table: Table,
    key: Column[Any],
    names: Collection[Any],
    columns: Sequence[Column[Any]] | None = None,
) -> dict[Any, Said]:
    query = _raw(table) if columns is None else _chosen(columns)
    return {
        getattr(row, key.name): _said(row)
        for some in portions(sorted(names))
        for row in tx.connection.execute(query.where(key.in_(some)))
    }


def _said(row: Row[Any]) -> Said:
    return dict(zip(row._fields, row, strict=True))
