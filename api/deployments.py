"""/v1/deployments: devices deployed, replaced and decommissioned (F2.28)."""

import hashlib
from http import HTTPStatus
from typing import Any

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import UnsupportedMediaType

from api.answers import answer
from api.forms.fields import OCTETS_TYPE, DatesQuery, WriteHeader
from api.forms.paths import ApprovalPath, BatchPath
from api.forms.reporting import DEPLOYMENT_TYPES, DeploymentsBody, DeviceQuery
from api.incoming import actor, raw_body
from api.service import (
    READ_REFUSALS,
    TRIAL,
    WITH_CREDENTIAL,
    WRITE_REFUSALS,
    Service,
    body_limit,
    clauses,
    refusals,
    reply,
)
from core.deployments import Form, form_of
from core.identifiers import ApprovalIdentifier, parse_device_id
from ra.repeat import RequestKey
from ra.reporting.deployments import batch, of_approval
from ra.reporting.record import LARGEST_REPORT, record_deployments
from ra.reporting.views import BatchAnswer, DeploymentsAnswer, ReportTaken


def add_deployments(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/deployments",
        operation_id="recordDeployments",
        openapi_extensions={**clauses("F2.21(d)", "F2.28(d)", "F2.28(e)", "F2.28(f)"), **body_limit(LARGEST_REPORT)},
        responses={200: answer(ReportTaken), **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def record(header: WriteHeader, query: DatesQuery, raw: DeploymentsBody) -> Response:  # noqa: ARG001 - it describes the body
        """Report devices deployed, replaced, decommissioned or reported wrongly.

        CSV, XLSX, JSON or the DCC's answer to a Read Inventory request as it is. A line that is wrong is told and harms
        no other; the same report sent twice changes nothing.
        """
        said = DEPLOYMENT_TYPES.get(request.mimetype)
        if said is None and request.mimetype != OCTETS_TYPE:
            raise UnsupportedMediaType
        body = raw_body(LARGEST_REPORT)
        form = form_of(body) if said is None else said
        # Verification looks deployments up when it is asked: there is no mirror to refresh.
        key = _key(header, query, form, body)
        return reply(record_deployments(desk, actor(), form, body, key, order=query.order))

    @app.get(
        "/v1/deployments/batches/<batch>",
        operation_id="showDeploymentBatch",
        openapi_extensions=clauses("F2.28(d)"),
        responses={200: answer(BatchAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_batch(path: BatchPath) -> Response:
        """Show what a report came to."""
        return reply(batch(desk, actor(), path.batch))

    @app.get(
        "/v1/approvals/<approval>/deployments",
        operation_id="showDeployments",
        openapi_extensions=clauses("F2.21(d)", "F2.28(d)"),
        responses={200: answer(DeploymentsAnswer), **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_deployments(path: ApprovalPath, query: DeviceQuery) -> Response:
        """Show how many devices are deployed under an approval, and what is known of one of them."""
        device_id = None if query.device_id is None else parse_device_id(query.device_id)
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return reply(of_approval(desk, actor(), identifier, device_id=device_id))


def _key(header: WriteHeader, query: DatesQuery, form: Form, body: bytes) -> RequestKey | None:
    """The Idempotency-Key with the digest of what was sent, octet by octet."""
    if header.idempotency_key is None:
        return None
    sent = hashlib.sha256(f"{request.method}\n{request.path}\n{form.value}\n{query.order}\n".encode())
    sent.update(body)
    return RequestKey(header.idempotency_key, sent.hexdigest())
