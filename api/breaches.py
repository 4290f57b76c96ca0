"""/v1/approvals/…/breaches and /v1/breaches: suspected, confirmed or dismissed, answered or closed (F2.23)."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import WriteHeader
from api.forms.paths import ApprovalPath, BreachPath
from api.forms.reporting import BreachQuery, ClosureBody, JudgementBody, SuspicionBody, TellingBody
from api.incoming import actor
from api.service import READ_REFUSALS, TRIAL, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from core.identifiers import ApprovalIdentifier
from ra.deciding.tell_breach import Suspected, record_suspicion, tell_of
from ra.reporting import breach
from ra.reporting.views import BreachAnswer, BreachMoved, BreachPage, SuspicionMoved


def add_breaches(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_of_approvals(app, service)
    _add_breaches(app, service)


def _shared() -> dict[str, Any]:
    return {"tags": [TRIAL], "security": WITH_CREDENTIAL, "openapi_extensions": clauses("F2.23")}


def _add_of_approvals(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.post(
        "/v1/approvals/<approval>/breaches",
        operation_id="suspectBreach",
        responses={201: answer(BreachMoved), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def suspect_breach(header: WriteHeader, path: ApprovalPath, body: SuspicionBody) -> Response:
        """Record that a condition may have been breached, and tell its Manufacturer at once if that is said."""
        approval = str(ApprovalIdentifier.parse(path.approval))
        return service.write(
            header,
            lambda key: record_suspicion(desk, actor(), approval, Suspected(body.condition, body.note, body.told), key),
            created="/v1/breaches/{breach}",
        )

    @app.get(
        "/v1/approvals/<approval>/breaches",
        operation_id="listBreachesOfApproval",
        responses={200: answer(BreachPage), **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def list_breaches_of_approval(path: ApprovalPath, query: BreachQuery) -> Response:
        """List the breaches of an approval."""
        approval = str(ApprovalIdentifier.parse(path.approval))
        found = breach.listed(desk, actor(), approval=approval, state=query.state, after=query.after, limit=query.limit)
        return reply(found)


def _add_breaches(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.get(
        "/v1/breaches",
        operation_id="listBreaches",
        responses={200: answer(BreachPage), **refusals(*READ_REFUSALS)},
        **_shared(),
    )
    def list_breaches(query: BreachQuery) -> Response:
        """List breaches of all approvals; those that are confirmed owe a revocation."""
        return reply(breach.listed(desk, actor(), state=query.state, after=query.after, limit=query.limit))

    @app.get(
        "/v1/breaches/<breach>",
        operation_id="showBreach",
        responses={200: answer(BreachAnswer), **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def show_breach(path: BreachPath) -> Response:
        """Show a breach."""
        return reply(breach.shown(desk, actor(), path.breach))

    @app.post(
        "/v1/breaches/<breach>/telling",
        operation_id="tellOfBreach",
        responses={200: answer(SuspicionMoved), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def tell_of_breach(header: WriteHeader, path: BreachPath, body: TellingBody) -> Response:
        """Tell a Manufacturer of a suspected breach, which it may answer."""
        return service.write(header, lambda key: tell_of(desk, actor(), path.breach, body.text, key))

    @app.post(
        "/v1/breaches/<breach>/judgement",
        operation_id="judgeBreach",
        responses={200: answer(BreachMoved), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def judge_breach(header: WriteHeader, path: BreachPath, body: JudgementBody) -> Response:
        """Confirm a suspected breach, which owes a revocation from then on, or dismiss it."""
        signed = body.signed()
        return service.write(
            header,
            lambda key: breach.judge(
                desk, actor(), path.breach, confirmed=body.confirmed, why=body.why, signed=signed, request=key
            ),
        )

    @app.post(
        "/v1/breaches/<breach>/closure",
        operation_id="closeBreach",
        responses={200: answer(BreachMoved), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared(),
    )
    def close_breach(header: WriteHeader, path: BreachPath, body: ClosureBody) -> Response:
        """Close a confirmed breach whose approval has ended otherwise."""
        return service.write(header, lambda key: breach.close(desk, actor(), path.breach, why=body.why, request=key))
