"""An OCSP answer written again from what was ordered, and the shapes of which one was linted (docs/adr/0043).

Answers of one shape differ in their serial number, their instants and their signature only, so that a linter, which
sees nothing else, says the same of all. Written again octet by octet, no answer has room for anything else.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import SignatureAlgorithmOID

from ca.revocation.ocsp import OcspOrder
from core.approval import RevocationReason
from core.identifiers import serial_number
from core.mirror import HashName
from core.status import Revoked
from policy import der
from policy.expected import key_hash

HASH_OIDS: dict[str, x509.ObjectIdentifier] = {
    "sha1": x509.ObjectIdentifier("1.3.14.3.2.26"),
    "sha256": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"),
}
REASONS = {
    RevocationReason.KEY_COMPROMISE: x509.ReasonFlags.key_compromise,
    RevocationReason.SUPERSEDED: x509.ReasonFlags.superseded,
    RevocationReason.CESSATION_OF_OPERATION: x509.ReasonFlags.cessation_of_operation,
    RevocationReason.PRIVILEGE_WITHDRAWN: x509.ReasonFlags.privilege_withdrawn,
}
BASIC_RESPONSE = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.1")
SUCCESSFUL, GOOD = b"\x0a\x01\x00", b"\x80\x00"

_KNOWN: Final = 256
"""CAs and responders whose parts of an answer are kept, written: an authority has one or two at a time."""

_TYPE = der.oid(BASIC_RESPONSE)
_ALGORITHM = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What answers have in common that differ in serial number, instants and signature only.

    Args:
        issuer_der: the CA that issued the certificate asked about.
        responder_der: who signs, named and embedded.
        hash_name: the hash of the CertID.
        reason: why it was revoked; None where the status is good.
        serial_size: octets of the serial number: all lengths follow from it.
    """

    issuer_der: bytes
    responder_der: bytes
    hash_name: HashName
    reason: RevocationReason | None
    serial_size: int


def shape(order: OcspOrder) -> Shape:
    """Return the shape of the answer that is ordered."""
    reason = None if order.revoked is None else order.revoked.reason
    return Shape(
        issuer_der=order.issuer_der,
        responder_der=order.responder_der,
        hash_name=order.hash_name,
        reason=reason,
        serial_size=len(_serial(order)),
    )


def to_be_signed(order: OcspOrder) -> bytes:
    """Return ResponseData, DER, the only one that an order allows (RFC 6960, 4.2.1).

    Raises:
        ValueError: a certificate of the order cannot be read.
    """
    updated = der.generalized_time(order.this_update)
    single = der.sequence(
        der.sequence(_certificate_of(order.issuer_der, order.hash_name), _serial(order)),
        GOOD if order.revoked is None else _revoked(order.revoked),
        updated,
        der.tlv(der.CONTEXT_0, der.generalized_time(order.next_update)),
    )
    return der.sequence(_responder(order.responder_der), updated, der.sequence(single))


def response(order: OcspOrder, signature: bytes) -> bytes:
    """Return OCSPResponse, DER, the only one that an order and a signature allow.

    Args:
        order: what it says.
        signature: of the responder over `to_be_signed`, verified.
    """
    basic = der.sequence(
        to_be_signed(order),
        _ALGORITHM,
        der.tlv(der.BIT_STRING, b"\x00" + signature),
        der.tlv(der.CONTEXT_0, der.sequence(order.responder_der)),
    )
    return der.sequence(SUCCESSFUL, der.tlv(der.CONTEXT_0, der.sequence(_TYPE, der.octets(basic))))


def public_key_of(certificate: x509.Certificate) -> bytes:
    """Return SubjectPublicKeyInfo, DER."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _serial(order: OcspOrder) -> bytes:
    return der.integer(serial_number(order.serial))


def _revoked(revoked: Revoked) -> bytes:
    return der.tlv(der.CONTEXT_1, der.generalized_time(revoked.at) + _explained(revoked.reason))


@lru_cache(maxsize=len(REASONS))
def _explained(reason: RevocationReason) -> bytes:
    return der.tlv(der.CONTEXT_0, x509.CRLReason(REASONS[reason]).public_bytes())


@lru_cache(maxsize=_KNOWN)
def _certificate_of(issuer_der: bytes, hash_name: HashName) -> bytes:
    """What stands before the serial number in a CertID (RFC 6960, 4.1.1)."""
    issuer = x509.load_der_x509_certificate(issuer_der)
    name = hashlib.new(hash_name, issuer.subject.public_bytes(), usedforsecurity=False).digest()
    return b"".join(
        (
            der.sequence(der.oid(HASH_OIDS[hash_name])),
            der.octets(name),
            der.octets(key_hash(public_key_of(issuer), hash_name)),
        )
    )


@lru_cache(maxsize=_KNOWN)
def _responder(responder_der: bytes) -> bytes:
    named = key_hash(public_key_of(x509.load_der_x509_certificate(responder_der)), "sha1")
    return der.tlv(der.CONTEXT_2, der.octets(named))
