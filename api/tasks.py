"""/v1/tasks and /v1/calendar.ics: what waits for whom, and what is coming."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from flask import Response, g, request
from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.header import Header
from flask_openapi3.models.schema import Schema
from flask_openapi3.openapi import OpenAPI

from api import problems
from api.answers import answer
from api.incoming import actor, note_refusal
from api.service import READ_REFUSALS, TRIAL, WITH_CREDENTIAL, Service, clauses, refusals, reply
from core.actors import Actor
from core.errors import CredentialInvalid, CredentialMissing, NotAuthenticated
from ra.access import authenticate
from ra.desk import Desk
from ra.waiting.calendar import MEDIA_TYPE, Feed, calendar_feed
from ra.waiting.tasks import tasks
from ra.waiting.views import TaskList

CALENDAR_PATH = "/v1/calendar.ics"
FED: Mapping[str | int, Any] = {
    200: {
        "description": "Starts, expiries and report dates as all-day events of UTC days (RFC 5545).",
        "content": {"text/calendar": {"schema": {"type": "string"}}},
        "headers": {
            "ETag": Header(
                description="The same as long as the calendar shows the same.", schema=Schema(type=DataType.STRING)
            )
        },
    },
    304: {"description": "It shows what it showed."},
}
"""What /openapi.json says of a calendar as an answer."""

_CHALLENGE = 'Basic realm="trialcpa", charset="UTF-8"'  # RFC 7617, 2 and 2.1
_LONGEST_BASIC = 1_000
"""Characters of a Basic credential that are looked at; an API key has fewer than a hundred."""


def add_tasks(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk

    @app.get(
        "/v1/tasks",
        operation_id="listTasks",
        tags=[TRIAL],
        security=WITH_CREDENTIAL,
        responses={200: answer(TaskList), **refusals(*READ_REFUSALS)},
        openapi_extensions=clauses("F2.20", "F2.23", "F2.27", "F2.31"),
    )
    def list_tasks() -> Response:
        """List what waits for whoever asks: for the SSC, a Manufacturer, the DCC or the Panel."""
        return reply(tasks(desk, actor()))

    @app.get(
        CALENDAR_PATH,
        operation_id="calendar",
        tags=[TRIAL],
        security=[*WITH_CREDENTIAL, {"basic": []}],
        responses={**FED, **refusals(*READ_REFUSALS)},
        openapi_extensions=clauses("F2.27", "F2.31"),
    )
    def calendar() -> Response:
        """Subscribe to a calendar of starts, expiries and report dates.

        Calendar programs know no Bearer credentials: the API key may be the password of HTTP Basic, under any name.
        """
        try:
            who = g.actor = _asks(desk)
        except NotAuthenticated as error:
            note_refusal(error)
            return _unauthenticated(error)
        return fed(calendar_feed(desk, who))


def fed(found: Feed) -> Response:
    """Return the answer with a calendar, or that it shows what it showed."""
    made = Response(found.octets, content_type=MEDIA_TYPE)
    # Weak: DTSTAMP tells when it was made, and nothing else differs (RFC 9110, 8.8.1).
    made.set_etag(found.digest, weak=True)
    made.headers["Cache-Control"] = "private, no-cache"
    made.make_conditional(request)
    return made


def _asks(desk: Desk) -> Actor:
    """Return who asks, by Bearer or by Basic with the API key as the password (RFC 7617)."""
    scheme, _, sent = request.headers.get("Authorization", "").strip().partition(" ")
    match scheme.lower():
        case "":
            raise CredentialMissing
        case "bearer":
            return authenticate(desk, sent.strip())
        case "basic":
            return authenticate(desk, _password(sent.strip()))
        case _:
            raise CredentialInvalid


def _password(sent: str) -> str:
    try:
        pair = base64.b64decode(sent[:_LONGEST_BASIC], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise CredentialInvalid from None
    return pair.partition(":")[2].strip()


def _unauthenticated(error: NotAuthenticated) -> Response:
    """A calendar program asks its user for a password only when it is challenged for one."""
    status, described = problems.problem(error)
    refused = Response(problems.encode(described), status, headers=problems.headers(status))
    refused.headers.add("WWW-Authenticate", _CHALLENGE)
    return refused
