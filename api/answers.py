"""What is answered, described for /openapi.json. The use cases make the answers; tests hold the two together."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindingAnswer(_Answer):
    """What a rule found."""

    code: str
    clause: str
    severity: str
    detail: str
    remedy: str


class Problem(_Answer):
    """An error (RFC 9457). `code` is stable; `detail` and `hint` are for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    findings: list[FindingAnswer] = []
    reference: str = ""


class DeviceAnswer(_Answer):
    """A device model."""

    type: str
    manufacturer: str
    model: str
    hardware_version: str


class FirmwareAnswer(_Answer):
    """A firmware version with the SHA-256 of its image."""

    version: str
    image_sha256: str


# --- applications ------------------------------------------------------------------------------------------------


class ApplicationTaken(_Answer):
    """An application was taken in; findings advise the officers."""

    application: str
    state: str
    findings: list[FindingAnswer]


class ApplicationCancelled(_Answer):
    """An application was taken back."""

    application: str
    state: str


class ApplicationAnswer(_Answer):
    """An application."""

    application: str
    organisation: str
    state: str
    device: DeviceAnswer
    smets_version: str
    purpose: str
    start: str
    expiry: str
    maximum_devices: int
    firmware: list[FirmwareAnswer]
    public_key_sha256: str
    findings: list[FindingAnswer]
    submitted_at: str
    submitted_by: str


class ApplicationPage(_Answer):
    """Applications in order; `next` is the cursor of the next page."""

    applications: list[ApplicationAnswer]
    next: str | None


# --- decisions ---------------------------------------------------------------------------------------------------


class DecisionProposed(_Answer):
    """A decision was proposed."""

    decision: str
    kind: str
    state: str
    approval: str | None
    proposal_sha256: str
    findings: list[FindingAnswer]


class DecisionSeconded(_Answer):
    """A decision was seconded; a certificate follows where the kind issues one."""

    decision: str
    kind: str
    state: str
    approval: str | None


class DecisionRejected(_Answer):
    """A proposal came to nothing."""

    decision: str
    kind: str
    state: str


class DraftAnswer(_Answer):
    """What is to be signed: the digest of its exact bytes, and what the lint found."""

    serial: str
    tbs_sha256: str
    tbs: Annotated[str, Field(description="The exact bytes to be signed, base64: their SHA-256 is `tbs_sha256`.")]
    in_words: list[str]
    lint: Any
    not_before: str
    not_after: str
    drafted_at: str
    state: str


class DecisionAnswer(_Answer):
    """A decision with everything that will be true: proposal, findings, draft and both digests."""

    decision: str
    kind: str
    state: str
    application: str | None
    approval: str | None
    issue: int | None
    proposal: dict[str, Any]
    proposal_sha256: str
    findings: list[FindingAnswer]
    tbs_sha256: str | None
    reasons: str
    draft: DraftAnswer | None
    proposer: str
    proposed_at: str
    seconder: str | None
    seconded_at: str | None
    closed_at: str | None
    outcome: str | None
    urgent: bool


class DecisionPage(_Answer):
    """Decisions in order; `next` is the cursor of the next page."""

    decisions: list[DecisionAnswer]
    next: str | None


# --- approvals ---------------------------------------------------------------------------------------------------


class AcceptanceSummary(_Answer):
    """What the Manufacturer said of a certificate."""

    accepted: bool
    reason: str
    at: str


class CertificateAnswered(AcceptanceSummary):
    """A certificate has been accepted or rejected."""

    serial: str
    approval: str


class CertificateSummary(_Answer):
    """A certificate of an approval."""

    serial: str
    issue: int
    sha256: str
    not_before: str
    not_after: str
    signed_at: str
    acceptance: AcceptanceSummary | None


class ApprovalListed(_Answer):
    """An approval as it stands now."""

    approval: str
    organisation: str
    state: str
    device: DeviceAnswer
    granted_at: str
    start: str
    expiry: str
    maximum_devices: int
    firmware: list[FirmwareAnswer]
    ended_at: str | None
    end_cause: str | None
    certificates: list[CertificateSummary]


class ApprovalAnswer(ApprovalListed):
    """An approval as it stands at `as_of`."""

    as_of: str


class ApprovalPage(_Answer):
    """Approvals in order; `next` is the cursor of the next page."""

    approvals: list[ApprovalListed]
    next: str | None


class ApprovalRevoked(_Answer):
    """An approval was revoked, or its compromised certificate cancelled."""

    approval: str
    cause: str
    revoked_at: str
    serials: list[str]
    decision: str


# --- the authority and its health --------------------------------------------------------------------------------


class AuthorityCertificateAnswer(_Answer):
    """A certificate of the hierarchy."""

    subject: str
    key_id: str
    serial: str
    sha256: str
    not_before: str
    not_after: str
    url: str


class CertifyingAnswer(AuthorityCertificateAnswer):
    """A certificate of the hierarchy that signs others, with its revocation list."""

    crl: str


class ArcAnswer(_Answer):
    """The object identifiers under the authority's arc."""

    arc: str
    extension: str
    policy: str
    extended_key_usage: str


class JournalAnswer(_Answer):
    """The key that signs the journal's heads: SubjectPublicKeyInfo, base64."""

    name: str
    public_key: str


class AuthorityAnswer(_Answer):
    """The authority describes itself."""

    name: str
    environment: str
    base_url: str
    now: str
    identifiers: ArcAnswer
    root: CertifyingAnswer
    issuing: list[CertifyingAnswer]
    responder: AuthorityCertificateAnswer
    ocsp: str
    chain: str
    journal: JournalAnswer


class CheckAnswer(_Answer):
    """One check of readiness."""

    name: str
    ok: bool
    warning: bool
    detail: str


class Readiness(_Answer):
    """Fit to serve, with each check."""

    ready: bool
    checks: list[CheckAnswer]


class DisagreementAnswer(_Answer):
    """One channel that says something else than the register."""

    channel: str
    approval: str | None
    serial: str | None
    expected: str
    found: str


class ConsistencyAnswer(_Answer):
    """Do register, verification, OCSP and CRL agree? `pending` counts what the authority is about to publish."""

    agree: bool
    as_of: str
    checked: int
    pending: int
    disagreements: list[DisagreementAnswer]
