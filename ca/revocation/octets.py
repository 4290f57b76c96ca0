"""The entries of a CRL as the octets that they are: what stood in a list that was read before needs no reading.

`cryptography` has read the whole list before, so that it is known to be one; here it is only cut into its entries.
"""

from collections.abc import Iterator
from typing import NamedTuple

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x17, 0x18
_ENTRY = b"\x30\x02"
"""The tags with which an entry begins: SEQUENCE, and in it INTEGER."""

_LONG, _MOST_LENGTH_OCTETS = 0x80, 4
_TIMES = frozenset((_UTC_TIME, _GENERALIZED_TIME))


class Cut(NamedTuple):
    """One entry of a list.

    Args:
        serial: its serial number.
        octets: all of it, DER.
        place: in the list, from 0.
    """

    serial: int
    octets: bytes
    place: int


def to_be_signed(der: bytes) -> memoryview:
    """Return TBSCertList as it stands in a list; `cryptography` would write it again, entry by entry.

    Args:
        der: the list, which `cryptography` could read.

    Raises:
        ValueError: it has another structure.
    """
    begins, _ = _inside(der, 0, _SEQUENCE)
    return memoryview(der)[begins : _inside(der, begins, _SEQUENCE)[1]]


def shows(der: bytes, tbs: bytes) -> bool:
    """Return whether a list has these to-be-signed octets and no others; ValueError if it has another structure."""
    begins, _ = _inside(der, 0, _SEQUENCE)
    return _inside(der, begins, _SEQUENCE)[1] - begins == len(tbs) and der.startswith(tbs, begins)


def listed_in(der: bytes) -> tuple[int, int]:
    """Return where the entries of a list begin and end; twice the same if it has none; ValueError as in `cut`."""
    return _listed(der, _inside(der, 0, _SEQUENCE)[0])


def _listed(octets: bytes, at: int) -> tuple[int, int]:
    """Return the same of a TBSCertList that begins somewhere (RFC 5280, 5.1)."""
    at, ends = _inside(octets, at, _SEQUENCE)
    seen_times = False
    while at < ends and not (seen_times and octets[at] not in _TIMES):
        seen_times = seen_times or octets[at] in _TIMES
        at = _inside(octets, at, octets[at])[1]
    if at >= ends or octets[at] != _SEQUENCE:
        return at, at  # no entries: extensions follow, or nothing
    return _inside(octets, at, _SEQUENCE)


def cut(der: bytes) -> Iterator[Cut]:
    """Yield the entries of a list in their order.

    Args:
        der: the list.

    Raises:
        ValueError: it has another structure.
    """
    return cut_apart(der, *listed_in(der))


def cut_apart(octets: bytes, begins: int, ends: int) -> Iterator[Cut]:
    """Yield the entries that stand somewhere one behind another, each with its place among them.

    Args:
        octets: among which they stand.
        begins: where.
        ends: behind the last.

    Raises:
        ValueError: something else stands there.
    """
    at, place = begins, 0
    while at < ends:
        # An entry has some forty octets, so that both lengths have the short form (X.690, 8.1.3.4).
        header = octets[at : at + 4]
        if len(header) < 4 or header[::2] != _ENTRY or header[1] >= _LONG:
            raise ValueError("an entry that no list of ours has")
        serial, stops, after = at + 4, at + 4 + header[3], at + 2 + header[1]
        if not serial < stops <= after <= ends:
            raise ValueError("an entry that is longer than it says")
        yield Cut(int.from_bytes(octets[serial:stops], "big", signed=True), octets[at:after], place)
        at, place = after, place + 1


def _inside(der: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the contents of an element begin and end; ValueError if it has another tag, or does not fit."""
    try:
        found, size, begins = der[at], der[at + 1], at + 2
    except IndexError:
        raise ValueError("it ends too early") from None
    if size >= _LONG:
        octets = size & ~_LONG
        begins += octets
        size = int.from_bytes(der[at + 2 : begins], "big")
        if not 0 < octets <= _MOST_LENGTH_OCTETS:
            raise ValueError("a length that no list of ours has")
    if found != tag or begins + size > len(der):
        raise ValueError("an element of another kind, or longer than the list")
    return begins, begins + size
