"""One HTTP exchange as values: what was asked, what goes back, conditional requests, caching. No server in it."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from api import problems
from api.status.refused import Refused
from core.instants import ONE_SECOND

MAX_AGE_SECONDS = 3600
"""No reply of ours is kept by a cache for longer than an hour, however long its signature holds."""

_INSTANTS = 4096
"""Instants whose date is kept: answers are signed many in a second, and end together."""

_NOT_IN_304 = frozenset({"content-type", "content-length"})


_MOST_RANGES = 20
"""Of a field Accept that are looked at; browsers send eight."""

_WEIGHT = re.compile(r"(?:^|;)\s*q=([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)

_log = logging.getLogger(__name__)


_NOTHING: Mapping[str, str] = MappingProxyType({})

_SET_BY_WHO_SENDS = frozenset({"content-length", "connection", "date", "transfer-encoding"})
_STATUS_LINES = {int(each): f"HTTP/1.1 {int(each)} {each.phrase}" for each in HTTPStatus}


class Asked(NamedTuple):
    """One request, whole. A tuple, as one is made for each: it takes a third of the time of a frozen dataclass.

    Args:
        method: as it was sent; methods are case-sensitive (RFC 9110, 9.1).
        path: percent-decoded once, as UTF-8; what is not UTF-8 has become U+FFFD.
        query: as it was sent, without the question mark.
        fields: the header fields by name in lower case; of a name that came several times, its lines joined by commas.
        body: all of it. Empty for what goes to the API, which reads its body from a stream.
        peer: the address of whoever asks.
    """

    method: str
    path: str
    query: str = ""
    fields: Mapping[str, str] = _NOTHING
    body: bytes = b""
    peer: str = ""

    def with_body(self, body: bytes) -> "Asked":
        """Return the same request with its body."""
        return Asked(self.method, self.path, self.query, self.fields, body, self.peer)


@dataclass(frozen=True)
class Pieces:
    """A long body, whose octets are held elsewhere as well: it is never put together, whoever reads it how slowly.

    Args:
        octets: what is handed on together, 64 KiB at most or one answer, each in parts.
        length: of all of it.
    """

    octets: Sequence[Sequence[bytes]]
    length: int


class Streamed:
    """Pieces as an application of WSGI hands them on; whoever sends them takes them for what they are.

    Args:
        pieces: the body.
    """

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is handed on together."""
        return (b"".join(each) for each in self.pieces.octets)


class Reply(NamedTuple):
    """What goes back.

    Args:
        status: the HTTP status code.
        body: the octets; not sent for HEAD.
        headers: all but Content-Length.
        refused: the refusals of access that it tells; whoever sends it has them logged.
        lines: `lines_of` status and headers, where whoever made it has them ready; empty where not.
        pieces: the octets instead, where they are many.
    """

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()
    refused: tuple[Refused, ...] = ()
    lines: bytes = b""
    pieces: Pieces | None = None

    @property
    def length(self) -> int:
        """How many octets its body has."""
        return len(self.body) if self.pieces is None else self.pieces.length


def lines_of(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return status line and header fields as octets, but for the fields that whoever sends an answer sets.

    Args:
        status: the HTTP status code.
        headers: names and values.

    Raises:
        ValueError: a field would end its line.
    """
    lines = [_STATUS_LINES.get(status, f"HTTP/1.1 {status} ")]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _SET_BY_WHO_SENDS]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a header field would end its line")
    return f"{text}\r\n".encode("latin-1", "replace")


def refusal(error: Exception, *refused: Refused) -> Reply:
    """Return what an error is answered with: its problem document (api/problems.py).

    Args:
        error: whatever was raised.
        refused: the refusal of access that it is, if it is one.
    """
    status, described = problems.problem(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("a request failed", exc_info=error)
    return Reply(status, problems.encode(described), problems.headers(status), refused=refused)


def conditional(asked: Asked, reply: Reply) -> Reply:
    """Return 304 in place of a reply whose ETag the client already has (RFC 9110, 13.1.2).

    Dates are not compared (13.1.3): a list or an answer is dated before it is published, and two may be of one second,
    so that by its date a client would be told that it has what it has not.
    """
    have = asked.fields.get("if-none-match")
    if not have or reply.status != HTTPStatus.OK:
        return reply
    tag = next((value for name, value in reply.headers if name == "ETag"), None)
    if tag is None:
        return reply
    # Weak comparison: both tags without their W/ (RFC 9110, 8.8.3.2). Our tags contain no comma.
    known = {one.strip().removeprefix("W/") for one in have.split(",")}
    if "*" not in known and tag.removeprefix("W/") not in known:
        return reply
    kept = [(name, value) for name, value in reply.headers if name.lower() not in _NOT_IN_304]
    return Reply(HTTPStatus.NOT_MODIFIED, b"", kept)


def liking(asked: Asked, media_type: str) -> float:
    """Return how much a client likes a media type, 0 to 1 (RFC 9110, 12.5.1), as far as it is understood.

    Args:
        asked: the request.
        media_type: `text/csv`, without parameters.
    """
    ranges = {"*/*": 1, media_type.partition("/")[0] + "/*": 2, media_type: 3}
    exact, liked = 0, 0.0
    for each in asked.fields.get("accept", "").split(",")[:_MOST_RANGES]:
        named, _, parameters = each.partition(";")
        rank = ranges.get(named.strip().lower(), 0)
        weight = _WEIGHT.search(parameters)
        if rank > exact:
            exact, liked = rank, 1.0 if weight is None else float(weight[1])
    return liked


def seconds_to_keep(now: datetime, most: int, *ends: datetime | None) -> int:
    """Return a max-age: at most `most` seconds, and over before each of `ends` (those that are known)."""
    left = [(end - now - ONE_SECOND) // ONE_SECOND for end in ends if end is not None]
    return max(0, min([most, *left]))


@lru_cache(maxsize=_INSTANTS)
def http_date(at: datetime) -> str:
    """Return an instant in the form of HTTP's date fields (RFC 9110, 5.6.7)."""
    return format_datetime(at, usegmt=True)
