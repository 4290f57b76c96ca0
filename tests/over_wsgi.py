"""The web process without a network: the status plane in front of an application, as WSGI, which test clients speak."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from api.status.exchange import Asked, Reply
from api.status.plane import Elsewhere, StatusPlane
from api.status.refused import ENVIRON, Refused

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication


class OverWsgi:
    """Hands what is not status to `behind`; bodies come whole, as the front would hand them on.

    `refused` is what would be logged of the last request.
    """

    def __init__(self, plane: StatusPlane, behind: "WSGIApplication") -> None:
        self._plane = plane
        self._behind = behind
        self.refused: tuple[Refused, ...] = ()

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if self._plane.body_limit(path) is None:
            answered = self._behind(environ, start_response)
            self.refused = tuple(environ.get(ENVIRON, ()))
            return answered
        length = int(environ.get("CONTENT_LENGTH") or 0)
        fields = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            fields["content-type"] = environ["CONTENT_TYPE"]
        asked = Asked(
            method=environ["REQUEST_METHOD"],
            path=path,
            query=environ.get("QUERY_STRING", ""),
            fields=fields,
            body=environ["wsgi.input"].read(length) if length else b"",
        )
        at_once = self._plane.at_once(asked)
        reply = self._plane.from_store(asked)
        assert isinstance(reply, Reply)
        # What is answered at once is what the store would have said too.
        assert at_once in (Elsewhere.STORE, Elsewhere.LONG) or at_once == reply
        self.refused = reply.refused
        headers = list(reply.headers)
        if reply.status != HTTPStatus.NOT_MODIFIED:
            headers.append(("Content-Length", str(reply.length)))
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        if reply.pieces is not None:
            return [b"".join(each) for each in reply.pieces.octets]
        return [] if asked.method == "HEAD" or not reply.body else [reply.body]
