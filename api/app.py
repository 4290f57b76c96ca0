"""The machine-facing API on Flask: what is not status. Made by `create_app`; nothing happens at import."""

import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Response, g, request
from flask_openapi3.models.info import Info
from flask_openapi3.models.server import Server
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable, RequestEntityTooLarge

from api import bodies, problems
from api.amendments import add_amendments
from api.answers import Problem, answer
from api.applications import add_applications
from api.approvals import add_approvals
from api.auditing import add_auditing
from api.authorising import BATCH_PATHS, add_authorising
from api.authority import add_authority
from api.breaches import add_breaches
from api.calendars import SUBSCRIBED_PATH, add_calendars
from api.certificates import add_certificates
from api.committee import add_committee
from api.contacts import add_contacts
from api.cpl import add_cpl
from api.decisions import add_decisions
from api.deployments import add_deployments
from api.end_requests import add_end_requests
from api.evidence import add_evidence
from api.feed import FEED, add_feed
from api.following import Following
from api.forms.authorising import LISTED_LIMIT
from api.forms.revoking import REVOCATIONS_LIMIT
from api.incoming import (
    BODY_LIMIT,
    StrictRequest,
    actor,
    malformed,
    note_refusal,
    recognise,
    refuse_repeated_parameters,
)
from api.log import add_log
from api.lookout import Lookout
from api.meetings import add_meetings
from api.notices import add_notices
from api.orders import add_orders
from api.patience import Patience
from api.register import REGISTER, SIGNATURE, add_register
from api.reports import add_reports
from api.requirements import add_requirements
from api.revocations import REVOCATIONS, add_revocations
from api.service import JSON_TYPE, Service
from api.status.exchange import Reply
from api.status.mirror import Mirror
from api.status.tally import Tallies
from api.status_description import add_status_plane
from api.suspicions import add_suspicions
from api.tasks import CALENDAR_PATH, add_tasks
from api.watching import add_watching
from core import unreadable
from core.canonical import Json
from core.errors import BodyMalformed, BodyTooLarge, OutcomeUnreadable, TrialCpaError
from ra.desk import Desk
from ra.doors import admit

OF_THE_LOG = frozenset(
    {FEED, REGISTER, SIGNATURE, "/v1/checkpoint", "/tile/<path:tile>", "/v1/proofs/inclusion", "/v1/proofs/consistency"}
)
"""What proves itself, to anybody."""

PUBLIC = frozenset({"/v1/authority", "/readyz", "/openapi.json"}) | OF_THE_LOG
"""What needs no credential. Everything else does, also what somebody adds and forgets to think about."""

WHILE_BEHIND = (PUBLIC - OF_THE_LOG) | {"/metrics", "/v1/consistency"}
"""What is answered of a register that went back. Everything else would tell a yes, take a key that was revoked since,
or record something that is lost again."""

WITH_ITS_OWN_DOOR = frozenset({CALENDAR_PATH, SUBSCRIBED_PATH})
"""What looks at credentials itself: calendar programs know HTTP Basic and nothing else, or only an address."""

_PARAMETER = re.compile(r"<(\w+)>")
"""A part of an address that is anything, as the router writes it."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

HTTP_WORDS: dict[int, tuple[str, str, str]] = {
    404: ("unknown-address", "There is nothing at this address.", "Addresses are described in /openapi.json."),
    405: ("method-not-allowed", "This address does not take that method.", "Methods are described in /openapi.json."),
    406: (
        "not-acceptable",
        "None of the forms asked for can be given.",
        "Name in Accept one of the forms that /openapi.json describes for this address.",
    ),
    416: (
        "range-not-satisfiable",
        "What is asked for begins behind the end.",
        "Ask without Range; Content-Range says how many octets there are.",
    ),
    415: (
        "media-type-unsupported",
        "The body is not sent as application/json.",
        "Send Content-Type: application/json.",
    ),
}
"""What HTTP alone knows: code, sentence and hint. Anything else gets the status's own phrase."""

_RESOURCES: tuple[Callable[[OpenAPI, Service], None], ...] = (
    add_applications,
    add_contacts,
    add_evidence,
    add_requirements,
    add_decisions,
    add_authorising,
    add_orders,
    add_revocations,
    add_committee,
    add_meetings,
    add_approvals,
    add_auditing,
    add_amendments,
    add_end_requests,
    add_breaches,
    add_suspicions,
    add_certificates,
    add_notices,
    add_cpl,
    add_deployments,
    add_reports,
    add_tasks,
    add_calendars,
    add_authority,
    add_log,
    add_feed,
    add_register,
)

_log = logging.getLogger(__name__)


def create_app(
    desk: Desk, *, base_url: str, after_write: Callable[[], None], mirror: Mirror, lookout: Lookout, patience: Patience
) -> OpenAPI:
    """Return the API.

    Args:
        desk: where the use cases work.
        base_url: the public base, for /openapi.json.
        after_write: called after each write that succeeded (the web process refreshes its mirror).
        mirror: what the status plane answers from.
        lookout: what it knows of how the service is doing.
        patience: has whoever prefers it wait for what the authority is about to do.
    """
    app = OpenAPI(
        "api",
        info=Info(
            title="Trial CPA authority",
            version="1",
            description="Trial CPA Certificates for field trials under the Smart Energy Code, F2.18 to F2.31.",
        ),
        servers=[Server(url=base_url)],
        security_schemes={
            "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of the SSC's administrator."},
            "basic": {"type": "http", "scheme": "basic", "description": "For calendar programs: the key as password."},
        },
        validation_error_status=HTTPStatus.BAD_REQUEST.value,
        validation_error_model=answer(Problem),
        validation_error_callback=_refuse_form,
        doc_ui=False,
        static_folder=None,
    )
    app.request_class = StrictRequest
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    # An address is one address: no redirect that a credential would follow.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    service = Service(desk=desk, mirror=mirror, following=Following(after_write), patience=patience)
    acts: dict[tuple[str, str], str] = {}
    _add_guards(app, desk, mirror, acts, lookout.tallied.acts)
    for add in _RESOURCES:
        add(app, service)
    add_watching(app, service, lookout)
    acts |= _acts(app)
    _add_description(app)
    return app


def description(app: OpenAPI) -> dict[str, Any]:
    """Return what /openapi.json says of the whole service."""
    return bodies.described(add_status_plane(app.api_doc))


def _acts(app: OpenAPI) -> dict[tuple[str, str], str]:
    """Return what each address does, by the name that /openapi.json has for it; by method and address."""
    return {
        (method.upper(), path): str(getattr(item, method).operationId)
        for path, item in app.paths.items()
        for method in ("get", "post", "patch")
        if getattr(item, method) is not None
    }


def _add_guards(
    app: OpenAPI, desk: Desk, mirror: Mirror, acts: Mapping[tuple[str, str], str], tallies: Tallies
) -> None:
    def act_of(rule: str) -> str:
        # HEAD is answered as GET is, without the body.
        method = "GET" if request.method == "HEAD" else request.method
        return acts.get((method, _PARAMETER.sub(r"{\1}", rule)), "")

    @app.before_request
    def guard() -> None:
        g.began = perf_counter()
        unreadable.begin()
        rule = request.url_rule
        if rule is not None and rule.rule not in WHILE_BEHIND:
            mirror.require_whole()
        if rule is not None and rule.rule not in PUBLIC | WITH_ITS_OWN_DOOR:
            recognise(desk)
            admit(actor(), act_of(rule.rule))
        refuse_repeated_parameters()
        if rule is not None and rule.rule in BATCH_PATHS:
            request.max_content_length = LISTED_LIMIT
        elif rule is not None and rule.rule == REVOCATIONS:
            request.max_content_length = REVOCATIONS_LIMIT

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        act = "" if request.url_rule is None else act_of(request.url_rule.rule)
        if act and "began" in g:
            tallies.note(act, perf_counter() - g.began)
        return response

    app.register_error_handler(TrialCpaError, _told)
    app.register_error_handler(HTTPException, _told_of_http)
    app.register_error_handler(Exception, _told_nothing)


def described(app: OpenAPI) -> Reply:
    """Return the answer of /openapi.json. Once: it is long, and while it is made nothing else runs."""
    octets = problems.encode(description(app))
    fields = [
        ("Content-Type", JSON_TYPE),
        ("Cache-Control", "public, max-age=300"),
        ("ETag", f'"{hashlib.sha256(octets).hexdigest()[:32]}"'),
        *SECURITY_HEADERS.items(),
    ]
    return Reply(HTTPStatus.OK, octets, fields)


def _add_description(app: OpenAPI) -> None:
    """Let the API know the address; the front answers it, from memory (app/served.py), and nobody else is asked."""

    @app.route("/openapi.json", methods=["GET"])
    def openapi() -> Response:
        told = described(app)
        return Response(told.body, told.status, headers=told.headers)


def _refuse_form(error: ValidationError) -> Response:
    raise malformed(error) from error


def _told(error: Exception) -> Response:
    note_refusal(error)
    if isinstance(error, OutcomeUnreadable):
        _log.error("a row cannot be read", exc_info=error)
    status, described = problems.problem(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        # Of the families that are nobody's business outside.
        return _told_nothing(error)
    return _problem(status, described)


def _told_of_http(error: Exception) -> Response:
    """Answer what routing or reading refused; nothing of Werkzeug's own pages is sent."""
    if isinstance(error, RequestEntityTooLarge):
        return _told(BodyTooLarge(limit=request.max_content_length or BODY_LIMIT))
    code = error.code if isinstance(error, HTTPException) else None
    if code == HTTPStatus.BAD_REQUEST:
        return _told(BodyMalformed(detail="it ends too early, or its head is not HTTP"))
    if code is None or code < HTTPStatus.BAD_REQUEST or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _told_nothing(error)
    status = HTTPStatus(code)
    words = HTTP_WORDS.get(code, (status.phrase.lower().replace(" ", "-"), f"{status.phrase}.", "See /openapi.json."))
    answer = _problem(code, problems.document(status, *words))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    if isinstance(error, RequestedRangeNotSatisfiable):
        answer.headers["Content-Range"] = f"bytes */{error.length}"
    return answer


def _told_nothing(error: Exception) -> Response:
    """What nobody foresaw is told as ours, with a reference under which the log has the rest."""
    reference = secrets.token_hex(8)
    _log.error("a request failed, reference %s", reference, exc_info=error)
    status, described = problems.problem(problems.of_a_row(error))
    return _problem(status, {**described, "reference": reference})


def _problem(status: int, described: dict[str, Json]) -> Response:
    return Response(problems.encode(described), status, headers=problems.headers(status))
