"""What is true of an approval and of a certificate at an instant.

One pure function of the record and the instant answers for every channel: verification, OCSP, CRL, the public page
and the consistency check. Nothing here waits for a job. The table is in shared design and, row by row, in
tests/test_ends.py.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from core.approval import ApprovalRecord, CertificateRecord, EndCause, RevocationReason, Terms
from core.identifiers import Serial
from core.instants import ONE_SECOND, text
from core.reasons import Reason, ReasonCode, reason


class State(StrEnum):
    """The states of the contract, in the DCC's own words (CPLStatus) where it has one."""

    NOT_YET_STARTED = "not_yet_started"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class End:
    """How and when a certificate ends, as far as is known.

    Args:
        at: the first second in which it no longer holds.
        state: what verification says from then on.
        reason: what CRL and OCSP say from then on (RFC 5280, 5.3.1).
        code: the reason that verification gives.
    """

    at: datetime
    state: State
    reason: RevocationReason
    code: ReasonCode


@dataclass(frozen=True)
class Revoked:
    """One entry of the CRL, and the status that OCSP gives; a serial has one for ever.

    Args:
        serial: the certificate.
        at: the revocation date: the end, never an instant in the future.
        reason: chosen by cause.
        invalidity_date: since when the key is known to be compromised (RFC 5280, 5.3.2), if known.
    """

    serial: Serial
    at: datetime
    reason: RevocationReason
    invalidity_date: datetime | None = None


@dataclass(frozen=True)
class Status:
    """The answer for one approval or certificate at one instant.

    Args:
        state: see State.
        reasons: why it is not valid; empty exactly when the state is active.
        certificate: the certificate the answer is about; None if none is recorded.
        terms: what the approval says at that instant.
        next_change: the next instant at which the answer will be another one, as far as is known.
    """

    state: State
    reasons: tuple[Reason, ...]
    certificate: CertificateRecord | None
    terms: Terms | None
    next_change: datetime | None


_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

_BY_CAUSE: dict[EndCause, tuple[State, RevocationReason, ReasonCode]] = {
    EndCause.SSC: (State.CANCELLED, RevocationReason.PRIVILEGE_WITHDRAWN, ReasonCode.REVOKED),
    EndCause.BREACH: (State.CANCELLED, RevocationReason.PRIVILEGE_WITHDRAWN, ReasonCode.REVOKED_FOR_BREACH),
    EndCause.KEY_COMPROMISE: (State.CANCELLED, RevocationReason.KEY_COMPROMISE, ReasonCode.KEY_COMPROMISE),
    EndCause.MANUFACTURER: (State.WITHDRAWN, RevocationReason.CESSATION_OF_OPERATION, ReasonCode.WITHDRAWN),
}


def first_second_after(last: datetime) -> datetime:
    """Return the second after `last`, an inclusive end; the end of time stays the end of time."""
    return datetime.max.replace(microsecond=0, tzinfo=UTC) if last.year == 9999 and last >= _LAST else last + ONE_SECOND


_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def certificate_end(certificate: CertificateRecord) -> End:
    """Return the earliest end that is known of a certificate; without any act that is its expiry.

    The first end wins: the store revokes or supersedes only what has not ended, so no two ends share an instant.
    """
    ends = [
        End(
            first_second_after(certificate.not_after),
            State.EXPIRED,
            RevocationReason.CESSATION_OF_OPERATION,
            ReasonCode.EXPIRED,
        )
    ]
    if certificate.superseded_at is not None:
        ends.append(
            End(
                certificate.superseded_at,
                State.CANCELLED,
                RevocationReason.SUPERSEDED,
                ReasonCode.SUPERSEDED,
            )
        )
    if certificate.revoked_at is not None and certificate.cause is not None:
        ends.append(End(certificate.revoked_at, *_BY_CAUSE[certificate.cause]))
    return min(ends, key=lambda end: end.at)


def revocation_at(certificate: CertificateRecord, at: datetime) -> Revoked | None:
    """Return the certificate's entry on a CRL made at `at`, which is also its OCSP status; None means good.

    Revoked *and expired* certificates are on the list (F2.31).
    """
    end = certificate_end(certificate)
    if end.at > at:
        return None
    compromised = end.reason is RevocationReason.KEY_COMPROMISE
    return Revoked(certificate.serial, end.at, end.reason, certificate.invalidity_date if compromised else None)


def certificate_status(approval: ApprovalRecord, certificate: CertificateRecord, at: datetime) -> Status:
    """Return what is true at `at` of one certificate, asked by its bytes or its serial."""
    end = certificate_end(certificate)
    terms = _terms_of(approval, certificate)
    change = _next(at, certificate.signed_at, _holds_from(certificate), end.at)
    reasons: tuple[Reason, ...]
    if at < certificate.signed_at:
        state, reasons = State.UNKNOWN, (_not_yet_there(approval, at),)
    elif end.at <= at:
        state, reasons = end.state, (_end_reason(end, approval, certificate),)
    elif at < certificate.not_before:
        state = State.NOT_YET_STARTED
        reasons = (reason(ReasonCode.NOT_YET_STARTED, start=text(certificate.not_before)),)
    else:
        state, reasons = State.ACTIVE, ()
    return Status(state, reasons, certificate, terms, change)


def approval_status(approval: ApprovalRecord, at: datetime) -> Status:
    """Return what is true at `at` of an approval: of its certificate that holds then, else of the approval itself."""
    if at < approval.granted_at:
        absent = reason(ReasonCode.NOT_GRANTED_THEN, granted=text(approval.granted_at))
        return Status(State.UNKNOWN, (absent,), None, None, approval.granted_at)
    certificate = _certificate_at(approval, at)
    if certificate is None:
        return _without_certificate(approval, at)
    own = certificate_status(approval, certificate, at)
    # A later issue that is recorded and not yet effective is the next change of the approval's answer.
    later = [_holds_from(other) for other in approval.certificates]
    change = _next(at, *later, *([own.next_change] if own.next_change else []))
    if approval.ended_at is not None and approval.ended_at <= at and approval.end_cause is not None:
        # The approval's own end speaks even if its last certificate had ended before it (a compromised key).
        state, _, code = _BY_CAUSE[approval.end_cause]
        reasons = (reason(code, ended=text(approval.ended_at)),)
        return Status(state, reasons, certificate, own.terms, change)
    return Status(own.state, own.reasons, certificate, own.terms, change)


def open_at(approval: ApprovalRecord, at: datetime) -> bool:
    """Return whether the approval has been granted and has not ended at `at`: it may still be ended or amended."""
    if at < approval.granted_at or (approval.ended_at is not None and approval.ended_at <= at):
        return False
    certificate = _certificate_at(approval, at)
    expiry = (_terms_of(approval, certificate) if certificate else approval.terms[0]).expiry
    return at <= expiry


def _certificate_at(approval: ApprovalRecord, at: datetime) -> CertificateRecord | None:
    """The latest issue that holds or has held by `at`; before any does, the first that is recorded."""
    recorded = [certificate for certificate in approval.certificates if certificate.signed_at <= at]
    begun = [certificate for certificate in recorded if certificate.not_before <= at]
    if begun:
        return max(begun, key=lambda certificate: certificate.issue)
    # Before the start, an issue that has been cancelled gives way to one that will hold.
    return min(
        recorded,
        key=lambda certificate: (certificate_end(certificate).at <= at, certificate.issue),
        default=None,
    )


def _without_certificate(approval: ApprovalRecord, at: datetime) -> Status:
    """A grant whose certificate is not recorded yet: the state by date, and never valid."""
    terms = approval.terms[0]
    absent = reason(ReasonCode.CERTIFICATE_NOT_ISSUED)
    change = _next(at, approval.start, first_second_after(terms.expiry))
    if approval.ended_at is not None and approval.ended_at <= at and approval.end_cause is not None:
        state, _, code = _BY_CAUSE[approval.end_cause]
        return Status(state, (reason(code, ended=text(approval.ended_at)), absent), None, terms, None)
    if at > terms.expiry:
        expired = reason(ReasonCode.EXPIRED, expiry=text(terms.expiry))
        return Status(State.EXPIRED, (expired, absent), None, terms, None)
    if at < approval.start:
        waiting = reason(ReasonCode.NOT_YET_STARTED, start=text(approval.start))
        return Status(State.NOT_YET_STARTED, (waiting, absent), None, terms, change)
    return Status(State.ACTIVE, (absent,), None, terms, change)


def _not_yet_there(approval: ApprovalRecord, at: datetime) -> Reason:
    if at < approval.granted_at:
        return reason(ReasonCode.NOT_GRANTED_THEN, granted=text(approval.granted_at))
    return reason(ReasonCode.CERTIFICATE_NOT_ISSUED)


def _end_reason(end: End, approval: ApprovalRecord, certificate: CertificateRecord) -> Reason:
    later = min(
        (other.issue for other in approval.certificates if other.issue > certificate.issue),
        default=certificate.issue + 1,
    )
    return reason(end.code, ended=text(end.at), expiry=text(certificate.not_after), later=later)


def _terms_of(approval: ApprovalRecord, certificate: CertificateRecord) -> Terms:
    return next(terms for terms in approval.terms if terms.issue == certificate.issue)


def _holds_from(certificate: CertificateRecord) -> datetime:
    return max(certificate.not_before, certificate.signed_at)


def _next(at: datetime, *instants: datetime) -> datetime | None:
    return min((instant for instant in instants if instant > at), default=None)
