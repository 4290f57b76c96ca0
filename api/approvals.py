"""/v1/approvals: what was granted, and the short way to end it in an emergency."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.deciding import RevocationBody
from api.forms.fields import PageQuery, WriteHeader
from api.forms.paths import ApprovalPath
from api.incoming import actor
from api.links import Links, with_proof
from api.service import (
    APPROVALS,
    DECIDING,
    READ_REFUSALS,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    clauses,
    refusals,
    reply,
)
from core.identifiers import ApprovalIdentifier
from ra.deciding.revoke import revoke
from ra.deciding.views import ApprovalRevoked
from ra.telling import approvals as look
from ra.telling.receipts import receipts
from ra.telling.views import ApprovalAnswer, ApprovalPage, ReceiptList


def add_approvals(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.get(
        "/v1/approvals",
        operation_id="listApprovals",
        openapi_extensions=clauses("F2.25"),
        tags=[APPROVALS],
        responses={200: answer(ApprovalPage), **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_approvals(query: PageQuery) -> Response:
        """List approvals; a Manufacturer sees its own."""
        return reply(look.approvals(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/approvals/<approval>",
        operation_id="showApproval",
        openapi_extensions=clauses("F2.21(a)", "F2.21(c)", "F2.21(d)", "F2.25"),
        tags=[APPROVALS],
        responses={200: answer(ApprovalAnswer, links=Links.OF_ONE), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_approval(path: ApprovalPath) -> Response:
        """Show an approval as it stands now."""
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return with_proof(reply(look.approval(desk, actor(), identifier)), identifier)

    @app.get(
        "/v1/approvals/<approval>/receipts",
        operation_id="listReceipts",
        openapi_extensions=clauses("F2.30", "F2.31"),
        tags=[APPROVALS],
        responses={200: answer(ReceiptList), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_receipts(path: ApprovalPath) -> Response:
        """How long each end took until it was told, and whether DCC and Panel have acknowledged it.

        Of an end that came by itself, at the expiry, there is none: it is told to the second.
        """
        return reply(receipts(desk, actor(), str(ApprovalIdentifier.parse(path.approval))))

    @app.post(
        "/v1/approvals/<approval>/revocation",
        operation_id="revokeApproval",
        openapi_extensions=clauses("F2.23", "F2.30", "F2.31"),
        tags=[DECIDING],
        responses={200: answer(ApprovalRevoked, links=Links.OF_ONE), **not_found, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def revoke_approval(header: WriteHeader, path: ApprovalPath, body: RevocationBody) -> Response:
        """Revoke at once, by one officer, where the settings allow it (F2.30)."""
        command, signed = body.command(path.approval), body.signed()
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return with_proof(
            service.write(header, lambda key: revoke(desk, actor(), command, key, signed=signed)), identifier
        )
