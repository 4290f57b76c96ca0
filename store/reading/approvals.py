"""Approvals with everything their status depends on."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, bindparam, or_, select, type_coerce

from core.approval import ApprovalRecord, CertificateRecord, Device, EndCause, RevocationReason, Terms
from core.errors import NoSuchThing
from core.identifiers import Serial
from core.status import Revoked, first_end
from store.portions import portions
from store.reading.paging import behind
from store.rows import Acceptance, Approval, device_of, firmware_of
from store.tables import acceptances, approvals, authority_ends, certificates, decisions, drafts, terms
from store.transactions import Transaction, read_once
from store.types import Number, String, instant_of, one_of_words

_STREAM = 5_000
"""Rows fetched at once when a whole list is read."""

# Read several times in every act and after it: a statement is put together once, which costs more than the asking.
_C, _D, _E = certificates.c, drafts.c, authority_ends.c
_NAMED, _ONE = bindparam("named", expanding=True, type_=Text()), bindparam("named", type_=Text())
_CERTIFICATES = select(certificates).order_by(_C.approval, _C.issue)
_TERMS = select(terms).order_by(terms.c.approval, terms.c.issue)
_APPROVALS = select(approvals).order_by(approvals.c.identifier)
_ISSUERS_ENDED = (
    select(_C.serial, _E.at).join(drafts, _D.serial == _C.serial).join(authority_ends, _E.serial == _D.issuer_serial)
)
"""By the certificate: it is found by its approval, and drafts are not. Almost always there are none: all are asked for
at once, and with the certificates of those that are named."""

_WITH_ISSUERS = (
    _CERTIFICATES.add_columns(_E.at.label("issuer_ended_at"))
    .outerjoin(drafts, _D.serial == _C.serial)
    .outerjoin(authority_ends, _E.serial == _D.issuer_serial)
)
_CALLED = _WITH_ISSUERS.where(_C.serial.in_(bindparam("serials", expanding=True)))


@dataclass(frozen=True, kw_only=True)
class _Statements:
    """What is asked for approvals, in this order."""

    certificates: Select[Any]
    terms: Select[Any]
    approvals: Select[Any]


_EVERY = _Statements(certificates=_CERTIFICATES, terms=_TERMS, approvals=_APPROVALS)


def _of(named: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> _Statements:
    return _Statements(
        certificates=_WITH_ISSUERS.where(named(_C.approval)),
        terms=_TERMS.where(named(terms.c.approval)),
        approvals=_APPROVALS.where(named(approvals.c.identifier)),
    )


_SOME, _SINGLE = _of(lambda column: column.in_(_NAMED)), _of(lambda column: column == _ONE)
_HOLD = (
    select(approvals.c.identifier)
    .where(approvals.c.identifier.in_(_NAMED))
    .order_by(approvals.c.identifier)
    .with_for_update()
)
_APPROVAL = select(approvals).where(approvals.c.identifier == bindparam("identifier"))
_DER = select(_C.approval, _C.der).where(_C.serial == bindparam("serial"))
_ISSUER_OF = select(_D.issuer_serial).where(_D.serial == bindparam("serial"))
_OVERLAPPING = (
    select(approvals.c.identifier)
    .where(
        approvals.c.device_key == bindparam("device"),
        approvals.c.identifier != bindparam("other_than"),
        approvals.c.ended_at.is_(None),
        approvals.c.start <= bindparam("until"),
        approvals.c.expiry >= bindparam("since"),
    )
    .limit(1)
)
_DERS = select(certificates.c.serial, certificates.c.der).where(
    certificates.c.serial.in_(bindparam("serials", expanding=True))
)


def records(tx: Transaction, identifiers: Collection[str] | None = None) -> list[ApprovalRecord]:
    """Return the approvals named, or all (None), in order of identifier."""
    if identifiers is None:
        return _assembled(tx, None)
    named: list[ApprovalRecord] = []
    for some in portions(sorted(identifiers)):
        named.extend(_assembled(tx, some))
    return named


def locked(tx: Transaction, identifier: str) -> ApprovalRecord:
    """Return one approval and hold its row until the commit, so that its end and a new certificate never pass by
    each other; NoSuchThing if there is none.
    """
    hold(tx, [identifier])
    return record(tx, identifier)


def hold(tx: Transaction, identifiers: Iterable[str]) -> None:
    """Hold the rows of approvals until the commit, in order, so that no two transactions wait for each other.

    On SQLite a writing transaction has the whole store to itself.
    """
    if tx.dialect != "postgresql":
        return
    for some in portions(sorted(identifiers)):
        tx.connection.execute(_HOLD, {"named": some}).all()


def read_ahead(tx: Transaction, identifiers: Iterable[str]) -> None:
    """Read approvals at once that are asked for one by one later in the same transaction, which only reads.

    Raises:
        ValueError: the transaction writes, so what it read first may not be so any more.
    """
    if tx.writing:
        raise ValueError("what is read ahead in a transaction that writes may be outdated")
    tx.ahead.update((each.identifier, each) for each in records(tx, frozenset(identifiers)))


def record(tx: Transaction, identifier: str) -> ApprovalRecord:
    """Return one approval; NoSuchThing if there is none."""
    found = find(tx, identifier)
    if found is None:
        raise NoSuchThing(kind="approval", identifier=identifier)
    return found


def find(tx: Transaction, identifier: str) -> ApprovalRecord | None:
    """Return an approval with everything its status depends on, if there is one."""
    return tx.ahead.get(identifier) or next(iter(records(tx, [identifier])), None)


@read_once
def approval(tx: Transaction, identifier: str) -> Approval:
    """Return an approval's row; NoSuchThing if there is none."""
    row = tx.connection.execute(_APPROVAL, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="approval", identifier=identifier)
    return _approval(row)


def approval_list(
    tx: Transaction, *, organisation_id: str | None, after: str, limit: int, newest: bool = False
) -> list[Approval]:
    """Return approvals of one organisation or all, in order of identifier, from behind `after` on."""
    query = behind(select(approvals), approvals.c.identifier, after, newest=newest).limit(limit)
    if organisation_id is not None:
        query = query.where(approvals.c.organisation_id == organisation_id)
    return [_approval(row) for row in tx.connection.execute(query)]


def overlapping(
    tx: Transaction, device: Device, *, start: datetime, expiry: datetime, other_than: str = ""
) -> str | None:
    """Return the identifier of an approval of the device that has not ended and shares a second with the dates."""
    asked = {"device": device.key, "other_than": other_than, "until": expiry, "since": start}
    found = tx.connection.execute(_OVERLAPPING, asked).scalar()
    return None if found is None else str(found)


def under(tx: Transaction, issuer: Serial) -> list[str]:
    """Return the approvals that have a certificate of an issuing CA, by its serial, in order of identifier."""
    query = select(drafts.c.approval).join(certificates, certificates.c.serial == drafts.c.serial).distinct()
    found = tx.connection.execute(query.where(drafts.c.issuer_serial == issuer).order_by(drafts.c.approval))
    return [str(each) for each in found.scalars()]


def standing_under(tx: Transaction, issuers: Collection[Serial], at: datetime) -> list[str]:
    """Return the approvals that nobody has ended, with a certificate of some issuing CAs that stands at `at`."""
    c, d, a = certificates.c, drafts.c, approvals.c
    query = select(c.approval).join(drafts, d.serial == c.serial).join(approvals, a.identifier == c.approval).distinct()
    query = query.where(d.issuer_serial.in_(issuers), c.ends_at > at, a.ended_at.is_(None)).order_by(c.approval)
    return [str(each) for each in tx.connection.execute(query).scalars()]


def known(tx: Transaction, identifiers: Collection[str]) -> dict[str, bool]:
    """Return of those of some identifiers that are an approval's whether somebody has ended it."""
    found: dict[str, bool] = {}
    for some in portions(sorted(identifiers)):
        query = select(approvals.c.identifier, approvals.c.ended_at).where(approvals.c.identifier.in_(some))
        found |= {str(row.identifier): row.ended_at is not None for row in tx.connection.execute(query)}
    return found


def certificate_der(tx: Transaction, serial: Serial) -> tuple[str, bytes]:
    """Return (approval, DER) of a certificate; NoSuchThing if there is none."""
    row = tx.connection.execute(_DER, {"serial": serial}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="certificate", identifier=serial)
    return row.approval, bytes(row.der)


def acceptances_of(tx: Transaction, found: Iterable[ApprovalRecord]) -> dict[Serial, Acceptance]:
    """Return what Manufacturers said of the certificates of some approvals, by serial."""
    answered: dict[Serial, Acceptance] = {}
    for some in portions([certificate.serial for each in found for certificate in each.certificates]):
        for row in tx.connection.execute(select(acceptances).where(acceptances.c.serial.in_(some))):
            answered[Serial(row.serial)] = Acceptance(accepted=bool(row.accepted), reason=row.reason, at=row.at)
    return answered


def listed_in(tx: Transaction, found: Iterable[ApprovalRecord]) -> dict[Serial, int]:
    """Return, for certificates of some approvals that are on a CRL, the number of the first one, by serial."""
    c, numbers = certificates.c, dict[Serial, int]()
    for some in portions([certificate.serial for each in found for certificate in each.certificates]):
        query = select(c.serial, c.listed_in).where(c.serial.in_(some), c.listed_in.is_not(None))
        numbers |= {Serial(row.serial): int(row.listed_in) for row in tx.connection.execute(query)}
    return numbers


def issuer_of(tx: Transaction, serial: Serial) -> Serial:
    """Return the serial of the issuing CA's certificate under which a certificate was drafted."""
    found = tx.connection.execute(_ISSUER_OF, {"serial": serial}).scalar()
    if found is None:
        raise NoSuchThing(kind="certificate", identifier=serial)
    return Serial(found)


def ders(tx: Transaction, serials: Sequence[Serial]) -> dict[Serial, bytes]:
    """Return certificates, DER, by serial."""
    return {
        Serial(row.serial): bytes(row.der)
        for portion in portions(serials)
        for row in tx.connection.execute(_DERS, {"serials": portion})
    }


def public_key(tx: Transaction, approval: str, sha256: str) -> bytes:
    """Return a public key of an approval, SubjectPublicKeyInfo, DER, by its digest; NoSuchThing if it has no such key.

    A key comes in with a decision, and later issues that keep it name its digest.
    """
    query = select(decisions.c.public_key).where(decisions.c.approval == approval, decisions.c.public_key.is_not(None))
    keys = (bytes(each) for each in tx.connection.execute(query.distinct()).scalars())
    found = next((each for each in keys if hashlib.sha256(each).hexdigest() == sha256), None)
    if found is None:
        raise NoSuchThing(kind="public key", identifier=sha256)
    return found


def ended(tx: Transaction, at: datetime, behind: str = "", to: str | None = None) -> Iterator[Revoked]:
    """Yield, in order of serial, entries that a CRL made at `at` must have: revoked, superseded and expired.

    Args:
        tx: open.
        at: of the list.
        behind: the serial number behind which they are.
        to: the last; None for all that follow.
    """
    query, asked = _ended(to_the_end=to is None), {"at": at, "behind": behind}
    rows = tx.connection.execution_options(yield_per=_STREAM).execute(
        query, asked if to is None else {**asked, "to": to}
    )
    for serial, cause, not_after, superseded, revoked, invalidity in rows:
        ended_at, (_, reason, _) = first_end(not_after + 1, superseded, revoked, EndCause(cause) if cause else None)
        yield Revoked(
            serial=serial,
            at=instant_of(ended_at),
            reason=reason,
            invalidity_date=instant_of(invalidity)
            if invalidity is not None and reason is RevocationReason.KEY_COMPROMISE
            else None,
        )


@cache
def _ended(*, to_the_end: bool) -> Select[Any]:
    c = certificates.c
    # A list can have a million entries: instants and causes stay what the database holds, until an entry needs them.
    held = (c.not_after, c.superseded_at, c.revoked_at, c.invalidity_date)
    query = select(c.serial, type_coerce(c.cause, String), *(type_coerce(each, Number) for each in held))
    query = query.where(c.ends_at <= bindparam("at"), c.serial > bindparam("behind"), of_known_cause()).order_by(
        c.serial
    )
    return query if to_the_end else query.where(c.serial <= bindparam("to"))


def of_known_cause() -> ColumnElement[bool]:
    """Return the condition that a certificate was ended for no cause, or for one of ours.

    Only somebody who switches constraints off writes another one. What cannot be read as an end is none for a list.
    """
    return or_(certificates.c.cause.is_(None), one_of_words(certificates.c.cause, EndCause))


def of_issuer_in_service() -> ColumnElement[bool]:
    """Return the condition that the issuing CA of a certificate was not ended: no list and no answer follows one."""
    d, e = drafts.c, authority_ends.c
    ended = select(e.serial).join(drafts, d.issuer_serial == e.serial).where(d.serial == certificates.c.serial)
    return ~ended.exists()


def standing(tx: Transaction, approval: str, at: datetime) -> bool:
    """Return whether a certificate of the approval has not ended at `at`."""
    columns = certificates.c
    query = select(columns.serial).where(columns.approval == approval, columns.ends_at > at).limit(1)
    return tx.connection.execute(query).scalar() is not None


def certificates_called(tx: Transaction, serials: Sequence[Serial]) -> dict[Serial, CertificateRecord]:
    """Return certificates with everything that their ends depend on, by serial."""
    return {
        Serial(row.serial): _certificate(row, row.issuer_ended_at)
        for portion in portions(serials)
        for row in tx.connection.execute(_CALLED, {"serials": portion})
    }


def _assembled(tx: Transaction, identifiers: Collection[str] | None) -> list[ApprovalRecord]:
    asked, named = _asked(identifiers)
    issuers: dict[str, datetime] = {}
    if identifiers is None:
        issuers = {row.serial: row.at for row in tx.connection.execute(_ISSUERS_ENDED)}
    issued: dict[str, list[CertificateRecord]] = defaultdict(list)
    for row in tx.connection.execute(asked.certificates, named):
        ended_at = issuers.get(row.serial) if identifiers is None else row.issuer_ended_at
        issued[row.approval].append(_certificate(row, ended_at))
    agreed: dict[str, list[Terms]] = defaultdict(list)
    for row in tx.connection.execute(asked.terms, named):
        agreed[row.approval].append(
            Terms(
                issue=row.issue,
                effective=row.effective,
                expiry=row.expiry,
                maximum_devices=row.maximum_devices,
                firmware=firmware_of(row.firmware),
                decision=row.decision_id,
            )
        )
    return [
        ApprovalRecord(
            identifier=row.identifier,
            organisation=row.organisation_id,
            device=device_of(row),
            granted_at=row.granted_at,
            start=row.start,
            terms=tuple(agreed[row.identifier]),
            certificates=tuple(issued[row.identifier]),
            ended_at=row.ended_at,
            end_cause=row.end_cause,
        )
        for row in tx.connection.execute(asked.approvals, named)
    ]


def _asked(identifiers: Collection[str] | None) -> tuple[_Statements, Mapping[str, object]]:
    """Return the statements for some approvals, or all (None), and what they are asked with."""
    if identifiers is None:
        return _EVERY, {}
    if len(identifiers) == 1:
        return _SINGLE, {"named": next(iter(identifiers))}
    return _SOME, {"named": identifiers}


def _certificate(row: Row[Any], issuer_ended_at: datetime | None) -> CertificateRecord:
    return CertificateRecord(
        serial=Serial(row.serial),
        issue=row.issue,
        fingerprint=row.fingerprint,
        not_before=row.not_before,
        not_after=row.not_after,
        signed_at=row.signed_at,
        revoked_at=row.revoked_at,
        cause=row.cause,
        invalidity_date=row.invalidity_date,
        superseded_at=row.superseded_at,
        issuer_ended_at=issuer_ended_at,
        public_key_sha256=row.public_key_sha256,
    )


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        identifier=row.identifier,
        decision_id=row.decision_id,
        application_id=row.application_id,
        organisation_id=row.organisation_id,
        device=device_of(row),
        granted_at=row.granted_at,
        start=row.start,
        expiry=row.expiry,
        ended_at=row.ended_at,
        end_cause=row.end_cause,
    )
