"""Certificates with their chain, in the form that is asked for, and what the Manufacturer says of them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.applying import AcceptanceBody
from api.forms.fields import WaitHeader, WriteHeader
from api.forms.paths import ApprovalPath, SerialPath
from api.forms.telling import CertificateQuery
from api.incoming import actor, wanted_form
from api.links import HEADERS, Links, with_proof
from api.service import APPROVALS, READ_REFUSALS, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals
from api.status import formats
from core.identifiers import ApprovalIdentifier, parse_serial
from ra.applying import accept
from ra.applying.accept import AnswerCertificate
from ra.applying.views import CertificateAnswered
from ra.deciding.awaited import certificate_awaited
from ra.telling import approvals as look
from ra.telling.approvals import FetchedCertificate

_FORMS: dict[str, Callable[[tuple[bytes, ...]], bytes]] = {
    formats.CHAIN_TYPE: formats.pem_chain,
    formats.CERTIFICATE_TYPE: formats.leaf,
    formats.CERTS_ONLY_TYPE: formats.certs_only,
    formats.PKCS7_TYPE: formats.certs_only,
}


def add_certificates(app: OpenAPI, service: Service) -> None:
    """Add fetching a certificate, and the answer to it, to the application."""
    desk = service.desk
    binary = {"schema": {"type": "string", "format": "binary"}}
    fetched: dict[str | int, Any] = {
        200: {
            "description": "The certificate: PEM with its chain, DER alone, or CMS certs-only with its chain.",
            "content": dict.fromkeys((formats.CHAIN_TYPE, formats.CERTIFICATE_TYPE, formats.PKCS7_TYPE), binary),
            "headers": dict(HEADERS[Links.OF_ONE]),
        },
        **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE),
    }
    shared: dict[str, Any] = {
        "tags": [APPROVALS],
        "security": WITH_CREDENTIAL,
        "responses": fetched,
        "openapi_extensions": clauses("F2.25"),
    }

    @app.get("/v1/approvals/<approval>/certificate", operation_id="fetchCertificateOfApproval", **shared)
    def fetch_certificate_of(header: WaitHeader, path: ApprovalPath, query: CertificateQuery) -> Response:
        """Fetch the certificate of an approval that holds now, or one by its issue.

        Whoever prefers to wait is answered when the approval has a certificate.
        """
        media_type = wanted_form(_FORMS, otherwise=formats.CHAIN_TYPE)
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return service.patiently(
            header,
            identifier,
            lambda: certificate_awaited(desk, actor(), identifier),
            lambda: _document(look.certificate_of(desk, actor(), identifier, query.issue), media_type),
        )

    @app.get("/v1/certificates/<serial>", operation_id="fetchCertificate", **shared)
    def fetch_certificate(path: SerialPath) -> Response:
        """Fetch a certificate by its serial number."""
        media_type = wanted_form(_FORMS, otherwise=formats.CHAIN_TYPE)
        return _document(look.certificate(desk, actor(), parse_serial(path.serial)), media_type)

    @app.post(
        "/v1/certificates/<serial>/acceptance",
        operation_id="answerCertificate",
        openapi_extensions=clauses("F2.25"),
        tags=[APPROVALS],
        security=WITH_CREDENTIAL,
        responses={200: answer(CertificateAnswered), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
    )
    def answer_certificate(header: WriteHeader, path: SerialPath, body: AcceptanceBody) -> Response:
        """Accept a certificate, or reject it with what is wrong, once; for the Manufacturer that got it."""
        command = AnswerCertificate(parse_serial(path.serial), body.accepted, body.reason)
        return service.write(header, lambda key: accept.answer_certificate(desk, actor(), command, key))


def _document(found: FetchedCertificate, media_type: str) -> Response:
    # CMS always says which kind of it this is (RFC 8551, 3.2.2), whether or not that was asked.
    said = formats.CERTS_ONLY_TYPE if media_type == formats.PKCS7_TYPE else media_type
    response = Response(_FORMS[media_type](found.chain), content_type=said)
    response.headers["Vary"] = "Accept"
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}.{formats.SUFFIX[said]}"'
    return with_proof(response, found.approval)
