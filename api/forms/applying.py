"""What may be sent by or about an applicant: applications, requirements, evidence, amendments (F2.18 to F2.29)."""

from typing import Annotated, Self, TypeAlias

from flask_openapi3.models import RawModel
from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from api.forms.fields import (
    EXCEL_TYPE,
    OCTETS_TYPE,
    Body,
    Count,
    Csr,
    Day,
    DeviceBody,
    FirmwareBody,
    Name,
    PageOfApprovalQuery,
    PageQuery,
    Sent,
    Token,
    Words,
)
from core.classification import Classification
from core.kinds import EndRequestState
from core.limits import MOST_FIRMWARE, NAME_LIMIT
from ra.applying.evidence import MEDIA_TYPES
from ra.applying.request_end import EndRequestInWords
from ra.applying.requirements import RequirementClosed

MOST_CERTIFICATES = 50
"""Assurance Certificates that one application may name; a device type needs one or two."""

Contact: TypeAlias = Annotated[
    Name, Field(description="The e-mail address for notices; empty if they are only fetched here.")
]

# --- applications ------------------------------------------------------------------------------------------------


class AssuranceBody(Body):
    """An Assurance Certificate other than CPA, for the model of the application (F2.19)."""

    scheme: Annotated[Name, Field(description="Who assures: ZigBee, DLMS. Compared without case.")]
    certificate: Annotated[Name, Field(description="Its number or name.")]
    manufacturer: Name
    model: Name
    hardware_version: Name = ""
    issued_on: Day | None = None


class EarlierCpaBody(Body):
    """The CPA Certificate that the NCSC issued before for another model of the same Manufacturer (F2.19)."""

    certificate: Annotated[Name, Field(description="Its number or name.")]
    manufacturer: Name
    model: Name
    hardware_version: Name = ""
    issued_on: Day
    expires_on: Day | None = None


class ApplicationBody(Body):
    """An application for a Trial Device Approval (F2.18, F2.19)."""

    device: DeviceBody
    smets_version: Name = ""
    gbcs_version: Name = ""
    firmware: Annotated[list[FirmwareBody], Field(max_length=MOST_FIRMWARE)]
    assurance: Annotated[list[AssuranceBody], Field(max_length=MOST_CERTIFICATES)] = Field(default_factory=list)
    earlier_cpa: EarlierCpaBody | None = None
    start: Day
    expiry: Day
    maximum_devices: Count
    purpose: Words
    contact: Contact = ""
    csr: Csr


class ApplicationChangeBody(Body):
    """What an application is to say instead; what is left out stays as it is.

    `version` is the one that was read: where it has been changed since, nothing is done.
    """

    version: Count | SkipJsonSchema[None] = None
    device: DeviceBody | SkipJsonSchema[None] = None
    smets_version: Name | SkipJsonSchema[None] = None
    gbcs_version: Name | SkipJsonSchema[None] = None
    firmware: Annotated[list[FirmwareBody], Field(max_length=MOST_FIRMWARE)] | SkipJsonSchema[None] = None
    assurance: Annotated[list[AssuranceBody], Field(max_length=MOST_CERTIFICATES)] | SkipJsonSchema[None] = None
    earlier_cpa: EarlierCpaBody | None = None
    start: Day | SkipJsonSchema[None] = None
    expiry: Day | SkipJsonSchema[None] = None
    maximum_devices: Count | SkipJsonSchema[None] = None
    purpose: Words | SkipJsonSchema[None] = None
    contact: Contact | SkipJsonSchema[None] = None
    csr: Csr | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"version"}:
            raise ValueError("name at least one member that is to change")
        empty = {name for name in self.model_fields_set if getattr(self, name) is None}
        if empty - {"earlier_cpa"}:
            raise ValueError(f"{min(empty - {'earlier_cpa'})} cannot be null; leave it out to keep it as it is")
        return self


class ContactBody(Body):
    """Where notices of one's own organisation go from now on; what is left out stays as it is."""

    notices: Contact | SkipJsonSchema[None] = None
    urgent: (
        Annotated[Name, Field(description="A second address, which urgent notices go to as well; empty for none.")]
        | SkipJsonSchema[None]
    ) = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.notices is None and self.urgent is None:
            raise ValueError("name the address for notices, or that for urgent ones")
        return self


class ContactQuery(PageQuery):
    """Which contacts."""

    organisation: Annotated[Token | None, Field(description="Only of this one, by its identifier.")] = None
    holding: Annotated[
        bool | None, Field(description="Only those that hold now; or, if false, those that did before.")
    ] = None


# --- what is required beside F2.19 -------------------------------------------------------------------------------


class RequirementBody(Body):
    """What must be evidenced, in words for the applicant."""

    text: Words


class OutcomeBody(Body):
    """A requirement is met, or waived; the reason says what shows it, or why."""

    state: RequirementClosed
    reason: Words
    classification: (
        Annotated[
            Classification,
            Field(
                strict=False,
                description="Of the reason. A waiver's is `red` unless this says otherwise: not for the applicant.",
            ),
        ]
        | SkipJsonSchema[None]
    ) = None


# --- files -------------------------------------------------------------------------------------------------------


class EvidenceQuery(Sent):
    """What the file is called."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(min_length=1, max_length=NAME_LIMIT, description="Its name, for whoever opens it; folders are cut off."),
    ]
    classification: Annotated[
        Classification | None,
        Field(description="The SSC's to say: what it attaches is `red` otherwise, and not the Manufacturer's to see."),
    ] = None


class EvidenceFile(RawModel):
    """The file as it is: a PDF, an XLSX workbook without macros, a CSV or a plain text, under its own media type."""

    mimetypes: list[str] = [*MEDIA_TYPES, EXCEL_TYPE, OCTETS_TYPE]  # noqa: RUF012 - the form that RawModel has


# --- of an approval ----------------------------------------------------------------------------------------------


class AmendmentRequestBody(Body):
    """What a Manufacturer asks to be amended; what is left out is to stay."""

    reasons: Words
    start: Day | None = None
    expiry: Day | None = None
    maximum_devices: Count | None = None
    firmware_added: Annotated[list[FirmwareBody], Field(max_length=MOST_FIRMWARE, default_factory=list)]
    firmware_removed: Annotated[list[Name], Field(max_length=MOST_FIRMWARE, default_factory=list)]
    other: Words | None = None


class EndRequestBody(Body):
    """That a Manufacturer wants its approval to end (F2.30)."""

    reasons: Words


class EndAnswerBody(Body):
    """What the SSC says of a request for an end that it does not grant."""

    outcome: EndRequestInWords
    answer: Annotated[Words, Field(description="For the Manufacturer, who is told it in a notice.")]


class EndRequestQuery(PageOfApprovalQuery):
    """Which requests for ends."""

    state: EndRequestState | None = None


class AcceptanceBody(Body):
    """The Manufacturer's word on the certificate it got; a rejection says what is wrong."""

    accepted: bool
    reason: Words = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if not self.accepted and not self.reason:
            raise ValueError("a rejection says what is wrong")
        return self
