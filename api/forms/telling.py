"""What is asked about notices, and sent about the Central Products List."""

from typing import Annotated, Literal, Self

from flask_openapi3.models import RawModel
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from api.forms.fields import (
    CSV_TYPE,
    EXCEL_TYPE,
    OCTETS_TYPE,
    XLSX_TYPE,
    Body,
    Day,
    Moment,
    PageOfApprovalQuery,
    Sent,
    Words,
    digits,
)
from core.canonical import LARGEST_EXACT
from core.classification import Recipient
from core.cpl import InstructionState
from core.kinds import Addition


class CopyQuery(Sent):
    """Whose copy; left out, one's own, or the whole record for SSC and auditor."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[
        Recipient | None,
        Field(description="For SSC and auditor: show the copy as this recipient gets it."),
    ] = None


class CertificateQuery(Sent):
    """Which certificate of an approval; left out, the one that verification speaks of now."""

    model_config = ConfigDict(extra="forbid")

    issue: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_EXACT, description="One that waits, as `pending` has it, or one that has ended."),
        BeforeValidator(digits),
    ] = None


class InstructionQuery(PageOfApprovalQuery):
    """Which instructions; an export holds all of them, whatever the page."""

    state: InstructionState | None = None
    overdue: Annotated[
        bool | None, Field(description="Due before now, and pending or rejected; or, if false, anything else.")
    ] = None
    due_before: Moment | None = None
    plain: Annotated[
        bool | None,
        Field(
            description="Of CSV: every value as it is, for programs. Otherwise a cell that a spreadsheet would run or "
            "change, 0012 or 1E10, begins with a NO-BREAK SPACE; XLSX needs none."
        ),
    ] = None


class AcknowledgementBody(Body):
    """What the Panel says of an instruction; a rejection says why."""

    outcome: Literal[InstructionState.LOADED, InstructionState.REJECTED]
    reason: Words = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.outcome is InstructionState.REJECTED) != bool(self.reason):
            raise ValueError("a rejection says why, and nothing else does")
        return self


class AdditionBody(Body):
    """What the SSC says of an entry that is to be added while its certificate is awaited (F2.26, F2.27)."""

    addition: Literal[Addition.STANDS, Addition.WAITS]


class NcscCertificateBody(Body):
    """The NCSC's own certificate for the model of an approval (F2.31)."""

    certificate: Annotated[Words, Field(max_length=200, description="The NCSC's reference for it.")]
    certified_on: Day


class ListFile(RawModel):
    """The Panel's list as it is: CSV or an XLSX workbook; its content says which, and it is never run."""

    mimetypes: list[str] = [CSV_TYPE, XLSX_TYPE, EXCEL_TYPE, OCTETS_TYPE]  # noqa: RUF012 - the form that RawModel has
