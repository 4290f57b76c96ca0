"""/v1/applications: a Manufacturer applies, looks, changes and takes back."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import ApplicationBody, ApplicationChangeBody, AssuranceBody, EarlierCpaBody
from api.forms.fields import (
    DeviceBody,
    FirmwareBody,
    PageOfApprovalQuery,
    WaitHeader,
    WriteHeader,
    day_of,
    perhaps_approval_of,
)
from api.forms.paths import ApplicationPath
from api.incoming import actor, refuse_body
from api.service import APPLYING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from core.approval import Device, Firmware, device_said
from core.assurance import AssuranceCertificate, EarlierCpa
from core.days import read_day
from ra.applying import look
from ra.applying.apply import Apply, apply, cancel_application
from ra.applying.change import Change, change_application
from ra.applying.views import (
    ApplicationAnswer,
    ApplicationCancelled,
    ApplicationChanged,
    ApplicationPage,
    ApplicationTaken,
)
from ra.deciding.awaited import application_awaited


def add_applications(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [APPLYING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/applications",
        operation_id="apply",
        responses={201: answer(ApplicationTaken), **refusals(*WRITE_REFUSALS)},
        openapi_extensions=clauses("F2.18", "F2.19"),
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
        responses={200: answer(ApplicationPage), **refusals(*READ_REFUSALS)},
        openapi_extensions=clauses("F2.18"),
        **shared,
    )
    def list_applications(query: PageOfApprovalQuery) -> Response:
        """List applications; a Manufacturer sees its own."""
        only = perhaps_approval_of(query.approval)
        return reply(look.applications(desk, actor(), after=query.after, limit=query.limit, approval=only))

    @app.get(
        "/v1/applications/<application>",
        operation_id="showApplication",
        responses={200: answer(ApplicationAnswer), **not_found, **refusals(*READ_REFUSALS)},
        openapi_extensions=clauses("F2.18", "F2.19", "F2.20"),
        **shared,
    )
    def show_application(header: WaitHeader, path: ApplicationPath) -> Response:
        """Show an application: where it stands, its evidence and requirements, and what is missing for a grant.

        Whoever prefers to wait is answered when it has been decided, or taken back.
        """
        return service.patiently(
            header,
            path.application,
            lambda: application_awaited(desk, actor(), path.application),
            lambda: reply(look.application(desk, actor(), path.application)),
        )

    @app.patch(
        "/v1/applications/<application>",
        operation_id="changeApplication",
        responses={200: answer(ApplicationChanged), **not_found, **refusals(*WRITE_REFUSALS)},
        openapi_extensions=clauses("F2.18", "F2.19"),
        **shared,
    )
    def change(header: WriteHeader, path: ApplicationPath, body: ApplicationChangeBody) -> Response:
        """Change any members of an application, as long as it has not been proposed for decision."""
        changed = _change(body)
        return service.write(
            header, lambda key: change_application(desk, actor(), path.application, changed, key, upon=body.version)
        )

    @app.post(
        "/v1/applications/<application>/cancellation",
        operation_id="cancelApplication",
        responses={200: answer(ApplicationCancelled), **not_found, **refusals(*WRITE_REFUSALS)},
        openapi_extensions=clauses("F2.18"),
        **shared,
    )
    def cancel(header: WriteHeader, path: ApplicationPath) -> Response:
        """Take an application back, as long as it has not been proposed for decision."""
        refuse_body()
        return service.write(header, lambda key: cancel_application(desk, actor(), path.application, key))


def _command(body: ApplicationBody) -> Apply:
    return Apply(
        device=_device(body.device),
        smets_version=body.smets_version,
        firmware=_firmware(body.firmware),
        start=read_day(body.start, field="start"),
        expiry=read_day(body.expiry, field="expiry"),
        maximum_devices=body.maximum_devices,
        purpose=body.purpose,
        csr=body.csr.encode("utf-8"),
        gbcs_version=body.gbcs_version,
        contact=body.contact,
        assurance=_assurance(body.assurance),
        earlier_cpa=_earlier_cpa(body.earlier_cpa),
    )


def _change(body: ApplicationChangeBody) -> Change:
    said = {
        name: _READ.get(name, _as_sent)(getattr(body, name)) for name in sorted(body.model_fields_set - {"version"})
    }
    return cast("Change", said)


def _device(body: DeviceBody) -> Device:
    return device_said(body.model_dump())


def _firmware(bodies: list[FirmwareBody]) -> tuple[Firmware, ...]:
    return tuple(Firmware(each.version, each.image_sha256) for each in bodies)


def _assurance(bodies: list[AssuranceBody]) -> tuple[AssuranceCertificate, ...]:
    return tuple(
        AssuranceCertificate(
            scheme=each.scheme,
            certificate=each.certificate,
            manufacturer=each.manufacturer,
            model=each.model,
            hardware_version=each.hardware_version,
            issued_on=day_of(each.issued_on, f"assurance.{place}.issued_on"),
        )
        for place, each in enumerate(bodies)
    )


def _earlier_cpa(body: EarlierCpaBody | None) -> EarlierCpa | None:
    if body is None:
        return None
    return EarlierCpa(
        certificate=body.certificate,
        manufacturer=body.manufacturer,
        model=body.model,
        hardware_version=body.hardware_version,
        issued_on=read_day(body.issued_on, field="earlier_cpa.issued_on"),
        expires_on=day_of(body.expires_on, "earlier_cpa.expires_on"),
    )


def _as_sent(value: object) -> object:
    return value


_READ: Mapping[str, Callable[[Any], object]] = {
    "device": _device,
    "firmware": _firmware,
    "assurance": _assurance,
    "earlier_cpa": _earlier_cpa,
    "start": lambda value: read_day(value, field="start"),
    "expiry": lambda value: read_day(value, field="expiry"),
    "csr": lambda value: value.encode("utf-8"),
}
"""How a member is read whose form in the request is not the one that the use case takes."""
