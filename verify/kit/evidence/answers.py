"""OCSP answers, read in doubt: who signed one, which certificate it speaks of and until when."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from verify.kit.evidence.ends import Ended, Testimony, reason_of
from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.lists import Heard
from verify.kit.evidence.parsing import (
    Unreadable,
    extension,
    issued_by,
    one_answer,
    plain_algorithm,
    signed_by,
    unknown_critical,
)
from verify.kit.evidence.path import authority_key, key_identifier, key_problem, says_test
from verify.kit.evidence.profile import SIGNS
from verify.kit.evidence.verdict import Code, Failure
from verify.kit.instants import written

LONGEST_ANSWER = timedelta(days=7)
"""No answer is believed for longer; this authority's hold for hours."""

_KNOWN = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE})
_NONE_KNOWN: frozenset[x509.ObjectIdentifier] = frozenset()


def read_answer(
    data: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    at: datetime,
    environment: Environment,
) -> Heard:
    """Return what an OCSP response says of a certificate.

    Args:
        data: the whole OCSPResponse, DER.
        certificate: the one asked about.
        issuer: the CA that signed it, and its responder's certificate.
        at: the instant asked about; a good answer needs a responder that is valid then.
        environment: decides what the responder's name must say.
    """
    try:
        response = one_answer(data)
    except Unreadable as error:
        return _refused(Code.OCSP_MALFORMED, f"The OCSP response cannot be read: {error}.")
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        status = response.response_status.name.lower()
        return _refused(Code.OCSP_NOT_ACCEPTED, f"The OCSP response is no answer but “{status}”.")
    responder = _responder(response)
    if responder is None:
        return _refused(Code.OCSP_NOT_ACCEPTED, "The OCSP response carries no certificate of its responder.")
    problems = [
        *_responder_problems(responder, issuer, response, environment),
        *_signature_problems(data, response, responder),
    ]
    if not problems:  # only then is the rest worth reading
        problems = [
            *_subject_problems(response, certificate, issuer),
            *_time_problems(response, certificate, responder, at),
            *_extension_problems(response),
        ]
    next_update = response.next_update_utc
    if problems or next_update is None:
        failures = [Failure(Code.OCSP_NOT_ACCEPTED, f"The OCSP answer is not accepted: {item}.") for item in problems]
        return Heard(failures=tuple(failures))
    return Heard(
        (
            Testimony(
                source="the OCSP answer",
                this_update=response.this_update_utc,
                next_update=next_update,
                ended=_ended(response),
            ),
        )
    )


def _refused(code: Code, detail: str) -> Heard:
    return Heard(failures=(Failure(code, detail),))


def _responder(response: ocsp.OCSPResponse) -> x509.Certificate | None:
    """The certificate whose key the response names: byKey, SHA-1 of the key's octets (RFC 6960, 4.2.2.3)."""
    named = response.responder_key_hash
    for candidate in response.certificates:
        if x509.SubjectKeyIdentifier.from_public_key(candidate.public_key()).digest == named:
            return candidate
    return None


def _responder_problems(
    responder: x509.Certificate, issuer: x509.Certificate, response: ocsp.OCSPResponse, environment: Environment
) -> list[str]:
    usage = extension(responder.extensions, x509.ExtendedKeyUsage)
    key_usage = extension(responder.extensions, x509.KeyUsage)
    constraints = extension(responder.extensions, x509.BasicConstraints)
    made = response.produced_at_utc
    wrong = {
        "the issuing CA did not sign its responder": not issued_by(responder, issuer),
        "its responder names another key than the issuing CA's": (
            authority_key(responder.extensions) != key_identifier(issuer)
        ),
        "its signer may not answer (no id-kp-OCSPSigning)": (
            usage is None or list(usage.value) != [ExtendedKeyUsageOID.OCSP_SIGNING]
        ),
        "its responder's key may not sign, or more than that": key_usage is None or key_usage.value != SIGNS,
        "its responder is a CA": constraints is not None and constraints.value.ca,
        "its responder lacks id-pkix-ocsp-nocheck": extension(responder.extensions, x509.OCSPNoCheck) is None,
        "its responder was not valid when it was made": (
            not responder.not_valid_before_utc <= made <= responder.not_valid_after_utc
        ),
        "its responder belongs to the other environment": says_test(responder) != (environment == "test"),
        "its responder has a critical extension that is not known": bool(
            unknown_critical(responder.extensions, _KNOWN)
        ),
        "its responder's key is of a kind that is not used": key_problem(responder) is not None,
    }
    return [problem for problem, holds in wrong.items() if holds]


def _signature_problems(data: bytes, response: ocsp.OCSPResponse, responder: x509.Certificate) -> list[str]:
    message = response.tbs_response_bytes
    good = plain_algorithm(data, message) and signed_by(responder, response.signature, message)
    return [] if good else ["its signature is wrong"]


def _subject_problems(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> list[str]:
    algorithm = response.hash_algorithm
    if not isinstance(algorithm, hashes.SHA1 | hashes.SHA256):
        return ["its CertID uses neither SHA-1 nor SHA-256"]
    key = issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    same = (
        response.serial_number == certificate.serial_number
        and response.issuer_name_hash == _hash(algorithm, issuer.subject.public_bytes())
        and response.issuer_key_hash == _hash(algorithm, key)
    )
    return [] if same else ["it speaks of another certificate"]


def _hash(algorithm: hashes.SHA1 | hashes.SHA256, data: bytes) -> bytes:
    context = hashes.Hash(algorithm)
    context.update(data)
    return context.finalize()


def _time_problems(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, responder: x509.Certificate, at: datetime
) -> list[str]:
    begin, end, made = response.this_update_utc, response.next_update_utc, response.produced_at_utc
    if end is None:
        return ["it does not say until when it holds"]
    problems = []
    if end < begin or end - begin > LONGEST_ANSWER:
        problems.append(f"it claims to hold until {written(end)}")
    if made < begin:
        problems.append("it was made before it holds")
    status, revoked_at = response.certificate_status, response.revocation_time_utc
    if status is ocsp.OCSPCertStatus.UNKNOWN:
        problems.append("it does not know the certificate")
    if status is ocsp.OCSPCertStatus.REVOKED and (revoked_at is None or revoked_at > begin):
        problems.append("it names an end that had not come")
    if status is ocsp.OCSPCertStatus.GOOD:
        if end > certificate.not_valid_after_utc:
            problems.append("it says good beyond the certificate's end")
        if begin <= at <= end and not responder.not_valid_before_utc <= at <= responder.not_valid_after_utc:
            problems.append(f"its responder is not valid at {written(at)}")
    return problems


def _extension_problems(response: ocsp.OCSPResponse) -> list[str]:
    found = (
        *unknown_critical(response.extensions, _NONE_KNOWN),
        *unknown_critical(response.single_extensions, _NONE_KNOWN),
    )
    return [f"critical extension {oid} is not known" for oid in found]


def _ended(response: ocsp.OCSPResponse) -> Ended | None:
    revoked_at = response.revocation_time_utc
    return None if revoked_at is None else Ended(revoked_at, reason_of(response.revocation_reason))
