"""The client of the people's command line: one authority over HTTP, with the API key of one person.

A problem document becomes an error that says what to do. A write carries an Idempotency-Key, so that an answer that
got lost is asked for again and nothing is done twice.
"""

import hashlib
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx

from core.canonical import read_json
from core.errors import InputUnusable, ServiceAddressUnsafe, ServiceAnswerMalformed, ServiceRefused, ServiceUnreachable
from ra.views import view_of
from verify.kit.terminal import harmless

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 300.0
"""A report over all approvals, or a batch of 100,000 lines, is worked on before the first octet comes back."""

ANSWER_LIMIT = 256 * 1024 * 1024
"""Octets of an answer: the results of 100,000 lines fit several times."""

CA_VARIABLE = "TRIALCPA_CA_FILE"
"""Names who signs the TLS certificate of a service that has it of nobody whom everybody trusts."""

ATTEMPTS = 3
BETWEEN_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 5.0
"""How long a Retry-After is waited for at most, before the refusal is told instead."""

PAGE = 100
"""Rows asked for at once; the service allows as many (ra/views.py, LARGEST_PAGE)."""

_WORDS = 2_000
_FILE_NAME = re.compile(r'filename="([A-Za-z0-9][A-Za-z0-9._-]{0,120})"')
_MALFORMED = ValueError

V = TypeVar("V")


class _Page(Protocol):
    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=_Page)


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched.

    Args:
        body: its octets.
        content_type: as answered.
        name: the file name that the service proposes, if it is a harmless one.
    """

    body: bytes
    content_type: str
    name: str | None


class Client:
    """One person's way to one authority. A context manager: it holds connections open.

    Every method raises ServiceRefused (a problem document, in its own words), ServiceUnreachable (no answer, after
    several attempts) or ServiceAnswerMalformed.

    Args:
        base_url: `https://…`, or `http://…` on this machine.
        api_key: sent as a bearer credential.
        ca_file: PEM of the authority that signed its TLS certificate, instead of those that everybody trusts.
        sleep: waits some seconds between two attempts.

    Raises:
        ServiceAddressUnsafe: the key would travel in the clear.
        InputUnusable: the CA file holds no certificate that can be read.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        ca_file: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        require_safe(self.base_url)
        self._sleep = sleep
        # A redirect could carry the credential elsewhere, and nothing here is ever moved.
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            verify=True if ca_file is None else _trusting(ca_file),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def show(self, kind: type[V], path: str, **query: str | int | None) -> V:
        """Return what the service shows, as the view that its use case answers with."""
        answer = self._ask("GET", path, query, accept="application/json")
        return _view(kind, answer, self.base_url + path)

    def do(self, kind: type[V], path: str, body: Mapping[str, object], **query: str | None) -> V:
        """Do something, once; return its outcome."""
        return _view(kind, self._written("POST", path, body, query), self.base_url + path)

    def do_once(self, kind: type[V], path: str, body: Mapping[str, object]) -> V:
        """Do something that is not done again however often it is asked for: the key is made of what is sent."""
        key = hashlib.sha256(f"{path}\n{json.dumps(body, sort_keys=True)}".encode()).hexdigest()
        return _view(kind, self._written("POST", path, body, {}, key), self.base_url + path)

    def change(self, kind: type[V], path: str, body: Mapping[str, object]) -> V:
        """Change something, once; return its outcome."""
        return _view(kind, self._written("PATCH", path, body, {}), self.base_url + path)

    def hand_in(self, kind: type[V], path: str, octets: bytes, content_type: str, **query: str | int | None) -> V:
        """Send a file as it is; return the outcome. What takes files knows a file that it has."""
        answer = self._ask("POST", path, query, octets=octets, content_type=content_type, accept="application/json")
        return _view(kind, answer, self.base_url + path)

    def pages(self, kind: type[P], path: str, **query: str | int | None) -> Iterator[P]:
        """Return every page of a list."""
        after: str | None = None
        while True:
            page = self.show(kind, path, **query, limit=PAGE, after=after)
            yield page
            after = page.next
            if not after:
                return

    def fetch(self, path: str, accept: str, **query: str | int | None) -> Fetched:
        """Return a file in the form asked for."""
        answer = self._ask("GET", path, query, accept=accept)
        named = _FILE_NAME.search(answer.headers.get("Content-Disposition", ""))
        return Fetched(answer.content, answer.headers.get("Content-Type", ""), named[1] if named else None)

    def _written(
        self, method: str, path: str, body: Mapping[str, object], query: Mapping[str, str | None], key: str = ""
    ) -> httpx.Response:
        octets = json.dumps(body).encode("ascii")
        return self._ask(
            method,
            path,
            query,
            octets=octets,
            content_type="application/json",
            accept="application/json",
            once=key or uuid4().hex,
        )

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None],
        *,
        octets: bytes = b"",
        content_type: str | None = None,
        accept: str,
        once: str = "",
    ) -> httpx.Response:
        headers = {"Accept": accept}
        if content_type is not None:
            headers["Content-Type"] = content_type
        if once:
            headers["Idempotency-Key"] = once  # the same for each attempt
        params = {name: value for name, value in query.items() if value is not None}
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._received(method, path, params, headers, octets)
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
                if last:
                    raise ServiceUnreachable(url=self.base_url, detail=_why(error)) from error
                self._sleep(BETWEEN_SECONDS * attempt)
                continue
            wait = _asked_to_wait(answer)
            if wait is None or last:
                return _granted(answer)
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _received(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int],
        headers: Mapping[str, str],
        octets: bytes,
    ) -> httpx.Response:
        url = self.base_url + path
        with self._http.stream(method, url, params=params, headers=headers, content=octets) as response:
            received = bytearray()
            for piece in response.iter_bytes():
                received += piece
                if len(received) > ANSWER_LIMIT:
                    raise ServiceAnswerMalformed(url=url, detail=f"it is larger than {ANSWER_LIMIT:,} octets")
        kept = {
            name: response.headers[name]
            for name in ("Content-Type", "Content-Disposition", "Retry-After")
            if name in response.headers
        }
        return httpx.Response(response.status_code, headers=kept, content=bytes(received))


def path(*parts: str) -> str:
    """Return the address `/v1/…` of these parts; what a person typed can be no address of its own."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def require_safe(base_url: str) -> None:
    """Check that an API key may be sent there: by https, or without leaving this machine; ServiceAddressUnsafe."""
    try:
        split = urlsplit(base_url)
        host = split.hostname or ""
    except ValueError:
        raise ServiceAddressUnsafe(url=base_url, detail="it is not an address") from None
    if split.scheme not in {"http", "https"} or not host or split.query or split.fragment or "@" in split.netloc:
        raise ServiceAddressUnsafe(url=base_url, detail="it is not of the form https://host")
    if split.scheme == "http" and not _is_here(host):
        raise ServiceAddressUnsafe(url=base_url, detail="the API key would travel in the clear")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _why(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return _why_not_connected(error)
        case httpx.TimeoutException():
            return "it took too long"
        case _:
            return type(error).__name__


def _why_not_connected(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = harmless(cause.verify_message)
            return f"its TLS certificate is not trusted ({said}); {CA_VARIABLE} names a PEM file of who signed it"
        if isinstance(cause, ssl.SSLError):
            return f"there is no TLS with it ({harmless(cause.reason or 'no reason is given')})"
        cause = cause.__cause__ or cause.__context__
    return "nobody listens there"


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError, where there is no PEM in it, is one of these
        raise InputUnusable(
            path=ca_file, detail=f"{CA_VARIABLE} names no PEM file of certificates ({error.strerror or error})."
        ) from None


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """How long to wait before asking again; None if that would not help."""
    if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
        return None
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_WAIT_SECONDS) if said.isascii() and said.isdigit() else BETWEEN_SECONDS


def _granted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        said = read_json(answer.content)
    except _MALFORMED:
        said = None
    problem = said if isinstance(said, dict) else {}
    raise ServiceRefused(
        status=answer.status_code,
        problem=_words(problem, "code") or f"http-{answer.status_code}",
        detail="\n  ".join([_words(problem, "detail") or "It did not say why.", *_findings(problem)]),
        advice=_words(problem, "hint") or "Ask the authority's operator.",
    )


def _findings(problem: Mapping[str, object]) -> list[str]:
    listed = problem.get("findings")
    return [
        f"- {_words(each, 'detail')} {_words(each, 'remedy')} ({_words(each, 'clause')}, {_words(each, 'code')})"
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    ]


def _words(problem: Mapping[str, object], name: str) -> str:
    said = problem.get(name)
    return harmless(said)[:_WORDS] if isinstance(said, str) else ""


def _view(kind: type[V], answer: httpx.Response, url: str) -> V:
    try:
        return view_of(kind, answer.content)
    except ValueError as error:
        raise ServiceAnswerMalformed(url=url, detail=f"it is not JSON as {kind.__name__} is described") from error
