"""What the library reads and must not be accepted: looked for in the octets themselves, around what it parsed.

Each of these is read by widely used software in two ways, or by some and not by others: extensions in a certificate
or a list of version 1, serial numbers that are zero, negative or too long, points that are not written uncompressed,
signatures with unused bits (RFC 5280, 4.1.2.1, 4.1.2.2, 5.1.2.1; RFC 5480, 2.2; X.690, 11.2).
"""

from verify.kit.evidence.der import DerMalformed, Reader

LONGEST_SERIAL = 20
"""Octets of a serial number (RFC 5280, 4.1.2.2)."""

_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
_OBJECT_IDENTIFIER, _OCTET_STRING, _ENUMERATED, _EXPLICIT_0 = 0x06, 0x04, 0x0A, 0xA0
_VERSION_3, _VERSION_2 = bytes.fromhex("020102"), b"\x01"
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_UNCOMPRESSED = b"\x04"


def check_certificate(der: bytes) -> None:
    """Refuse a certificate with one of these defects (DerMalformed). Ours have extensions: only version 3 will do."""
    outer = Reader(der).sequence()
    body = outer.sequence()
    if not body.follows(_VERSION) or body.value(_VERSION, "version") != _VERSION_3:
        raise DerMalformed("its version is not 3")
    _check_serial(body.value(_INTEGER, "serial number"))
    for name in ("algorithm", "issuer", "validity", "subject"):
        body.value(_SEQUENCE, name)
    _check_key(body.sequence())
    _check_signature(outer)


def check_crl(der: bytes) -> None:
    """Refuse a list with one of these defects (DerMalformed). Ours have extensions: only version 2 will do."""
    outer = Reader(der).sequence()
    body = outer.sequence()
    if not body.follows(_INTEGER) or body.value(_INTEGER, "version") != _VERSION_2:
        raise DerMalformed("its version is not 2")
    _check_signature(outer)


def check_answer(der: bytes) -> None:
    """Refuse a successful OCSP response whose signature has bits that nobody uses (DerMalformed; RFC 6960, 4.2.1)."""
    outer = Reader(der).sequence()
    outer.value(_ENUMERATED, "status")
    body = Reader(outer.value(_EXPLICIT_0, "response")).sequence()
    body.value(_OBJECT_IDENTIFIER, "type")
    basic = Reader(body.value(_OCTET_STRING, "basic response")).sequence()
    basic.value(_SEQUENCE, "what is signed")
    basic.value(_SEQUENCE, "algorithm")
    basic.bits()


def _check_serial(octets: bytes) -> None:
    if not any(octets):
        raise DerMalformed("its serial number is zero")
    if octets[0] & 0x80:
        raise DerMalformed("its serial number is negative")
    if len(octets) > LONGEST_SERIAL:
        raise DerMalformed(f"its serial number has {len(octets)} octets")


def _check_key(key: Reader) -> None:
    algorithm = key.value(_SEQUENCE, "algorithm")
    point = key.bits()
    if algorithm.startswith(_EC_PUBLIC_KEY) and not point.startswith(_UNCOMPRESSED):
        # The hybrid forms of X9.62 (6 and 7) say twice what may differ.
        raise DerMalformed("its public key is not an uncompressed point")


def _check_signature(outer: Reader) -> None:
    outer.value(_SEQUENCE, "algorithm")
    outer.bits()
    outer.end()
