"""What is read from our own hierarchy's certificates, and the key identifiers that all of ours carry."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ca import der as write
from core.identifiers import Serial, serial_of
from keys.signer import spki

_KNOWN = 64
"""Certificates of the hierarchy, and keys, that are remembered parsed: an authority has a handful at a time."""

_KNOWN_SIGNED = 4096


def subject_key_identifier(public_key: bytes) -> bytes:
    """Return the key identifier of RFC 5280, 4.2.1.2, method 2: 0100 and 60 bits of SHA-1, 8 octets.

    Args:
        public_key: SubjectPublicKeyInfo, DER, of an elliptic curve key.
    """
    digest = bytearray(key_digest(public_key, "sha1")[-8:])
    digest[0] = 0x40 | (digest[0] & 0x0F)
    return bytes(digest)


def key_id(public_key: bytes) -> str:
    """Return the subject key identifier in lower-case hex, as it stands in URLs and file names."""
    return subject_key_identifier(public_key).hex()


def key_digest(public_key: bytes, hash_name: str) -> bytes:
    """Return the hash over the BIT STRING's contents alone (RFC 5280, 4.2.1.2; RFC 6960, 4.1.1).

    Args:
        public_key: SubjectPublicKeyInfo, DER.
        hash_name: sha1 or sha256. SHA-1 names a key here, it protects nothing.
    """
    return hashlib.new(hash_name, _point(public_key), usedforsecurity=False).digest()


@dataclass(frozen=True)
class Issuer:
    """What is needed of a certificate in whose name something is signed.

    Args:
        der: the certificate.
        name: its subject, DER.
        public_key: SubjectPublicKeyInfo, DER.
        key_identifier: its subject key identifier, 8 octets.
        not_before, not_after: its validity, both inclusive, aware UTC.
        parsed: the certificate as `cryptography` reads it.
    """

    der: bytes
    name: bytes
    public_key: bytes
    key_identifier: bytes
    not_before: datetime
    not_after: datetime
    parsed: x509.Certificate


@lru_cache(maxsize=_KNOWN)
def issuer(der: bytes) -> Issuer:
    """Read a certificate of our own hierarchy.

    Raises:
        ValueError: not a certificate, or one that is not ours: no elliptic curve key, no key identifier.
    """
    parsed = x509.load_der_x509_certificate(der)
    key = parsed.public_key()
    try:
        identifier = parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound as error:
        raise ValueError("a certificate without a subject key identifier is not of our hierarchy") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("a certificate with another kind of key is not of our hierarchy")  # noqa: TRY004 - see above
    return Issuer(
        der=der,
        name=write.name(parsed.subject),
        public_key=spki(key),
        key_identifier=identifier,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        parsed=parsed,
    )


@lru_cache(maxsize=_KNOWN_SIGNED)
def tbs_sha256(der: bytes) -> str:
    """Return the SHA-256 (hex) of the to-be-signed bytes of a certificate; empty if it is none."""
    try:
        return hashlib.sha256(x509.load_der_x509_certificate(der).tbs_certificate_bytes).hexdigest()
    except ValueError:
        return ""


def tbs_of(der: bytes) -> bytes:
    """Return the to-be-signed bytes of a certificate; empty if it is none."""
    try:
        return x509.load_der_x509_certificate(der).tbs_certificate_bytes
    except ValueError:
        return b""


@lru_cache(maxsize=_KNOWN_SIGNED)
def signed_by(der: bytes, issuer_der: bytes) -> bool:
    """Return whether a certificate carries the signature of an issuer of ours."""
    above = issuer(issuer_der)
    try:
        x509.load_der_x509_certificate(der).verify_directly_issued_by(above.parsed)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=_KNOWN_SIGNED)
def authority_key_id(der: bytes) -> str:
    """Return the key identifier (hex) of the key that a certificate of ours says it is signed by; empty for a root.

    Its signature is not looked at, so that it is read from bytes that are still to be signed, too.
    """
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        return (extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b"").hex()
    except (ValueError, x509.ExtensionNotFound):
        return ""


def serial_in(der: bytes) -> Serial | None:
    """Return the serial number that a certificate carries; None if it is none."""
    try:
        return serial_of(x509.load_der_x509_certificate(der).serial_number)
    except ValueError:
        return None


def public_key_in(der: bytes) -> bytes | None:
    """Return the elliptic curve key that a certificate is for, SubjectPublicKeyInfo, DER; None if it is for none."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return spki(key) if isinstance(key, ec.EllipticCurvePublicKey) else None


def signature_holds(public_key: bytes, message: bytes | memoryview, signature: bytes) -> bool:
    """Return whether a signature (ECDSA with SHA-256, DER) over a message was made by the key behind a public one.

    Args:
        public_key: SubjectPublicKeyInfo, DER, of an elliptic curve key.
        message: what was signed.
        signature: as it is kept.
    """
    try:
        elliptic_key(public_key).verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=_KNOWN)
def elliptic_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a SubjectPublicKeyInfo, DER; ValueError if it is not one of ours or a manufacturer's."""
    key = serialization.load_der_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in {"secp256r1", "secp384r1"}:
        raise ValueError("only P-256 and P-384 keys are certified")
    return key


def _point(public_key: bytes) -> bytes:
    return elliptic_key(public_key).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
