"""What may be sent about decisions: one body for each kind, with the command that it becomes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self, TypeAlias, assert_never

from pydantic import Field, RootModel, model_validator

from api.forms.authorising import AuthorisedBody
from api.forms.fields import (
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
    approval_of,
    day_of,
    firmware_of,
    instant_of,
)
from core.approval import EndCause
from core.classification import Classification, Passage, Recipient
from core.kinds import DecisionKind, Waiting, Witnessed
from core.limits import MOST_CONDITIONS, MOST_FIRMWARE
from core.waiting import MOST_DRAFTS
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import DESCRIPTION, ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.correction import SUMMARY, ProposeCorrection
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.views import Accepted
from ra.deciding.witness import Witness
from ra.grounds import REASONS, Minutes

MOST_PASSAGES = 20
"""Passages of a decision beside its reasons."""

MOST_IN_A_BATCH = 100
"""Decisions in one batch: several times what a meeting takes."""

OfficersCause: TypeAlias = Literal[EndCause.SSC, EndCause.BREACH, EndCause.KEY_COMPROMISE]
"""Why officers revoke; for the Manufacturer's own request they withdraw."""


WaitingSaid: TypeAlias = Annotated[
    Waiting,
    Field(
        strict=False,
        description="What becomes of the changes that wait behind the effective instant: carried, made anew from their "
        "own instants, which is what is done if it is left out; or withdrawn.",
    ),
]

Digests: TypeAlias = Annotated[
    Digest | Annotated[list[Digest], Field(min_length=1, max_length=MOST_DRAFTS)],
    Field(description="Of the bytes to be signed; where several are, all of them in order of issue."),
]


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

    def why(self) -> str | Passage:
        """Return the reasons, under a fresh salt where they are classified."""
        return self.reasons if isinstance(self.reasons, str) else self.reasons.passage(REASONS)

    def minutes(self, conditions: Sequence[ClassifiedBody] = (), description: ClassifiedBody | None = None) -> Minutes:
        """Return what comes with the decision beside its reasons."""
        described = () if description is None else (description.passage(DESCRIPTION),)
        return Minutes(
            meeting=self.meeting,
            minute=self.minute,
            passages=(*(each.passage(each.subject) for each in self.passages), *described),
            conditions=tuple(each.passage("condition") for each in conditions),
        )


class GrantBody(MinutedBody):
    """Grant an application (F2.21); what is left out is as the application says."""

    kind: Literal[DecisionKind.GRANT]
    application: Token
    start: Day | None = None
    expiry: Day | None = None
    maximum_devices: Count | None = None
    conditions: Annotated[list[ClassifiedBody], Field(max_length=MOST_CONDITIONS, default_factory=list)]

    def command(self) -> ProposeGrant:
        """Return what is proposed; InstantMalformed."""
        return ProposeGrant(
            application=self.application,
            reasons=self.why(),
            start=day_of(self.start, "start"),
            expiry=day_of(self.expiry, "expiry"),
            maximum_devices=self.maximum_devices,
            minutes=self.minutes(self.conditions),
        )


class RefuseBody(MinutedBody):
    """Refuse an application (F2.24)."""

    kind: Literal[DecisionKind.REFUSE]
    application: Token

    def command(self) -> ProposeRefusal:
        """Return what is proposed."""
        return ProposeRefusal(self.application, self.why(), self.minutes())


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
    waiting: WaitingSaid | None = None
    csr: Csr | None = None

    def command(self) -> ProposeAmendment:
        """Return what is proposed; IdentifierMalformed, InstantMalformed."""
        return ProposeAmendment(
            approval=approval_of(self.approval),
            reasons=self.why(),
            start=day_of(self.start, "start"),
            expiry=day_of(self.expiry, "expiry"),
            maximum_devices=self.maximum_devices,
            firmware_added=firmware_of(self.firmware_added),
            firmware_removed=tuple(self.firmware_removed),
            conditions_removed=tuple(self.conditions_removed),
            effective=instant_of(self.effective, "effective"),
            waiting=self.waiting,
            request=self.request,
            csr=None if self.csr is None else self.csr.encode("utf-8"),
            minutes=self.minutes(self.conditions_added, self.description),
        )


class RefuseAmendmentBody(MinutedBody):
    """Refuse an amendment that the Manufacturer asked for (F2.29)."""

    kind: Literal[DecisionKind.REFUSE_AMENDMENT]
    request: Token

    def command(self) -> ProposeAmendmentRefusal:
        """Return what is proposed."""
        return ProposeAmendmentRefusal(self.request, self.why(), self.minutes())


class RevokeBody(MinutedBody):
    """Revoke an approval, or cancel its compromised certificate (F2.30)."""

    kind: Literal[DecisionKind.REVOKE]
    approval: Identifier
    cause: OfficersCause
    breach: Token | None = None
    request: Annotated[Token | None, Field(description="The Manufacturer's request for the end.")] = None
    invalidity_date: Moment | None = None

    def command(self) -> ProposeRevocation:
        """Return what is proposed; IdentifierMalformed, InstantMalformed."""
        return ProposeRevocation(
            approval=approval_of(self.approval),
            cause=EndCause(self.cause),
            reasons=self.why(),
            invalidity_date=instant_of(self.invalidity_date, "invalidity_date"),
            breach=self.breach,
            request=self.request,
            minutes=self.minutes(),
        )


class WithdrawBody(MinutedBody):
    """End an approval at the Manufacturer's request."""

    kind: Literal[DecisionKind.WITHDRAW]
    approval: Identifier
    request: Annotated[Token | None, Field(description="In which it was asked for, if it was asked for here.")] = None

    def command(self) -> ProposeWithdrawal:
        """Return what is proposed; IdentifierMalformed."""
        return ProposeWithdrawal(approval_of(self.approval), self.why(), self.minutes(), request=self.request)


class RekeyBody(MinutedBody):
    """Certify a new key under the same approval."""

    kind: Literal[DecisionKind.REKEY]
    approval: Identifier
    csr: Csr | None = None
    compromised: bool
    effective: Moment | None = None
    invalidity_date: Moment | None = None
    waiting: WaitingSaid | None = None

    def command(self) -> ProposeRekey:
        """Return what is proposed; IdentifierMalformed, InstantMalformed."""
        return ProposeRekey(
            approval=approval_of(self.approval),
            csr=None if self.csr is None else self.csr.encode("utf-8"),
            compromised=self.compromised,
            reasons=self.why(),
            effective=instant_of(self.effective, "effective"),
            invalidity_date=instant_of(self.invalidity_date, "invalidity_date"),
            waiting=self.waiting,
            minutes=self.minutes(),
        )


class WithdrawWaitingBody(MinutedBody):
    """Withdraw the changes that are decided and wait, before they begin (F2.29)."""

    kind: Literal[DecisionKind.WITHDRAW_WAITING]
    approval: Identifier

    def command(self) -> ProposeWaitingWithdrawal:
        """Return what is proposed; IdentifierMalformed."""
        return ProposeWaitingWithdrawal(approval_of(self.approval), self.why(), self.minutes())


class CorrectBody(MinutedBody):
    """Correct a notice: a new one that names it and says why; its passages hold instead of those told before."""

    kind: Literal[DecisionKind.CORRECT]
    notice: Annotated[Token, Field(description="The number of the notice that is wrong, TDN-2027-0001.")]
    summary: Annotated[
        ClassifiedBody | None, Field(description="The summary of reasons in place of the one that was told.")
    ] = None

    def command(self) -> ProposeCorrection:
        """Return what is proposed."""
        minutes = self.minutes()
        if self.summary is not None:
            minutes = replace(minutes, passages=(self.summary.passage(SUMMARY), *minutes.passages))
        return ProposeCorrection(self.notice.upper(), self.why(), minutes)


AnyDecision: TypeAlias = (
    GrantBody
    | RefuseBody
    | AmendBody
    | RefuseAmendmentBody
    | RevokeBody
    | WithdrawBody
    | RekeyBody
    | WithdrawWaitingBody
    | CorrectBody
)


def body_of(kind: DecisionKind) -> type[AnyDecision]:
    """Return the body that proposes a kind of decision."""
    match kind:
        case DecisionKind.GRANT:
            return GrantBody
        case DecisionKind.REFUSE:
            return RefuseBody
        case DecisionKind.AMEND:
            return AmendBody
        case DecisionKind.REFUSE_AMENDMENT:
            return RefuseAmendmentBody
        case DecisionKind.REVOKE:
            return RevokeBody
        case DecisionKind.WITHDRAW:
            return WithdrawBody
        case DecisionKind.REKEY:
            return RekeyBody
        case DecisionKind.WITHDRAW_WAITING:
            return WithdrawWaitingBody
        case DecisionKind.CORRECT:
            return CorrectBody
        case _:
            assert_never(kind)


class DecisionBody(RootModel[Annotated[AnyDecision, Field(discriminator="kind")]]):
    """A decision that is proposed; `kind` says which."""


class DecisionBatchBody(Body):
    """Several decisions, as a committee takes them."""

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=MOST_IN_A_BATCH)]


class SignForBody(AuthorisedBody):
    """The proposal that its proposer signs for."""

    proposal_sha256: Digest


class ProposedBody(Body):
    """One of a batch that its proposer signs for."""

    decision: Token
    proposal_sha256: Digest


class SignForBatchBody(AuthorisedBody):
    """Several proposals that their proposer signs for."""

    decisions: Annotated[list[ProposedBody], Field(min_length=1, max_length=MOST_IN_A_BATCH)]

    def proposed(self) -> list[Accepted]:
        """Return the proposals."""
        return [Accepted(decision=each.decision, proposal_sha256=each.proposal_sha256) for each in self.decisions]


class SecondBody(AuthorisedBody):
    """What a second officer accepts: this proposal with these bytes."""

    proposal_sha256: Digest
    tbs_sha256: Digests | None = None


class AcceptedBody(ProposedBody):
    """One of a batch that is seconded."""

    tbs_sha256: Digests | None = None


class SecondBatchBody(AuthorisedBody):
    """Several proposals that an officer accepts."""

    decisions: Annotated[list[AcceptedBody], Field(min_length=1, max_length=MOST_IN_A_BATCH)]

    def accepted(self) -> list[Accepted]:
        """Return the proposals, each with the bytes that are accepted."""
        return [
            Accepted(
                decision=each.decision,
                proposal_sha256=each.proposal_sha256,
                tbs_sha256=tuple(each.tbs_sha256) if isinstance(each.tbs_sha256, list) else each.tbs_sha256,
            )
            for each in self.decisions
        ]


class RejectionBody(AuthorisedBody):
    """Why a proposal comes to nothing."""

    why: Words


class WitnessBody(Body):
    """What an officer says of a decision; who disowns it says why."""

    saw: Annotated[Witnessed, Field(strict=False)]
    why: Words = ""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.saw is Witnessed.DISOWNED) != bool(self.why):
            raise ValueError("who disowns a decision says why, and nobody else does")
        return self

    def command(self, decision: str) -> Witness:
        """Return what is said of a decision."""
        return Witness(decision, self.saw, self.why)


class RevocationBody(AuthorisedBody, MinutedBody):
    """An urgent revocation by one officer, where the settings allow it (F2.30)."""

    cause: OfficersCause
    breach: Token | None = None
    invalidity_date: Moment | None = None

    def command(self, approval: str) -> Revoke:
        """Return the revocation of an approval; IdentifierMalformed, InstantMalformed."""
        return Revoke(
            approval=approval_of(approval),
            cause=EndCause(self.cause),
            reasons=self.why(),
            invalidity_date=instant_of(self.invalidity_date, "invalidity_date"),
            breach=self.breach,
            minutes=self.minutes(),
        )
