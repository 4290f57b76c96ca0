"""The lines of an export (`trialcpa audit export`), read one after the other: no line and no list may be too large.

An export is not believed: it stops at the first line that is none, that names a member twice or is longer than a line
may be, and where its end is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from core.canonical import read_json
from verify.kit.evidence.parsing import CRL_LIMIT, Unreadable

LONGEST_LINE = 16 * 1024 * 1024
"""Octets of a line; the proposal to revoke 100,000 approvals together has two million."""

Said = Mapping[str, Any]


def read_lines(stream: BinaryIO) -> Iterator[Said]:
    """Give what the lines of an export say, up to its last.

    Args:
        stream: of octets; it is read once, a line at a time.

    Raises:
        Unreadable: a line is none of an export's, or the last one is missing.
    """
    number, ended = 0, False
    while octets := stream.readline(LONGEST_LINE + 1):
        number += 1
        if ended:
            raise Unreadable(f"line {number} stands behind its last line")
        said = read_line(octets, number)
        ended = said["is"] == "end"
        if ended and said.get("lines") != number:
            raise Unreadable(f"its last line says that it has {said.get('lines')} lines, and it has {number}")
        yield said
    if not ended:
        raise Unreadable(f"it breaks off after line {number}: its last line is missing")


def read_line(octets: bytes, number: int) -> Said:
    """Return what one line says.

    Args:
        octets: it, with its end.
        number: its own, for people.

    Raises:
        Unreadable: it is none of an export's.
    """
    if len(octets) > LONGEST_LINE:
        raise Unreadable(f"line {number} has more than {LONGEST_LINE} octets")
    if not octets.endswith(b"\n"):
        raise Unreadable(f"line {number} breaks off")
    try:
        said = read_json(octets, once_each=True)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {number} is no JSON ({error})") from None
    if not isinstance(said, dict) or not isinstance(said.get("is"), str):
        raise Unreadable(f"line {number} does not say what it is")
    return said


class Parts:
    """Octets that come on several lines, up to as many as a list may have."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def add(self, octets: bytes) -> None:
        """Add some; Unreadable beyond what a list may have."""
        if len(self._octets) + len(octets) > CRL_LIMIT:
            raise Unreadable(f"a list has more than {CRL_LIMIT} octets")
        self._octets += octets

    def taken(self) -> bytes:
        """Return what was added, and begin anew."""
        octets, self._octets = bytes(self._octets), bytearray()
        return octets
