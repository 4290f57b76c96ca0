"""/v1/applications: a Manufacturer applies, looks, and takes back."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import ApplicationAnswer, ApplicationCancelled, ApplicationPage, ApplicationTaken
from api.bodies import ApplicationBody, ApplicationPath, PageQuery, WriteHeader
from api.incoming import actor, refuse_body
from api.service import APPLYING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, refusals, reply
from core.approval import Device, Firmware
from core.instants import day
from ra import look
from ra.apply import Apply, apply, cancel_application


def add_applications(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [APPLYING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/applications",
        operation_id="apply",
        responses={201: ApplicationTaken, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def apply_for_approval(header: WriteHeader, body: ApplicationBody) -> Response:
        """Apply for a Trial Device Approval (F2.18).

        Findings advise the officers; only what could never be granted is refused.
        """
        command = _command(body)
        return service.write(
            header, lambda key: apply(desk, actor(), command, key), created="/v1/applications/{application}"
        )

    @app.get(
        "/v1/applications",
        operation_id="listApplications",
        responses={200: ApplicationPage, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_applications(query: PageQuery) -> Response:
        """List applications; a Manufacturer sees its own."""
        return reply(look.applications(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/applications/<application>",
        operation_id="showApplication",
        responses={200: ApplicationAnswer, **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_application(path: ApplicationPath) -> Response:
        """Show an application."""
        return reply(look.application(desk, actor(), path.application))

    @app.post(
        "/v1/applications/<application>/cancellation",
        operation_id="cancelApplication",
        responses={200: ApplicationCancelled, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def cancel(header: WriteHeader, path: ApplicationPath) -> Response:
        """Take an application back, as long as it has not been proposed for decision."""
        refuse_body()
        return service.write(header, lambda key: cancel_application(desk, actor(), path.application, key))


def _command(body: ApplicationBody) -> Apply:
    device = body.device
    return Apply(
        device=Device(device.type, device.manufacturer, device.model, device.hardware_version),
        smets_version=body.smets_version,
        firmware=tuple(Firmware(each.version, each.image_sha256) for each in body.firmware),
        start=day(body.start, field="start"),
        expiry=day(body.expiry, field="expiry"),
        maximum_devices=body.maximum_devices,
        purpose=body.purpose,
        csr=body.csr.encode("utf-8"),
    )
