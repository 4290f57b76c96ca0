"""DER of our own values (X.690, 10): a writer, and no reader.

For lists of 100,000 entries and for answers made by the hundred, where a builder of objects is too slow. It writes only
what we computed ourselves; nothing here ever looks at bytes from outside.
"""

from datetime import datetime
from functools import lru_cache

from cryptography import x509

BOOLEAN_TRUE = b"\x01\x01\xff"
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
"""AlgorithmIdentifier 1.2.840.10045.4.3.2 without parameters: NULL there is wrong (RFC 5758, 3.2)."""

_UTC_TIME = b"\x17\x0d"
_KNOWN = 1_024
"""Instants and lengths that are remembered written: a thousand answers signed together have a handful of each."""


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return tag, definite length in the shortest form, and the contents (X.690, 10.1)."""
    if len(parts) == 1:
        return header(tag, len(parts[0])) + parts[0]
    return b"".join((header(tag, sum(map(len, parts))), *parts))


@lru_cache(maxsize=_KNOWN)
def header(tag: int, size: int) -> bytes:
    """Return tag and length of what has so many octets."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def sequence(*parts: bytes) -> bytes:
    """Return SEQUENCE of the parts."""
    return tlv(0x30, *parts)


def explicit(number: int, *parts: bytes) -> bytes:
    """Return the parts under the constructed context tag `number`."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """Return INTEGER of a number that is not negative, in the fewest octets (X.690, 8.3.2)."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octet_string(contents: bytes) -> bytes:
    """Return OCTET STRING."""
    return tlv(0x04, contents)


def bit_string(contents: bytes) -> bytes:
    """Return BIT STRING of whole octets."""
    return tlv(0x03, b"\x00", contents)


def oid(dotted: str) -> bytes:
    """Return OBJECT IDENTIFIER (X.690, 8.19)."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    return tlv(0x06, *map(_base128, (40 * first + second, *rest)))


@lru_cache(maxsize=_KNOWN)
def generalized_time(at: datetime) -> bytes:
    """Return GeneralizedTime in UTC without fractions (RFC 5280, 4.1.2.5.2). `at`: aware UTC, whole seconds."""
    return tlv(0x18, f"{at.year:04d}{at:%m%d%H%M%SZ}".encode("ascii"))


def time(at: datetime) -> bytes:
    """Return Time: UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). `at`: aware UTC."""
    if not 1950 <= at.year < 2050:
        return generalized_time(at)
    written = f"{at.year % 100:02d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}{at.second:02d}Z"
    return _UTC_TIME + written.encode("ascii")


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return Extension (RFC 5280, 4.1).

    Args:
        dotted: extnID.
        value: the DER inside extnValue.
        critical: FALSE is the default and so is not written (X.690, 11.5).
    """
    return sequence(oid(dotted), BOOLEAN_TRUE if critical else b"", octet_string(value))


def uri(location: str) -> bytes:
    """Return GeneralName uniformResourceIdentifier (RFC 5280, 4.2.1.6)."""
    return tlv(0x86, location.encode("ascii"))


def name(value: x509.Name) -> bytes:
    """Return a distinguished name as it stands in the certificate it was read from."""
    return value.public_bytes()


def signed(tbs: bytes, signature: bytes) -> bytes:
    """Return SEQUENCE of the signed bytes, ecdsa-with-SHA256 and the signature: a certificate or a CRL, DER."""
    return sequence(tbs, ECDSA_WITH_SHA256, bit_string(signature))


def _base128(number: int) -> bytes:
    octets = bytearray((number & 0x7F,))
    while number := number >> 7:
        octets.append(0x80 | (number & 0x7F))
    return bytes(reversed(octets))
