"""/v1/notices: what Manufacturer, DCC and Panel were told, each copy as redacted for it, and what has not arrived."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.documents import NoticeFetched
from api.forms.fields import PageOfApprovalQuery, PageQuery, perhaps_approval_of
from api.forms.paths import ApprovalPath, NoticePath
from api.forms.telling import CopyQuery
from api.incoming import actor, wanted_form
from api.links import Links, with_proof
from api.service import JSON_TYPE, READ_REFUSALS, TRIAL, WITH_CREDENTIAL, Service, clauses, refusals, reply
from core.identifiers import ApprovalIdentifier
from ra.telling import notices
from ra.telling.views import NoticePage, UndeliveredPage

PDF_TYPE = "application/pdf"
_FORMS = (JSON_TYPE, PDF_TYPE)


def add_notices(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL}

    @app.get(
        "/v1/notices",
        operation_id="listNotices",
        openapi_extensions=clauses("F2.21(b)", "F2.22", "F2.24", "F2.29", "F2.30"),
        responses={200: answer(NoticePage), **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND)},
        **shared,
    )
    def list_notices(query: PageOfApprovalQuery) -> Response:
        """List notices: one's own copies, or everything for SSC and auditor."""
        only = perhaps_approval_of(query.approval)
        return reply(notices.listed(desk, actor(), after=query.after, limit=query.limit, approval=only))

    @app.get(
        "/v1/notices/undelivered",
        operation_id="listUndelivered",
        openapi_extensions=clauses("F2.21(b)", "F2.24", "F2.29", "F2.30"),
        responses={200: answer(UndeliveredPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_undelivered(query: PageQuery) -> Response:
        """List copies that have not reached their recipient: by channel, since when, and the last error."""
        return reply(notices.undelivered(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/notices/<notice>",
        operation_id="showNotice",
        openapi_extensions=clauses(
            *(f"F2.21({letter})" for letter in "abcde"), "F2.22", "F2.24", "F2.25", "F2.29", "F2.30", "F2.31"
        ),
        responses={
            200: answer(NoticeFetched, PDF_TYPE, links=Links.OF_ONE),
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE),
        },
        **shared,
    )
    def show_notice(path: NoticePath, query: CopyQuery) -> Response:
        """Fetch a notice as JSON or PDF, by Accept."""
        media_type = wanted_form(_FORMS, otherwise=JSON_TYPE)
        pdf, number = media_type == PDF_TYPE, path.notice.upper()
        fetched = notices.fetch(desk, actor(), number, recipient=query.recipient, pdf=pdf)
        sent = Response(fetched.octets, content_type=media_type)
        sent.headers["Vary"] = "Accept"
        if pdf:
            sent.headers["Content-Disposition"] = f'attachment; filename="{fetched.name}.pdf"'
        return with_proof(sent, fetched.approval)

    @app.get(
        "/v1/approvals/<approval>/notices",
        operation_id="listNoticesOfApproval",
        openapi_extensions=clauses("F2.21(b)", "F2.29", "F2.30"),
        responses={200: answer(NoticePage), **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND)},
        **shared,
    )
    def list_notices_of_approval(path: ApprovalPath, query: PageQuery) -> Response:
        """List the notices of one approval, in the order in which they were written."""
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return reply(notices.listed(desk, actor(), after=query.after, limit=query.limit, approval=identifier))
