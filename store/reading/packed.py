"""Approvals as a mirror holds them: read by column, packed into octets each, and unpacked when somebody asks.

A register of 100,000 is read in seconds: nothing is made of a row but the few names by which it is found. What a
database holds in a row is looked at when it is unpacked, as every other reader of it does.
"""

import marshal
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias, cast

from sqlalchemy import ColumnElement, Select, func, select, type_coerce
from sqlalchemy.types import NullType

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, Terms
from core.identifiers import Serial
from core.instants import seconds
from core.mirror import HashName, MirroredApproval, Names, SignedAnswer
from store.reading import approvals as approval_reading
from store.rows import firmware_of
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
from store.types import instant_of, number_of, octets_of, text_of

UNPACKED = 2_000
"""Approvals that are kept unpacked: what is asked often is answered from what was answered before."""

_AT_ONCE = 5_000
"""Approvals that are packed before the rows of the next are read."""

_FORM = 2
"""Of what is packed: the last that looks for nothing that is there twice."""

_HASHES: tuple[HashName, ...] = ("sha1", "sha256")

_Row: TypeAlias = tuple[Any, ...]
_Which: TypeAlias = Callable[[ColumnElement[str]], ColumnElement[bool]]
"""Makes of a column with an approval's identifier the condition that it is one of those to be read."""

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


@dataclass(frozen=True)
class _Common:
    """What many approvals share.

    Args:
        store: where the bytes of certificates lie.
        organisations: names by identifier.
        responders: the certificates of responders, with which answers end, each with its serial.
    """

    store: Store
    organisations: Mapping[str, str]
    responders: Sequence[tuple[str, bytes]]


class Packed:
    """One approval, packed (core.mirror.Held).

    Args:
        identifier: the identifier code of F2.25.
        ended_by_act: whether somebody has ended it, or a certificate of it.
        octets: its rows.
        answers: of each certificate, the rows of its answers.
        common: what it shares with others.
    """

    __slots__ = ("_answers", "_common", "_octets", "ended_by_act", "identifier")

    def __init__(
        self, *, identifier: str, ended_by_act: bool, octets: bytes, answers: tuple[bytes, ...], common: _Common
    ) -> None:
        self.identifier = identifier
        self.ended_by_act = ended_by_act
        self._octets = octets
        self._answers = answers
        self._common = common

    @property
    def names(self) -> Names:
        """By what it is found."""
        approval, _, issued, *_ = marshal.loads(self._octets)  # noqa: S302 - our own octets, of this process
        return Names(_text(approval[2]), _text(approval[3]), [(Serial(_text(row[1])), _text(row[3])) for row in issued])

    @property
    def record(self) -> ApprovalRecord:
        """See core/approval."""
        return _unpacked(self).record

    @property
    def organisation_name(self) -> str:
        """For people."""
        return _unpacked(self).organisation_name

    @property
    def ders(self) -> Mapping[Serial, bytes]:
        """Certificate bytes by serial; looking one up reads the store."""
        return _unpacked(self).ders

    @property
    def answers(self) -> Sequence[SignedAnswer]:
        """The newest answer of each serial and hash."""
        return _unpacked(self).answers

    @property
    def disputed(self) -> frozenset[datetime]:
        """The instants of ends that the authority refused to seal."""
        return _unpacked(self).disputed

    def unpack(self) -> MirroredApproval:
        """Return it with all its parts, made anew."""
        approval, agreed, issued, issuers, disputed = marshal.loads(self._octets)  # noqa: S302 - as above
        record = _record(approval, agreed, issued, issuers)
        return MirroredApproval(
            record=record,
            organisation_name=self._common.organisations.get(record.organisation, ""),
            ders=_Ders(self._common.store, [each.serial for each in record.certificates]),
            answers=[
                _answer(serial, row, self._common.responders)
                for each in self._answers
                for serial, rows in [marshal.loads(each)]  # noqa: S302 - as above
                for row in rows
            ],
            disputed=frozenset(map(_instant, disputed)),
        )


@lru_cache(maxsize=UNPACKED)
def _unpacked(packed: Packed) -> MirroredApproval:
    return packed.unpack()


class _Ders(Mapping[Serial, bytes]):
    """Certificates that are read when the first of them is looked up: few ever are, and all would fill the memory."""

    def __init__(self, store: Store, serials: Sequence[Serial]) -> None:
        self._store = store
        self._serials = serials
        self._found: Mapping[Serial, bytes] | None = None

    def __getitem__(self, serial: Serial) -> bytes:
        if self._found is None:
            with self._store.read() as tx:
                self._found = approval_reading.ders(tx, self._serials)
        return self._found[serial]

    def __iter__(self) -> Iterator[Serial]:
        return iter(self._serials)

    def __len__(self) -> int:
        return len(self._serials)


# --- reading -----------------------------------------------------------------------------------------------------


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

        def which(column: ColumnElement[str], last: str = last, upto: str = upto) -> ColumnElement[bool]:
            return (column > last) & (column <= upto)

        found += _packed(tx, common, which, disputed, now)
        last = upto


def some(
    tx: Transaction, store: Store, identifiers: Sequence[str], disputed: Mapping[str, Sequence[int]], now: datetime
) -> list[Packed]:
    """Return the approvals named; see `every`."""
    common, found = _common(tx, store), list[Packed]()
    for first in range(0, len(identifiers), 500):
        portion = identifiers[first : first + 500]
        found += _packed(tx, common, lambda column, named=portion: column.in_(named), disputed, now)  # type: ignore[misc]
    return found


def _common(tx: Transaction, store: Store) -> _Common:
    c = authority_certificates.c
    names = tx.connection.execute(select(organisations.c.id, organisations.c.name))
    hierarchy = tx.connection.execute(select(c.serial, c.der).where(c.der.is_not(None)))
    return _Common(store, {row.id: row.name for row in names}, [(row.serial, bytes(row.der)) for row in hierarchy])


def _nth_after(tx: Transaction, last: str) -> str | None:
    """Return the last of the next so many identifiers; None if there are none."""
    following = select(_a.identifier).where(_a.identifier > last).order_by(_a.identifier).limit(_AT_ONCE).subquery()
    found = tx.connection.execute(select(func.max(following.c.identifier))).scalar()
    return None if found is None else str(found)


def _packed(
    tx: Transaction, common: _Common, which: _Which, disputed: Mapping[str, Sequence[int]], now: datetime
) -> Iterator[Packed]:
    agreed = _grouped(tx, _TERMS.where(which(_t.approval)))
    issued = _grouped(tx, _CERTIFICATES.where(which(_c.approval)))
    issuers, answers = _issuers(tx, which), _answers(tx, which, common, seconds(now))
    for approval in _rows(tx, _APPROVALS.where(which(_a.identifier))):
        identifier = _text(approval[0])
        mine = issued.get(identifier, ())
        over = {each[1]: issuers[each[1]] for each in mine if each[1] in issuers} if issuers else {}
        rows: Any = approval, agreed.get(identifier, ()), mine, over, tuple(disputed.get(identifier, ()))
        yield Packed(
            identifier=identifier,
            ended_by_act=approval[8] is not None or any(each[7] is not None or each[10] is not None for each in mine),
            octets=marshal.dumps(rows, _FORM),
            answers=tuple(answers[each[1]] for each in mine if each[1] in answers),
            common=common,
        )


def _rows(tx: Transaction, query: Select[Any]) -> Sequence[_Row]:
    """Return rows as the driver hands them over, all at once."""
    cursor = tx.connection.execute(query).cursor
    return [] if cursor is None else cursor.fetchall()


def _grouped(tx: Transaction, query: Select[Any]) -> Mapping[str, Sequence[_Row]]:
    """Return rows by what their first column names."""
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in _rows(tx, query):
        found[row[0]].append(row)
    return found


def _issuers(tx: Transaction, which: _Which) -> Mapping[str, Any]:
    """Return when the issuing CA of a certificate was ended, by the certificate's serial."""
    e = authority_ends.c
    if tx.connection.execute(select(e.serial).limit(1)).first() is None:
        return {}
    query = _plain(_c.serial, e.at).select_from(certificates).join(drafts, drafts.c.serial == _c.serial)
    query = query.join(authority_ends, e.serial == drafts.c.issuer_serial).where(which(_c.approval))
    return {row[0]: row[1] for row in _rows(tx, query)}


def _answers(tx: Transaction, which: _Which, common: _Common, now: int) -> Mapping[str, bytes]:
    """Return the newest answer of each serial and hash, packed, by serial; if it is dated ahead, with one that is not.

    By the certificate: however many answers were signed before, the newest is found by one look.
    """
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    responders = {serial: (place, der) for place, (serial, der) in enumerate(common.responders)}
    for name in _HASHES:
        ahead: set[str] = set()
        for row in _rows(tx, _newest(name).where(which(_c.approval))):
            found[row[0]].append(_short(row, responders))
            if number_of(row[2]) > now:
                ahead.add(row[0])
        before = _rows(tx, _newest(name, now).where(which(_c.approval))) if ahead else ()
        for row in before:
            if row[0] in ahead:
                found[row[0]].append(_short(row, responders))
    return {serial: marshal.dumps((serial, tuple(rows)), _FORM) for serial, rows in found.items()}


def _newest(name: HashName, upto: int | None = None) -> Select[Any]:
    other = ocsp_answers.alias()
    newest = select(func.max(other.c.id)).where(other.c.serial == _c.serial, other.c.hash_name == name)
    if upto is not None:
        newest = newest.where(other.c.this_update <= instant_of(upto))
    query = _plain(_c.serial, _o.hash_name, _o.this_update, _o.next_update, _o.revoked_at, _o.responder_serial, _o.der)
    return query.select_from(certificates).join(ocsp_answers, _o.id == newest.scalar_subquery())


def _short(row: _Row, responders: Mapping[str, tuple[int, bytes]]) -> _Row:
    """Return an answer's row without the responder's certificate, with which nearly every one ends; with its place."""
    _, *about, responder, der = row
    octets, (place, end) = octets_of(der), responders.get(responder, (None, b""))
    return (*about, place, octets[: -len(end)]) if end and octets.endswith(end) else (*about, None, octets)


# --- unpacking ---------------------------------------------------------------------------------------------------


def _record(
    approval: _Row, agreed: Sequence[_Row], issued: Sequence[_Row], issuers: Mapping[str, Any]
) -> ApprovalRecord:
    identifier, kind, manufacturer, model, hardware, organisation, granted_at, start, ended_at, end_cause = approval
    return ApprovalRecord(
        identifier=_text(identifier),
        organisation=_text(organisation),
        device=Device(
            type=_text(kind), manufacturer=_text(manufacturer), model=_text(model), hardware_version=_text(hardware)
        ),
        granted_at=_instant(granted_at),
        start=_instant(start),
        terms=tuple(map(_agreed, agreed)),
        certificates=tuple(_certificate(each, issuers.get(each[1])) for each in issued),
        ended_at=_past(ended_at),
        end_cause=_cause(end_cause),
    )


_firmware = lru_cache(maxsize=UNPACKED)(firmware_of)


def _agreed(row: _Row) -> Terms:
    _, issue, effective, expiry, most, firmware, decision = row
    return Terms(
        issue=number_of(issue),
        effective=_instant(effective),
        expiry=_instant(expiry),
        maximum_devices=number_of(most),
        firmware=_firmware(_text(firmware)),
        decision=_text(decision),
    )


def _certificate(row: _Row, issuer_ended_at: object) -> CertificateRecord:
    _, serial, issue, fingerprint, before, after, signed, revoked, cause, invalid, superseded = row
    return CertificateRecord(
        serial=Serial(_text(serial)),
        issue=number_of(issue),
        fingerprint=_text(fingerprint),
        not_before=_instant(before),
        not_after=_instant(after),
        signed_at=_instant(signed),
        revoked_at=_past(revoked),
        cause=_cause(cause),
        invalidity_date=_past(invalid),
        superseded_at=_past(superseded),
        issuer_ended_at=_past(issuer_ended_at),
    )


def _answer(serial: object, row: _Row, responders: Sequence[tuple[str, bytes]]) -> SignedAnswer:
    name, this_update, next_update, revoked_at, responder, octets = row
    return SignedAnswer(
        serial=Serial(_text(serial)),
        hash_name=name,
        this_update=_instant(this_update),
        next_update=_instant(next_update),
        revoked_at=_past(revoked_at),
        der=octets if responder is None else octets + responders[responder][1],
    )


def _text(value: object) -> str:
    return text_of(value) or ""


def _instant(value: object) -> datetime:
    return instant_of(number_of(value))


def _past(value: object) -> datetime | None:
    return None if value is None else _instant(value)


def _cause(value: object) -> EndCause | None:
    try:
        return None if value is None else EndCause(_text(value))
    except ValueError:
        return _text(value)  # type: ignore[return-value]  # as store.types.Word reads it
