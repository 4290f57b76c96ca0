"""/v1/suspicions: suspected breaches that a Manufacturer was told of, and what it answers (F2.23)."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import PageOfApprovalQuery, WriteHeader, perhaps_approval_of
from api.forms.paths import BreachPath
from api.forms.reporting import SuspicionAnswerBody
from api.incoming import actor
from api.service import READ_REFUSALS, TRIAL, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from ra.reporting import suspicion
from ra.reporting.views import SuspicionAnswer, SuspicionMoved, SuspicionPage


def add_suspicions(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL, "openapi_extensions": clauses("F2.23")}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.get(
        "/v1/suspicions",
        operation_id="listSuspicions",
        responses={200: answer(SuspicionPage), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_suspicions(query: PageOfApprovalQuery) -> Response:
        """List suspected breaches that their Manufacturer was told of; a Manufacturer sees its own."""
        only = perhaps_approval_of(query.approval)
        found = suspicion.suspicions_of(desk, actor(), approval=only, after=query.after, limit=query.limit)
        return reply(found)

    @app.get(
        "/v1/suspicions/<breach>",
        operation_id="showSuspicion",
        responses={200: answer(SuspicionAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_suspicion(path: BreachPath) -> Response:
        """Show a suspicion as it was told, and its answer."""
        return reply(suspicion.show_suspicion(desk, actor(), path.breach))

    @app.post(
        "/v1/suspicions/<breach>/answer",
        operation_id="answerSuspicion",
        responses={200: answer(SuspicionMoved), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def answer_a_suspicion(header: WriteHeader, path: BreachPath, body: SuspicionAnswerBody) -> Response:
        """Answer a suspicion, once, as long as nothing that follows from it has been decided."""
        return service.write(
            header, lambda key: suspicion.answer_suspicion(desk, actor(), path.breach, body.answer, key)
        )
