"""An application of WSGI (PEP 3333) behind the front: requests and answers are handed on whole, or in pieces."""

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from api.status.exchange import Asked, Pieces, Reply, Streamed
from api.status.refused import ENVIRON

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def call(application: "WSGIApplication", asked: Asked, body: BinaryIO, length: int) -> Reply:
    """Have an application answer a request. What is Streamed goes on as it is; all else is taken whole.

    It is told the length of the body that has come, however that was sent; there is nothing to wait for in it.

    Args:
        application: whatever it raises comes through.
        asked: the request.
        body: the body, from its beginning.
        length: its octets.
    """
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None, /) -> Any:  # noqa: ANN401 - PEP 3333
        started.append((int(status[:3]), headers))
        return lambda _: None

    environ = _environ(asked, body, length)
    result = application(environ, start_response)
    if isinstance(result, Streamed):
        status, headers = started[-1]
        return Reply(status, b"", headers, refused=tuple(environ.get(ENVIRON, ())), pieces=result.pieces)
    try:
        octets = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    # HEAD is told the length that GET would have (RFC 9110, 9.3.2): the application says it, and makes no body.
    bare = Pieces((), _length(headers)) if asked.method == "HEAD" and not octets else None
    return Reply(status, octets, headers, refused=tuple(environ.get(ENVIRON, ())), pieces=bare)


def _length(headers: list[tuple[str, str]]) -> int:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), 0)


def _environ(asked: Asked, body: BinaryIO, length: int) -> dict[str, Any]:
    host, port = _host(asked.fields.get("host", ""))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": asked.path.encode().decode("latin-1"),
        "QUERY_STRING": asked.query,
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": asked.peer,
        "CONTENT_TYPE": asked.fields.get("content-type", ""),
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in asked.fields.items():
        if name not in {"content-type", "content-length", "transfer-encoding", "connection", "expect"}:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def _host(field: str) -> tuple[str, str]:
    """Return host and port of a Host field; colons within brackets are an address of IPv6's (RFC 3986, 3.2.2)."""
    host, end, rest = field.partition("]") if field.startswith("[") else ("", "", field)
    name, _, port = rest.partition(":")
    return host + end + name, port
