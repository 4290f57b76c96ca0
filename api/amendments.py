"""/v1/approvals/…/amendment-requests, and conditions (F2.29, F2.21(e))."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import AmendmentRequestBody
from api.forms.fields import WriteHeader, approval_of, day_of, firmware_of
from api.forms.paths import AmendmentRequestPath, ApprovalPath
from api.incoming import actor, refuse_body
from api.service import (
    APPROVALS,
    READ_REFUSALS,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    clauses,
    refusals,
    reply,
)
from ra.applying.request_amendment import (
    RequestAmendment,
    request_amendment,
    requests_of,
    show_request,
    withdraw_request,
)
from ra.applying.views import AmendmentRequestAnswer, AmendmentRequested, AmendmentRequestList
from ra.telling.conditions import conditions
from ra.telling.views import ConditionList


def add_amendments(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [APPROVALS], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/approvals/<approval>/amendment-requests",
        operation_id="requestAmendment",
        openapi_extensions=clauses("F2.29"),
        responses={201: answer(AmendmentRequested), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def request_an_amendment(header: WriteHeader, path: ApprovalPath, body: AmendmentRequestBody) -> Response:
        """Ask for an amendment of one's own approval; officers decide."""
        command = RequestAmendment(
            approval=approval_of(path.approval),
            reasons=body.reasons,
            start=day_of(body.start, "start"),
            expiry=day_of(body.expiry, "expiry"),
            maximum_devices=body.maximum_devices,
            firmware_added=firmware_of(body.firmware_added),
            firmware_removed=tuple(body.firmware_removed),
            other=body.other or "",
        )
        return service.write(
            header,
            lambda key: request_amendment(desk, actor(), command, key),
            created="/v1/amendment-requests/{request}",
        )

    @app.get(
        "/v1/approvals/<approval>/amendment-requests",
        operation_id="listAmendmentRequests",
        openapi_extensions=clauses("F2.29"),
        responses={200: answer(AmendmentRequestList), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_amendment_requests(path: ApprovalPath) -> Response:
        """List what was asked to be amended."""
        return reply(requests_of(desk, actor(), approval_of(path.approval)))

    @app.get(
        "/v1/amendment-requests/<request>",
        operation_id="showAmendmentRequest",
        openapi_extensions=clauses("F2.29"),
        responses={200: answer(AmendmentRequestAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_amendment_request(path: AmendmentRequestPath) -> Response:
        """Show an amendment request and what became of it."""
        return reply(show_request(desk, actor(), path.request))

    @app.post(
        "/v1/amendment-requests/<request>/withdrawal",
        operation_id="withdrawAmendmentRequest",
        openapi_extensions=clauses("F2.29"),
        responses={200: answer(AmendmentRequested), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def withdraw_amendment_request(header: WriteHeader, path: AmendmentRequestPath) -> Response:
        """Take a request back, as long as it has not been proposed for decision."""
        refuse_body()
        return service.write(header, lambda key: withdraw_request(desk, actor(), path.request, key))

    @app.get(
        "/v1/approvals/<approval>/conditions",
        operation_id="listConditions",
        openapi_extensions=clauses("F2.21(e)", "F2.22"),
        responses={200: answer(ConditionList), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_conditions(path: ApprovalPath) -> Response:
        """List the conditions of an approval that the reader may have."""
        return reply(conditions(desk, actor(), approval_of(path.approval)))
