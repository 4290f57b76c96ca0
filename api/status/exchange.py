"""One HTTP exchange over plain WSGI (PEP 3333): body within a limit, reply, conditional requests, caching."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

from core.errors import BodyMalformed, BodyTooLarge
from core.instants import ONE_SECOND

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

MAX_AGE_SECONDS = 3600
"""No reply of ours is kept by a cache for longer than an hour, however long its signature holds."""

_NOT_IN_304 = frozenset({"content-type", "content-length"})


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class Reply:
    """What goes back.

    Args:
        status: the HTTP status code.
        body: the octets; not sent for HEAD.
        headers: all but Content-Length.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


def send(reply: Reply, method: str, start_response: "StartResponse") -> Iterable[bytes]:
    """Send a reply; HEAD gets the header fields of GET and no body (RFC 9110, 9.3.2)."""
    headers = list(reply.headers)
    if reply.status != HTTPStatus.NOT_MODIFIED:
        headers.append(("Content-Length", str(len(reply.body))))
    start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
    return [] if method == "HEAD" or not reply.body else [reply.body]


def read_body(environ: "WSGIEnvironment", limit: int) -> bytes:
    """Return the request's body.

    Args:
        environ: the WSGI environment.
        limit: octets; no more than one beyond it is ever read.

    Raises:
        BodyTooLarge: announced or found to be larger than `limit`.
        BodyMalformed: a length that is no number, or fewer octets than announced.
    """
    announced = environ.get("CONTENT_LENGTH") or ""
    stream = cast("_Readable", environ["wsgi.input"])
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise BodyMalformed(detail="its Content-Length is not a number")
        # Compared by length first: thousands of digits make int() raise.
        if len(announced.lstrip("0")) > len(str(limit)) or int(announced) > limit:
            raise BodyTooLarge(limit=limit)
        body = _read(stream, int(announced))
        if len(body) != int(announced):
            raise BodyMalformed(detail="it ends before its Content-Length")
        return body
    if not (environ.get("wsgi.input_terminated") or environ.get("HTTP_TRANSFER_ENCODING")):
        return b""  # without a length and without chunks there is no body (RFC 9112, 6.3), and reading would hang
    body = _read(stream, limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit=limit)
    return body


def conditional(environ: "WSGIEnvironment", reply: Reply) -> Reply:
    """Return 304 in place of a reply whose ETag the client already has (RFC 9110, 13.1.2)."""
    have = environ.get("HTTP_IF_NONE_MATCH")
    tag = next((value for name, value in reply.headers if name == "ETag"), None)
    if not have or tag is None or reply.status != HTTPStatus.OK:
        return reply
    # Weak comparison: both tags without their W/ (RFC 9110, 8.8.3.2). Our tags contain no comma.
    known = {one.strip().removeprefix("W/") for one in have.split(",")}
    if "*" not in known and tag.removeprefix("W/") not in known:
        return reply
    kept = [(name, value) for name, value in reply.headers if name.lower() not in _NOT_IN_304]
    return Reply(HTTPStatus.NOT_MODIFIED, b"", kept)


def seconds_to_keep(now: datetime, most: int, *ends: datetime | None) -> int:
    """Return a max-age: at most `most` seconds, and over before each of `ends` (those that are known)."""
    left = [(end - now - ONE_SECOND) // ONE_SECOND for end in ends if end is not None]
    return max(0, min([most, *left]))


def http_date(at: datetime) -> str:
    """Return an instant in the form of HTTP's date fields (RFC 9110, 5.6.7)."""
    return format_datetime(at, usegmt=True)


def _read(stream: _Readable, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0:
        try:
            piece = stream.read(size)
        except (OSError, ValueError):
            raise BodyMalformed(detail="the connection ended within it") from None
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
