"""A CMS signature that lies beside what it states (RFC 5652), by an authority's statement signer, read in doubt.

Of all that CMS allows one shape is accepted: one signer, SHA-256, ECDSA, `id-data` that is not in the message, and the
four signed attributes that tie content, instant and the signer's very certificate together.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from verify.kit.evidence.der import DerMalformed, Reader, tlv
from verify.kit.evidence.identifiers import Environment
from verify.kit.evidence.parsing import (
    Unreadable,
    extension,
    one_certificate,
    several_certificates,
    signed_by,
    unknown_critical,
)
from verify.kit.evidence.path import find_path, policies_of, says_test
from verify.kit.evidence.profile import only_signs

_KNOWN = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.CERTIFICATE_POLICIES})

LARGEST = 64 * 1024
"""Octets of a signature with its certificates."""

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = (bytes.fromhex(f"2a864886f70d01090{each}") for each in (3, 4, 5))
_SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910022f")
_DATA = bytes.fromhex("06092a864886f70d010701")
_SHA256 = bytes.fromhex("300b0609608648016503040201")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_INTEGER, _OCTET_STRING, _OBJECT_IDENTIFIER, _UTC_TIME, _GENERALIZED_TIME = 0x02, 0x04, 0x06, 0x17, 0x18
_SEQUENCE, _SET, _EXPLICIT_0 = 0x30, 0x31, 0xA0
_UTC = re.compile("[0-9]{12}Z")
_LAST_OF_UTC_TIME = 2050
_POLICY = {"live": ".2.1", "test": ".2.2"}
"""What the policy has behind the authority's arc."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """Who stated something, and when.

    Args:
        at: the instant of signing, as the signer says it.
        signer: its certificate, which a list may name.
    """

    at: datetime
    signer: x509.Certificate


def stated(message: bytes, sha256: bytes, root: bytes) -> Stated:
    """Return who has stated something; nothing else than what is returned is believed.

    Args:
        message: the signature, DER.
        sha256: the digest of what is stated.
        root: the root's certificate, had from somewhere trusted.

    Raises:
        Unreadable: it is no such signature, is over something else, or not by a statement signer under that root.
    """
    if len(message) > LARGEST:
        raise Unreadable("it is too long")
    try:
        certificates, signed, attributes, signature = _read(message)
        found = _attributes(attributes)
        at = _instant(found[_SIGNING_TIME])
        digest = Reader(found[_MESSAGE_DIGEST]).octets(len(sha256))
        named = _named(found[_SIGNING_CERTIFICATE])
    except DerMalformed:
        raise Unreadable("it is no signature of the one form that is known") from None
    if digest != sha256:
        raise Unreadable("it is over something else")
    signer = next((each for each in certificates if _identity(each) == signed), None)
    if signer is None or hashlib.sha256(signer.public_bytes(Encoding.DER)).digest() != named:
        raise Unreadable("it does not carry the certificate of its signer")
    if not signed_by(signer, signature, tlv(_SET, attributes)):
        raise Unreadable("its signature does not verify")
    _require_signer(signer, certificates, one_certificate(root), at)
    return Stated(at=at, signer=signer)


def _read(message: bytes) -> tuple[tuple[x509.Certificate, ...], bytes, bytes, bytes]:
    """Return the certificates, who signed (issuer and serial number), the signed attributes, and the signature."""
    outer = Reader(message)
    whole = outer.sequence()
    outer.end()
    _require(whole.value(_OBJECT_IDENTIFIER, "type") == _SIGNED_DATA)
    explicit = Reader(whole.value(_EXPLICIT_0, "content"))
    whole.end()
    body = explicit.sequence()
    explicit.end()
    _require(body.integer() == 1)
    _require(body.value(_SET, "digest algorithms") == _SHA256)
    _require(body.value(_SEQUENCE, "kind of content") == _DATA)
    certificates = Reader(body.value(_EXPLICIT_0, "certificates"))
    found = []
    while certificates.more:
        found.append(tlv(_SEQUENCE, certificates.value(_SEQUENCE, "certificate")))
    infos = Reader(body.value(_SET, "signers"))
    body.end()
    info = infos.sequence()
    infos.end()
    _require(info.integer() == 1)
    signed = info.value(_SEQUENCE, "signer")
    _require(tlv(_SEQUENCE, info.value(_SEQUENCE, "digest algorithm")) == _SHA256)
    attributes = info.value(_EXPLICIT_0, "signed attributes")
    _require(tlv(_SEQUENCE, info.value(_SEQUENCE, "algorithm")) == _ECDSA_SHA256)
    signature = info.value(_OCTET_STRING, "signature")
    info.end()
    return several_certificates(found), signed, attributes, signature


def _attributes(octets: bytes) -> dict[bytes, bytes]:
    """Return the four signed attributes by their kinds, each with its one value."""
    reader, found = Reader(octets), dict[bytes, bytes]()
    while reader.more:
        each = reader.sequence()
        kind = each.value(_OBJECT_IDENTIFIER, "kind of attribute")
        _require(kind not in found)
        found[kind] = each.value(_SET, "value of an attribute")
        each.end()
    _require(found.keys() == {_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME, _SIGNING_CERTIFICATE})
    _require(found[_CONTENT_TYPE] == _DATA)
    return found


def _instant(octets: bytes) -> datetime:
    """Return a Time: UTCTime through 2049, GeneralizedTime from then on (RFC 5652, 11.3)."""
    reader = Reader(octets)
    if not reader.follows(_UTC_TIME):
        at = reader.instant()
        _require(at.year >= _LAST_OF_UTC_TIME)
    else:
        said = reader.value(_UTC_TIME, "instant").decode("ascii", "replace")
        _require(_UTC.fullmatch(said) is not None)
        at = Reader(tlv(_GENERALIZED_TIME, f"{'20' if said < '50' else '19'}{said}".encode("ascii"))).instant()
    reader.end()
    return at


def _named(octets: bytes) -> bytes:
    """Return the SHA-256 of the signer's certificate that SigningCertificateV2 names, and no other (RFC 5035)."""
    outer = Reader(octets)
    whole = outer.sequence()
    outer.end()
    every = whole.sequence()
    whole.end()
    one = every.sequence()
    every.end()
    digest = one.octets(hashlib.sha256().digest_size)
    one.end()
    return digest


def _identity(certificate: x509.Certificate) -> bytes:
    """Return issuer and serial number as a signer is named by them."""
    number = certificate.serial_number
    return certificate.issuer.public_bytes() + tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def _require_signer(
    signer: x509.Certificate, certificates: Sequence[x509.Certificate], root: x509.Certificate, at: datetime
) -> None:
    """Require the profile of a statement signer: signs and nothing else, without a usage of others; and its path."""
    policies = policies_of(signer)
    environment: Environment = "test" if says_test(root) else "live"
    if len(policies) != 1 or not policies[0].dotted_string.endswith(_POLICY[environment]):
        raise Unreadable("its signer does not carry the policy of the environment, and only that")
    other = unknown_critical(signer.extensions, _KNOWN)
    if not only_signs(signer) or extension(signer.extensions, x509.ExtendedKeyUsage) is not None or other:
        raise Unreadable("its signer is no statement signer")
    path = find_path(signer, certificates, root, at=at, policy=policies[0], environment=environment)
    if path.failures:
        raise Unreadable(path.failures[0].detail.rstrip("."))
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise Unreadable("its signer was not valid when it signed")


def _require(good: bool) -> None:  # noqa: FBT001 - a condition, as an assertion has it
    if not good:
        raise DerMalformed("another form")
