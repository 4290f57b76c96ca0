"""/v1/notices: what Manufacturer, DCC and Panel were told, each copy as redacted for it, and what has not arrived."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from flask import Response
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field

from api.answers import FirmwareAnswer
from api.forms.fields import PageQuery, Token
from api.forms.paths import ApprovalPath
from api.incoming import actor, wanted_form
from api.service import JSON_TYPE, READ_REFUSALS, TRIAL, WITH_CREDENTIAL, Service, clauses, refusals, reply
from core.classification import Classification, Recipient
from core.identifiers import ApprovalIdentifier
from core.kinds import Channel, DecisionKind, DeliveryState, NoticeKind
from ra.telling import notices

PDF_TYPE = "application/pdf"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORMS = (JSON_TYPE, PDF_TYPE)


# --- what is asked -----------------------------------------------------------------------------------------------


class NoticePath(BaseModel):
    """Which notice."""

    notice: Annotated[Token, Field(description="Its number, TDN-2027-0001.")]


class CopyQuery(BaseModel):
    """Whose copy; left out, one's own, or the whole record for SSC and auditor."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[
        Recipient | None,
        Field(description="For SSC and auditor: show the copy as this recipient gets it."),
    ] = None


# --- what is answered --------------------------------------------------------------------------------------------


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WayAnswer(_Answer):
    """One copy on its way to one address."""

    channel: Channel
    address: str
    state: DeliveryState
    attempts: int
    last_error: str | None
    delivered_at: str | None


class CopyAnswer(_Answer):
    """One recipient's copy; SSC and auditor also see where it went."""

    recipient: Recipient
    classification: Classification
    withheld: int
    document_sha256: str
    fetched_at: str | None
    deliveries: list[WayAnswer]


class NoticeEntry(_Answer):
    """A notice in a list, with the copies that whoever asks may see."""

    notice: str
    kind: NoticeKind
    approval: str | None
    application: str | None
    serial: str | None
    written_at: str
    copies: list[CopyAnswer]


class NoticePage(_Answer):
    """A page of notices."""

    notices: list[NoticeEntry]
    next: str | None


class UndeliveredLine(_Answer):
    """One channel that has not delivered a copy; `no-address` where none is known."""

    notice: str
    recipient: Recipient
    kind: NoticeKind
    approval: str | None
    application: str | None
    channel: Channel | None
    address: str | None
    state: DeliveryState | Literal["no-address"]
    attempts: int
    last_error: str | None
    since: str


class UndeliveredPage(_Answer):
    """A page of copies that have not reached their recipient."""

    undelivered: list[UndeliveredLine]
    next: str | None


class PassageAnswer(_Answer):
    """Words of the decision; recipients and salt only in the whole record."""

    subject: str
    heading: str
    clause: str
    classification: str
    text: str
    recipients: list[str] = []
    salt: str = ""


class ConditionAnswer(_Answer):
    """A condition (F2.21(e)); subject, recipients and salt only in the whole record."""

    number: int
    classification: str
    text: str
    subject: str = ""
    recipients: list[str] = []
    salt: str = ""


class FactAnswer(_Answer):
    """A fact of the table: a text or an instant."""

    clause: str
    label: str
    value: str = ""
    instant: str = ""


class ChangeAnswer(_Answer):
    """What an amendment makes different."""

    subject: str
    before: str
    after: str


class DecidedAnswer(_Answer):
    """Where it was decided; people and digests only in the whole record."""

    meeting: str
    minute: str
    decision: str = ""
    kind: DecisionKind | None = None
    proposer: str = ""
    seconder: str | None = None
    proposal_sha256: str = ""


class NoticeCertificate(_Answer):
    """The Trial CPA Certificate that travels with the notice (F2.25)."""

    serial: str
    issue: int
    sha256: str
    not_before: str
    not_after: str
    pem: str


class OutlineAnswer(_Answer):
    """What the record says of one copy."""

    document_sha256: str
    classification: Classification
    withheld: int


class NoticeAnswer(_Answer):
    """One recipient's copy, or the whole record: that has `version`, `copies` and `fate` and no `recipient`."""

    notice: str | None
    kind: NoticeKind | Literal["cancellation"]
    title: str
    clause: str
    environment: str
    authority: str
    recipient: Recipient | None = None
    classification: Classification
    written_at: str
    approval: str | None
    application: str | None
    manufacturer: str
    status_page: str | None
    decision: DecidedAnswer
    effective: str | None
    facts: list[FactAnswer]
    firmware: list[FirmwareAnswer]
    changes: list[ChangeAnswer]
    passages: list[PassageAnswer]
    conditions: list[ConditionAnswer]
    withheld: int = 0
    certificate: NoticeCertificate | None
    salt: str | None = None
    version: int = 0
    record_salt: str = ""
    copies: dict[str, OutlineAnswer] = {}
    fate: list[CopyAnswer] = []


class NoticeFetched(NoticeAnswer):
    """A notice as JSON or as PDF."""

    model_config = ConfigDict(openapi_extra={"content": {PDF_TYPE: _BINARY}})  # type: ignore[typeddict-unknown-key]


def add_notices(app: OpenAPI, service: Service) -> None:
    """Add the resource to the application."""
    desk = service.desk
    shared: dict[str, Any] = {"tags": [TRIAL], "security": WITH_CREDENTIAL}

    @app.get(
        "/v1/notices",
        operation_id="listNotices",
        openapi_extensions=clauses("F2.21(b)", "F2.22", "F2.24", "F2.29", "F2.30"),
        responses={200: NoticePage, **refusals(*READ_REFUSALS)},
        **shared,
    )
    def list_notices(query: PageQuery) -> Response:
        """List notices: one's own copies, or everything for SSC and auditor."""
        return reply(notices.listed(desk, actor(), after=query.after, limit=query.limit))

    @app.get(
        "/v1/notices/undelivered",
        operation_id="listUndelivered",
        openapi_extensions=clauses("F2.21(b)", "F2.24", "F2.29", "F2.30"),
        responses={200: UndeliveredPage, **refusals(*READ_REFUSALS)},
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
            200: NoticeFetched,
            **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE),
        },
        **shared,
    )
    def show_notice(path: NoticePath, query: CopyQuery) -> Response:
        """Fetch a notice as JSON or PDF, by Accept."""
        media_type = wanted_form(_FORMS, otherwise=JSON_TYPE)
        pdf, number = media_type == PDF_TYPE, path.notice.upper()
        fetched = notices.fetch(desk, actor(), number, recipient=query.recipient, pdf=pdf)
        answer = Response(fetched.octets, content_type=media_type)
        answer.headers["Vary"] = "Accept"
        if pdf:
            answer.headers["Content-Disposition"] = f'attachment; filename="{fetched.name}.pdf"'
        return answer

    @app.get(
        "/v1/approvals/<approval>/notices",
        operation_id="listNoticesOfApproval",
        openapi_extensions=clauses("F2.21(b)", "F2.29", "F2.30"),
        responses={200: NoticePage, **refusals(*READ_REFUSALS, HTTPStatus.NOT_FOUND)},
        **shared,
    )
    def list_notices_of_approval(path: ApprovalPath, query: PageQuery) -> Response:
        """List the notices of one approval, in the order in which they were written."""
        identifier = str(ApprovalIdentifier.parse(path.approval))
        return reply(notices.listed(desk, actor(), after=query.after, limit=query.limit, approval=identifier))
