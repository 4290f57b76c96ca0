"""/v1/applications/…/interests and …/comments: what officers say of an application beside deciding it."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.committee import CommentBody, CommentPath, InterestBody, InterestPath
from api.forms.fields import WriteHeader
from api.forms.paths import ApplicationPath
from api.incoming import actor, refuse_body
from api.service import COMMITTEE, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, refusals, reply
from ra.committee import comments, interests
from ra.committee.views import CommentList, CommentMade, InterestDeclared, InterestList

_SHARED: dict[str, Any] = {"tags": [COMMITTEE], "security": WITH_CREDENTIAL}


def add_committee(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_interests(app, service)
    _add_comments(app, service)


def _refused() -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What reading and writing are refused with."""
    not_found = refusals(HTTPStatus.NOT_FOUND)
    return {**not_found, **refusals(*READ_REFUSALS)}, {**not_found, **refusals(*WRITE_REFUSALS)}


def _add_interests(app: OpenAPI, service: Service) -> None:
    desk = service.desk
    read, written = _refused()

    @app.post(
        "/v1/applications/<application>/interests",
        operation_id="declareInterest",
        responses={201: answer(InterestDeclared), **written},
        **_SHARED,
    )
    def declare(header: WriteHeader, path: ApplicationPath, body: InterestBody) -> Response:
        """Declare an interest. It is shown beside the decision; no authorisation counts less for it."""
        return service.write(
            header,
            lambda key: interests.declare_interest(
                desk, actor(), path.application, officer=body.officer, words=body.text, request=key
            ),
            created="/v1/applications/{application}/interests",
        )

    @app.get(
        "/v1/applications/<application>/interests",
        operation_id="listInterests",
        responses={200: answer(InterestList), **read},
        **_SHARED,
    )
    def list_interests(path: ApplicationPath) -> Response:
        """List the interests that were declared, those that were withdrawn too."""
        return reply(interests.interests_of(desk, actor(), path.application))

    @app.post(
        "/v1/interests/<interest>/withdrawal",
        operation_id="withdrawInterest",
        responses={200: answer(InterestDeclared), **written},
        **_SHARED,
    )
    def withdraw(header: WriteHeader, path: InterestPath) -> Response:
        """Withdraw an interest; that it was declared stays."""
        refuse_body()
        return service.write(header, lambda key: interests.withdraw_interest(desk, actor(), path.interest, key))


def _add_comments(app: OpenAPI, service: Service) -> None:
    desk = service.desk
    read, written = _refused()

    @app.post(
        "/v1/applications/<application>/comments",
        operation_id="makeComment",
        responses={201: answer(CommentMade), **written},
        **_SHARED,
    )
    def comment(header: WriteHeader, path: ApplicationPath, body: CommentBody) -> Response:
        """Say something to the other officers; nobody outside the SSC reads it."""
        return service.write(
            header,
            lambda key: comments.make_comment(desk, actor(), path.application, body.text, key),
            created="/v1/applications/{application}/comments",
        )

    @app.get(
        "/v1/applications/<application>/comments",
        operation_id="listComments",
        responses={200: answer(CommentList), **read},
        **_SHARED,
    )
    def list_comments(path: ApplicationPath) -> Response:
        """List the comments on an application, those that were retracted too."""
        return reply(comments.comments_of(desk, actor(), path.application))

    @app.post(
        "/v1/comments/<comment>/retraction",
        operation_id="retractComment",
        responses={200: answer(CommentMade), **written},
        **_SHARED,
    )
    def retract(header: WriteHeader, path: CommentPath) -> Response:
        """Take back a comment of your own; its words stay on record."""
        refuse_body()
        return service.write(header, lambda key: comments.retract_comment(desk, actor(), path.comment, key))
