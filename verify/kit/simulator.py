"""An authority that is none: a small HTTP server with a log of its own, told on its address what to do.

`POST /simulate` takes {"grant": NUMBER}, {"revoke": APPROVAL, "seconds_ago": S}, {"wrong": WORD} or {"delay": S}.
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from verify.kit.canonical import canonical, read
from verify.kit.simulated import Log, Wrong, granted, revoked

_MOST_ROWS = 1_000
_LONGEST_WAIT = 30.0
_LONGEST_BODY = 65_536


class Simulator(ThreadingHTTPServer):
    """The server.

    Args:
        address: host and port; port 0 is any.
        log: what it tells.
        clock: the present instant, seconds since 1970.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], log: Log, clock: Callable[[], int]) -> None:
        super().__init__(address, _Handler)
        self.log = log
        self.clock = clock
        self.delay = 0.0
        self.grown = threading.Condition()

    @property
    def base(self) -> str:
        """Where it is asked."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def told(self, said: dict[str, Any]) -> None:
        """Do what is said; ValueError or KeyError if it is not understood."""
        with self.grown:
            if "grant" in said:
                self.log.add(self.clock(), granted(int(said["grant"]), self.clock() - int(said.get("seconds_ago", 0))))
            elif "revoke" in said:
                at = self.clock() - int(said.get("seconds_ago", 0))
                self.log.add(self.clock(), revoked(self.log.document(str(said["revoke"])), at))
            elif "wrong" in said:
                self.log.wrong = Wrong(said["wrong"])
            else:
                self.delay = float(said["delay"])
            self.grown.notify_all()


class _Handler(BaseHTTPRequestHandler):
    server: Simulator

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        time.sleep(self.server.delay)
        match where.path:
            case "/v1/feed":
                self._answer(HTTPStatus.OK, self._feed(asked))
            case "/v1/checkpoint":
                self._answer(HTTPStatus.OK, self.server.log.note().encode("utf-8"))
            case "/v1/register":
                self._answer(HTTPStatus.OK, self.server.log.register())
            case _:
                self._answer(HTTPStatus.NOT_FOUND, b"{}")

    def do_POST(self) -> None:
        try:
            self.server.told(read(self.rfile.read(min(int(self.headers["Content-Length"]), _LONGEST_BODY))))
        except (KeyError, ValueError, TypeError):
            self._answer(HTTPStatus.BAD_REQUEST, b"{}")
        else:
            self._answer(HTTPStatus.OK, canonical({"key": str(self.server.log.key)}))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is overridden
        """Say nothing: it is asked thousands of times."""

    def _feed(self, asked: dict[str, str]) -> bytes:
        server, after = self.server, int(asked.get("after", "0"))
        with server.grown:
            server.grown.wait_for(
                lambda: len(server.log.rows) > after or server.log.wrong is not Wrong.NOTHING,
                timeout=min(float(asked.get("wait", "0")), _LONGEST_WAIT),
            )
            return server.log.feed(after, min(int(asked.get("limit", _MOST_ROWS)), _MOST_ROWS))

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
