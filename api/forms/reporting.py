"""What goes in and out of /v1/reports, for /openapi.json."""

from typing import Annotated, Literal

from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.media_type import MediaType
from flask_openapi3.models.schema import Schema
from pydantic import BaseModel, ConfigDict, Field

from api.answers import DeviceAnswer
from api.forms.fields import Words
from core.status import State

PDF_TYPE = "application/pdf"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_OCTETS = MediaType(schema=Schema(type=DataType.STRING, format="binary"))


class ReportPath(BaseModel):
    """Which month's report."""

    month: Annotated[str, Field(min_length=1, max_length=64, description="2027-05")]


class RemarkBody(BaseModel):
    """Free text for a report (F2.28(h))."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Words


class ReportRemarked(BaseModel):
    """A remark was added."""

    report: str
    made_at: str
    made_by: str


class ReportIssued(BaseModel):
    """A report that was issued; the digest is of the document, byte for byte."""

    report: str
    since: str | None
    until: str
    issued_at: str
    issued_by: str
    document_sha256: str


class ReportPage(BaseModel):
    """Reports that were issued, in order; `next` is the cursor of the next page."""

    reports: list[ReportIssued]
    next: str | None


class EntriesAnswer(BaseModel):
    """Device models, with their entries (one for each firmware version) beside."""

    models: int
    entries: int


class ListItem(EntriesAnswer):
    """What the Panel has acknowledged; beside it what was instructed, is due and is not acknowledged."""

    instructed_not_acknowledged: EntriesAnswer


class DeployedItem(BaseModel):
    """(d) Devices deployed."""

    deployed: int


class DeployedSinceItem(BaseModel):
    """(e) Devices deployed since the previous report; some may have been told late."""

    deployed: int
    of_earlier_periods: int


class DecommissionedSinceItem(BaseModel):
    """(f) Devices decommissioned since the previous report; some may have been told late."""

    decommissioned: int
    of_earlier_periods: int


class ExpiringAnswer(BaseModel):
    """An approval that will expire."""

    approval: str
    manufacturer: str
    device: DeviceAnswer
    expiry: str


class ExpiringItem(BaseModel):
    """(g) Approvals that will expire in the months after the report's date."""

    expiring: list[ExpiringAnswer]


class RemarkAnswer(BaseModel):
    """Free text."""

    text: str
    made_at: str
    made_by: str


class AttachmentAnswer(BaseModel):
    """A file."""

    name: str
    sha256: str
    size: int
    media_type: str


class OtherItem(BaseModel):
    """(h) What else the SSC has asked for."""

    remarks: list[RemarkAnswer]
    attachments: list[AttachmentAnswer]


class ReportItems(BaseModel):
    """F2.28 (a) to (h)."""

    a: ListItem
    b: ListItem
    c: ListItem
    d: DeployedItem
    e: DeployedSinceItem
    f: DecommissionedSinceItem
    g: ExpiringItem
    h: OtherItem


class CorrectionAnswer(BaseModel):
    """What an earlier report told and is not so."""

    approval: str
    devices: int
    sentence: str


class CountedAnswer(BaseModel):
    """Totals since there is anything to count: the next report counts from them."""

    recorded: int
    voided: int
    decommissioned: int
    entries: int
    added: int
    removed: int


class ReportLine(BaseModel):
    """(d), (e) and (f) for one approval, against its limit (F2.21(d))."""

    approval: str
    manufacturer: str
    device: DeviceAnswer
    state: State
    start: str
    expiry: str
    limit: int
    deployed: int
    deployed_since: int
    decommissioned_since: int
    above_limit: bool
    counted: CountedAnswer


class ReportAnswer(BaseModel):
    """A month's report: as it was issued, or as it would be issued now."""

    # The same report in its other forms, for /openapi.json.
    model_config = ConfigDict(openapi_extra={"content": {PDF_TYPE: _OCTETS, XLSX_TYPE: _OCTETS}})  # type: ignore[typeddict-unknown-key]

    report: str
    authority: str
    environment: Literal["test", "live"]
    issued: bool
    issued_at: str | None
    since: str | None
    until: str
    look_ahead_months: int
    items: ReportItems
    corrections: list[CorrectionAnswer]
    approvals: list[ReportLine]
