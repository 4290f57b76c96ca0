"""Certificates of strangers: recognised by their exact bytes; issuer name and serial number prove nothing.

Strangers' are not parsed. What is ours is found by its digest, and what is not is not worth understanding: the
industry's own PKI has certificates that cryptography refuses to read (NULL parameters in ECDSA), and they too are
simply not issued here. Only what does not even have the outline of a certificate is called malformed. What is found is
read: whoever can write rows can write another certificate's digest under a serial of ours.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from core.errors import CertificateMalformed
from core.identifiers import Serial, serial_of

_BEGIN = "-----BEGIN "
_FIRST, _LAST = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_BLOCK = re.compile("-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\\s]*)-----END CERTIFICATE-----")

# RFC 5280, 4.1: tbsCertificate is a SEQUENCE, signatureAlgorithm a SEQUENCE, signatureValue a BIT STRING.
_SEQUENCE, _BIT_STRING = 0x30, 0x03
_OUTLINE = (_SEQUENCE, _SEQUENCE, _BIT_STRING)


def der_of(pem: str) -> bytes:
    """Return the DER of the one certificate in `pem`.

    The bytes are those between the armour, not a new encoding of what was understood: a changed bit that a reader
    tolerates is a changed certificate all the same.

    Args:
        pem: one PEM block; text around it is allowed, as openssl x509 -text prints it.

    Raises:
        CertificateMalformed: none, more than one, or bytes without the outline of a certificate.
    """
    blocks = _BLOCK.findall(pem)
    if len(blocks) != 1 or pem.count(_BEGIN) != 1:
        raise CertificateMalformed(detail="it is not exactly one PEM block headed CERTIFICATE")
    armoured = "".join(blocks[0].split())
    try:
        der = base64.b64decode(armoured, validate=True)
    except binascii.Error:
        raise CertificateMalformed(detail="what is between the PEM lines is not base64") from None
    if base64.b64encode(der).decode("ascii") != armoured:
        # RFC 4648, 3.5: a changed bit in the padding would otherwise go unseen.
        raise CertificateMalformed(detail="what is between the PEM lines is not canonical base64")
    if not _has_outline(der):
        raise CertificateMalformed(detail="the PEM block does not hold a certificate, or not a whole one")
    return der


def armoured_in(pem: str) -> str:
    """Return what stands between the armour of a PEM that is one block and nothing else, without its line ends.

    Nothing is checked of it: whoever finds the same text where `armoured` has written it has the same certificate.

    Returns:
        An empty text where there is more, or something else.
    """
    block = pem.strip("\r\n")
    if not block.startswith(_FIRST) or not block.endswith(_LAST):
        return ""
    return block[len(_FIRST) : -len(_LAST)].replace("\r", "").replace("\n", "")


def armoured(der: bytes) -> str:
    """Return DER as it stands between the armour of PEM (RFC 7468, 3), in one line."""
    return binascii.b2a_base64(der, newline=False).decode("ascii")


def fingerprint_in(armour: str) -> str:
    """Return the lower-case hex SHA-256 of what is armoured; of anything else an empty text."""
    try:
        return hashlib.sha256(binascii.a2b_base64(armour)).hexdigest()
    except ValueError:
        return ""


def is_ours(der: bytes, serial: Serial, issuers: Iterable[bytes]) -> bool:
    """Return whether these bytes carry a serial and are signed by an issuing CA: it is what the register says it is.

    Args:
        der: a certificate that the register has under this serial.
        serial: the serial.
        issuers: certificates of issuing CAs, DER.
    """
    return _is_signed(der, serial, tuple(issuers))


@lru_cache(maxsize=1024)  # the same ones are asked about again and again, and a signature costs more than all the rest
def _is_signed(der: bytes, serial: Serial, issuers: tuple[bytes, ...]) -> bool:
    try:
        parsed = x509.load_der_x509_certificate(der)
        if serial_of(parsed.serial_number) != serial:
            return False
    except ValueError:
        return False
    return any(_signed_by(parsed, each) for each in issuers)


def _signed_by(parsed: x509.Certificate, issuer: bytes) -> bool:
    try:
        parsed.verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _has_outline(der: bytes) -> bool:
    """Return whether these octets are one SEQUENCE of the three elements that a certificate is made of."""
    outer = _element(der, 0, len(der))
    if outer is None or outer[0] != _SEQUENCE or outer[2] != len(der):
        return False
    at = outer[1]
    tags: list[int] = []
    while at < len(der) and len(tags) <= len(_OUTLINE):
        inner = _element(der, at, len(der))
        if inner is None:
            return False
        tags.append(inner[0])
        at = inner[2]
    return tuple(tags) == _OUTLINE


def _element(der: bytes, at: int, end: int) -> tuple[int, int, int] | None:
    """Return tag, start and end of the contents of the element at `at`; None if it does not end by `end`."""
    if at + 2 > end:
        return None
    tag, length, start = der[at], der[at + 1], at + 2
    if length >= 0x80:
        # X.690, 8.1.3.5: the low bits count the octets of the length. Four are more than we ever read.
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            return None
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    return (tag, start, start + length) if start + length <= end else None
