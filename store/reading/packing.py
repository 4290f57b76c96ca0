"""The rows of approvals, read by column and packed (store/reading/packed.py): all of them, or some that are named.

What is asked is put together once: each poll asks it of what has changed, and a start of everything, in portions.
"""

import marshal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, cast

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, func, select, type_coerce
from sqlalchemy.types import NullType

from core.instants import seconds
from core.mirror import HASH_NAMES
from store.portions import portions
from store.reading.packed import Common, Packed, Row
from store.tables import (
    approvals,
    authority_certificates,
    authority_ends,
    certificates,
    drafts,
    ocsp_answers,
    organisations,
    terms,
)
from store.transactions import Store, Transaction
from store.types import Instant, number_of, octets_of, text_of

_NO_RESPONDER = (None, b"")

_AT_ONCE = 5_000
"""Approvals that are packed before the rows of the next are read."""

_FORM = 2
"""Of what is packed: the last that looks for nothing that is there twice."""

_a, _t, _c, _o = approvals.c, terms.c, certificates.c, ocsp_answers.c


def _plain(*columns: ColumnElement[Any]) -> Select[Any]:
    """Return a query of columns as the database holds them."""
    named = [type_coerce(each, NullType()).label(f"c{place}") for place, each in enumerate(columns)]
    return cast("Select[Any]", select(*named))


_DEVICE = (_a.device_type, _a.manufacturer, _a.model, _a.hardware_version)
_APPROVALS = _plain(
    _a.identifier, *_DEVICE, _a.organisation_id, _a.granted_at, _a.start, _a.ended_at, _a.end_cause
).order_by(_a.identifier)
_TERMS = _plain(
    _t.approval, _t.issue, _t.effective, _t.expiry, _t.maximum_devices, _t.firmware, _t.decision_id
).order_by(_t.approval, _t.issue)
_CERTIFICATES = _plain(
    _c.approval,
    _c.serial,
    _c.issue,
    _c.fingerprint,
    _c.not_before,
    _c.not_after,
    _c.signed_at,
    _c.revoked_at,
    _c.cause,
    _c.invalidity_date,
    _c.superseded_at,
).order_by(_c.approval, _c.issue)
_ISSUERS = (
    _plain(_c.serial, authority_ends.c.at)
    .select_from(certificates)
    .join(drafts, drafts.c.serial == _c.serial)
    .join(authority_ends, authority_ends.c.serial == drafts.c.issuer_serial)
)
"""When the issuing CA of a certificate was ended, by the certificate's serial."""


def _newest(*so: ColumnElement[bool]) -> Select[Any]:
    """Return the query of the newest answer of each certificate for one hash, by the certificate.

    However many answers were signed before, the newest is found by one look.
    """
    newest = select(func.max(_other.id)).where(_other.serial == _c.serial, _other.hash_name == bindparam("hash"), *so)
    query = _plain(_c.serial, _o.hash_name, _o.this_update, _o.next_update, _o.revoked_at, _o.responder_serial, _o.der)
    return query.select_from(certificates).join(ocsp_answers, _o.id == newest.scalar_subquery())


_other = ocsp_answers.alias().c
_NEWEST, _NEWEST_BY_NOW = _newest(), _newest(_other.this_update <= bindparam("now", type_=Instant()))


@dataclass(frozen=True, kw_only=True)
class _Statements:
    """What is asked about some approvals, put together once.

    Args:
        approvals, terms, certificates, issuers: as above.
        newest, newest_by_now: the newest answers, and those that are not dated ahead.
    """

    approvals: Select[Any]
    terms: Select[Any]
    certificates: Select[Any]
    issuers: Select[Any]
    newest: Select[Any]
    newest_by_now: Select[Any]


def _about(which: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> _Statements:
    """Return what is asked about the approvals for whose identifiers a condition holds."""
    return _Statements(
        approvals=_APPROVALS.where(which(_a.identifier)),
        terms=_TERMS.where(which(_t.approval)),
        certificates=_CERTIFICATES.where(which(_c.approval)),
        issuers=_ISSUERS.where(which(_c.approval)),
        newest=_NEWEST.where(which(_c.approval)),
        newest_by_now=_NEWEST_BY_NOW.where(which(_c.approval)),
    )


_LAST, _UPTO = bindparam("last", type_=Text()), bindparam("upto", type_=Text())
_NAMED = bindparam("named", expanding=True, type_=Text())
_BETWEEN, _OF_THESE = (
    _about(lambda column: (column > _LAST) & (column <= _UPTO)),
    _about(lambda column: column.in_(_NAMED)),
)
_FOLLOWING = select(_a.identifier).where(_a.identifier > _LAST).order_by(_a.identifier)
_NTH_AFTER = select(func.max(_FOLLOWING.limit(bindparam("most", type_=Integer())).subquery().c.identifier))
_ANY_ENDED = select(authority_ends.c.serial).limit(1)
_ORGANISATIONS = select(organisations.c.id, organisations.c.name)
_HIERARCHY = select(authority_certificates.c.serial, authority_certificates.c.der).where(
    authority_certificates.c.der.is_not(None)
)

_Given: TypeAlias = Mapping[str, Any]
"""Which approvals are asked about: what the statements have left open."""


def every(tx: Transaction, store: Store, disputed: Mapping[str, Sequence[int]], now: datetime) -> list[Packed]:
    """Return every approval, in order of identifier, in the order that the database has.

    Args:
        tx: the transaction.
        store: where the bytes of certificates are looked up later.
        disputed: instants of ends that were not sealed, by approval, in seconds.
        now: the present; of an answer that is dated ahead the one before it is held too.
    """
    common, found, last = _common(tx, store), list[Packed](), ""
    while True:
        upto = _nth_after(tx, last)
        if upto is None:
            return found
        found += _packed(tx, common, _BETWEEN, {"last": last, "upto": upto}, disputed, now)
        last = upto


def some(
    tx: Transaction, store: Store, identifiers: Sequence[str], disputed: Mapping[str, Sequence[int]], now: datetime
) -> list[Packed]:
    """Return the approvals named; see `every`."""
    common, found = _common(tx, store), list[Packed]()
    for named in portions(identifiers):
        found += _packed(tx, common, _OF_THESE, {"named": named}, disputed, now)
    return found


def _common(tx: Transaction, store: Store) -> Common:
    names, hierarchy = tx.connection.execute(_ORGANISATIONS), tx.connection.execute(_HIERARCHY)
    return Common(store, {row.id: row.name for row in names}, [(row.serial, bytes(row.der)) for row in hierarchy])


def _nth_after(tx: Transaction, last: str) -> str | None:
    """Return the last of the next so many identifiers; None if there are none."""
    found = tx.connection.execute(_NTH_AFTER, {"last": last, "most": _AT_ONCE}).scalar()
    return None if found is None else str(found)


def _packed(
    tx: Transaction,
    common: Common,
    asked: _Statements,
    given: _Given,
    disputed: Mapping[str, Sequence[int]],
    now: datetime,
) -> Iterator[Packed]:
    agreed, issued = _grouped(_rows(tx, asked.terms, given)), _grouped(_rows(tx, asked.certificates, given))
    # Nearly always none was ended: that is told by looking whether any was.
    issuers: dict[str, Any] = dict(_rows(tx, asked.issuers, given)) if _rows(tx, _ANY_ENDED, {}) else {}
    answers = _answers(tx, common, asked, given, now)
    for approval in _rows(tx, asked.approvals, given):
        identifier = text_of(approval[0]) or ""
        mine = issued.get(identifier, ())
        over = {each[1]: issuers[each[1]] for each in mine if each[1] in issuers} if issuers else issuers
        rows: Any = approval, agreed.get(identifier, ()), mine, over, tuple(disputed.get(identifier, ()))
        yield Packed(
            identifier=identifier,
            ended_by_act=approval[8] is not None or any(each[7] is not None or each[10] is not None for each in mine),
            octets=marshal.dumps(rows, _FORM),
            answers=tuple(answers[each[1]] for each in mine if each[1] in answers),
            common=common,
        )


def _rows(tx: Transaction, query: Select[Any], given: _Given) -> Sequence[Row]:
    """Return rows as the driver hands them over, all at once."""
    cursor = tx.connection.execute(query, given).cursor
    return [] if cursor is None else cursor.fetchall()


def _grouped(rows: Iterable[Row]) -> Mapping[str, Sequence[Row]]:
    """Return rows by what their first column names."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _answers(tx: Transaction, common: Common, asked: _Statements, given: _Given, now: datetime) -> Mapping[str, bytes]:
    """Return the newest answer of each serial and hash, by serial; if it is dated ahead, with one that is not."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    responders = {serial: (place, der) for place, (serial, der) in enumerate(common.responders)}
    present = seconds(now)
    for name in HASH_NAMES:
        of_hash = {**given, "hash": name}
        ahead: set[str] = set()
        for row in _rows(tx, asked.newest, of_hash):
            found[row[0]].append(_short(row, responders))
            if number_of(row[2]) > present:
                ahead.add(row[0])
        before = _rows(tx, asked.newest_by_now, {**of_hash, "now": now}) if ahead else ()
        for row in before:
            if row[0] in ahead:
                found[row[0]].append(_short(row, responders))
    return {serial: marshal.dumps((serial, tuple(rows)), _FORM) for serial, rows in found.items()}


def _short(row: Row, responders: Mapping[str, tuple[int, bytes]]) -> Row:
    """Return an answer's row without the responder's certificate, with which nearly every one ends; with its place."""
    _, name, this_update, next_update, revoked_at, responder, der = row
    octets, (place, end) = octets_of(der), responders.get(responder, _NO_RESPONDER)
    if end and octets.endswith(end):
        return name, this_update, next_update, revoked_at, place, octets[: -len(end)]
    return name, this_update, next_update, revoked_at, None, octets
