"""Untrusted bytes into certificates, lists and answers: by `cryptography` only, under a size limit, one place per kind.

Every lazy attribute that is used later is touched here, so that hostile bytes fail here and nowhere else.
"""

from collections.abc import Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import ocsp

from verify.kit.evidence.der import DerMalformed
from verify.kit.evidence.outline import check_answer, check_certificate, check_crl

CERTIFICATE_LIMIT = 256 * 1024
"""Octets of a certificate or a bundle of them; a hundred firmware versions take about five thousand."""
CRL_LIMIT = 128 * 1024 * 1024
"""Octets of a list; a million entries take about forty million."""
OCSP_LIMIT = 64 * 1024
"""Octets of an OCSP response with its responder's certificate."""

PARSE_ERRORS = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
"""What `cryptography` raises on hostile bytes; what it only warns of, where warnings are errors."""

# AlgorithmIdentifier of ecdsa-with-SHA256, parameters absent (RFC 5758, 3.2): a NULL there is another encoding.
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_PEM = b"-----BEGIN"

_Known = TypeVar("_Known", bound=x509.ExtensionType)


class Unreadable(ValueError):
    """Bytes that are not what they are taken for."""


def one_certificate(data: bytes) -> x509.Certificate:
    """Return the one certificate in `data`, DER or PEM. Raises Unreadable, also for two."""
    certificates = several_certificates((data,))
    if len(certificates) != 1:
        raise Unreadable(f"{len(certificates)} certificates where one is expected")
    return certificates[0]


def several_certificates(inputs: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Return all certificates in `inputs`, each of them DER, or PEM with any number of them. Raises Unreadable."""
    found: list[x509.Certificate] = []
    for data in inputs:
        _within(data, CERTIFICATE_LIMIT)
        try:
            if _PEM in data:
                found += x509.load_pem_x509_certificates(data)
            else:
                check_certificate(data)  # before the library warns of what is refused anyway
                found.append(x509.load_der_x509_certificate(data))
            for certificate in found:
                _touch(certificate)
        except DerMalformed as error:
            raise Unreadable(f"not a certificate that is accepted: {error}") from None
        except PARSE_ERRORS as error:
            raise Unreadable(f"not a certificate that can be read ({type(error).__name__})") from None
    return tuple(found)


def one_crl(data: bytes) -> x509.CertificateRevocationList:
    """Return the list in `data`, DER or PEM. Raises Unreadable."""
    _within(data, CRL_LIMIT)
    try:
        load = x509.load_pem_x509_crl if data.startswith(_PEM) else x509.load_der_x509_crl
        crl = load(data)
        _ = crl.issuer, crl.extensions, crl.last_update_utc, crl.next_update_utc, crl.signature_algorithm_oid
        check_crl(data if load is x509.load_der_x509_crl else crl.public_bytes(Encoding.DER))
    except DerMalformed as error:
        raise Unreadable(f"not a CRL that is accepted: {error}") from None
    except PARSE_ERRORS as error:
        raise Unreadable(f"not a CRL that can be read ({type(error).__name__})") from None
    return crl


def one_answer(data: bytes) -> ocsp.OCSPResponse:
    """Return the OCSP response in `data`; a successful one holds exactly one answer. Raises Unreadable."""
    _within(data, OCSP_LIMIT)
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
            # Several answers in one response make these attributes raise.
            _ = response.serial_number, response.issuer_key_hash, response.issuer_name_hash, response.hash_algorithm
            _ = response.certificate_status, response.revocation_time_utc, response.revocation_reason
            _ = response.this_update_utc, response.next_update_utc, response.produced_at_utc
            _ = response.extensions, response.single_extensions, response.responder_key_hash, response.signature
            _ = response.signature_algorithm_oid, response.tbs_response_bytes
            check_answer(data)
            for certificate in response.certificates:
                _touch(certificate)
    except DerMalformed as error:
        raise Unreadable(f"it, or its responder's certificate, is not accepted: {error}") from None
    except PARSE_ERRORS as error:
        raise Unreadable(f"not an OCSP response that can be read ({type(error).__name__})") from None
    return response


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether `issuer`'s name is the certificate's issuer and its key made the signature, with our algorithm."""
    if not plain_algorithm(certificate.public_bytes(Encoding.DER), certificate.tbs_certificate_bytes):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*PARSE_ERRORS, InvalidSignature):
        return False
    return True


def signed_by(key: x509.Certificate, signature: bytes, message: bytes) -> bool:
    """Return whether the key of a certificate made an ECDSA signature with SHA-256 over `message`."""
    public = key.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def plain_algorithm(der: bytes, tbs: bytes) -> bool:
    """Return whether the AlgorithmIdentifier after the signed part is ecdsa-with-SHA256 without parameters."""
    place = der.find(tbs)
    return place >= 0 and der.startswith(_ECDSA_SHA256, place + len(tbs))


def extension(extensions: x509.Extensions, kind: type[_Known]) -> x509.Extension[_Known] | None:
    """Return the extension of that kind, or None."""
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def unknown_critical(extensions: x509.Extensions, known: frozenset[x509.ObjectIdentifier]) -> tuple[str, ...]:
    """Return the critical extensions that are not among `known`: each forbids acceptance (RFC 5280, 4.2 and 5.2)."""
    return tuple(item.oid.dotted_string for item in extensions if item.critical and item.oid not in known)


def _touch(certificate: x509.Certificate) -> None:
    _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.version
    _ = certificate.public_key(), certificate.serial_number, certificate.signature_algorithm_oid
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.tbs_certificate_bytes
    check_certificate(certificate.public_bytes(Encoding.DER))


def _within(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise Unreadable(f"larger than {limit} octets")
