"""/v1/end-requests: a Manufacturer asks for the end of its approval; the SSC ends it, or answers (F2.30)."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import EndAnswerBody, EndRequestBody, EndRequestQuery
from api.forms.fields import WriteHeader, approval_of, perhaps_approval_of
from api.forms.paths import ApprovalPath, EndRequestPath
from api.incoming import actor, refuse_body
from api.service import APPROVALS, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from ra.applying import request_end as use_case
from ra.applying.request_end import RequestEnd
from ra.applying.views import EndRequestAnswer, EndRequested, EndRequestPage
from ra.deciding.answer_end import answer_end_request


def add_end_requests(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [APPROVALS], "security": WITH_CREDENTIAL, "openapi_extensions": clauses("F2.30")}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/approvals/<approval>/end-requests",
        operation_id="requestEnd",
        responses={201: answer(EndRequested), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def request_an_end(header: WriteHeader, path: ApprovalPath, body: EndRequestBody) -> Response:
        """Ask for the end of one's own approval; nothing ends before officers decide it."""
        command = RequestEnd(approval_of(path.approval), body.reasons)
        return service.write(
            header,
            lambda key: use_case.request_end(desk, actor(), command, key),
            created="/v1/end-requests/{request}",
        )

    @app.get(
        "/v1/end-requests",
        operation_id="listEndRequests",
        responses={200: answer(EndRequestPage), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_end_requests(query: EndRequestQuery) -> Response:
        """List requests for ends; a Manufacturer sees its own."""
        only = perhaps_approval_of(query.approval)
        found = use_case.end_requests(
            desk, actor(), approval=only, state=query.state, after=query.after, limit=query.limit
        )
        return reply(found)

    @app.get(
        "/v1/end-requests/<end_request>",
        operation_id="showEndRequest",
        responses={200: answer(EndRequestAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_end_request(path: EndRequestPath) -> Response:
        """Show a request for an end and what became of it."""
        return reply(use_case.show_end_request(desk, actor(), path.end_request))

    @app.post(
        "/v1/end-requests/<end_request>/withdrawal",
        operation_id="withdrawEndRequest",
        responses={200: answer(EndRequested), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def withdraw_end_request(header: WriteHeader, path: EndRequestPath) -> Response:
        """Take a request back, as long as it has not been proposed for decision."""
        refuse_body()
        return service.write(header, lambda key: use_case.withdraw_end_request(desk, actor(), path.end_request, key))

    @app.post(
        "/v1/end-requests/<end_request>/answer",
        operation_id="answerEndRequest",
        responses={200: answer(EndRequested), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def answer_an_end_request(header: WriteHeader, path: EndRequestPath, body: EndAnswerBody) -> Response:
        """Refuse a request, or answer it in words; the Manufacturer is told in a notice."""
        return service.write(
            header,
            lambda key: answer_end_request(desk, actor(), path.end_request, body.outcome, body.answer, key),
        )
