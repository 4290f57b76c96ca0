"""The status plane as one function of what is asked: verification, OCSP, CRLs, certificates, the public page.

There is no server in it, no thread and no lock, and `at_once` never reads the store: whatever holds the rest of the
service up does not hold this up. A question about the past whose proof the store alone has kept reads it once, in
`from_store`, and so does one about a unit until the units have been read; many at once are answered there as well.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple, NoReturn, Protocol, TypeAlias

from api import problems
from api.status import fetching, page
from api.status.answering import answered, hold
from api.status.batch import BATCH_LIMIT
from api.status.batch_forms import batch_reply
from api.status.exchange import Asked, Reply, conditional, lines_of, refusal
from api.status.mirror import Mirror
from api.status.ocsp import MALFORMED_REQUEST, REQUEST_LIMIT, TRY_LATER, request_in_path, respond, unsuccessful
from api.status.questions import QUESTION_LIMIT, Question, approval_named
from api.status.quickly import of_approval
from api.status.refused import refused
from api.status.shown import Shown, digest_of
from api.status.snapshot import Snapshot
from api.status.tally import Asking, Tallied
from api.status.template import template
from api.status.verify import UnitsAt, verdict
from core.actors import Role
from core.errors import (
    BodyMalformed,
    CredentialInvalid,
    CredentialMissing,
    IdentifierMalformed,
    NotAuthenticated,
    NotPermitted,
    OperationNotPermitted,
    StatusStale,
)
from core.identifiers import ApprovalIdentifier, Serial
from core.mirror import CredentialRecord, PublishedCrl, SignedAnswer, Units
from core.status import ENDED, approval_status

_OK = int(HTTPStatus.OK)
_NAMED = re.compile(r"\(\?P<(\w+)>[^)]*\)")
BATCH = "/v1/verify/batch"
_VERIFY, _OCSP = "/v1/verify", "/ocsp"
_VERIFYING, _IN_PATH, _IN_BODY = Asking.VERIFY.value, Asking.OCSP_IN_PATH.value, Asking.OCSP_IN_BODY.value

_JSON = (("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"))
_JSON_LINES = lines_of(HTTPStatus.OK, _JSON)
_VERIFIED = (*_JSON, ("Cache-Control", "no-store"))
_VERIFIED_LINES = lines_of(HTTPStatus.OK, _VERIFIED)


class Elsewhere(Enum):
    """Why there is no answer at once."""

    STORE = "the store has to be read: ask `from_store`, on a thread that may wait"
    LONG = "it takes long by its nature: ask `from_store` as well, on a thread of those that may"
    BEHIND = "it is not about status"


class _Past(Protocol):
    """What the snapshot does not hold, or not yet; see Mirror."""

    def past_answer(self, serial: Serial, at: datetime, /) -> SignedAnswer | None: ...
    def past_crl(self, key_id: str, number: int, /) -> PublishedCrl | None: ...
    def units(self, approval: str, device_id: str, at: datetime, /) -> Units: ...


class _AsksStoreError(Exception):
    """Ends an answer that was to be given at once and cannot be."""


class _NotAtOnce:
    """A store that nobody may wait for."""

    def past_answer(self, *_: object) -> NoReturn:
        raise _AsksStoreError

    def past_crl(self, *_: object) -> NoReturn:
        raise _AsksStoreError

    def units(self, *_: object) -> NoReturn:
        raise _AsksStoreError


_NOT_AT_ONCE = _NotAtOnce()


class _Request(NamedTuple):
    """One request, what its path names, and where the past is looked up."""

    asked: Asked
    named: Mapping[str, str]
    store: _Past

    def units(self, view: Snapshot) -> UnitsAt:
        """Where units are looked up: in the store, until they are held."""
        return self.store.units if view.deployed is None else view.units


class _Handler(NamedTuple):
    """Who answers one kind of question, and as what that is counted: a plain text, which is looked up in less time."""

    kind: str
    answer: Callable[[_Request], Reply]


def _handler(asking: Asking, answer: Callable[[_Request], Reply]) -> _Handler:
    return _Handler(asking.value, answer)


_Found: TypeAlias = tuple[Mapping[str, _Handler] | None, Mapping[str, str]]
"""Who answers at a path, by method, and what the path names."""

_NAMELESS: Mapping[str, str] = MappingProxyType({})


class StatusPlane:
    """Answers for status.

    Args:
        mirror: where the snapshot comes from; started and stopped by whoever made it.
        may_verify: says whether a role may ask /v1/verify.
        tallied: where answers are counted.
    """

    def __init__(self, mirror: Mirror, may_verify: Callable[[Role], bool], tallied: Tallied | None = None) -> None:
        self._mirror = mirror
        self._may_verify = may_verify
        self._found_last: tuple[str, _Found] = ("", (None, _NAMELESS))
        self._tallied = tallied or Tallied()
        self._known = Shown()
        responder = {
            "GET": _handler(Asking.OCSP_IN_PATH, self._ocsp_in_path),
            "POST": _handler(Asking.OCSP_IN_BODY, self._ocsp_in_body),
        }
        self._exact: Mapping[str, Mapping[str, _Handler]] = {
            _VERIFY: {"POST": _handler(Asking.VERIFY, self._verify)},
            BATCH: {"POST": _handler(Asking.VERIFY_BATCH, self._verify_batch)},
            _OCSP: responder,
            "/healthz": {"GET": _handler(Asking.ALIVE, self._alive)},
            "/ca/root.cer": {"GET": _handler(Asking.ROOT, self._root)},
            "/ca/chain.pem": {"GET": _handler(Asking.CHAIN, self._chain)},
        }
        got = (
            (r"/v1/verify/(?P<approval>[^/]+)", Asking.VERIFY_APPROVAL, self._verify_approval),
            (r"/crl/(?P<key>[0-9a-f]{1,64})\.crl", Asking.NEWEST_CRL, self._newest_crl),
            (r"/crl/(?P<key>[0-9a-f]{1,64})/(?P<number>[0-9]{1,18})\.crl", Asking.NUMBERED_CRL, self._numbered_crl),
            (r"/ca/(?P<key>[0-9a-f]{1,64})\.cer", Asking.AUTHORITY_CERTIFICATE, self._authority_certificate),
            (r"/approvals/(?P<approval>[^/]+)", Asking.PAGE, self._page),
        )
        self._shaped: tuple[tuple[re.Pattern[str], Mapping[str, _Handler]], ...] = (
            (re.compile(r"/ocsp/(?P<request>.*)", re.DOTALL), responder),
            *((re.compile(shape), {"GET": _handler(asking, answer)}) for shape, asking, answer in got),
        )

    def at_once(self, asked: Asked) -> Reply | Elsewhere:
        """Answer from memory, or say who can. HEAD is answered as GET is; its body is not sent by whoever sends."""
        return self._ready(asked) or self._answer(asked, _NOT_AT_ONCE, self._tallied.at_once.note)

    def from_store(self, asked: Asked) -> Reply | Elsewhere:
        """Answer, reading the store where the past is asked about: for a thread that may wait."""
        return self._answer(asked, self._mirror, self._tallied.from_store.note)

    def body_limit(self, path: str) -> int | None:
        """Return how many octets a body for this path may have; None if the path is not about status."""
        handlers, _ = self._find(path)
        if handlers is None:
            return None
        if path == BATCH:
            return BATCH_LIMIT
        return REQUEST_LIMIT if path.startswith("/ocsp") else QUESTION_LIMIT

    def known(self, asked: Asked) -> None:
        """Find out from memory whether a request shows a credential that is in force.

        Raises:
            NotAuthenticated: it shows none, or one that is unknown, expired or revoked.
            StatusStale: that cannot be told from memory now.
        """
        self._credential(self._mirror.view(), asked, self._mirror.now())

    def refusal(self, error: NotAuthenticated | NotPermitted, asked: Asked, place: str) -> Reply:
        """Return what a refusal of access is answered with, and whose it is as far as memory tells.

        Args:
            error: the refusal.
            asked: the request.
            place: the shape of its path.
        """
        authority, digest = self._mirror.held().authority, digest_of(asked.fields.get("authorization", ""))
        known = authority.credentials.get(digest)
        if known is None:
            revoked = authority.revoked.get(digest)
            return refusal(error, refused(error, place, revoked, ended="revoked" if revoked else ""))
        ended = "expired" if self._mirror.now() >= known.expires_at else ""
        return refusal(error, refused(error, place, known, ended=ended))

    def _ready(self, asked: Asked) -> Reply | None:
        """Return what was answered to these very octets and would be again; None if they have to be looked at."""
        began = perf_counter()
        try:
            view = self._mirror.view()
        except StatusStale:
            return None
        method, path, _, fields, body, _ = asked
        if method == "GET":
            reply, kind = None if "if-none-match" in fields else self._shown_again(view, path), _IN_PATH
        elif method != "POST":
            return None
        elif path == _VERIFY:
            reply, kind = self._told_again(view, body, fields.get("authorization")), _VERIFYING
        else:
            reply, kind = self._shown_again(view, body) if path == _OCSP else None, _IN_BODY
        if reply is not None:
            self._tallied.at_once.note(kind, perf_counter() - began)
        return reply

    def _told_again(self, view: Snapshot, body: bytes, shown: str | None) -> Reply | None:
        told = view.ready.questions.get(body)
        if told is None or view.went_back:
            return None
        since, until, instants, before, after = told
        now = self._mirror.now()
        if not since <= now < until or not self._known.in_force(view.authority, shown, now):
            return None
        return Reply(_OK, b"".join((before, instants.said(now).octets, after)), _VERIFIED, (), _VERIFIED_LINES)

    def _shown_again(self, view: Snapshot, came: bytes | str) -> Reply | None:
        shown = view.ready.requests.get(came)
        if shown is None or view.went_back:
            return None
        since, until, reply = shown
        return reply if since <= self._mirror.now() < until else None

    def _answer(self, asked: Asked, store: _Past, note: Callable[[str, float], None]) -> Reply | Elsewhere:
        handlers, named = self._find(asked.path)
        if handlers is None:
            return Elsewhere.BEHIND
        handler = handlers.get(asked.method) or (handlers.get("GET") if asked.method == "HEAD" else None)
        if handler is None:
            return _method_not_allowed(handlers)
        began = perf_counter()
        try:
            reply = handler.answer(_Request(asked, named, store))
        except _AsksStoreError:
            return Elsewhere.LONG if asked.path == BATCH else Elsewhere.STORE
        except (NotAuthenticated, NotPermitted) as error:
            reply = self.refusal(error, asked, self._place(asked.path))
        except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
            reply = refusal(error)
        note(handler.kind, perf_counter() - began)
        return reply

    def _find(self, path: str) -> _Found:
        exact = self._exact.get(path)
        if exact is not None:
            return exact, _NAMELESS
        last, found = self._found_last  # a request is found twice: for its body's limit, and whole
        if last != path:
            found = self._find_shaped(path)
            self._found_last = (path, found)
        return found

    def _find_shaped(self, path: str) -> _Found:
        for shape, shaped in self._shaped:
            match = shape.fullmatch(path)
            if match is not None:
                return shaped, match.groupdict()
        return None, _NAMELESS

    def _place(self, path: str) -> str:
        """The shape of a path, without what somebody wrote into it."""
        shapes = (shape.pattern for shape, _ in self._shaped if shape.fullmatch(path))
        return path if path in self._exact else _NAMED.sub(r"<\1>", next(shapes, ""))

    # --- verification --------------------------------------------------------------------------------------------

    def _verify(self, request: _Request) -> Reply:
        view, now = self._mirror.view(), self._mirror.now()
        self._authorise(view, request.asked, now)
        body = request.asked.body
        found = answered(view, body, now, request.store.past_answer, request.units(view))
        hold(view, body, found)
        return Reply(_OK, found.told.filled(found.as_of), _VERIFIED, (), _VERIFIED_LINES)

    def _verify_batch(self, request: _Request) -> Reply:
        """Many of them, from one snapshot and for one instant. Who may not ask is told so before the body is there."""
        view, now = self._mirror.view(), self._mirror.now()
        self._authorise(view, request.asked, now)
        if isinstance(request.store, _NotAtOnce):
            raise _AsksStoreError
        return batch_reply(view, request.asked, now, request.store.past_answer, request.units(view))

    def _verify_approval(self, request: _Request) -> Reply:
        """The same for caches.

        The tag is weak and leaves `as_of` and `fresh_until` out: a 304 says that nothing else has changed, and its
        max-age says for how long that holds.
        """
        view, now = self._mirror.view(), self._mirror.now()
        self._authorise(view, request.asked, now)
        if request.asked.query:
            raise BodyMalformed(detail="this address takes no query; POST /v1/verify takes “at” and “device_id”")
        named = request.named["approval"]
        ready = of_approval(view, named, now, request.store.past_answer)
        if ready is None:
            subject = approval_named(named)
            ready = of_approval(view, subject.identifier, now, request.store.past_answer)
            ready = ready or template(verdict(view, Question(subject), now, request.store.past_answer))
        # Private: it was told to somebody with a credential.
        fields = (*_JSON, ("ETag", ready.tag), ("Cache-Control", f"private, max-age={ready.seconds_to_keep(now)}"))
        lines = b"%sETag: %s\r\nCache-Control: %s\r\n" % (_JSON_LINES, ready.tag.encode(), fields[-1][1].encode())
        return conditional(request.asked, Reply(_OK, ready.filled(now), fields, (), lines))

    def _authorise(self, view: Snapshot, asked: Asked, now: datetime) -> None:
        credential = self._credential(view, asked, now)
        if not self._may_verify(credential.role):
            raise OperationNotPermitted(role=str(credential.role), operation="verify")
        self._known.note(view.authority, asked.fields.get("authorization", ""), credential.expires_at)

    @staticmethod
    def _credential(view: Snapshot, asked: Asked, now: datetime) -> CredentialRecord:
        digest = digest_of(asked.fields.get("authorization", ""))
        credential = view.authority.credentials.get(digest) if digest else None
        if credential is None and not asked.fields.get("authorization", "").partition(" ")[0]:
            raise CredentialMissing
        if credential is None or now >= credential.expires_at:
            raise CredentialInvalid
        return credential

    # --- OCSP ----------------------------------------------------------------------------------------------------

    def _ocsp_in_body(self, request: _Request) -> Reply:
        # The media type is not looked at: what parses is answered, what does not is told so.
        return self._ocsp(request.asked.body, request.asked.body)

    def _ocsp_in_path(self, request: _Request) -> Reply:
        asked = request_in_path(request.named.get("request", ""))
        if asked is None:
            return unsuccessful(MALFORMED_REQUEST)
        return conditional(request.asked, self._ocsp(asked, request.asked.path))

    def _ocsp(self, asked: bytes, came: bytes | str) -> Reply:
        try:
            view = self._mirror.view()
        except StatusStale:
            return unsuccessful(TRY_LATER)  # an old good may not be true any more
        now = self._mirror.now()
        return respond(view, asked, now, came)

    # --- fetching: what is signed says itself how long it holds, so the snapshot's age does not matter ---------------

    def _newest_crl(self, request: _Request) -> Reply:
        reply = fetching.newest_crl(self._mirror.held(), request.named["key"], self._mirror.now())
        return conditional(request.asked, reply)

    def _numbered_crl(self, request: _Request) -> Reply:
        key_id, number = request.named["key"], int(request.named["number"])
        reply = fetching.numbered_crl(self._mirror.held(), request.store.past_crl, key_id, number)
        return conditional(request.asked, reply)

    def _authority_certificate(self, request: _Request) -> Reply:
        return conditional(
            request.asked, fetching.authority_certificate(self._mirror.held(), request.named["key"], self._mirror.now())
        )

    def _root(self, request: _Request) -> Reply:
        return conditional(request.asked, fetching.root_certificate(self._mirror.held()))

    def _chain(self, request: _Request) -> Reply:
        return conditional(request.asked, fetching.chain(self._mirror.held()))

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
        held, now = view.approvals.get(identifier), self._mirror.now()
        if view.went_back and (held is None or approval_status(held.record, now).state not in ENDED):
            return page.stale_page()
        if held is None:
            return page.absent_page(view.authority, identifier)
        return page.approval_page(view.authority, held, now)

    def _alive(self, _request: _Request) -> Reply:
        return Reply(HTTPStatus.OK, b"alive\n", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])


def _method_not_allowed(handlers: Mapping[str, _Handler]) -> Reply:
    allowed = ", ".join(sorted({*handlers, "HEAD"} if "GET" in handlers else handlers))
    status = HTTPStatus.METHOD_NOT_ALLOWED
    described = problems.document(
        status, "method-not-allowed", "This address does not take that method.", f"Use {allowed}."
    )
    return Reply(status, problems.encode(described), [*problems.headers(status), ("Allow", allowed)])
