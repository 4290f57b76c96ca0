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


def cut(tbs: bytes) -> Iterator[Cut]:
    """Yield the entries of a list in their order (RFC 5280, 5.1).

    Args:
        tbs: TBSCertList, DER.

    Raises:
        ValueError: it has another structure.
    """
    at, ends = _inside(tbs, 0, _SEQUENCE)
    seen_times = False
    while at < ends and not (seen_times and tbs[at] not in _TIMES):
        seen_times = seen_times or tbs[at] in _TIMES
        at = _inside(tbs, at, tbs[at])[1]
    if at >= ends or tbs[at] != _SEQUENCE:
        return  # no entries: extensions follow, or nothing
    at, ends = _inside(tbs, at, _SEQUENCE)
    place = 0
    while at < ends:
        # An entry has some forty octets, so that both lengths have the short form (X.690, 8.1.3.4).
        header = tbs[at : at + 4]
        if len(header) < 4 or header[::2] != _ENTRY or header[1] >= _LONG:
            raise ValueError("an entry that no list of ours has")
        begins, stops, after = at + 4, at + 4 + header[3], at + 2 + header[1]
        if not begins < stops <= after <= ends:
            raise ValueError("an entry that is longer than it says")
        yield Cut(int.from_bytes(tbs[begins:stops], "big", signed=True), tbs[at:after], place)
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
