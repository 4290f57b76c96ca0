"""/v1/applications/…/requirements and standing ones (F2.20)."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import OutcomeBody, RequirementBody
from api.forms.fields import WriteHeader
from api.forms.paths import ApplicationPath, RequirementPath, StandingPath
from api.incoming import actor, refuse_body
from api.service import APPLYING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from ra.applying import look, requirements
from ra.applying.views import RequirementList, RequirementSet, StandingEnded, StandingList, StandingSet


def add_requirements(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {
        "tags": [APPLYING],
        "security": WITH_CREDENTIAL,
        "openapi_extensions": clauses("F2.20"),
    }
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/applications/<application>/requirements",
        operation_id="setRequirement",
        responses={201: answer(RequirementSet), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def set_requirement(header: WriteHeader, path: ApplicationPath, body: RequirementBody) -> Response:
        """Require something more of an application (F2.20)."""
        return service.write(
            header,
            lambda key: requirements.set_requirement(desk, actor(), path.application, body.text, key),
            created="/v1/applications/{application}/requirements",
        )

    @app.get(
        "/v1/applications/<application>/requirements",
        operation_id="listRequirements",
        responses={200: answer(RequirementList), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_requirements(path: ApplicationPath) -> Response:
        """List the requirements of an application, each open, met or waived."""
        return reply(look.requirements_of(desk, actor(), path.application))

    @app.post(
        "/v1/requirements/<requirement>/outcome",
        operation_id="closeRequirement",
        responses={200: answer(RequirementSet), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def close_requirement(header: WriteHeader, path: RequirementPath, body: OutcomeBody) -> Response:
        """Record a requirement as met, or waive it with a reason."""
        return service.write(
            header,
            lambda key: requirements.close_requirement(
                desk,
                actor(),
                path.requirement,
                outcome=body.state,
                reason=body.reason,
                classification=body.classification,
                request=key,
            ),
        )

    @app.post(
        "/v1/requirements/standing",
        operation_id="setStandingRequirement",
        responses={201: answer(StandingSet), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def set_standing(header: WriteHeader, body: RequirementBody) -> Response:
        """Require something of every application from now on, and of those that are not decided."""
        return service.write(
            header,
            lambda key: requirements.set_standing(desk, actor(), body.text, key),
            created="/v1/requirements/standing",
        )

    @app.get(
        "/v1/requirements/standing",
        operation_id="listStandingRequirements",
        responses={200: answer(StandingList), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_standing() -> Response:
        """List the standing requirements, those that have ended too."""
        return reply(requirements.standing(desk, actor()))

    @app.post(
        "/v1/requirements/standing/<standing>/end",
        operation_id="endStandingRequirement",
        responses={200: answer(StandingEnded), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def end_standing(header: WriteHeader, path: StandingPath) -> Response:
        """End a standing requirement; where it is open already it stays so."""
        refuse_body()
        return service.write(header, lambda key: requirements.end_standing(desk, actor(), path.standing, key))
