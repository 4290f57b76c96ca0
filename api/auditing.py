"""/v1/journal, /v1/audit and /v1/approvals/{}/dossier: what auditors take with them, to be proved elsewhere."""

from http import HTTPStatus

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import approval_of
from api.forms.paths import ApprovalPath
from api.forms.watching import AuditQuery, JournalQuery
from api.incoming import actor
from api.service import APPROVALS, READ_REFUSALS, WATCHING, WITH_CREDENTIAL, Service, clauses, refusals, reply
from ra.auditing.dossier import FetchedDossier, dossier
from ra.auditing.exported import audit_portion
from ra.auditing.journal import journal
from ra.auditing.views import AuditPortion, DossierAsked, JournalPage

ZIP_TYPE = "application/zip"


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

    @app.get(
        "/v1/audit",
        operation_id="exportAudit",
        tags=[WATCHING],
        openapi_extensions=clauses("F2.18"),
        responses={200: answer(AuditPortion), **refusals(*READ_REFUSALS, HTTPStatus.BAD_REQUEST)},
        security=WITH_CREDENTIAL,
    )
    def export_audit(query: AuditQuery) -> Response:
        """Fetch a portion of the whole register with all that it rests upon, to prove it elsewhere."""
        return reply(audit_portion(desk, actor(), query.after))

    @app.get(
        "/v1/approvals/<approval>/dossier",
        operation_id="fetchDossier",
        tags=[APPROVALS],
        openapi_extensions=clauses("F2.18", "F2.22"),
        responses={
            200: {
                "description": "The dossier.",
                "content": {ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}}},
            },
            202: answer(DossierAsked),
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND),
        },
        security=WITH_CREDENTIAL,
    )
    def fetch_dossier(path: ApprovalPath) -> Response:
        """Fetch everything about an approval as one signed ZIP; 202 until it is signed: ask again in a second."""
        found = dossier(desk, actor(), approval_of(path.approval))
        if not isinstance(found, FetchedDossier):
            sent = reply(found, HTTPStatus.ACCEPTED)
            sent.headers["Retry-After"] = "1"
            return sent
        sent = Response(found.octets, content_type=ZIP_TYPE)
        sent.headers["Content-Disposition"] = f'attachment; filename="{found.name}.zip"'
        return sent
