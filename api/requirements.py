"""/v1/applications/…/requirements and standing ones (F2.20)."""

from http import HTTPStatus
from typing import Annotated, Any

from flask import Response
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, Field

from api.answers import Answer
from api.forms.applying import RequirementAnswer
from api.forms.fields import Body, Token, Words, WriteHeader
from api.forms.paths import ApplicationPath
from api.incoming import actor, refuse_body
from api.service import APPLYING, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from core.kinds import RequirementState
from ra.applying import requirements
from ra.applying import view as application_view
from ra.applying.requirements import RequirementClosed


class RequirementPath(BaseModel):
    """Which requirement."""

    requirement: Token


class StandingPath(BaseModel):
    """Which standing requirement."""

    standing: Token


class RequirementBody(Body):
    """What must be evidenced, in words for the applicant."""

    text: Words


class OutcomeBody(Body):
    """A requirement is met, or waived; the reason says what shows it, or why."""

    state: RequirementClosed
    reason: Annotated[Words, Field(pattern=r"\S")]


class RequirementSet(Answer):
    """A requirement as it stands now."""

    requirement: str
    application: str
    state: RequirementState


class RequirementList(Answer):
    """The requirements of an application, oldest first."""

    requirements: list[RequirementAnswer]


class StandingSet(Answer):
    """A standing requirement was set; `applications` got it at once."""

    standing: str
    applications: int


class StandingEnded(Answer):
    """A standing requirement was ended."""

    standing: str
    ended_at: str


class StandingAnswer(Answer):
    """A standing requirement. Officers are named to the SSC and the auditor only."""

    standing: str
    text: str
    set_at: str
    set_by: str | None
    ended_at: str | None
    ended_by: str | None


class StandingList(Answer):
    """The standing requirements, oldest first."""

    standing: list[StandingAnswer]


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
        responses={201: RequirementSet, **not_found, **refusals(*WRITE_REFUSALS)},
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
        responses={200: RequirementList, **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_requirements(path: ApplicationPath) -> Response:
        """List the requirements of an application, each open, met or waived."""
        return reply(application_view.requirements_of(desk, actor(), path.application))

    @app.post(
        "/v1/requirements/<requirement>/outcome",
        operation_id="closeRequirement",
        responses={200: RequirementSet, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def close_requirement(header: WriteHeader, path: RequirementPath, body: OutcomeBody) -> Response:
        """Record a requirement as met, or waive it with a reason."""
        return service.write(
            header,
            lambda key: requirements.close_requirement(
                desk, actor(), path.requirement, outcome=body.state, reason=body.reason, request=key
            ),
        )

    @app.post(
        "/v1/requirements/standing",
        operation_id="setStandingRequirement",
        responses={201: StandingSet, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def set_standing(header: WriteHeader, body: RequirementBody) -> Response:
        """Require something of every application from now on, and of those that wait for a proposal."""
        return service.write(
            header,
            lambda key: requirements.set_standing(desk, actor(), body.text, key),
            created="/v1/requirements/standing",
        )

    @app.get(
        "/v1/requirements/standing",
        operation_id="listStandingRequirements",
        responses={200: StandingList, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_standing() -> Response:
        """List the standing requirements, those that have ended too."""
        return reply(requirements.standing(desk, actor()))

    @app.post(
        "/v1/requirements/standing/<standing>/end",
        operation_id="endStandingRequirement",
        responses={200: StandingEnded, **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def end_standing(header: WriteHeader, path: StandingPath) -> Response:
        """End a standing requirement; where it is open already it stays so."""
        refuse_body()
        return service.write(header, lambda key: requirements.end_standing(desk, actor(), path.standing, key))
