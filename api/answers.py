"""What is answered, described for /openapi.json. The use cases make the answers; tests hold the two together."""

from pydantic import BaseModel, ConfigDict

from core.approval import EndCause
from core.status import State


class Answer(BaseModel):
    """An answer with every member known."""

    model_config = ConfigDict(extra="forbid")


class FindingAnswer(Answer):
    """What a rule found."""

    code: str
    clause: str
    severity: str
    detail: str
    remedy: str


class Problem(Answer):
    """An error (RFC 9457). `code` is stable; `detail` and `hint` are for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    findings: list[FindingAnswer] = []
    reference: str = ""


class DeviceAnswer(Answer):
    """A device model."""

    type: str
    manufacturer: str
    model: str
    hardware_version: str


class FirmwareAnswer(Answer):
    """A firmware version with the SHA-256 of its image."""

    version: str
    image_sha256: str


# --- decisions ---------------------------------------------------------------------------------------------------


# --- approvals ---------------------------------------------------------------------------------------------------


class AcceptanceSummary(Answer):
    """What the Manufacturer said of a certificate."""

    accepted: bool
    reason: str
    at: str


class CertificateAnswered(AcceptanceSummary):
    """A certificate has been accepted or rejected."""

    serial: str
    approval: str


class CertificateSummary(Answer):
    """A certificate of an approval."""

    serial: str
    issue: int
    sha256: str
    not_before: str
    not_after: str
    signed_at: str
    acceptance: AcceptanceSummary | None


class ApprovalListed(Answer):
    """An approval as it stands now."""

    approval: str
    organisation: str
    state: State
    device: DeviceAnswer
    granted_at: str
    start: str
    expiry: str
    maximum_devices: int
    firmware: list[FirmwareAnswer]
    ended_at: str | None
    end_cause: EndCause | None
    certificates: list[CertificateSummary]


class ApprovalAnswer(ApprovalListed):
    """An approval as it stands at `as_of`."""

    as_of: str


class ApprovalPage(Answer):
    """Approvals in order; `next` is the cursor of the next page."""

    approvals: list[ApprovalListed]
    next: str | None


class ApprovalRevoked(Answer):
    """An approval was revoked, or its compromised certificate cancelled."""

    approval: str
    cause: EndCause
    revoked_at: str
    serials: list[str]
    decision: str


# --- the authority and its health --------------------------------------------------------------------------------


class AuthorityCertificateAnswer(Answer):
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


class ArcAnswer(Answer):
    """The object identifiers under the authority's arc."""

    arc: str
    extension: str
    policy: str
    extended_key_usage: str


class JournalAnswer(Answer):
    """The key that signs the journal's heads: SubjectPublicKeyInfo, base64."""

    name: str
    public_key: str


class AuthorityAnswer(Answer):
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


class CheckAnswer(Answer):
    """One check of readiness."""

    name: str
    ok: bool
    warning: bool
    detail: str


class Readiness(Answer):
    """Fit to serve, with each check."""

    ready: bool
    checks: list[CheckAnswer]


class DisagreementAnswer(Answer):
    """One channel that says something else than the register."""

    channel: str
    approval: str | None
    serial: str | None
    expected: str
    found: str


class ConsistencyAnswer(Answer):
    """Do register, verification, OCSP and CRL agree? `pending` counts what the authority is about to publish."""

    agree: bool
    as_of: str
    checked: int
    pending: int
    disagreements: list[DisagreementAnswer]
