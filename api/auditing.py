"""/v1/journal: what auditors take with them, to be proved elsewhere."""

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.watching import JournalQuery
from api.incoming import actor
from api.service import READ_REFUSALS, WATCHING, WITH_CREDENTIAL, Service, clauses, refusals, reply
from ra.auditing.journal import journal
from ra.auditing.views import JournalPage


def add_auditing(app: OpenAPI, service: Service) -> None:
    """Add the resources to the application."""
    desk = service.desk

    @app.get(
        "/v1/journal",
        operation_id="listJournal",
        tags=[WATCHING],
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(JournalPage), **refusals(*READ_REFUSALS)},
        security=WITH_CREDENTIAL,
    )
    def list_journal(query: JournalQuery) -> Response:
        """List the sealed journal with its signed heads; what is under no head yet comes later."""
        return reply(journal(desk, actor(), after=int(query.after or "0"), limit=query.limit))
