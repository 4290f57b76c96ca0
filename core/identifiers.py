"""Identifiers: of approvals, serials and devices; each has one textual form, produced here."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NewType

from core.errors import DeviceIdMalformed, IdentifierMalformed, SerialMalformed
from core.plain_text import trimmed

Serial = NewType("Serial", str)
"""A certificate's serial number as 32 upper-case hexadecimal digits (16 octets)."""

Environment = Literal["test", "live"]


def environment_named(name: str) -> Environment:
    """Return which authority a name is of: that of a test authority begins with TEST, and no other's does."""
    return "test" if name.startswith("TEST ") else "live"


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS = len(_ALPHABET)
_PREFIX: dict[Environment, str] = {"live": "TDA", "test": "TDT"}
_SHAPE = re.compile(r"(TDA|TDT)([0-9]{4})([0-9]{4,7})([0-9A-Z])")
_LONGEST = 64
LARGEST_NUMBER = 9_999_999
"""Numbers have four digits and grow to seven; the Code expects tens of approvals a year."""


def check_character(body: str) -> str:
    """Return the ISO 7064 MOD 37-36 check character over upper-case letters and digits."""
    product = _MODULUS
    for character in body:
        total = (product + _ALPHABET.index(character)) % _MODULUS or _MODULUS
        product = total * 2 % (_MODULUS + 1)
    return _ALPHABET[(_MODULUS + 1 - product) % _MODULUS]


@dataclass(frozen=True, order=True)
class ApprovalIdentifier:
    """The identifier code of F2.25: unique to the Trial Device and the Trial Device Approval.

    Args:
        environment: live (`TDA`) or test (`TDT`).
        year: the year in which it was reserved.
        number: counted per year from 1; never used twice.
    """

    environment: Environment
    year: int
    number: int

    def __str__(self) -> str:
        prefix, number = _PREFIX[self.environment], f"{self.number:04d}"
        return f"{prefix}-{self.year:04d}-{number}-{check_character(f'{prefix}{self.year:04d}{number}')}"

    @classmethod
    def parse(cls, value: str) -> "ApprovalIdentifier":
        """Read an identifier without regard to case, spaces or hyphens.

        Raises:
            IdentifierMalformed: another shape, or a wrong check character. The right one is never suggested:
                whoever mistypes must look again, not accept our guess.
        """
        if len(value) > _LONGEST:
            raise IdentifierMalformed(value=value[:_LONGEST])
        squeezed = "".join(value.split()).replace("-", "").upper()
        shape = _SHAPE.fullmatch(squeezed) if squeezed.isascii() else None
        if shape is None or check_character(squeezed[:-1]) != squeezed[-1]:
            raise IdentifierMalformed(value=value)
        prefix, year, number, _ = shape.groups()
        if len(number) > 4 and number.startswith("0"):
            raise IdentifierMalformed(value=value)
        return cls("live" if prefix == "TDA" else "test", int(year), int(number))


SERIAL_OCTETS = 16
"""RFC 5280 (4.1.2.2) allows 20; the industry's own PKI uses 16."""


def new_serial(random: Callable[[int], bytes] = secrets.token_bytes) -> Serial:
    """Return a fresh serial: 16 octets, positive, 126 random bits.

    The top two bits are fixed to 01: the number is positive and always has 16 octets, however it is written.

    Args:
        random: gives that many random octets; a test hands in its own.
    """
    octets = bytearray(random(SERIAL_OCTETS))
    octets[0] = (octets[0] & 0x3F) | 0x40
    return Serial(octets.hex().upper())


_HEX = re.compile("[0-9A-F]+")
_LONGEST_HEX = 40
"""Digits of the 20 octets of RFC 5280 (4.1.2.2)."""

# 5.3E+37 is what a spreadsheet makes of a long number, and of an identifier that happens to look like one.
_SCIENTIFIC = re.compile(r"[0-9]+([.,][0-9]+)?E[+-]?[0-9]{1,3}")
_SERIAL_LABEL = re.compile(r"(SERIAL(\s*NUMBER)?\s*[=:]\s*|0X)", re.IGNORECASE)
_ROUNDED = "a spreadsheet has made a number of it, and its last digits are lost"


def parse_serial(value: str) -> Serial:
    """Read a serial as people paste it: hex with or without colons, spaces, 0x or `serial=`, either case.

    Up to 32 digits are hexadecimal, also where none of them is a letter.

    Raises:
        SerialMalformed: not hexadecimal, empty, or longer than the 20 octets of RFC 5280 (4.1.2.2); what is decimal,
            or was rounded by a spreadsheet, is told as that.
    """
    pasted = trimmed(value).upper()
    labelled = _SERIAL_LABEL.match(pasted)
    written = pasted[labelled.end() :] if labelled else pasted
    squeezed = "".join(written.split()).replace(":", "")
    if _HEX.fullmatch(squeezed) and len(squeezed) <= _LONGEST_HEX and not _is_decimal(written):
        return Serial(squeezed.lstrip("0").rjust(SERIAL_OCTETS * 2, "0"))
    raise SerialMalformed(value=value[:_LONGEST], detail=_no_serial(written))


def _is_decimal(written: str) -> bool:
    """Whether it is a number in decimal: of one piece, and longer than what has 16 octets in hexadecimal."""
    return written.isascii() and written.isdigit() and len(written) > SERIAL_OCTETS * 2


def _no_serial(written: str) -> str:
    if _SCIENTIFIC.fullmatch(written) and not _HEX.fullmatch(written):
        return _ROUNDED
    if _is_decimal(written) and len(written) < _LONGEST and int(written).bit_length() <= _LONGEST_HEX * 4:
        return f"it looks decimal, and would be {serial_of(int(written))} in hexadecimal"
    if _HEX.fullmatch(written):
        return f"it has more than {_LONGEST_HEX} digits"
    return "it is not hexadecimal" if written else "it is empty"


def serial_of(number: int) -> Serial:
    """Return the textual form of a serial number."""
    return Serial(f"{number:0{SERIAL_OCTETS * 2}X}")


def serial_number(serial: Serial) -> int:
    """Return the number that a serial's text stands for."""
    return int(serial, 16)


_EUI64 = re.compile(r"[0-9A-F]{2}(-[0-9A-F]{2}){7}|[0-9A-F]{2}(:[0-9A-F]{2}){7}|[0-9A-F]{16}")


def parse_device_id(value: str) -> str:
    """Return an EUI-64 in upper case, `00-DB-12-34-56-78-90-01` (DUIS 5.4, sr:EUI).

    Args:
        value: eight pairs of hexadecimal digits, joined by hyphens, by colons or by nothing; blanks around them.

    Raises:
        DeviceIdMalformed: anything else; what a spreadsheet has rounded is told as that.
    """
    written = trimmed(value).upper()
    if _EUI64.fullmatch(written):
        digits = written.replace("-", "").replace(":", "")
        return "-".join(digits[place : place + 2] for place in range(0, len(digits), 2))
    raise DeviceIdMalformed(value=value[:_LONGEST], detail=_no_device_id(written))


def _no_device_id(written: str) -> str:
    if _SCIENTIFIC.fullmatch(written):
        return _ROUNDED
    if written.isascii() and written.isdigit() and len(written) > _EUI64_DIGITS:
        return "it looks decimal"
    return "it does not have eight pairs of hexadecimal digits" if written else "it is empty"


_EUI64_DIGITS = 16
