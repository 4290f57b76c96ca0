"""An answer as octets."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from api.status.exchange import Pieces, Reply, lines_of
from front.service import Stream

PIECE = 32 * 1024
"""Octets of an answer that are handed on at a time: what a slow reader leaves lying is never more."""

PIECES = 16
"""Handed on before others have their turn: for half a millisecond, or until the kernel takes no more."""

_NO_LENGTH = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def date_line(date: str) -> bytes:
    """Return the Date field; it is the same for a whole second."""
    return f"Date: {date}\r\n".encode("ascii")


def head_of(reply: Reply, *, date: bytes, keep: bool) -> bytes:
    """Return the head of an answer.

    HEAD gets the fields of GET (RFC 9110, 9.3.2), so the length is that of the body even where none is sent.

    Args:
        reply: the answer.
        date: the Date field, as `date_line` writes it.
        keep: whether the connection stays.

    Raises:
        ValueError: a field would end its line.
    """
    lines = reply.lines or lines_of(reply.status, reply.headers)
    length = b"" if reply.status in _NO_LENGTH else b"Content-Length: %d\r\n" % reply.length
    return b"".join((lines, length, date, b"\r\n" if keep else b"Connection: close\r\n\r\n"))


def begun(
    head: bytes, reply: Reply, *, bare: bool, cut: Callable[[], None]
) -> tuple[bytes, Iterator[bytes | memoryview] | None]:
    """Return what is handed on first, and the rest piece by piece; None if there is none.

    Args:
        head: of the answer.
        reply: the answer.
        bare: whether it goes without its body.
        cut: ends the connection, when what is left of the body is not to be had any more: whoever reads must see it.
    """
    if bare or reply.status == HTTPStatus.NOT_MODIFIED:
        return head, None
    if reply.pieces is not None:
        return head, in_pieces(reply.pieces, cut)
    if len(reply.body) <= PIECE:
        return head + reply.body, None
    body = memoryview(reply.body)
    return head, (body[place : place + PIECE] for place in range(0, len(body), PIECE))


def begun_stream(stream: Stream, *, date: bytes) -> bytes:
    """Return the head of an answer that goes on, and what it begins with."""
    lines = stream.head.lines or lines_of(stream.head.status, stream.head.headers)
    return b"".join((lines, date, b"Connection: close\r\n\r\n", stream.first))


def in_pieces(pieces: Pieces, cut: Callable[[], None]) -> Iterator[bytes | memoryview]:
    """Return a long body piece by piece.

    Args:
        pieces: the body.
        cut: ends the connection, when what is left of the body is not to be had any more.
    """
    try:
        for each in pieces.octets:
            yield b"".join(each)
    except OSError:
        cut()
