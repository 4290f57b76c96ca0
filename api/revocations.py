"""/v1/revocations: many approvals are revoked by one decision; its progress."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import WriteHeader
from api.forms.paths import DecisionPath
from api.forms.revoking import REVOCATIONS_LIMIT, RevocationsBody
from api.incoming import actor
from api.links import Links, with_proofs
from api.service import (
    DECIDING,
    READ_REFUSALS,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    body_limit,
    clauses,
    refusals,
    reply,
)
from ra.deciding import many
from ra.deciding.propose import propose
from ra.deciding.views import DecisionProposed, RevocationsAnswer

REVOCATIONS = "/v1/revocations"
"""It takes a body of REVOCATIONS_LIMIT octets, not BODY_LIMIT."""


def add_revocations(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [DECIDING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        REVOCATIONS,
        operation_id="proposeRevocations",
        openapi_extensions={**clauses("F2.30"), **body_limit(REVOCATIONS_LIMIT)},
        responses={201: answer(DecisionProposed), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def propose_revocations(header: WriteHeader, body: RevocationsBody) -> Response:
        """Propose to revoke approvals together; it is signed for and seconded as every decision is.

        The proposal lists them, in order, with their number and the SHA-256 of the list in canonical form.
        """
        command = body.command()
        return service.write(
            header, lambda key: propose(desk, actor(), command, key), created="/v1/revocations/{decision}"
        )

    @app.get(
        "/v1/revocations/<decision>",
        operation_id="showRevocations",
        openapi_extensions=clauses("F2.30", "F2.31"),
        responses={
            200: answer(RevocationsAnswer, links=Links.OF_SEVERAL),
            **not_found,
            **refusals(HTTPStatus.CONFLICT),
            **refusals(*READ_REFUSALS),
        },
        **shared,
    )
    def show_revocations(path: DecisionPath) -> Response:
        """Show how far it has come: how many have ended, had ended before, were told of, and which list says all."""
        found = many.progress(desk, actor(), path.decision)
        return with_proofs(reply(found), many.named(desk, actor(), path.decision))
