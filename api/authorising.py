"""What officers sign for with keys of their own: their proposals; what was signed, and by which roster it counts."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import DecisionBatchAnswer, answer
from api.decisions import batch_answer
from api.forms.authorising import LISTED_LIMIT
from api.forms.deciding import SignForBatchBody, SignForBody
from api.forms.fields import WriteHeader
from api.forms.paths import DecisionPath
from api.incoming import actor
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
from ra.deciding.authorise import sign_for, sign_for_batch
from ra.deciding.record import authorisations, journal_of
from ra.deciding.views import DecisionAuthorisations, DecisionAuthorised, DecisionJournal
from ra.roster import RosterAnswer, roster

BATCH_PATHS = frozenset({"/v1/decisions/batch/authorisation", "/v1/decisions/batch/second"})
"""What takes a body of LISTED_LIMIT octets, not BODY_LIMIT."""


def add_authorising(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [DECIDING], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/decisions/<decision>/authorisation",
        operation_id="authoriseDecision",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionAuthorised), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def authorise_decision(header: WriteHeader, path: DecisionPath, body: SignForBody) -> Response:
        """Sign for one's own proposal with a key of one's own; before that nobody seconds it."""
        signed = body.signed()
        return service.write(
            header,
            lambda key: sign_for(
                desk, actor(), path.decision, proposal_sha256=body.proposal_sha256, signed=signed, request=key
            ),
        )

    @app.post(
        "/v1/decisions/batch/authorisation",
        operation_id="authoriseBatch",
        openapi_extensions={**clauses("F2.18"), **body_limit(LISTED_LIMIT)},
        responses={200: answer(DecisionBatchAnswer), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def authorise_several(header: WriteHeader, body: SignForBatchBody) -> Response:
        """Sign for several proposals of one's own by one statement over their list; each stands or falls alone."""
        proposed, signed = body.proposed(), body.signed()
        return service.write(
            header, lambda key: batch_answer(sign_for_batch(desk, actor(), proposed, key, signed=signed))
        )

    @app.get(
        "/v1/decisions/<decision>/authorisations",
        operation_id="listAuthorisations",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionAuthorisations), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_authorisations(path: DecisionPath) -> Response:
        """List what officers signed for a decision, as far as it is sealed: anybody can prove it."""
        return reply(authorisations(desk, actor(), path.decision))

    @app.get(
        "/v1/decisions/<decision>/journal",
        operation_id="showDecisionJournal",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(DecisionJournal), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_decision_journal(path: DecisionPath) -> Response:
        """Show the sealed journal's rows about a decision, each with those up to a signed head."""
        return reply(journal_of(desk, actor(), path.decision))

    @app.get(
        "/v1/roster",
        operation_id="showRoster",
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(RosterAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_roster() -> Response:
        """Show whose keys count as officers', and for which authority they sign."""
        return reply(roster(desk, actor()))
