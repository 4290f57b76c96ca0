"""The second front: a service (service.py) as an application of WSGI, for a server that listens on a Unix socket.

A server of WSGI waits for a body without a deadline, on a thread. So there is a proxy before it that hands on whole
requests only (deploy/nginx.conf), and no address that anybody else could reach. What the service answers is the same
as behind the first front, octet by octet.
"""

import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from api.status.exchange import Asked, Reply, refusal
from core.errors import BodyTooLarge
from front.head import METHODS, about_body
from front.refusals import refused
from front.service import Later, Service, Stream, Turn

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

_NO_LENGTH = (int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED))
_STATUS = {int(each): f"{int(each)} {each.phrase}" for each in HTTPStatus}
_VARIABLES = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in ("authorization", "if-none-match", "host")}
_VARIABLES |= {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_HTTP = "HTTP_"


class Fields(Mapping[str, str]):
    """Header fields as they stand in the environ of a request: read when they are asked for, as few are.

    Args:
        environ: of PEP 3333. A name with an underscore is none that the proxy lets through.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        """Return a field's value, by its name in lower case."""
        return str(self._environ[_VARIABLES.get(name) or _HTTP + name.upper().replace("-", "_")])

    def get(self, name: str, default: Any = None, /) -> Any:  # noqa: ANN401 - as Mapping's
        """Return a field's value, or a default."""
        return self._environ.get(_VARIABLES.get(name) or _HTTP + name.upper().replace("-", "_"), default)

    def __iter__(self) -> Iterator[str]:
        """Yield the names that there are."""
        for name in self._environ:
            if name.startswith(_HTTP):
                yield name.removeprefix(_HTTP).lower().replace("_", "-")
            elif name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                yield name.lower().replace("_", "-")

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(1 for _ in self)


class SecondFront:
    """What a server of WSGI calls for each request, on one of its threads.

    Args:
        service: what is behind it; another one may take its place while it runs.
        waiting: threads that may wait for the register. The server has more: whoever asks about the present finds one.
    """

    def __init__(self, service: Service, *, waiting: int) -> None:
        self.service = service
        self._room = threading.BoundedSemaphore(waiting)

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        method = environ["REQUEST_METHOD"]
        try:
            reply = self._answered(method, environ)
        except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
            reply = refusal(error)
        status, body, headers, _, _, pieces = reply
        said = _STATUS.get(status) or f"{status} "
        if status in _NO_LENGTH:
            start_response(said, list(headers))
            return []
        length = len(body) if pieces is None else pieces.length
        start_response(said, [*headers, ("Content-Length", str(length))])
        if method == "HEAD":
            return []
        return [body] if pieces is None else (b"".join(each) for each in pieces.octets)

    def _answered(self, method: str, environ: Mapping[str, Any]) -> Reply:
        if method not in METHODS:
            return refused("method-unknown")
        path = environ["PATH_INFO"]
        if not path.isascii():
            path = path.encode("latin-1").decode("utf-8", "replace")
        asked = Asked(method, path, environ["QUERY_STRING"], Fields(environ))
        if "HTTP_TRANSFER_ENCODING" in environ or "HTTP_CONTENT_ENCODING" in environ or "HTTP_EXPECT" in environ:
            wrong = about_body(asked.fields, "1.1")
            if wrong is not None:
                return wrong
        limit = self.service.admit(asked)
        if isinstance(limit, Reply):
            return limit
        announced = environ.get("CONTENT_LENGTH")
        if announced and int(announced) > limit:
            return refusal(BodyTooLarge(limit=limit))
        if announced or "HTTP_TRANSFER_ENCODING" in environ:
            body = environ["wsgi.input"].read(limit + 1)
            if len(body) > limit:
                return refusal(BodyTooLarge(limit=limit))
            asked = asked.with_body(body)
        answered = self.service.at_once(asked)
        if isinstance(answered, Later | Stream):
            answered = answered.at_last()  # who waits would hold a thread: nobody does, and wait is as if it were 0
        return answered if isinstance(answered, Reply) else self._worked(answered, asked)

    def _worked(self, turn: Turn, asked: Asked) -> Reply:
        if not self._room.acquire(blocking=False):
            return refused("busy")
        try:
            return self.service.work(turn, asked, io.BytesIO(asked.body), len(asked.body))
        finally:
            self._room.release()
