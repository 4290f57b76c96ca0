"""What officers are answered when they propose, second, look and decide."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.approval import EndCause
from core.classification import Classification, Recipient
from core.errors import Finding
from core.identifiers import Serial
from core.kinds import DecisionKind, DecisionState, DraftState, Witnessed
from ra.applying.views import (
    AmendmentRequestAnswer,
    ApplicationAnswer,
    ContactAnswer,
    Differs,
    EndRequestAnswer,
    EvidenceAnswer,
    RequirementAnswer,
)
from ra.committee.views import InterestAnswer
from ra.reporting.views import BreachAnswer
from ra.telling.views import StepForeseen
from ra.views import DecidedChange, Page, PendingAnswer


@dataclass(frozen=True, kw_only=True)
class DecisionAcknowledged:
    """Another officer was informed of an urgent revocation."""

    decision: str
    acknowledged_by: str
    acknowledged_at: datetime


@dataclass(frozen=True, kw_only=True)
class WitnessAnswer:
    """What an officer says of a decision by which something was issued or ended.

    Args:
        why: null if they have seen it.
    """

    officer: str
    saw: Witnessed
    why: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class DecisionWitnessed(WitnessAnswer):
    """An officer has said that they have seen a decision, or that it was not made as the register has it."""

    decision: str


@dataclass(frozen=True, kw_only=True)
class DecidedPassage:
    """Words of a decision, and who gets them; nobody else outside the SSC does (F2.22)."""

    classification: Classification
    recipients: tuple[Recipient, ...]
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DecidedCondition:
    """A condition that a decision sets (F2.21(e)), under its number in the approval."""

    classification: Classification
    number: int
    recipients: tuple[Recipient, ...]
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CarriedChange(PendingAnswer):
    """A change that waits, made anew: next issue, its own instant.

    Args:
        in_place_of: The issue that it takes the place of.
        certificate: The new certificate in words.
    """

    in_place_of: int
    certificate: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DraftAnswer:
    """What is to be signed: the digest of its exact bytes, and what the lint found.

    Args:
        tbs: The exact bytes to be signed, base64: their SHA-256 is `tbs_sha256`.
    """

    serial: Serial
    tbs_sha256: str
    tbs: str
    in_words: tuple[str, ...]
    lint: Any
    not_before: datetime
    not_after: datetime
    drafted_at: datetime
    state: DraftState


@dataclass(frozen=True, kw_only=True)
class PreviewAnswer:
    """Everything that will be true if the decision is made.

    Args:
        certificate: The certificate in words; empty if none is issued.
        difference: What changes, each with before and after.
        carried: Changes that wait and are made anew with it, each from its own instant.
        withdrawn: Changes that wait and never come to be.
        notices: By recipient, the notice as it will get it (F2.22).
        cpl: Instructions to the Panel (F2.27, F2.29, F2.31).
        wanting: For each recipient, what its notice would lack and the Code has it told (F2.21, F2.23).
    """

    certificate: tuple[str, ...]
    difference: tuple[DecidedChange, ...]
    notices: dict[str, Any]
    cpl: tuple[StepForeseen, ...]
    carried: tuple[CarriedChange, ...] = ()
    withdrawn: tuple[PendingAnswer, ...] = ()
    wanting: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionRehearsed:
    """What would be true if something were proposed now, and decided; nothing of it is written anywhere."""

    officers: int
    findings: tuple[Finding, ...]
    preview: PreviewAnswer


@dataclass(frozen=True, kw_only=True)
class DecisionBefore:
    """The last decision about the same application or approval, and where this one differs."""

    decision: str
    kind: DecisionKind
    state: DecisionState
    proposed_at: datetime
    outcome: str | None
    differences: tuple[Differs, ...]


@dataclass(frozen=True, kw_only=True)
class DecidedUpon:
    """What a decision is about, whole: what officers must have seen before they sign.

    Args:
        manufacturer: by name.
        contact: where the Manufacturer has its notices sent now; null if it never said. What was said when it applied
            is with the application.
        application: that is decided, or on which the approval was granted.
        request: the Manufacturer's request for the amendment (F2.29).
        end_request: the Manufacturer's request for the end (F2.30).
        breach: that it answers (F2.23).
        evidence: the files of request and breach; those of the application are with it. Each is had from
            `/v1/evidence/…`.
        suspicions: every suspected breach of this Manufacturer's, not judged yet or owing a revocation, of which it
            was told, with what it answers (F2.23).
        before: null if nothing was proposed before.
    """

    manufacturer: str
    contact: ContactAnswer | None
    application: ApplicationAnswer
    request: AmendmentRequestAnswer | None
    end_request: EndRequestAnswer | None
    breach: BreachAnswer | None
    evidence: tuple[EvidenceAnswer, ...]
    suspicions: tuple[BreachAnswer, ...]
    before: DecisionBefore | None


@dataclass(frozen=True, kw_only=True)
class DecisionAnswer:
    """A decision with everything that will be true: proposal, findings, draft and both digests.

    Args:
        tbs_sha256: the digest of the bytes to be signed that take effect first; where several are to be signed, all
            their digests are repeated, as `drafts` has them.
        draft: what takes effect first; null where nothing is to be signed, or not drafted yet.
        drafts: everything that is to be signed, in order of issue: the second and those behind it are changes that
            wait, made anew.
        authorised_at: when its proposer signed for it with a key of their own; null before.
        witnesses: what officers say of it, once it has issued or ended something.
        against: what the rules find now, while it is open: what is fatal blocks it. Empty in a list.
        requirements: the further requirements of its application that are open (F2.20). Empty in a list.
        preview: while it is open; null in a list.
        upon: what it is about; null in a list.
        interests: in the application that it comes from; the authority counts none. Empty in a list.
    """

    decision: str
    kind: DecisionKind
    state: DecisionState
    application: str | None
    approval: str | None
    issue: int | None
    proposal: dict[str, Any]
    proposal_sha256: str
    findings: tuple[Finding, ...]
    tbs_sha256: str | None
    reasons: str
    passages: tuple[DecidedPassage, ...]
    conditions: tuple[DecidedCondition, ...]
    meeting: str
    minute: str
    officers: int
    amendment_request: str | None
    breach: str | None
    lapses_at: datetime | None
    draft: DraftAnswer | None
    drafts: tuple[DraftAnswer, ...] = ()
    proposer: str
    proposed_at: datetime
    authorised_at: datetime | None
    seconder: str | None
    seconded_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    urgent: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    witnesses: tuple[WitnessAnswer, ...]
    against: tuple[Finding, ...]
    requirements: tuple[RequirementAnswer, ...]
    preview: PreviewAnswer | None
    upon: DecidedUpon | None
    interests: tuple[InterestAnswer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionPage(Page):
    """Decisions in order."""

    decisions: tuple[DecisionAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class DecisionProposed:
    """A decision was proposed.

    Args:
        wanting: for each recipient, what its notice would lack and the Code has it told. Empty in what earlier releases
            kept under an Idempotency-Key.
    """

    decision: str
    state: DecisionState
    kind: DecisionKind
    approval: str | None
    proposal_sha256: str
    findings: tuple[Finding, ...]
    wanting: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RevocationsAnswer:
    """How far many approvals have been revoked by one decision.

    Args:
        approvals_sha256: digest of the list, hex; the proposal has it too.
        total: approvals of the list.
        carried_out: how many of them were dealt with; of these,
        ended: how many ended by this, and
        already_ended: how many had ended before, by an act or by time.
        told: of how many the notices are written, or none is due.
        crl_number: the list that was the first to say all of it; None while one does not.
        begun_at: when it was decided; None before.
        finished_at: when all was done and told; None before.
    """

    decision: str
    state: DecisionState
    cause: EndCause
    approvals_sha256: str
    total: int
    carried_out: int
    ended: int
    already_ended: int
    told: int
    crl_number: int | None
    begun_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DecisionAuthorised:
    """The proposer has signed for a proposal with a key of their own: from now on another officer may second it.

    Args:
        approval: that it is about, or will be; None where it is about none.
    """

    decision: str
    kind: DecisionKind
    approval: str | None = None
    authorised_by: str
    authorised_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApprovalRevoked:
    """An approval was revoked, or its compromised certificate cancelled.

    Args:
        findings: what the rules found, and what else is known: another revocation that is owed.
        wanting: for each recipient, what its notice lacks and the Code has it told. Both are empty in what earlier
            releases kept under an Idempotency-Key.
    """

    approval: str
    cause: EndCause
    revoked_at: datetime
    serials: tuple[Serial, ...]
    decision: str
    findings: tuple[Finding, ...] = ()
    wanting: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DecisionSeconded:
    """An officer agreed; a certificate follows where the kind issues one, once nobody is wanting.

    Args:
        officers_wanting: above 0 while the settings ask for more officers than have agreed. 0 in what the first release
            kept under an Idempotency-Key: it never asked for more than two.
    """

    decision: str
    kind: DecisionKind
    state: DecisionState
    approval: str | None
    officers_wanting: int = 0


@dataclass(frozen=True)
class DecisionRejected:
    """A proposal came to nothing."""

    decision: str
    kind: DecisionKind
    state: DecisionState


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One proposal of a batch, with the digests that the officer accepts."""

    decision: str
    proposal_sha256: str
    tbs_sha256: str | tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class AuthorisationKept:
    """What an officer signed, as it was sent.

    Args:
        statement: what is signed: its canonical form (RFC 8785).
        key: the RFC 7638 thumbprint of the key that signed.
        proof: a compact JWS over exactly its octets.
        listed: what a statement about several things lists: decision, digest of its proposal, digests of bytes.
    """

    statement: dict[str, Any]
    key: str
    proof: str
    listed: list[Any] | None


@dataclass(frozen=True, kw_only=True)
class DecisionAuthorisations:
    """Everything that officers signed for a decision, and for changes of the roster by which it counts.

    Only what a sealed fact names: what the authority has proved and consumed.
    """

    decision: str
    authorisations: tuple[AuthorisationKept, ...]


@dataclass(frozen=True, kw_only=True)
class SealedRowAnswer:
    """A row of the journal as it is hashed, see docs/issuance-cycle.md."""

    number: int
    sealed_at: str
    kind: str
    at: str
    actor: str
    role: str | None
    organisation: str | None
    subject: str | None
    payload: str


@dataclass(frozen=True, kw_only=True)
class JournalRowAnswer:
    """A row with its link, 64 hexadecimal digits."""

    row: SealedRowAnswer
    link: str


@dataclass(frozen=True, kw_only=True)
class JournalHeadAnswer:
    """A head that the journal's key has signed: ECDSA with SHA-256, DER, hexadecimal."""

    number: int
    link: str
    signature: str


@dataclass(frozen=True, kw_only=True)
class JournalStretch:
    """Rows that follow each other, up to a signed head.

    Args:
        before: the link of the row before the first.
    """

    before: str
    rows: tuple[JournalRowAnswer, ...]
    head: JournalHeadAnswer


@dataclass(frozen=True, kw_only=True)
class DecisionJournal:
    """What the sealed journal says of a decision and of the roster, provable by the journal's key.

    Args:
        journal: the name that heads are signed under.
        public_key: of the journal: SubjectPublicKeyInfo, DER, hexadecimal. Trust the one that you hold.
    """

    decision: str
    journal: str
    public_key: str
    stretches: tuple[JournalStretch, ...]
