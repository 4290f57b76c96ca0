"""/v1/calendars and /calendars/….ics: addresses that ordinary calendar programs subscribe to (F2.27, F2.31)."""

from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import NotFound

from api.answers import answer
from api.forms.fields import WriteHeader
from api.forms.paths import CalendarPath, CalendarSecretPath
from api.forms.waiting import CalendarBody
from api.incoming import actor, refuse_body
from api.pace import Pace
from api.service import READ_REFUSALS, TRIAL, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from api.tasks import FED, fed
from core.errors import AskedTooOften
from core.peers import peer_of
from ra.waiting import subscribing
from ra.waiting.views import CalendarAddressList, CalendarAddressMade, CalendarAddressRevoked

SUBSCRIBED_PATH = "/calendars/<secret>.ics"

OF_ONE_PEER = 60
"""Fetches of one peer in a minute, of whatever address: calendar programs ask every few hours, services for many."""

OF_ONE_HOLDER = 60
"""Fetches of one organisation's addresses in a minute: twenty people's programs begin at once, and ask again."""


def add_calendars(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {
        "tags": [TRIAL],
        "security": WITH_CREDENTIAL,
        "openapi_extensions": clauses("F2.27", "F2.31"),
    }

    @app.post(
        "/v1/calendars",
        operation_id="makeCalendarAddress",
        responses={201: answer(CalendarAddressMade), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def make(header: WriteHeader, body: CalendarBody) -> Response:
        """Make an address under which calendar programs read your calendar; it is told this once."""
        return service.write(
            header, lambda key: subscribing.make_address(desk, actor(), body.name, key), created="/v1/calendars"
        )

    @app.get(
        "/v1/calendars",
        operation_id="listCalendarAddresses",
        responses={200: answer(CalendarAddressList), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_addresses() -> Response:
        """List the addresses that you have made, without their secrets."""
        return reply(subscribing.addresses(desk, actor()))

    @app.post(
        "/v1/calendars/<calendar>/revocation",
        operation_id="revokeCalendarAddress",
        responses={
            200: answer(CalendarAddressRevoked),
            **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND),
        },
        **shared,
    )
    def revoke(header: WriteHeader, path: CalendarPath) -> Response:
        """Revoke an address of yours; it answers nothing from now on."""
        refuse_body()
        return service.write(header, lambda key: subscribing.revoke_address(desk, actor(), path.calendar, key))

    _add_feed(app, service)


def _add_feed(app: OpenAPI, service: Service) -> None:
    peers, holders = Pace(OF_ONE_PEER), Pace(OF_ONE_HOLDER)

    @app.get(
        SUBSCRIBED_PATH,
        operation_id="subscribedCalendar",
        tags=[TRIAL],
        responses={
            **FED,
            **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        openapi_extensions=clauses("F2.27", "F2.31"),
    )
    def subscribed(path: CalendarSecretPath) -> Response:
        """Read the calendar at a secret address: what is White, of what its owner may see.

        What is unknown, revoked or not to be read any more is answered alike.
        """
        if not peers.allows(peer_of(request.remote_addr or "")):
            raise AskedTooOften
        found = subscribing.subscribed(service.desk, path.secret)
        if found is None:
            raise NotFound
        if not holders.allows(found.holder):
            raise AskedTooOften
        return fed(found.feed)
