"""What may be sent and what is answered about applications, evidence lists and requirements (F2.18 to F2.20)."""

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from api.answers import Answer, DeviceAnswer, FindingAnswer, FirmwareAnswer
from api.forms.fields import MOST_FIRMWARE, Body, Count, Csr, Day, DeviceBody, FirmwareBody, Name, Words
from core.kinds import ApplicationState, RequirementState

MOST_CERTIFICATES = 50
"""Assurance Certificates that one application may name; a device type needs one or two."""

Contact: TypeAlias = Annotated[
    Name, Field(description="The e-mail address for notices; empty if they are only fetched here.")
]

# --- what is sent ------------------------------------------------------------------------------------------------


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
    """What an application is to say instead; what is left out stays as it is."""

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
        if not self.model_fields_set:
            raise ValueError("name at least one member that is to change")
        empty = {name for name in self.model_fields_set if getattr(self, name) is None}
        if empty - {"earlier_cpa"}:
            raise ValueError(f"{min(empty - {'earlier_cpa'})} cannot be null; leave it out to keep it as it is")
        return self


# --- what is answered --------------------------------------------------------------------------------------------


class ApplicationTaken(Answer):
    """An application was taken in; findings advise the officers."""

    application: str
    state: ApplicationState
    findings: list[FindingAnswer]


class ApplicationChanged(Answer):
    """An application says something else now; `changed` names the members."""

    application: str
    state: ApplicationState
    version: int
    changed: list[str]
    findings: list[FindingAnswer]


class ApplicationCancelled(Answer):
    """An application was taken back."""

    application: str
    state: ApplicationState


class AssuranceAnswer(Answer):
    """An Assurance Certificate other than CPA."""

    scheme: str
    certificate: str
    manufacturer: str
    model: str
    hardware_version: str
    issued_on: str | None


class EarlierCpaAnswer(Answer):
    """A CPA Certificate from the NCSC for another model."""

    certificate: str
    manufacturer: str
    model: str
    hardware_version: str
    issued_on: str
    expires_on: str | None


class RequirementAnswer(Answer):
    """A further requirement (F2.20): `open`, `met` or `waived`. Officers are named to the SSC and the auditor only."""

    requirement: str
    text: str
    state: RequirementState
    standing: str | None
    set_at: str
    set_by: str | None
    closed_at: str | None
    closed_by: str | None
    reason: str | None


class EvidenceAnswer(Answer):
    """An attached file as it is listed; its content is for the SSC and the auditor."""

    evidence: str
    name: str
    media_type: str
    size: int
    sha256: str
    attached_at: str
    attached_by: str | None


class ApplicationListed(Answer):
    """An application; `stage` says in words where it stands."""

    application: str
    organisation: str
    state: ApplicationState
    stage: str
    device: DeviceAnswer
    smets_version: str
    gbcs_version: str
    purpose: str
    contact: str
    start: str
    expiry: str
    maximum_devices: int
    firmware: list[FirmwareAnswer]
    public_key_sha256: str
    assurance: list[AssuranceAnswer]
    earlier_cpa: EarlierCpaAnswer | None
    findings: list[FindingAnswer]
    submitted_at: str
    submitted_by: str
    version: int
    changed_at: str | None


class ApplicationAnswer(ApplicationListed):
    """An application with what belongs to it; `missing` says what stands between it and a grant."""

    requirements: list[RequirementAnswer]
    evidence: list[EvidenceAnswer]
    missing: list[str]


class ApplicationPage(Answer):
    """Applications in order; `next` is the cursor of the next page."""

    applications: list[ApplicationListed]
    next: str | None
