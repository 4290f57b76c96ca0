"""What was sent about a decision, as the command that the use case takes."""

from datetime import date, datetime

from api.forms.deciding import (
    AmendBody,
    AnyDecision,
    ClassifiedBody,
    GrantBody,
    MinutedBody,
    RefuseAmendmentBody,
    RefuseBody,
    RekeyBody,
    RevocationBody,
    RevokeBody,
    WithdrawBody,
)
from api.forms.fields import FirmwareBody
from core.approval import EndCause, Firmware
from core.classification import Passage
from core.identifiers import ApprovalIdentifier
from core.instants import day, parse
from ra.deciding.end import Revoke
from ra.deciding.every_kind import Proposal
from ra.deciding.kinds.amendment import DESCRIPTION, ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.grounds import REASONS, Minutes


def decision_command(said: AnyDecision) -> Proposal:
    """Return the command of a proposal.

    Raises:
        IdentifierMalformed, InstantMalformed: an approval, a day or an instant that is none.
    """
    match said:
        case GrantBody():
            return _grant(said)
        case RefuseBody():
            return ProposeRefusal(said.application, _reasons(said), _minutes(said))
        case AmendBody():
            return _amendment(said)
        case RefuseAmendmentBody():
            return ProposeAmendmentRefusal(said.request, _reasons(said), _minutes(said))
        case RevokeBody():
            return _revocation(said)
        case WithdrawBody():
            return ProposeWithdrawal(approval_of(said.approval), _reasons(said), _minutes(said))
        case RekeyBody():
            return ProposeRekey(
                approval=approval_of(said.approval),
                csr=said.csr.encode("utf-8"),
                compromised=said.compromised,
                reasons=_reasons(said),
                effective=_instant(said.effective, "effective"),
                invalidity_date=_instant(said.invalidity_date, "invalidity_date"),
                minutes=_minutes(said),
            )


def revocation_command(approval: str, said: RevocationBody) -> Revoke:
    """Return the command of an urgent revocation."""
    since = _instant(said.invalidity_date, "invalidity_date")
    return Revoke(
        approval=approval_of(approval),
        cause=EndCause(said.cause),
        reasons=_reasons(said),
        invalidity_date=since,
        breach=said.breach,
        minutes=_minutes(said),
    )


def approval_of(value: str) -> str:
    """Return an approval identifier in its one form."""
    return str(ApprovalIdentifier.parse(value))


def day_of(value: str | None, field: str) -> date | None:
    """Return the UTC day that was sent, if one was."""
    return None if value is None else day(value, field=field)


def firmware_of(sent: list[FirmwareBody]) -> tuple[Firmware, ...]:
    """Return firmware with its digests in their one form."""
    return tuple(Firmware(each.version, each.image_sha256.lower()) for each in sent)


def _grant(said: GrantBody) -> ProposeGrant:
    return ProposeGrant(
        application=said.application,
        reasons=_reasons(said),
        start=day_of(said.start, "start"),
        expiry=day_of(said.expiry, "expiry"),
        maximum_devices=said.maximum_devices,
        minutes=_minutes(said, conditions=said.conditions),
    )


def _revocation(said: RevokeBody) -> ProposeRevocation:
    return ProposeRevocation(
        approval=approval_of(said.approval),
        cause=EndCause(said.cause),
        reasons=_reasons(said),
        invalidity_date=_instant(said.invalidity_date, "invalidity_date"),
        breach=said.breach,
        minutes=_minutes(said),
    )


def _amendment(said: AmendBody) -> ProposeAmendment:
    return ProposeAmendment(
        approval=approval_of(said.approval),
        reasons=_reasons(said),
        start=day_of(said.start, "start"),
        expiry=day_of(said.expiry, "expiry"),
        maximum_devices=said.maximum_devices,
        firmware_added=firmware_of(said.firmware_added),
        firmware_removed=tuple(said.firmware_removed),
        conditions_removed=tuple(said.conditions_removed),
        effective=_instant(said.effective, "effective"),
        request=said.request,
        csr=None if said.csr is None else said.csr.encode("utf-8"),
        minutes=_minutes(said, conditions=said.conditions_added, description=said.description),
    )


def _reasons(said: MinutedBody) -> str | Passage:
    return said.reasons if isinstance(said.reasons, str) else said.reasons.passage(REASONS)


def _minutes(
    said: MinutedBody,
    *,
    conditions: list[ClassifiedBody] | None = None,
    description: ClassifiedBody | None = None,
) -> Minutes:
    passages = [each.passage(each.subject) for each in said.passages]
    if description is not None:
        passages.append(description.passage(DESCRIPTION))
    return Minutes(
        meeting=said.meeting,
        minute=said.minute,
        passages=tuple(passages),
        conditions=tuple(each.passage("condition") for each in conditions or []),
    )


def _instant(value: str | None, field: str) -> datetime | None:
    return None if value is None else parse(value, field=field)
