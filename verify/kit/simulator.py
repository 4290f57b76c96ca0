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
from contextlib import suppress
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
from verify.kit.status import Document
from verify.kit.stopped import Stopped

_ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
_INTO_SIGNATURE = 30
"""Octets behind the algorithm at which a signature surely is."""

_CERTIFICATE = re.compile(r"/v1/approvals/([A-Z0-9-]{1,64})/certificate")

_JSON = "application/json"
_KINDS = (
    (re.compile(r"/tile/.*"), "application/octet-stream"),  # C2SP tlog-tiles
    (_CERTIFICATE, "application/pem-certificate-chain"),  # RFC 8555, 9.1
    (re.compile(r"/v1/checkpoint"), "text/plain; charset=utf-8"),
    (re.compile(r"/v1/register\.p7s"), "application/pkcs7-signature"),  # RFC 8551, 3.2.1
    (re.compile(r"/ca/.*"), "application/pkix-cert"),  # RFC 2585, 4.1
    (re.compile(r"/crl/.*"), "application/pkix-crl"),  # RFC 2585, 4.2
    (re.compile(r"/ocsp"), "application/ocsp-response"),  # RFC 6960, A.1
)
"""What a right answer is, by its path; anything else is JSON."""

_ACTS: Mapping[str, frozenset[str]] = {
    "grant": frozenset({"seconds_ago"}),
    "revoke": frozenset({"seconds_ago"}),
    "wrong": frozenset(),
    "delay": frozenset(),
}
"""What it can be told, each with what may be said beside it."""

_MOST_NAMED = 10
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
        """Do what is said; ValueError, with a sentence for people, if it is not understood."""
        act = _act(said)
        with self.grown:
            if act == "grant":
                document = granted(_number(said, "grant"), self.clock() - _number(said, "seconds_ago"))
                certificate = self.authority.certificate(document).public_bytes(Encoding.DER)
                document["certificates"][0]["sha256"] = hashlib.sha256(certificate).hexdigest()
                self.certificates[document["approval"]] = certificate
                self.log.add(self.clock(), document)
            elif act == "revoke":
                self.log.add(self.clock(), revoked(self._granted(said), self.clock() - _number(said, "seconds_ago")))
            elif act == "wrong":
                self.log.wrong = _wrong(said["wrong"])
            elif isinstance(said["delay"], int | float) and said["delay"] >= 0:
                self.delay = float(said["delay"])
            else:
                raise ValueError("delay is a number of seconds")
            self.grown.notify_all()

    def introduced(self) -> str:
        """Return where it is, what its log's key is, and a line that revokes, for whoever starts it."""
        first = min(self.log.documents, default=None)
        act = {"grant": 1} if first is None else {"revoke": first, "seconds_ago": 5}
        does = "grants one" if first is None else "revoked five seconds ago"
        return (
            f"The simulator is an authority at --base {self.base}; verify/README.md names what it can be told.\n"
            f"Its log's key: --log-key {self.log.key}\n"
            f"To be told ({does}): curl -s {self.base}/simulate -d '{json.dumps(act)}'\n"
        )

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

    def _granted(self, said: Mapping[str, Any]) -> Document:
        if said["revoke"] not in list(self.log.documents):
            there = ", ".join(sorted(self.log.documents)[:_MOST_NAMED]) or "none"
            raise ValueError(f"{said['revoke']!r} was not granted here; of those that were the first are: {there}")
        return self.log.document(said["revoke"])

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


def _act(said: object) -> str:
    """Return the one thing that is said; ValueError if it is none, or another."""
    acts = [each for each in _ACTS if isinstance(said, dict) and each in said]
    if not isinstance(said, dict) or len(acts) != 1:
        raise ValueError(f"say one of {', '.join(_ACTS)}, as the member of an object")
    strange = sorted(said.keys() - {acts[0]} - _ACTS[acts[0]])
    if strange:
        raise ValueError(f"beside {acts[0]} may be said: {', '.join(_ACTS[acts[0]]) or 'nothing'}; not {strange[0]!r}")
    return acts[0]


def _number(said: Mapping[str, Any], name: str) -> int:
    number = said.get(name, 0)
    if type(number) is not int or number < 0:
        raise ValueError(f"{name} is a whole number, and not below 0")
    return number


def _wrong(word: object) -> Wrong:
    try:
        return Wrong(word)  # type: ignore[arg-type]  # whatever it is, it is looked up
    except ValueError:
        raise ValueError(f"{word!r} is not among the words: {', '.join(Wrong)}") from None


def _kind_of(path: str) -> str:
    return next((kind for form, kind in _KINDS if form.fullmatch(path)), _JSON)


def _refusal(detail: object) -> bytes:
    return f"{json.dumps({'detail': str(detail)})}\n".encode("ascii")


def _pem(*certificates: bytes) -> bytes:
    return b"".join(ssl.DER_cert_to_PEM_cert(each).encode("ascii") for each in certificates)


class _Handler(BaseHTTPRequestHandler):
    server: Simulator

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        time.sleep(self.server.delay)
        try:
            body = self._feed(asked) if where.path == "/v1/feed" else self.server.answered(where.path, asked)
            self._answer(HTTPStatus.OK, body, _kind_of(where.path))
        except (KeyError, ValueError):
            self._answer(HTTPStatus.NOT_FOUND, _refusal(f"There is nothing at {self.path[:200]}."))

    def do_POST(self) -> None:
        try:
            body = self.rfile.read(min(int(self.headers["Content-Length"]), _LONGEST_BODY))
            time.sleep(0 if self.path == "/simulate" else self.server.delay)
            self._answer(HTTPStatus.OK, self.server.posted(self.path, body), _kind_of(self.path))
        except KeyError:
            self._answer(HTTPStatus.NOT_FOUND, _refusal(f"Nothing is sent to {self.path[:200]}."))
        except (ValueError, TypeError, Stopped) as error:
            self._answer(HTTPStatus.BAD_REQUEST, _refusal(f"It is not understood: {error}."))

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

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "application/problem+json") -> None:
        with suppress(ConnectionError):  # whoever asked may have gone: it was told to be late
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
