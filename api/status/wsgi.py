"""The status plane as a WSGI callable in front of the rest of the API.

What it knows it answers from the mirror, without Flask and without the store (questions about the past, or about one
unit, read it once). Everything else goes to the application behind it.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from api import problems
from api.status import fetching, ocsp, page
from api.status.exchange import MAX_AGE_SECONDS, Reply, conditional, read_body, seconds_to_keep, send
from api.status.questions import QUESTION_LIMIT, about_approval, parse_question
from api.status.snapshot import Mirror, Snapshot
from api.status.verify import answer
from core.actors import Role
from core.canonical import Json
from core.errors import (
    BodyMalformed,
    CredentialInvalid,
    CredentialMissing,
    IdentifierMalformed,
    OperationNotPermitted,
    RequestMalformed,
    RequestTooLarge,
    StatusStale,
)
from core.identifiers import ApprovalIdentifier
from core.instants import parse as parse_instant

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_NOT_IN_TAG = frozenset({"as_of", "fresh_until"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    """One request: its environment and what its path names, percent-decoded."""

    environ: "WSGIEnvironment"
    named: Mapping[str, str]


_Handler = Callable[[_Request], Reply]


class StatusPlane:
    """Answers for status; hands what is not status to `fallback`.

    Args:
        mirror: where the snapshot comes from; started and stopped by whoever made it.
        fallback: the application behind.
        may_verify: says whether a role may ask /v1/verify.
    """

    def __init__(self, mirror: Mirror, fallback: "WSGIApplication", may_verify: Callable[[Role], bool]) -> None:
        self._mirror = mirror
        self._fallback = fallback
        self._may_verify = may_verify
        verification = {"POST": self._verify}
        responder = {"GET": self._ocsp_in_path, "POST": self._ocsp_in_body}
        self._exact: Mapping[str, Mapping[str, _Handler]] = {
            "/v1/verify": verification,
            "/ocsp": responder,
            "/healthz": {"GET": self._alive},
            "/ca/root.cer": {"GET": self._root},
            "/ca/chain.pem": {"GET": self._chain},
        }
        self._shaped: tuple[tuple[re.Pattern[str], Mapping[str, _Handler]], ...] = (
            (re.compile(r"/ocsp/(?P<request>.*)", re.DOTALL), responder),
            (re.compile(r"/v1/verify/(?P<approval>[^/]+)"), {"GET": self._verify_approval}),
            (re.compile(r"/crl/(?P<key>[0-9a-f]{1,64})\.crl"), {"GET": self._newest_crl}),
            (re.compile(r"/crl/(?P<key>[0-9a-f]{1,64})/(?P<number>[0-9]{1,18})\.crl"), {"GET": self._numbered_crl}),
            (re.compile(r"/ca/(?P<key>[0-9a-f]{1,64})\.cer"), {"GET": self._authority_certificate}),
            (re.compile(r"/approvals/(?P<approval>[^/]+)"), {"GET": self._page}),
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ.get("PATH_INFO", "")
        named: Mapping[str, str] = {}
        handlers = self._exact.get(path)
        if handlers is None:
            for shape, shaped in self._shaped:
                match = shape.fullmatch(path)
                if match is not None:
                    handlers, named = shaped, match.groupdict()
                    break
        if handlers is None:
            return self._fallback(environ, start_response)
        method = environ["REQUEST_METHOD"]
        return send(_handle(handlers, method, _Request(environ, named)), method, start_response)

    # --- verification --------------------------------------------------------------------------------------------

    def _verify(self, request: _Request) -> Reply:
        view, now = self._mirror.view(), self._mirror.now()
        self._authorise(view, request.environ, now)
        question = parse_question(read_body(request.environ, QUESTION_LIMIT), now)
        answered = answer(view, question, now, self._mirror.past_answer, self._mirror.units)
        return _json(answered, [("Cache-Control", "no-store")])

    def _verify_approval(self, request: _Request) -> Reply:
        """The same for caches.

        The tag is weak and leaves `as_of` and `fresh_until` out: a 304 says that nothing else has changed, and its
        max-age says for how long that holds.
        """
        view, now = self._mirror.view(), self._mirror.now()
        self._authorise(view, request.environ, now)
        if request.environ.get("QUERY_STRING"):
            raise BodyMalformed(detail="this address takes no query; POST /v1/verify takes “at” and “device_id”")
        answered = answer(view, about_approval(request.named["approval"]), now, self._mirror.past_answer)
        lasting = {name: value for name, value in answered.items() if name not in _NOT_IN_TAG}
        tag = f'W/"{hashlib.sha256(problems.encode(lasting)).hexdigest()}"'
        keep = seconds_to_keep(now, MAX_AGE_SECONDS, parse_instant(str(answered["fresh_until"])))
        # Private: it was told to somebody with a credential.
        reply = _json(answered, [("ETag", tag), ("Cache-Control", f"private, max-age={keep}")])
        return conditional(request.environ, reply)

    def _authorise(self, view: Snapshot, environ: "WSGIEnvironment", now: datetime) -> None:
        scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        key = key.strip()
        if not scheme:
            raise CredentialMissing
        if scheme.lower() != "bearer" or not key:
            raise CredentialInvalid
        # The server decodes header fields as Latin-1 (PEP 3333), so every octet has its way back.
        digest = hashlib.sha256(key.encode("latin-1", "replace")).hexdigest()
        credential = view.authority.credentials.get(digest)
        if credential is None or now >= credential.expires_at:
            raise CredentialInvalid
        if not self._may_verify(credential.role):
            raise OperationNotPermitted(role=credential.role.value, operation="verify")

    # --- OCSP ----------------------------------------------------------------------------------------------------

    def _ocsp_in_body(self, request: _Request) -> Reply:
        try:
            # The media type is not looked at: what parses is answered, what does not is told so.
            asked = read_body(request.environ, ocsp.REQUEST_LIMIT)
        except (RequestMalformed, RequestTooLarge):
            return _ocsp_reply(ocsp.unsuccessful(ocsp.MALFORMED_REQUEST))
        return self._ocsp(asked)

    def _ocsp_in_path(self, request: _Request) -> Reply:
        asked = ocsp.request_in_path(request.named.get("request", ""))
        if asked is None:
            return _ocsp_reply(ocsp.unsuccessful(ocsp.MALFORMED_REQUEST))
        return conditional(request.environ, self._ocsp(asked))

    def _ocsp(self, asked: bytes) -> Reply:
        try:
            view = self._mirror.view()
        except StatusStale:
            return _ocsp_reply(ocsp.unsuccessful(ocsp.TRY_LATER))  # an old good may not be true any more
        return _ocsp_reply(ocsp.respond(view, asked, self._mirror.now()))

    # --- fetching: what is signed says itself how long it holds, so the snapshot's age does not matter ---------------

    def _newest_crl(self, request: _Request) -> Reply:
        reply = fetching.newest_crl(self._mirror.held(), request.named["key"], self._mirror.now())
        return conditional(request.environ, reply)

    def _numbered_crl(self, request: _Request) -> Reply:
        key_id, number = request.named["key"], int(request.named["number"])
        reply = fetching.numbered_crl(self._mirror.held(), self._mirror.past_crl, key_id, number)
        return conditional(request.environ, reply)

    def _authority_certificate(self, request: _Request) -> Reply:
        return conditional(request.environ, fetching.authority_certificate(self._mirror.held(), request.named["key"]))

    def _root(self, request: _Request) -> Reply:
        return conditional(request.environ, fetching.root_certificate(self._mirror.held()))

    def _chain(self, request: _Request) -> Reply:
        return conditional(request.environ, fetching.chain(self._mirror.held()))

    # --- people and probes ---------------------------------------------------------------------------------------

    def _page(self, request: _Request) -> Reply:
        try:
            view = self._mirror.view()
        except StatusStale:
            return page.stale_page()
        asked = request.named["approval"]
        try:
            identifier = str(ApprovalIdentifier.parse(asked))
        except IdentifierMalformed as error:
            return page.absent_page(view.authority, str(error.fields["value"]))
        held = view.approvals.get(identifier)
        if held is None:
            return page.absent_page(view.authority, identifier)
        return page.approval_page(view.authority, held, self._mirror.now())

    def _alive(self, _request: _Request) -> Reply:
        return Reply(HTTPStatus.OK, b"alive\n", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])


def _handle(handlers: Mapping[str, _Handler], method: str, request: _Request) -> Reply:
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        return _method_not_allowed(handlers)
    try:
        return handler(request)
    except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
        status, described = problems.problem(error)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.exception("a status request failed")
        return Reply(status, problems.encode(described), problems.headers(status))


def _method_not_allowed(handlers: Mapping[str, _Handler]) -> Reply:
    allowed = ", ".join(sorted({*handlers, "HEAD"} if "GET" in handlers else handlers))
    status = HTTPStatus.METHOD_NOT_ALLOWED
    described = problems.document(
        status, "method-not-allowed", "This address does not take that method.", f"Use {allowed}."
    )
    return Reply(status, problems.encode(described), [*problems.headers(status), ("Allow", allowed)])


def _json(document: Mapping[str, Json], headers: list[tuple[str, str]]) -> Reply:
    fields = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"), *headers]
    return Reply(HTTPStatus.OK, problems.encode(document), fields)


def _ocsp_reply(answered: tuple[bytes, ocsp.Headers]) -> Reply:
    body, headers = answered
    return Reply(HTTPStatus.OK, body, headers)
