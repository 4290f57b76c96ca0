"""/v1/deployments: devices deployed, replaced and decommissioned (F2.28)."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from flask import Response, request
from flask_openapi3.models import RawModel
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import UnsupportedMediaType

from api.forms.fields import TOKEN_LIMIT, Token, WriteHeader
from api.forms.paths import ApprovalPath
from api.incoming import actor, raw_body
from api.service import READ_REFUSALS, TRIAL, WITH_CREDENTIAL, WRITE_REFUSALS, Service, clauses, refusals, reply
from core.deployments import Form
from core.identifiers import ApprovalIdentifier, parse_device_id
from ra.repeat import RequestKey
from ra.reporting.deployments import batch, of_approval
from ra.reporting.record import record_deployments

REPORT_LIMIT = 32 * 1024 * 1024
"""Octets of a report: 100,000 lines of 335."""

FORMS: Mapping[str, Form] = {
    "application/json": Form.JSON,
    "text/csv": Form.CSV,
    "application/xml": Form.DUIS,
    "text/xml": Form.DUIS,
}
"""How a report may be sent, by media type."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReportBody(RawModel):
    """A report in one of its forms."""

    mimetypes: list[str] = list(FORMS)  # noqa: RUF012 - declared so by its base


class LineAnswer(_Answer):
    """What became of a line; `code` and `detail` say why where there is something to say."""

    line: int
    outcome: Annotated[str, Field(pattern="^(recorded|known|refused|ignored)$")]
    device_id: str | None
    approval: str | None
    code: str | None
    column: str | None
    detail: str


class ReportTaken(_Answer):
    """A report was taken in; each line stands or falls alone."""

    batch: str
    lines: int
    recorded: int
    known: int
    refused: int
    ignored: int
    results: list[LineAnswer]


class BatchAnswer(_Answer):
    """What a report came to."""

    batch: str
    form: str
    content_sha256: str
    received_at: str
    received_by: str
    lines: int
    recorded: int
    known: int
    refused: int
    ignored: int


class StintAnswer(_Answer):
    """A device under an approval, from its deployment on; `corrected` if a correction says that it never was."""

    firmware_version: str
    deployed_at: str
    decommissioned_at: str | None
    replaced_by: str | None
    corrected: bool


class DeviceAnswer(_Answer):
    """What is known of one device under the approval."""

    device_id: str
    deployed: bool
    stints: list[StintAnswer]


class DeploymentsAnswer(_Answer):
    """How many devices are deployed under an approval, beside its limit (F2.21(d))."""

    approval: str
    as_of: str
    deployed: int
    decommissioned: int
    limit: int
    above_limit: bool
    device: DeviceAnswer | None


class BatchPath(BaseModel):
    """Which report."""

    batch: Token


class DeviceQuery(BaseModel):
    """Which device, if one is asked about."""

    model_config = ConfigDict(extra="forbid")

    device_id: Annotated[str | None, Field(max_length=TOKEN_LIMIT, description="An EUI-64.")] = None


def add_deployments(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL}
    not_found = refusals(HTTPStatus.NOT_FOUND)

    @app.post(
        "/v1/deployments",
        operation_id="recordDeployments",
        openapi_extensions=clauses("F2.21(d)", "F2.28(d)", "F2.28(e)", "F2.28(f)"),
        responses={200: ReportTaken, **refusals(*WRITE_REFUSALS)},
        **shared,
    )
    def record(header: WriteHeader, raw: ReportBody) -> Response:  # noqa: ARG001 - it describes the body
        """Report devices deployed, replaced, decommissioned or reported wrongly.

        CSV, JSON or the DCC's answer to a Read Inventory request as it is. A line that is wrong is told and harms no
        other; the same report sent twice changes nothing.
        """
        form = FORMS.get(request.mimetype)
        if form is None:
            raise UnsupportedMediaType
        body = raw_body(REPORT_LIMIT)
        # Verification looks deployments up when it is asked: there is no mirror to refresh.
        return reply(record_deployments(desk, actor(), form, body, _key(header, form, body)))

    @app.get(
        "/v1/deployments/batches/<batch>",
        operation_id="showDeploymentBatch",
        openapi_extensions=clauses("F2.28(d)"),
        responses={200: BatchAnswer, **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_batch(path: BatchPath) -> Response:
        """Show what a report came to."""
        return reply(batch(desk, actor(), path.batch))

    @app.get(
        "/v1/approvals/<approval>/deployments",
        operation_id="showDeployments",
        openapi_extensions=clauses("F2.21(d)", "F2.28(d)"),
        responses={200: DeploymentsAnswer, **not_found, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def show_deployments(path: ApprovalPath, query: DeviceQuery) -> Response:
        """Show how many devices are deployed under an approval, and what is known of one of them."""
        device_id = None if query.device_id is None else parse_device_id(query.device_id)
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return reply(of_approval(desk, actor(), identifier, device_id=device_id))


def _key(header: WriteHeader, form: Form, body: bytes) -> RequestKey | None:
    """The Idempotency-Key with the digest of what was sent, octet by octet."""
    if header.idempotency_key is None:
        return None
    sent = hashlib.sha256(f"{request.method}\n{request.path}\n{form.value}\n".encode())
    sent.update(body)
    return RequestKey(header.idempotency_key, sent.hexdigest())
