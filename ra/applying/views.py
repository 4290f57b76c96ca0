"""What a Manufacturer is answered, and whoever looks at what it asked for."""

from dataclasses import dataclass
from datetime import date, datetime

from core.actors import PartyKind
from core.approval import Device
from core.assurance import AssuranceCertificate, EarlierCpa
from core.classification import Classification
from core.errors import Finding
from core.identifiers import Serial
from core.kinds import AmendmentRequestState, ApplicationState, EndRequestState, RequirementState
from ra.views import FirmwareAnswer, Page


@dataclass(frozen=True, kw_only=True)
class CertificateAnswered:
    """A certificate has been accepted or rejected."""

    serial: Serial
    approval: str
    accepted: bool
    reason: str
    at: datetime


@dataclass(frozen=True)
class ApplicationTaken:
    """An application was taken in; findings advise the officers."""

    application: str
    state: ApplicationState
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class ApplicationCancelled:
    """An application was taken back."""

    application: str
    state: ApplicationState


@dataclass(frozen=True, kw_only=True)
class ApplicationChanged:
    """An application says something else now; `changed` names the members."""

    application: str
    state: ApplicationState
    version: int
    changed: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class EvidenceAnswer:
    """An attached file as it is listed; its content is for the SSC and the auditor.

    Args:
        attached_by: named to the SSC and the auditor only; an applicant deals with the SSC, not with its officers.
        attached_for: the party for which it was attached.
        classification: what the SSC attaches as `red` is listed to the SSC and the auditor only.
    """

    evidence: str
    name: str
    media_type: str
    size: int
    sha256: str
    attached_at: datetime
    attached_by: str | None
    attached_for: PartyKind
    classification: Classification


@dataclass(frozen=True)
class EvidenceList:
    """What is attached, oldest first."""

    evidence: tuple[EvidenceAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class AmendmentAsked:
    """What a Manufacturer asks to be amended; what is null or empty is to stay.

    Args:
        start, expiry: UTC days.
        other: anything else, in words.
    """

    start: date | None
    expiry: date | None
    maximum_devices: int | None
    firmware_added: tuple[FirmwareAnswer, ...]
    firmware_removed: tuple[str, ...]
    other: str


@dataclass(frozen=True, kw_only=True)
class AmendmentRequested:
    """A request was taken in, or taken back.

    Args:
        findings: what is odd about it while it is not decided, such as an expiry in the past; it is taken in
            all the same.
    """

    request: str
    approval: str
    state: AmendmentRequestState
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AmendmentRequestAnswer(AmendmentRequested):
    """An amendment request.

    Args:
        decision: that took it up, if one did.
        otherwise: of one that was granted, a sentence for each thing that is not as it was asked.
    """

    asked: AmendmentAsked
    reasons: str
    asked_at: datetime
    asked_by: str
    decision: str | None
    closed_at: datetime | None
    otherwise: tuple[str, ...]


@dataclass(frozen=True)
class AmendmentRequestList:
    """The requests about an approval, oldest first."""

    requests: tuple[AmendmentRequestAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Differs:
    """A member that is another than the last time."""

    subject: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class ChangeForeseen:
    """What would become of an application if it were changed now.

    Args:
        state, stage, version, changed_at: as it stands now; what is not `submitted` is not changed any more.
        differences: what it says now, and would say.
        findings: of the rules, the fatal included.
    """

    application: str
    state: ApplicationState
    stage: str
    version: int
    changed_at: datetime | None
    differences: tuple[Differs, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class RequirementSet:
    """A requirement as it stands now."""

    requirement: str
    application: str
    state: RequirementState


@dataclass(frozen=True, kw_only=True)
class RequirementAnswer:
    """A further requirement (F2.20): `open`, `met` or `waived`. Officers are named to the SSC and the auditor only.

    Args:
        reason: what shows that it is met, or why it is waived; null to a Manufacturer where its class is `red`.
        reason_class: of these words; `red` unless the SSC says otherwise where it is waived, `amber` where it is met.
    """

    requirement: str
    text: str
    state: RequirementState
    standing: str | None
    set_at: datetime
    set_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None
    reason_class: Classification | None


@dataclass(frozen=True)
class StandingSet:
    """A standing requirement was set; `applications` got it at once."""

    standing: str
    applications: int


@dataclass(frozen=True)
class StandingEnded:
    """A standing requirement was ended."""

    standing: str
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class StandingAnswer:
    """A standing requirement. Officers are named to the SSC and the auditor only."""

    standing: str
    text: str
    set_at: datetime
    set_by: str | None
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True)
class StandingList:
    """The standing requirements, oldest first."""

    standing: tuple[StandingAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class ApplicationListed:
    """An application; `stage` says in words where it stands."""

    application: str
    organisation: str
    state: ApplicationState
    stage: str
    device: Device
    smets_version: str
    gbcs_version: str
    purpose: str
    contact: str
    start: date
    expiry: date
    maximum_devices: int
    firmware: tuple[FirmwareAnswer, ...]
    public_key_sha256: str
    assurance: tuple[AssuranceCertificate, ...]
    earlier_cpa: EarlierCpa | None
    findings: tuple[Finding, ...]
    submitted_at: datetime
    submitted_by: str
    version: int
    changed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AssuranceAsked:
    """One thing that F2.19 asks for, and the certificates that the application names for it, each in words."""

    asked: str
    held: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MembersChanged:
    """The Manufacturer has changed what its application says; `members` names what, as the request does.

    Args:
        differences: what it said before and from then on, of the newest fifty; empty where that was not kept.
        unreadable: whether one of the two was kept, and cannot be read any more.
    """

    at: datetime
    version: int
    members: tuple[str, ...]
    differences: tuple[Differs, ...]
    unreadable: bool = False


@dataclass(frozen=True, kw_only=True)
class EarlierApplication:
    """The last application of the same Manufacturer for the same Device Model, and where this one differs."""

    application: str
    state: ApplicationState
    submitted_at: datetime
    differences: tuple[Differs, ...]


@dataclass(frozen=True, kw_only=True)
class ApplicationAnswer(ApplicationListed):
    """An application with what belongs to it.

    Args:
        manufacturer: by name.
        asked: what F2.19 asks for, each beside the certificates that are named for it.
        changes: what it said was changed, oldest first.
        earlier: null if there is none.
        missing: what stands between it and a grant.
        for_officers: what the register knows of its Device Model beside it, while it is not decided: others that asked
            for it, what the NCSC has certified. Told to the SSC and the auditor only, for it speaks of others.
    """

    manufacturer: str
    asked: tuple[AssuranceAsked, ...]
    changes: tuple[MembersChanged, ...]
    earlier: EarlierApplication | None
    requirements: tuple[RequirementAnswer, ...]
    evidence: tuple[EvidenceAnswer, ...]
    missing: tuple[str, ...]
    for_officers: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class ApplicationPage(Page):
    """Applications in order."""

    applications: tuple[ApplicationListed, ...]


@dataclass(frozen=True)
class RequirementList:
    """The requirements of an application, oldest first."""

    requirements: tuple[RequirementAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class ContactAnswer:
    """Where notices of a Manufacturer go, or went.

    Args:
        notices: the e-mail address for notices; empty if they are only fetched.
        urgent: a second one, which urgent notices go to as well; empty if there is none.
        since: from when on it holds.
        until: until when it held; null while it holds.
        application: that stated it, where the organisation had none; null where it was changed.
    """

    contact: str
    organisation: str
    manufacturer: str
    notices: str
    urgent: str
    since: datetime
    until: datetime | None
    set_by: str
    application: str | None


@dataclass(frozen=True, kw_only=True)
class ContactPage(Page):
    """Contacts in order, those that hold and those that held before."""

    contacts: tuple[ContactAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class ContactChanged:
    """Where notices go from now on, those of approvals that exist already included."""

    contact: str
    notices: str
    urgent: str
    since: datetime
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class EndRequestAnswer:
    """A request of a Manufacturer for the end of its approval, and what became of it (F2.30).

    Args:
        decision: that ended the approval as was asked.
        answer: what the SSC says where it has refused or answered it in words.
        answered_by: null for the Manufacturer, which deals with the SSC and not with its officers.
    """

    request: str
    approval: str
    state: EndRequestState
    reasons: str
    asked_at: datetime
    asked_by: str
    decision: str | None
    answer: str | None
    answered_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class EndRequestPage(Page):
    """Requests for the end of approvals, in order."""

    requests: tuple[EndRequestAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class EndRequested:
    """Where a request for the end of an approval stands now.

    Args:
        notice: the number of the notice in which its Manufacturer is told; null where nobody is.
    """

    request: str
    approval: str
    state: EndRequestState
    notice: str | None = None
