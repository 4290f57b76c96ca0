"""Do the channels agree? The register's word on every certificate against verification, OCSP and CRL.

What the authority is about to publish is `pending`, not a disagreement: OCSP is silent and the list is older than
the end. After PENDING_FOR that excuse is over.
"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from api.status.answers import newest_true_answer
from api.status.questions import ByApproval, ByCertificate, BySerial, Question
from api.status.snapshot import Snapshot
from api.status.verify import PastAnswer, answer
from core.approval import ApprovalRecord, CertificateRecord, RevocationReason
from core.identifiers import Serial, serial_of
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import HASH_NAMES, MirroredApproval, PublishedCrl, unpacked
from core.status import Revoked, approval_status, certificate_status, holds_under_its_issuer, revocation_at

PENDING_FOR = timedelta(seconds=60)
"""How long the authority may take to sign and publish what has changed; normally well under a second."""

_REASONS = {
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
}


@dataclass(frozen=True)
class DisagreementAnswer:
    """One channel that says something else than the register.

    Args:
        channel: `snapshot`, `verify`, `certificate`, `ocsp sha1`, `ocsp sha256` or `crl`.
        approval, serial: what it is about; null where it is about a whole list.
        expected: what the register says.
        found: what the channel says.
        since: when it was first seen, where it was seen more than once.
    """

    channel: str
    approval: str | None
    serial: Serial | None
    expected: str
    found: str
    since: datetime | None = None


@dataclass
class Report:
    """What was found.

    Args:
        as_of: the instant it is about.
        checked: certificates looked at.
        pending: answers and entries that the authority is about to publish.
        disagreements: the rest.
    """

    as_of: datetime
    checked: int = 0
    pending: int = 0
    disagreements: list[DisagreementAnswer] = field(default_factory=list)


@dataclass(frozen=True)
class _Listed:
    """A CRL as it was read back."""

    crl: PublishedCrl
    entries: Mapping[Serial, tuple[datetime, RevocationReason | None]]


@dataclass(frozen=True)
class Lists:
    """The newest lists, read back.

    Args:
        listed: by the issuing CA's key identifier.
        over: keys whose time is over.
        wrong: a list that is missing, forged or over.
    """

    listed: Mapping[str, _Listed]
    over: frozenset[str]
    wrong: tuple[DisagreementAnswer, ...]


def read_lists(view: Snapshot, now: datetime, before: Lists | None = None) -> Lists:
    """Read the newest CRL of each issuing CA back; one that is missing, forged or over is a disagreement.

    Args:
        view: what has them.
        now: the present instant.
        before: what was read before: the entries of a list that is still the same are not read again.
    """
    listed: dict[str, _Listed] = {}
    wrong: list[DisagreementAnswer] = []
    for each in view.authority.issuing(now):
        crl = view.authority.crl(each.key_id, now)
        found = "none was published" if crl is None else None
        if crl is not None:
            try:
                read = x509.load_der_x509_crl(crl.der)
                known = None if before is None else before.listed.get(each.key_id)
                same = known is not None and known.crl.der == crl.der
                listed[each.key_id] = known if same and known is not None else _Listed(crl, _entries(read))
                found = _wrong_with(read, crl, each.der, now)
            except (ValueError, TypeError, NotImplementedError) as error:
                found = f"unreadable ({type(error).__name__})"
        if found is not None:
            wrong.append(
                DisagreementAnswer(
                    channel="crl", approval=None, serial=None, expected=f"a list in force of {each.key_id}", found=found
                )
            )
    return Lists(listed, _over(view, now), tuple(wrong))


def compare(register: Sequence[ApprovalRecord], view: Snapshot, now: datetime, past_answer: PastAnswer) -> Report:
    """Compare every channel with the register.

    Args:
        register: every approval, as the store has it.
        view: what the channels answer from.
        now: the present instant.
        past_answer: for verification; not asked, as the questions are about now.
    """
    report, lists = Report(now), read_lists(view, now)
    report.disagreements += lists.wrong
    compare_approvals(report, register, view, lists, past_answer)
    ours = frozenset(record.identifier for record in register)
    report.disagreements += [not_in_register(each) for each in sorted(set(view.approvals) - ours)]
    serials = {each.serial for record in register for each in record.certificates}
    report.disagreements += [never_issued(each) for each in strangers(view, lists, serials)]
    return report


def compare_approvals(
    report: Report, register: Sequence[ApprovalRecord], view: Snapshot, lists: Lists, past_answer: PastAnswer
) -> None:
    """Compare every channel with the register on some approvals.

    Args:
        report: what is found goes here.
        register: some approvals, as the store has them.
        view: what the channels answer from.
        lists: read back from it.
        past_answer: for verification; not asked, as the questions are about now.
    """
    now = report.as_of
    for record in register:
        packed = view.approvals.get(record.identifier)
        held = None if packed is None else unpacked(packed)
        if held is None or held.record != record:
            found = "absent" if held is None else "another state"
            report.disagreements.append(
                DisagreementAnswer(
                    channel="snapshot",
                    approval=record.identifier,
                    serial=None,
                    expected="as in the register",
                    found=found,
                )
            )
            continue
        _compare_verification(report, view, held, past_answer)
        for certificate in record.certificates:
            report.checked += 1
            _compare_certificate(report, held, certificate)
            key = _issuing_key(held.ders.get(certificate.serial, b""))
            if holds_under_its_issuer(certificate, now) and key not in lists.over:
                _compare_ocsp(report, held, certificate)
                _compare_crl(report, lists.listed.get(key or ""), record, certificate, now)


def not_in_register(identifier: str) -> DisagreementAnswer:
    """Return that the channels know an approval that the register does not."""
    return DisagreementAnswer(channel="snapshot", approval=identifier, serial=None, expected="absent", found="present")


def never_issued(serial: Serial) -> DisagreementAnswer:
    """Return that a list has a certificate that the register does not."""
    return DisagreementAnswer(channel="crl", approval=None, serial=serial, expected="never issued", found="listed")


def strangers(view: Snapshot, lists: Lists, ours: Container[Serial]) -> list[Serial]:
    """Return what lists have and the register does not.

    Args:
        view: what the channels answer from.
        lists: read back from it.
        ours: every serial that the register has.
    """
    # The hierarchy's own may end there as well; the register says nothing about them that could be compared.
    known = {each.serial for each in view.authority.certificates}
    return sorted(
        serial
        for listed in lists.listed.values()
        for serial in listed.entries
        if serial not in ours and serial not in known
    )


# --- verification ------------------------------------------------------------------------------------------------


def _compare_verification(report: Report, view: Snapshot, held: MirroredApproval, past_answer: PastAnswer) -> None:
    record, ders, now = held.record, held.ders, report.as_of
    asked = [
        (None, approval_status(record, now).state, Question(ByApproval(record.identifier))),
        *(
            (each.serial, certificate_status(record, each, now).state, Question(subject))
            for each in record.certificates
            for subject in (BySerial(each.serial), ByCertificate(ders.get(each.serial, b"")))
        ),
    ]
    for serial, expected, question in asked:
        found = answer(view, question, now, past_answer)
        if found["state"] != expected.value or found["approval"] != record.identifier:
            said = f"{found['state']} ({found['approval']})"
            report.disagreements.append(
                DisagreementAnswer(
                    channel="verify", approval=record.identifier, serial=serial, expected=expected.value, found=said
                )
            )


def _compare_certificate(report: Report, held: MirroredApproval, certificate: CertificateRecord) -> None:
    """The bytes that are handed out are those that the register recognises."""
    found = hashlib.sha256(held.ders.get(certificate.serial, b"")).hexdigest()
    if found != certificate.fingerprint and certificate.signed_at <= report.as_of:
        report.disagreements.append(
            DisagreementAnswer(
                channel="certificate",
                approval=held.record.identifier,
                serial=certificate.serial,
                expected=certificate.fingerprint,
                found=found,
            )
        )


# --- OCSP --------------------------------------------------------------------------------------------------------


def _compare_ocsp(report: Report, held: MirroredApproval, certificate: CertificateRecord) -> None:
    now = report.as_of
    revoked = revocation_at(certificate, now)
    since = certificate.signed_at if revoked is None else max(revoked.at, certificate.signed_at)
    for name in HASH_NAMES:
        signed = newest_true_answer(held.answers, certificate, name, now)
        if signed is None:
            if now - since <= PENDING_FOR:
                report.pending += 1
                continue
            found = "no answer in force"
        else:
            found = _said(signed.der, certificate.serial)
        expected = _words(revoked)
        if found != expected:
            report.disagreements.append(
                DisagreementAnswer(
                    channel=f"ocsp {name}",
                    approval=held.record.identifier,
                    serial=certificate.serial,
                    expected=expected,
                    found=found,
                )
            )


def _said(der: bytes, serial: Serial) -> str:
    """What an OCSP response says, in the same words as the register's."""
    try:
        said = ocsp.load_der_ocsp_response(der)
        if said.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return said.response_status.name.lower()
        if serial_of(said.serial_number) != serial:
            return f"an answer about {serial_of(said.serial_number)}"
        if said.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return "good"
        at, reason = said.revocation_time_utc, said.revocation_reason
    except (ValueError, TypeError) as error:
        return f"unreadable ({type(error).__name__})"
    return "unknown" if at is None else _entry(at, None if reason is None else _REASONS.get(reason))


# --- CRL ---------------------------------------------------------------------------------------------------------


def _over(view: Snapshot, now: datetime) -> frozenset[str]:
    """Return the keys of the issuing CAs whose time is over: nobody is left who could list or answer for them.

    All that they issued has expired by then (ADR 30).
    """
    over = {
        each.key_id
        for each in view.authority.certificates
        if each.role is HierarchyRole.ISSUING and each.not_after < now
    }
    return frozenset(over - {each.key_id for each in view.authority.issuing(now)})


def _wrong_with(read: x509.CertificateRevocationList, crl: PublishedCrl, issuer: bytes, now: datetime) -> str | None:
    key = x509.load_der_x509_certificate(issuer).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not read.is_signature_valid(key):
        return f"number {crl.number} is not signed by it"
    if read.next_update_utc is None or not read.last_update_utc <= now <= read.next_update_utc:
        return f"number {crl.number} is not in force"
    return None


def _entries(read: x509.CertificateRevocationList) -> dict[Serial, tuple[datetime, RevocationReason | None]]:
    return {serial_of(each.serial_number): (each.revocation_date_utc, _reason(each)) for each in read}


def _reason(entry: x509.RevokedCertificate) -> RevocationReason | None:
    try:
        return _REASONS.get(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason)
    except x509.ExtensionNotFound:
        return None


def _compare_crl(
    report: Report, listed: _Listed | None, record: ApprovalRecord, certificate: CertificateRecord, now: datetime
) -> None:
    if listed is None:
        return  # told once for the whole list, or once for the certificate
    expected = revocation_at(certificate, now)
    entry = listed.entries.get(certificate.serial)
    if (
        expected is not None
        and entry is None
        and listed.crl.this_update <= expected.at
        and (now - expected.at <= PENDING_FOR)
    ):
        report.pending += 1
        return
    found = "good" if entry is None else _entry(*entry)
    if found != _words(expected):
        report.disagreements.append(
            DisagreementAnswer(
                channel="crl",
                approval=record.identifier,
                serial=certificate.serial,
                expected=_words(expected),
                found=found,
            )
        )


def _issuing_key(der: bytes) -> str | None:
    """Return the identifier of the key that a certificate says signed it; None if it says none, or is none."""
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        identifier = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound):
        return None
    return None if identifier is None else identifier.hex()


# --- words -------------------------------------------------------------------------------------------------------


def _words(revoked: Revoked | None) -> str:
    return "good" if revoked is None else _entry(revoked.at, revoked.reason)


def _entry(at: datetime, reason: RevocationReason | None) -> str:
    return f"revoked at {text(at)}, {'no reason' if reason is None else reason.name.lower()}"
