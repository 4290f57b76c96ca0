"""DER written a second time, on purpose without ca/: two writers that agree are evidence, one that agrees with itself
is none. It writes our own values only and reads nothing (X.690, 10).
"""

from datetime import datetime
from functools import lru_cache

from cryptography import x509

CONTEXT_0 = 0xA0
CONTEXT_1 = 0xA1
CONTEXT_2 = 0xA2
CONTEXT_3 = 0xA3
BIT_STRING = 0x03
SEQUENCE = 0x30
UTC_TIME = 0x17

_KNOWN = 1_024
"""Instants and lengths that are remembered written: a thousand answers signed together have a handful of each."""


def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, shortest length and content."""
    return _header(tag, len(content)) + content


@lru_cache(maxsize=_KNOWN)
def _header(tag: int, size: int) -> bytes:
    if size < 0x80:
        return bytes([tag, size])
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length


def sequence(*parts: bytes) -> bytes:
    """Return SEQUENCE of the parts."""
    return tlv(SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    """Return INTEGER in the fewest octets; `value` is not negative."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(value: x509.ObjectIdentifier) -> bytes:
    """Return OBJECT IDENTIFIER (X.690, 8.19)."""
    first, second, *rest = (int(part) for part in value.dotted_string.split("."))
    octets = bytearray()
    for part in (first * 40 + second, *rest):
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(part & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return tlv(0x06, bytes(octets))


def utf8(value: str) -> bytes:
    """Return UTF8String."""
    return tlv(0x0C, value.encode("utf-8"))


def octets(value: bytes) -> bytes:
    """Return OCTET STRING."""
    return tlv(0x04, value)


@lru_cache(maxsize=_KNOWN)
def generalized_time(at: datetime) -> bytes:
    """Return GeneralizedTime without fractions (RFC 5280, 4.1.2.5.2). `at` is aware UTC."""
    return tlv(0x18, (f"{at.year:04d}" + at.strftime("%m%d%H%M%SZ")).encode())


@lru_cache(maxsize=_KNOWN)
def time(at: datetime) -> bytes:
    """Return UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). `at` is aware UTC."""
    return tlv(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode()) if at.year < 2050 else generalized_time(at)


def extension(identifier: x509.ObjectIdentifier, value: bytes, *, critical: bool) -> bytes:
    """Return Extension (RFC 5280, 4.1). FALSE is the default of `critical` and not written (X.690, 11.5)."""
    return sequence(oid(identifier), b"\x01\x01\xff" if critical else b"", octets(value))
