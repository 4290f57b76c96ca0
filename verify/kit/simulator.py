"""An authority that is none: a small HTTP server with a log of its own, told on its address what to do.

`POST /simulate` takes {"grant": NUMBER}, {"revoke": APPROVAL, "seconds_ago": S}, {"wrong": WORD} or {"delay": S}. It
serves the log with its proofs and tiles, the register with its signature, certificates, lists, OCSP and `/v1/verify`.
"""

import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from verify.kit.canonical import canonical, read
from verify.kit.holding import Holding
from verify.kit.instants import moment, text
from verify.kit.simulated import Log, Wrong, granted, revoked
from verify.kit.simulated_ca import ARC, LIST_HOURS, Authority
from verify.kit.stopped import Stopped

_ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
_INTO_SIGNATURE = 30
"""Octets behind the algorithm at which a signature surely is."""

_CERTIFICATE = re.compile(r"/v1/approvals/([A-Z0-9-]{1,64})/certificate")

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
        self.authority = Authority(self.base, self.now() - timedelta(days=1))
        self.certificates: dict[str, bytes] = {}
        self._at = self._answers()

    @property
    def base(self) -> str:
        """Where it is asked."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def told(self, said: dict[str, Any]) -> None:
        """Do what is said; ValueError or KeyError if it is not understood."""
        with self.grown:
            if "grant" in said:
                document = granted(int(said["grant"]), self.clock() - int(said.get("seconds_ago", 0)))
                certificate = self.authority.certificate(document).public_bytes(Encoding.DER)
                document["certificates"][0]["sha256"] = hashlib.sha256(certificate).hexdigest()
                self.certificates[document["approval"]] = certificate
                self.log.add(self.clock(), document)
            elif "revoke" in said:
                at = self.clock() - int(said.get("seconds_ago", 0))
                self.log.add(self.clock(), revoked(self.log.document(str(said["revoke"])), at))
            elif "wrong" in said:
                self.log.wrong = Wrong(said["wrong"])
            else:
                self.delay = float(said["delay"])
            self.grown.notify_all()

    def now(self) -> datetime:
        """Return the present instant."""
        return moment(text(self.clock()))

    def answered(self, path: str, asked: Mapping[str, str]) -> bytes:
        """Return what is at a path that anybody may read.

        Raises:
            KeyError, ValueError: nothing is.
        """
        if path.startswith("/tile/"):
            return self.log.tile(path.removeprefix("/tile/"))
        approval = _CERTIFICATE.fullmatch(path)
        if approval is not None:
            return _pem(self.certificates[approval[1]], self.authority.issuing.public_bytes(Encoding.DER))
        return self._at[path](asked)

    def _answers(self) -> Mapping[str, Callable[[Mapping[str, str]], bytes]]:
        authority, log = self.authority, self.log
        named = {"name": log.key.name, "verifier_key": str(log.key)}

        def listed(_asked: Mapping[str, str]) -> bytes:
            return self._spoilt(authority.crl(log.documents, self._dated(Wrong.LIST_STALE)), Wrong.LIST_SIGNATURE)

        def stated(_asked: Mapping[str, str]) -> bytes:
            return self._spoilt(authority.stated(log.register(), self.now()), Wrong.REGISTER_SIGNATURE)

        return {
            "/v1/authority": lambda _: canonical({"environment": "test", "arc": ARC, "log": named}),
            "/v1/checkpoint": lambda _: log.note().encode("utf-8"),
            "/v1/register": lambda _: log.register(),
            "/v1/register.p7s": stated,
            "/v1/proofs/inclusion": lambda said: log.inclusion(int(said["row"]), int(said.get("size", len(log.rows)))),
            "/v1/proofs/consistency": lambda said: log.consistency(int(said["from"]), int(said["to"])),
            "/ca/root.cer": lambda _: authority.root.public_bytes(Encoding.DER),
            "/ca/issuing.cer": lambda _: authority.issuing.public_bytes(Encoding.DER),
            "/crl/issuing.crl": listed,
            "/crl/root.crl": lambda _: authority.root_crl(self.now()),
        }

    def posted(self, path: str, body: bytes) -> bytes:
        """Return the answer to what was sent.

        Raises:
            KeyError, ValueError, TypeError, Stopped: it is not understood.
        """
        match path:
            case "/simulate":
                self.told(read(body))
                return canonical({"key": str(self.log.key)})
            case "/ocsp":
                at = self._dated(Wrong.ANSWER_STALE)
                return self._spoilt(self.authority.answer(body, self.log.documents, at), Wrong.ANSWER_SIGNATURE)
            case "/v1/verify":
                holding = Holding(0)
                holding.take(self.log.documents.values(), self.clock())
                return json.dumps(dict(holding.asked(read(body), self.clock()).members)).encode("ascii")
        raise KeyError(path)

    def _dated(self, wrong: Wrong) -> datetime:
        return self.now() - (timedelta(hours=2 * LIST_HOURS) if self.log.wrong is wrong else timedelta(0))

    def _spoilt(self, octets: bytes, wrong: Wrong) -> bytes:
        """Return octets, or with one bit of them changed, in the signature at their end or before the certificates."""
        if self.log.wrong is not wrong:
            return octets
        place = len(octets) - 2 if wrong is Wrong.LIST_SIGNATURE else octets.index(_ECDSA_SHA256) + _INTO_SIGNATURE
        return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]


def _pem(*certificates: bytes) -> bytes:
    return b"".join(ssl.DER_cert_to_PEM_cert(each).encode("ascii") for each in certificates)


class _Handler(BaseHTTPRequestHandler):
    server: Simulator

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        time.sleep(self.server.delay)
        if where.path == "/v1/feed":
            self._answer(HTTPStatus.OK, self._feed(asked))
            return
        try:
            self._answer(HTTPStatus.OK, self.server.answered(where.path, asked))
        except (KeyError, ValueError):
            self._answer(HTTPStatus.NOT_FOUND, b"{}")

    def do_POST(self) -> None:
        try:
            body = self.rfile.read(min(int(self.headers["Content-Length"]), _LONGEST_BODY))
            time.sleep(0 if self.path == "/simulate" else self.server.delay)
            self._answer(HTTPStatus.OK, self.server.posted(self.path, body))
        except (KeyError, ValueError, TypeError, Stopped):
            self._answer(HTTPStatus.BAD_REQUEST, b"{}")

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
