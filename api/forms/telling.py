"""What is sent and answered about the Central Products List."""

from typing import Annotated, Literal, Self

from flask_openapi3.models import RawModel
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.answers import Answer
from api.forms.fields import Body, Day, Moment, PageQuery, Token, Words
from core.cpl import InstructionState, Kind

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv"

_OCTETS = {"schema": {"type": "string", "format": "binary"}}


class InstructionPath(BaseModel):
    """Which instruction."""

    instruction: Token


class InstructionQuery(PageQuery):
    """Which instructions; an export holds all of them, whatever the page."""

    state: InstructionState | None = None
    overdue: Annotated[
        bool | None, Field(description="Due before now, and pending or rejected; or, if false, anything else.")
    ] = None
    due_before: Moment | None = None


class AcknowledgementBody(Body):
    """What the Panel says of an instruction; a rejection says why."""

    outcome: Literal[InstructionState.LOADED, InstructionState.REJECTED]
    reason: Words = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.outcome is InstructionState.REJECTED) != bool(self.reason.strip()):
            raise ValueError("a rejection says why, and nothing else does")
        return self


class NcscCertificateBody(Body):
    """The NCSC's own certificate for the model of an approval (F2.31)."""

    certificate: Annotated[Words, Field(max_length=200, description="The NCSC's reference for it.")]
    certified_on: Day


class ListFile(RawModel):
    """The Panel's list as it is: CSV or an XLSX workbook; its content says which, and it is never run."""

    mimetypes: list[str] = [CSV_TYPE, XLSX_TYPE]  # noqa: RUF012 - the form that RawModel has


class EntryAnswer(Answer):
    """An entry of the list: one approval and one firmware version (F2.27)."""

    approval: str
    trial: str
    expiry: str
    device_type: str
    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str
    image_sha256: str
    smets_version: str


class InstructionAnswer(EntryAnswer):
    """What the Panel was told about an entry, and what it said."""

    instruction: str
    kind: Kind
    due: str
    sentence: str
    cause: str
    instructed_at: str
    state: InstructionState
    overdue: bool
    acknowledged_at: str | None
    acknowledged_by: str | None
    reason: str | None
    ncsc_certificate: str | None


class InstructionPage(Answer):
    """Instructions in order; `next` is the cursor of the next page. As a table, all of them."""

    model_config = ConfigDict(  # type: ignore[typeddict-unknown-key]
        extra="forbid", openapi_extra={"content": {CSV_TYPE: _OCTETS, XLSX_TYPE: _OCTETS}}
    )

    instructions: list[InstructionAnswer]
    next: str | None


class NcscCertified(Answer):
    """The NCSC has certified the model of an approval."""

    approval: str
    certificate: str
    certified_on: str
    instructions: list[str]


class MissingAnswer(EntryAnswer):
    """An entry that the list should show and does not, with the newest instruction about it."""

    instruction: str | None
    instruction_state: InstructionState | None
    due: str | None


class DifferenceAnswer(Answer):
    """One value of an entry."""

    field: str
    has: str
    should: str


class WrongAnswer(Answer):
    """An entry that the list shows with other values."""

    line: int
    approval: str
    firmware_version: str
    fields: list[DifferenceAnswer]


class GoneAnswer(Answer):
    """An entry that the list shows and should not, and why."""

    line: int
    approval: str
    firmware_version: str
    sentence: str


class UnknownAnswer(Answer):
    """An entry that says that it is a trial's, of which nothing is known here."""

    line: int
    approval: str
    device_type: str
    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str


class LineAnswer(Answer):
    """What is to be said of a line, or of one cell of it."""

    line: int
    column: str
    sentence: str


class Reconciled(Answer):
    """The list beside what it should show at `as_of`; nothing was changed."""

    as_of: str
    form: str
    sha256: str
    lines: int
    missing: list[MissingAnswer]
    wrong: list[WrongAnswer]
    gone: list[GoneAnswer]
    unknown: list[UnknownAnswer]
    unreadable: list[LineAnswer]
    remarks: list[LineAnswer]
    not_compared: list[str]
