"""A strict reader of DER (X.690, 10 and 11) for the one extension that no library knows, and for outlines.

Only what TrialDeviceApproval is made of, and values that are passed over; the rest is refused. Untrusted bytes come
here, so every length is checked before it is used, and the only exception is DerMalformed.
"""

from datetime import UTC, datetime

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
UTF8_STRING = 0x0C
GENERALIZED_TIME = 0x18

LONGEST_INTEGER = 8
"""Octets of a whole number: issues and limits are far below, and Python prints huge numbers very slowly."""
_LONGEST_LENGTH = 4
"""Octets of a long-form length."""


class DerMalformed(ValueError):
    """Bytes that are not the DER that is asked for."""


class Reader:
    """Reads values one after another; the caller says which type comes next.

    Args:
        data: the octets, all of which must be read before `end`.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def end(self) -> None:
        """Refuse anything that is left (DerMalformed)."""
        if self.more:
            raise DerMalformed(f"{len(self._data) - self._at} octets too many")

    def follows(self, tag: int) -> bool:
        """Return whether the next value has that tag."""
        return self._data[self._at : self._at + 1] == bytes((tag,))

    def value(self, tag: int, name: str) -> bytes:
        """Return the contents of the next value, which must have that tag; `name` is what people call it."""
        return self._next(tag, name)

    def bits(self) -> bytes:
        """Return the octets of the next BIT STRING, which must use them all (X.690, 8.6.2)."""
        octets = self._next(BIT_STRING, "BIT STRING")
        if octets[:1] != b"\0":
            raise DerMalformed("a BIT STRING with bits that are not used")
        return octets[1:]

    def sequence(self) -> "Reader":
        """Return a reader of the next SEQUENCE's contents."""
        return Reader(self._next(SEQUENCE, "SEQUENCE"))

    def integer(self) -> int:
        """Return the next INTEGER, which must be positive and minimal (X.690, 8.3.2)."""
        octets = self._next(INTEGER, "INTEGER")
        if not octets:
            raise DerMalformed("an INTEGER without octets")
        if len(octets) > LONGEST_INTEGER:
            raise DerMalformed(f"an INTEGER of {len(octets)} octets")
        if octets[0] & 0x80:
            raise DerMalformed("a negative INTEGER")
        if len(octets) > 1 and octets[0] == 0 and not octets[1] & 0x80:
            raise DerMalformed("an INTEGER with a needless octet")
        return int.from_bytes(octets, "big")

    def text(self) -> str:
        """Return the next UTF8String, which must not be empty."""
        octets = self._next(UTF8_STRING, "UTF8String")
        try:
            value = octets.decode("utf-8", errors="strict")
        except UnicodeDecodeError:
            raise DerMalformed("a UTF8String that is not UTF-8") from None
        if not value:
            raise DerMalformed("an empty UTF8String")
        return value

    def octets(self, size: int) -> bytes:
        """Return the next OCTET STRING, which must have exactly `size` octets."""
        octets = self._next(OCTET_STRING, "OCTET STRING")
        if len(octets) != size:
            raise DerMalformed(f"an OCTET STRING of {len(octets)} octets instead of {size}")
        return octets

    def instant(self) -> datetime:
        """Return the next GeneralizedTime: UTC with Z and whole seconds, the only form of RFC 5280 (4.1.2.5.2)."""
        octets = self._next(GENERALIZED_TIME, "GeneralizedTime")
        digits = octets[:-1]
        if len(octets) != 15 or octets[-1:] != b"Z" or any(digit not in b"0123456789" for digit in digits):
            raise DerMalformed("a GeneralizedTime that is not YYYYMMDDHHMMSSZ")
        year, *rest = (int(digits[:4]), *(int(digits[place : place + 2]) for place in range(4, 14, 2)))
        month, day, hour, minute, second = rest
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise DerMalformed("a GeneralizedTime that names no instant") from None

    def _next(self, tag: int, name: str) -> bytes:
        if not self.more:
            raise DerMalformed(f"ends where a {name} is expected")
        if self._data[self._at] != tag:
            raise DerMalformed(f"tag {self._data[self._at]:#04x} where a {name} is expected")
        start = self._at + 1
        length, start = self._length(start)
        if length > len(self._data) - start:
            raise DerMalformed(f"a {name} that is longer than what holds it")
        self._at = start + length
        return self._data[start : self._at]

    def _length(self, at: int) -> tuple[int, int]:
        """Return the length written at `at` and where the contents begin: definite and minimal (X.690, 10.1)."""
        if at >= len(self._data):
            raise DerMalformed("ends before a length")
        first = self._data[at]
        at += 1
        if first < 0x80:
            return first, at
        count = first & 0x7F
        octets = self._data[at : at + count]
        if count == 0:
            raise DerMalformed("an indefinite length")
        if count > _LONGEST_LENGTH or len(octets) < count:
            raise DerMalformed("a length that is too long or cut short")
        length = int.from_bytes(octets, "big")
        if octets[0] == 0 or length < 0x80:
            raise DerMalformed("a length that is not minimal")
        return length, at + count


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return tag, length and contents of a value of our own (X.690, 10.1)."""
    value = b"".join(parts)
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + value
