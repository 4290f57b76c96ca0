"""An answer as octets."""

from collections.abc import Iterator
from http import HTTPStatus

from api.status.exchange import Reply

PIECE = 32 * 1024
"""Octets of an answer that are handed on at a time: what a slow reader leaves lying is never more."""

PIECES = 16
"""Handed on before others have their turn: for half a millisecond, or until the kernel takes no more."""

_NO_LENGTH = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_OURS = frozenset({"content-length", "connection", "date", "transfer-encoding"})
_LINES = {int(each): f"HTTP/1.1 {int(each)} {each.phrase}" for each in HTTPStatus}


def head_of(reply: Reply, *, date: str, keep: bool) -> bytes:
    """Return the head of an answer.

    HEAD gets the fields of GET (RFC 9110, 9.3.2), so the length is that of the body even where none is sent.

    Args:
        reply: the answer.
        date: the Date field's value.
        keep: whether the connection stays.

    Raises:
        ValueError: a field would end its line.
    """
    lines = [_LINES.get(reply.status, f"HTTP/1.1 {reply.status} ")]
    lines += [f"{name}: {value}" for name, value in reply.headers if name.lower() not in _OURS]
    if reply.status not in _NO_LENGTH:
        lines.append(f"Content-Length: {reply.length}")
    lines.append(f"Date: {date}")
    if not keep:
        lines.append("Connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header field would end its line")
    return f"{head}\r\n\r\n".encode("latin-1", "replace")


def begun(head: bytes, reply: Reply, *, bare: bool) -> tuple[bytes, Iterator[bytes | memoryview] | None]:
    """Return what is handed on first, and the rest piece by piece; None if there is none.

    Args:
        head: of the answer.
        reply: the answer.
        bare: whether it goes without its body.
    """
    if bare:
        return head, None
    if reply.pieces is not None:
        return head, (b"".join(each) for each in reply.pieces.octets)
    if len(reply.body) <= PIECE:
        return head + reply.body, None
    body = memoryview(reply.body)
    return head, (body[place : place + PIECE] for place in range(0, len(body), PIECE))
