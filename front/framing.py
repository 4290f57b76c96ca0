"""What surrounds a request's head and body and is told by no parser: its protocol's name, and how much frames it."""

import re
from dataclasses import dataclass

HEADS = 1024
"""Octets that are looked at before others have their turn, where a request begins: a hundred would fit a buffer."""

CHUNKS = 2048
"""The same within a body in chunks, each of which may be an octet long."""

SPARE = 64 * 1024
"""Octets by which what frames the chunks of a body may be longer than the body. Whoever means the body, and not the
work that it makes, sends hundreds of octets in a chunk."""


@dataclass
class Framing:
    """What came with one body and is none of it: sizes of chunks, their extensions, the trailer.

    Args:
        at_a_time: octets of it without one of the body; the parser keeps what it has read of a trailer.
    """

    at_a_time: int
    octets: int = 0
    since_body: int = 0

    def take(self, octets: int, of_body: int, body: int) -> str | None:
        """Count what has come.

        Args:
            octets: that have come.
            of_body: how many of them were the body's.
            body: octets of the body until now.

        Returns:
            The code of what is wrong with it (front/refusals.py); None if nothing is.
        """
        more = octets - of_body
        self.octets += more
        self.since_body = more if of_body else self.since_body + more
        if self.since_body > self.at_a_time:
            return "trailer-too-large"
        return "chunks-too-small" if self.octets > body + SPARE else None


class RequestLines:
    """Octets in which requests begin, as they come.

    The parser reads other protocols' request lines too (RTSP, ICE), and tells only the number of their version.
    """

    def __init__(self) -> None:
        self._octets = b""
        self._seen = 0

    def take(self, octets: bytes, *, more: bool) -> None:
        """Look at octets; `more` if a request line has begun in those before and may not have ended there."""
        self._octets, self._seen = (self._octets + octets, self._seen) if more else (octets, 0)

    def protocol(self, target: bytes) -> str:
        """Return the protocol's name in the next line that asks for a target.

        A header field has no blank before its colon: its line is never taken for a request's.
        """
        if b"RTSP/" in self._octets or b"ICE/" in self._octets:
            found = re.compile(rb"[A-Z] +%b +([A-Z]+)/" % re.escape(target)).search(self._octets, self._seen)
            if found is not None:
                self._seen = found.end()
                return found[1].decode()
        return "HTTP"
