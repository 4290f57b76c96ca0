"""What is true of an approval and of a certificate at an instant.

One pure function of the record and the instant answers for every channel: verification, OCSP, CRL, the public page
and the consistency check. Nothing here waits for a job. tests/test_ends.py has the table of ends, row by row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias, TypeVar

from core.approval import ApprovalRecord, CertificateRecord, EndCause, RevocationReason, Terms
from core.clauses import serves
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


ENDED = frozenset({State.CANCELLED, State.EXPIRED, State.WITHDRAWN})
"""What is over: no other state follows."""


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Ending:
    """What a list says of a certificate behind its serial number: one value for all that end together.

    Args:
        at, reason, invalidity_date: as in Revoked.
    """

    at: datetime
    reason: RevocationReason
    invalidity_date: datetime | None

    def of(self, serial: Serial) -> Revoked:
        """Return the entry of one certificate."""
        return Revoked(serial=serial, at=self.at, reason=self.reason, invalidity_date=self.invalidity_date)


Endings: TypeAlias = Iterable[tuple[Serial, Ending]]
"""The entries of a list in order of serials, where they may be a million."""


def endings(entries: Iterable[Revoked]) -> Iterator[tuple[Serial, Ending]]:
    """Return entries in that form."""
    for each in entries:
        yield each.serial, Ending(at=each.at, reason=each.reason, invalidity_date=each.invalidity_date)


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

_I = TypeVar("_I", datetime, int)
_How: TypeAlias = tuple[State, RevocationReason, ReasonCode]

_EXPIRED: _How = (State.EXPIRED, RevocationReason.CESSATION_OF_OPERATION, ReasonCode.EXPIRED)
_SUPERSEDED: _How = (State.CANCELLED, RevocationReason.SUPERSEDED, ReasonCode.SUPERSEDED)
_BY_CAUSE: dict[EndCause, _How] = {
    EndCause.SSC: (State.CANCELLED, RevocationReason.PRIVILEGE_WITHDRAWN, ReasonCode.REVOKED),
    EndCause.BREACH: (State.CANCELLED, RevocationReason.PRIVILEGE_WITHDRAWN, ReasonCode.REVOKED_FOR_BREACH),
    EndCause.KEY_COMPROMISE: (State.CANCELLED, RevocationReason.KEY_COMPROMISE, ReasonCode.KEY_COMPROMISE),
    EndCause.MANUFACTURER: (State.WITHDRAWN, RevocationReason.CESSATION_OF_OPERATION, ReasonCode.WITHDRAWN),
    # The issue before it stays: the approval goes on, as it does when one is replaced.
    EndCause.CHANGE_WITHDRAWN: (State.CANCELLED, RevocationReason.SUPERSEDED, ReasonCode.CHANGE_WITHDRAWN),
}


REASON_OF: Mapping[EndCause, RevocationReason] = {cause: reason for cause, (_, reason, _) in _BY_CAUSE.items()}
"""What lists and answers say of an end, by its cause."""


def first_second_after(last: datetime) -> datetime:
    """Return the second after `last`, an inclusive end; the end of time stays the end of time."""
    return datetime.max.replace(microsecond=0, tzinfo=UTC) if last.year == 9999 and last >= _LAST else last + ONE_SECOND


def first_end(expired: _I, superseded: _I | None, revoked: _I | None, cause: EndCause | None) -> tuple[_I, _How]:
    """Return when a certificate ends, as far as is known, and how: state, CRL reason, reason of verification.

    The first end wins: the store revokes or supersedes only what has not ended, so no two ends share an instant.

    Args:
        expired: the first second after its notAfter; instants in whatever form they are held in.
        superseded: the later issue's effective instant.
        revoked: the cancelling commit.
        cause: of the revocation.
    """
    at, how = expired, _EXPIRED
    if superseded is not None and superseded < at:
        at, how = superseded, _SUPERSEDED
    if revoked is not None and cause is not None and revoked < at:
        at, how = revoked, _BY_CAUSE[cause]
    return at, how


def certificate_end(certificate: CertificateRecord) -> End:
    """Return the earliest end that is known of a certificate; without any act that is its expiry."""
    expired = first_second_after(certificate.not_after)
    at, (state, reason, code) = first_end(expired, certificate.superseded_at, certificate.revoked_at, certificate.cause)
    return End(at=at, state=state, reason=reason, code=code)


@serves("F2.31")
def revocation_at(certificate: CertificateRecord, at: datetime) -> Revoked | None:
    """Return the certificate's entry on a CRL made at `at`, which is also its OCSP status; None means good.

    Revoked *and expired* certificates are on the list (F2.31).
    """
    end = certificate_end(certificate)
    if end.at > at:
        return None
    compromised = end.reason is RevocationReason.KEY_COMPROMISE
    return Revoked(
        serial=certificate.serial,
        at=end.at,
        reason=end.reason,
        invalidity_date=certificate.invalidity_date if compromised else None,
    )


def certificate_status(approval: ApprovalRecord, certificate: CertificateRecord, at: datetime) -> Status:
    """Return what is true at `at` of one certificate, asked by its bytes or its serial."""
    return _judged(
        approval,
        lambda instant: _certificate_then(approval, certificate, instant),
        at,
        (approval.granted_at, *_turns(certificate)),
    )


@serves("F2.25", "F2.26")
def approval_status(approval: ApprovalRecord, at: datetime) -> Status:
    """Return what is true at `at` of an approval: of its certificate that holds then, else of the approval itself."""
    turns = [approval.granted_at, approval.start, first_second_after(approval.terms[0].expiry)]
    if approval.ended_at is not None:
        turns.append(approval.ended_at)
    for certificate in approval.certificates:
        turns.extend(_turns(certificate))
    return _judged(approval, lambda instant: _approval_then(approval, instant), at, turns)


def approval_at(approval: ApprovalRecord, at: datetime) -> tuple[State, Terms | None]:
    """Return state and terms of `approval_status`, for whoever asks of many: without the words, and what comes next."""
    verdict = _approval_then(approval, at)
    return verdict.state, _terms_then(approval, verdict)


def open_at(approval: ApprovalRecord, at: datetime) -> bool:
    """Return whether the approval may still be ended, certified or amended: nobody has ended it, nor has time.

    A recorded end counts whatever its instant: whoever asks read the clock before they read the register, so an act of
    the same moment may carry a second that they have not reached. For the same reason the grant's instant is no test.
    """
    if approval.ended_at is not None:
        return False
    certificate = _certificate_at(approval, at)
    return at <= (_terms_of(approval, certificate) if certificate else approval.terms[0]).expiry


def ended_at(approval: ApprovalRecord, at: datetime) -> datetime | None:
    """Return since when an approval has ended, by an act or by time; None while it may still be amended."""
    if open_at(approval, at):
        return None
    certificate = _certificate_at(approval, at)
    terms = _terms_of(approval, certificate) if certificate else approval.terms[0]
    return approval.ended_at or first_second_after(terms.expiry)


class _Verdict(NamedTuple):
    """A status before it is put into words: two are equal exactly if their words are."""

    state: State
    codes: tuple[ReasonCode, ...]
    certificate: CertificateRecord | None
    ended: datetime | None = None


def _judged(
    approval: ApprovalRecord, then: Callable[[datetime], _Verdict], at: datetime, turns: Iterable[datetime]
) -> Status:
    """Put the verdict at `at` into words, with the first of `turns` behind it at which it is another one."""
    verdict = then(at)
    later = sorted([turn for turn in turns if turn > at])
    change = next((turn for turn in later if then(turn) != verdict), None)
    return Status(
        state=verdict.state,
        reasons=_in_words(approval, verdict),
        certificate=verdict.certificate,
        terms=_terms_then(approval, verdict),
        next_change=change,
    )


def _terms_then(approval: ApprovalRecord, verdict: _Verdict) -> Terms | None:
    if verdict.certificate is not None:
        return _terms_of(approval, verdict.certificate)
    return None if ReasonCode.NOT_GRANTED_THEN in verdict.codes else approval.terms[0]


def _in_words(approval: ApprovalRecord, verdict: _Verdict) -> tuple[Reason, ...]:
    if not verdict.codes:
        return ()
    certificate = verdict.certificate
    issue = certificate.issue if certificate else 0
    return tuple(
        reason(
            code,
            granted=text(approval.granted_at),
            start=text(certificate.not_before if certificate else approval.start),
            expiry=text(certificate.not_after if certificate else approval.terms[0].expiry),
            ended=text(verdict.ended) if verdict.ended else "",
            later=min((other.issue for other in approval.certificates if other.issue > issue), default=issue + 1),
        )
        for code in verdict.codes
    )


def _turns(certificate: CertificateRecord) -> tuple[datetime, ...]:
    turns = (certificate.signed_at, certificate.not_before, certificate_end(certificate).at)
    return turns if certificate.issuer_ended_at is None else (*turns, certificate.issuer_ended_at)


def holds_under_its_issuer(certificate: CertificateRecord, at: datetime) -> bool:
    """Return whether the issuing CA that signed a certificate had not been ended by `at`.

    Where it had, the certificate has no entry of its own on any list, and no answer: it proves nothing, whoever asks.
    """
    return certificate.issuer_ended_at is None or at < certificate.issuer_ended_at


def _certificate_then(approval: ApprovalRecord, certificate: CertificateRecord, at: datetime) -> _Verdict:
    if at < approval.granted_at and at < certificate.signed_at:
        return _Verdict(State.UNKNOWN, (ReasonCode.NOT_GRANTED_THEN,), certificate)
    if at < certificate.signed_at:
        return _Verdict(State.UNKNOWN, (ReasonCode.CERTIFICATE_NOT_ISSUED,), certificate)
    end = certificate_end(certificate)
    if end.at <= at:
        return _Verdict(end.state, (end.code,), certificate, end.at)
    proved = holds_under_its_issuer(certificate, at)
    issuer_ended = () if proved else (ReasonCode.ISSUER_ENDED,)
    ended = None if proved else certificate.issuer_ended_at
    if at < certificate.not_before:
        return _Verdict(State.NOT_YET_STARTED, (ReasonCode.NOT_YET_STARTED, *issuer_ended), certificate, ended)
    return _Verdict(State.ACTIVE, issuer_ended, certificate, ended)


def _approval_then(approval: ApprovalRecord, at: datetime) -> _Verdict:
    if at < approval.granted_at:
        return _Verdict(State.UNKNOWN, (ReasonCode.NOT_GRANTED_THEN,), None)
    certificate = _certificate_at(approval, at)
    # The approval's own end speaks even if its last certificate had ended before it (a compromised key).
    if approval.ended_at is not None and approval.ended_at <= at and approval.end_cause is not None:
        state, _, code = _BY_CAUSE[approval.end_cause]
        codes = (code,) if certificate else (code, ReasonCode.CERTIFICATE_NOT_ISSUED)
        return _Verdict(state, codes, certificate, approval.ended_at)
    if certificate is None:
        return _without_certificate(approval, at)
    return _certificate_then(approval, certificate, at)


def _certificate_at(approval: ApprovalRecord, at: datetime) -> CertificateRecord | None:
    """The latest issue that holds or has held by `at`; before any does, the first that is recorded."""
    recorded = [certificate for certificate in approval.certificates if certificate.signed_at <= at]
    # One that ended before it began never held: its start was moved, or it was cancelled before it came.
    begun = [each for each in recorded if each.not_before <= at and each.not_before < certificate_end(each).at]
    if begun:
        return max(begun, key=lambda certificate: certificate.issue)
    # Before the start, an issue that has been cancelled gives way to one that will hold.
    return min(
        recorded,
        key=lambda certificate: (certificate_end(certificate).at <= at, certificate.issue),
        default=None,
    )


def _without_certificate(approval: ApprovalRecord, at: datetime) -> _Verdict:
    """A grant whose certificate is not recorded yet: the state by date, and never valid."""
    absent = ReasonCode.CERTIFICATE_NOT_ISSUED
    if at > approval.terms[0].expiry:
        return _Verdict(State.EXPIRED, (ReasonCode.EXPIRED, absent), None)
    if at < approval.start:
        return _Verdict(State.NOT_YET_STARTED, (ReasonCode.NOT_YET_STARTED, absent), None)
    return _Verdict(State.ACTIVE, (absent,), None)


def _terms_of(approval: ApprovalRecord, certificate: CertificateRecord) -> Terms:
    return next(terms for terms in approval.terms if terms.issue == certificate.issue)
