"""An answer as octets."""

from http import HTTPStatus

from api.status.exchange import Reply

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
        lines.append(f"Content-Length: {len(reply.body)}")
    lines.append(f"Date: {date}")
    if not keep:
        lines.append("Connection: close")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header field would end its line")
    return f"{head}\r\n\r\n".encode("latin-1", "replace")
