"""An answer as octets."""

from http import HTTPStatus

from api.status.exchange import Reply, lines_of

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
    length = b"" if reply.status in _NO_LENGTH else b"Content-Length: %d\r\n" % len(reply.body)
    return b"".join((lines, length, date, b"\r\n" if keep else b"Connection: close\r\n\r\n"))
