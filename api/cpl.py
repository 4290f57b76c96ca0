"""/v1/cpl: instructions to the Panel, acknowledgements, reconciliations (F2.27, F2.29, F2.31)."""

from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from api.answers import answer
from api.forms.fields import CSV_TYPE, XLSX_TYPE, DatesQuery, WriteHeader, perhaps_approval_of
from api.forms.paths import ApprovalPath, InstructionPath
from api.forms.telling import (
    AcknowledgementBody,
    AdditionBody,
    InstructionQuery,
    ListFile,
    NcscCertificateBody,
)
from api.incoming import actor, raw_body, wanted_form
from api.service import (
    JSON_TYPE,
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
from core.cpl import InstructionState
from core.days import read_day
from core.identifiers import ApprovalIdentifier
from core.instants import read_instant
from ra.telling import addition
from ra.telling import instructions as cpl
from ra.telling.instructions import Acknowledge, Asked
from ra.telling.reconcile import LARGEST_LIST, reconcile
from ra.telling.views import AdditionJudged, InstructionAnswer, InstructionPage, NcscCertified, Reconciled

_FORMS = {JSON_TYPE: "json", CSV_TYPE: "csv", XLSX_TYPE: "xlsx"}
_ON_THE_LIST = ("F2.27", "F2.29", "F2.31")


def add_cpl(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    _add_instructions(app, service)
    _add_certificate_and_reconciliation(app, service)


def _shared(*paragraphs: str) -> dict[str, Any]:
    return {"tags": [TRIAL], "security": WITH_CREDENTIAL, "openapi_extensions": clauses(*paragraphs)}


def _add_instructions(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.get(
        "/v1/cpl/instructions",
        operation_id="listCplInstructions",
        responses={
            200: answer(InstructionPage, CSV_TYPE, XLSX_TYPE),
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_ACCEPTABLE),
        },
        **_shared(*_ON_THE_LIST),
    )
    def list_cpl_instructions(query: InstructionQuery) -> Response:
        """List what the Panel is told about the Central Products List; as CSV or XLSX, all of it."""
        before = None if query.due_before is None else read_instant(query.due_before, field="due_before")
        asked = Asked(
            state=query.state,
            overdue=query.overdue,
            due_before=before,
            approval=perhaps_approval_of(query.approval),
        )
        media_type = wanted_form(_FORMS, otherwise=JSON_TYPE)
        if media_type == JSON_TYPE:
            sent = reply(cpl.instructions(desk, actor(), asked, after=query.after, limit=query.limit))
        else:
            form = _FORMS[media_type]
            written = "plain" if query.plain and media_type == CSV_TYPE else form
            sent = Response(cpl.exported(desk, actor(), asked, written), content_type=media_type)
            sent.headers["Content-Disposition"] = f'attachment; filename="cpl-instructions.{form}"'
        sent.headers["Vary"] = "Accept"
        return sent

    @app.post(
        "/v1/cpl/instructions/<instruction>/acknowledgement",
        operation_id="acknowledgeCplInstruction",
        responses={200: answer(InstructionAnswer), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared("F2.27", "F2.31"),
    )
    def acknowledge_cpl_instruction(header: WriteHeader, path: InstructionPath, body: AcknowledgementBody) -> Response:
        """Say that the list shows what an instruction says, once for all, or that it is rejected, and why."""
        command = Acknowledge(path.instruction, body.outcome is InstructionState.LOADED, body.reason)
        return service.write(header, lambda key: cpl.acknowledge(desk, actor(), command, key))


def _add_certificate_and_reconciliation(app: OpenAPI, service: Service) -> None:
    desk = service.desk

    @app.post(
        "/v1/approvals/<approval>/ncsc-certificate",
        operation_id="recordNcscCertificate",
        responses={200: answer(NcscCertified), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared("F2.31"),
    )
    def record_ncsc_certificate(header: WriteHeader, path: ApprovalPath, body: NcscCertificateBody) -> Response:
        """Record that the NCSC has certified the model: at the end its entry stays, without the trial marker."""
        approval = str(ApprovalIdentifier.parse(path.approval))
        certified_on = read_day(body.certified_on, field="certified_on")
        return service.write(
            header,
            lambda key: cpl.record_ncsc_certificate(
                desk, actor(), approval, certificate=body.certificate, certified_on=certified_on, request=key
            ),
        )

    @app.post(
        "/v1/approvals/<approval>/addition",
        operation_id="judgeAddition",
        responses={200: answer(AdditionJudged), **refusals(*WRITE_REFUSALS, HTTPStatus.NOT_FOUND)},
        **_shared("F2.26", "F2.27"),
    )
    def judge_addition(header: WriteHeader, path: ApprovalPath, body: AdditionBody) -> Response:
        """Say whether an entry is added on its day though its certificate was cancelled for its key, or waits."""
        approval = str(ApprovalIdentifier.parse(path.approval))
        return service.write(
            header, lambda key: addition.judge_addition(desk, actor(), approval, body.addition, request=key)
        )

    @app.post(
        "/v1/cpl/reconciliations",
        operation_id="reconcileCpl",
        responses={200: answer(Reconciled), **refusals(*WRITE_REFUSALS)},
        tags=[TRIAL],
        security=WITH_CREDENTIAL,
        openapi_extensions={**clauses(*_ON_THE_LIST), **body_limit(LARGEST_LIST)},
    )
    def reconcile_cpl(header: WriteHeader, query: DatesQuery, raw: ListFile) -> Response:  # noqa: ARG001 - `raw` describes the body; it is read under its own limit
        """Compare the Panel's list, CSV or XLSX, with what it should show now; nothing is changed."""
        octets = raw_body(LARGEST_LIST)
        return service.write(header, lambda _key: reconcile(desk, actor(), octets, query.order))
