"""What may be sent about decisions, and what is answered, described for /openapi.json."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, RootModel

from api.answers import Answer, FindingAnswer, Problem
from api.forms.fields import (
    MOST_FIRMWARE,
    Body,
    Count,
    Csr,
    Day,
    Digest,
    FirmwareBody,
    Identifier,
    Moment,
    Name,
    Token,
    Words,
)
from core.approval import EndCause
from core.classification import Classification, Passage, Recipient
from core.kinds import DecisionKind, DecisionState, DraftState

MOST_PASSAGES = 20
"""Passages of a decision beside its reasons."""

MOST_CONDITIONS = 100
"""Conditions that one decision sets."""

MOST_IN_A_BATCH = 100
"""Decisions in one batch: several times what a meeting takes."""

OfficersCause: TypeAlias = Literal[EndCause.SSC, EndCause.BREACH, EndCause.KEY_COMPROMISE]
"""Why officers revoke; for the Manufacturer's own request they withdraw."""


class ClassifiedBody(Body):
    """Words with who may read them; without recipients, those that the class has by default (Red: nobody)."""

    text: Words
    classification: Annotated[Classification, Field(strict=False)] = Classification.AMBER
    recipients: Annotated[list[Annotated[Recipient, Field(strict=False)]], Field(max_length=3)] | None = None

    def passage(self, subject: str) -> Passage:
        """Return the words under a fresh salt."""
        return Passage.of(subject, self.text, self.classification, self.recipients)


class PassageBody(ClassifiedBody):
    """Words about something: the assessment, a description."""

    subject: Literal["assessment", "description", "remark"]


class MinutedBody(Body):
    """What every decision may come with: its reasons, other passages, the meeting and the minute."""

    reasons: Annotated[
        Words | ClassifiedBody, Field(description="Words alone are Amber and go to Manufacturer, DCC and Panel.")
    ]
    passages: Annotated[list[PassageBody], Field(max_length=MOST_PASSAGES, default_factory=list)]
    meeting: Name = ""
    minute: Name = ""


class GrantBody(MinutedBody):
    """Grant an application (F2.21); what is left out is as the application says."""

    kind: Literal[DecisionKind.GRANT]
    application: Token
    start: Day | None = None
    expiry: Day | None = None
    maximum_devices: Count | None = None
    conditions: Annotated[list[ClassifiedBody], Field(max_length=MOST_CONDITIONS, default_factory=list)]


class RefuseBody(MinutedBody):
    """Refuse an application (F2.24)."""

    kind: Literal[DecisionKind.REFUSE]
    application: Token


class AmendBody(MinutedBody):
    """Amend an approval (F2.29); what is left out stays."""

    kind: Literal[DecisionKind.AMEND]
    approval: Identifier
    request: Token | None = None
    start: Day | None = None
    expiry: Day | None = None
    maximum_devices: Count | None = None
    firmware_added: Annotated[list[FirmwareBody], Field(max_length=MOST_FIRMWARE, default_factory=list)]
    firmware_removed: Annotated[list[Name], Field(max_length=MOST_FIRMWARE, default_factory=list)]
    conditions_added: Annotated[list[ClassifiedBody], Field(max_length=MOST_CONDITIONS, default_factory=list)]
    conditions_removed: Annotated[list[Count], Field(max_length=MOST_CONDITIONS, default_factory=list)]
    description: ClassifiedBody | None = None
    effective: Moment | None = None
    csr: Csr | None = None


class RefuseAmendmentBody(MinutedBody):
    """Refuse an amendment that the Manufacturer asked for (F2.29)."""

    kind: Literal[DecisionKind.REFUSE_AMENDMENT]
    request: Token


class RevokeBody(MinutedBody):
    """Revoke an approval, or cancel its compromised certificate (F2.30)."""

    kind: Literal[DecisionKind.REVOKE]
    approval: Identifier
    cause: OfficersCause
    breach: Token | None = None
    invalidity_date: Moment | None = None


class WithdrawBody(MinutedBody):
    """End an approval at the Manufacturer's request."""

    kind: Literal[DecisionKind.WITHDRAW]
    approval: Identifier


class RekeyBody(MinutedBody):
    """Certify a new key under the same approval."""

    kind: Literal[DecisionKind.REKEY]
    approval: Identifier
    csr: Csr
    compromised: bool
    effective: Moment | None = None
    invalidity_date: Moment | None = None


AnyDecision = GrantBody | RefuseBody | AmendBody | RefuseAmendmentBody | RevokeBody | WithdrawBody | RekeyBody


class DecisionBody(RootModel[Annotated[AnyDecision, Field(discriminator="kind")]]):
    """A decision that is proposed; `kind` says which."""


class DecisionBatchBody(Body):
    """Several decisions, as a committee takes them."""

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=MOST_IN_A_BATCH)]


class SecondBody(Body):
    """What a second officer accepts: this proposal with these bytes."""

    proposal_sha256: Digest
    tbs_sha256: Digest | None = None


class AcceptedBody(SecondBody):
    """One of a batch that is seconded."""

    decision: Token


class SecondBatchBody(Body):
    """Several proposals that an officer accepts."""

    decisions: Annotated[list[AcceptedBody], Field(min_length=1, max_length=MOST_IN_A_BATCH)]


class RejectionBody(Body):
    """Why a proposal comes to nothing."""

    why: Words


class RevocationBody(MinutedBody):
    """An urgent revocation by one officer, where the settings allow it (F2.30)."""

    cause: OfficersCause
    breach: Token | None = None
    invalidity_date: Moment | None = None


# --- answers -----------------------------------------------------------------------------------------------------


class DecisionProposed(Answer):
    """A decision was proposed."""

    decision: str
    kind: DecisionKind
    state: DecisionState
    approval: str | None
    proposal_sha256: str
    findings: list[FindingAnswer]


class DecisionSeconded(Answer):
    """An officer agreed; a certificate follows where the kind issues one, once nobody is wanting."""

    decision: str
    kind: DecisionKind
    state: DecisionState
    approval: str | None
    officers_wanting: int


class DecisionBatchResult(Answer):
    """What became of one decision of a batch: its outcome, or the problem."""

    outcome: DecisionProposed | DecisionSeconded | None
    problem: Problem | None


class DecisionBatchAnswer(Answer):
    """What became of each decision of a batch, in order; each stands or falls alone."""

    results: list[DecisionBatchResult]


class DecisionRejected(Answer):
    """A proposal came to nothing."""

    decision: str
    kind: DecisionKind
    state: DecisionState


class DecisionAcknowledged(Answer):
    """Another officer was informed of an urgent revocation."""

    decision: str
    acknowledged_by: str
    acknowledged_at: str


class DraftAnswer(Answer):
    """What is to be signed: the digest of its exact bytes, and what the lint found."""

    serial: str
    tbs_sha256: str
    tbs: Annotated[str, Field(description="The exact bytes to be signed, base64: their SHA-256 is `tbs_sha256`.")]
    in_words: list[str]
    lint: Any
    not_before: str
    not_after: str
    drafted_at: str
    state: DraftState


class PreviewAnswer(Answer):
    """Everything that will be true if the decision is made."""

    certificate: Annotated[list[str], Field(description="The certificate in words; empty if none is issued.")]
    difference: Annotated[list[dict[str, Any]], Field(description="What changes, each with before and after.")]
    notices: Annotated[dict[str, Any], Field(description="By recipient, the notice as it will get it (F2.22).")]
    cpl: Annotated[list[dict[str, Any]], Field(description="Instructions to the Panel (F2.27, F2.29, F2.31).")]


class DecisionAnswer(Answer):
    """A decision with everything that will be true: proposal, findings, draft and both digests."""

    decision: str
    kind: DecisionKind
    state: DecisionState
    application: str | None
    approval: str | None
    issue: int | None
    proposal: dict[str, Any]
    proposal_sha256: str
    findings: list[FindingAnswer]
    tbs_sha256: str | None
    reasons: str
    passages: list[dict[str, Any]]
    conditions: list[dict[str, Any]]
    meeting: str
    minute: str
    officers: int
    amendment_request: str | None
    breach: str | None
    lapses_at: str | None
    draft: DraftAnswer | None
    preview: PreviewAnswer | None
    proposer: str
    proposed_at: str
    seconder: str | None
    seconded_at: str | None
    closed_at: str | None
    outcome: str | None
    urgent: bool
    acknowledged_by: str | None
    acknowledged_at: str | None


class DecisionPage(Answer):
    """Decisions in order; `next` is the cursor of the next page."""

    decisions: list[DecisionAnswer]
    next: str | None
