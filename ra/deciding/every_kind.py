"""Every kind of decision, found by its name or by the command that proposes one. The checker proves both complete."""

from typing import Any, TypeAlias, assert_never

from core.kinds import DecisionKind
from ra.deciding.kind import Kind
from ra.deciding.kinds.amendment import Amendment, ProposeAmendment
from ra.deciding.kinds.amendment_refusal import AmendmentRefusal, ProposeAmendmentRefusal
from ra.deciding.kinds.correction import Correction, ProposeCorrection
from ra.deciding.kinds.grant import Grant, ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal, Refusal
from ra.deciding.kinds.rekey import ProposeRekey, Rekey
from ra.deciding.kinds.revocation import ProposeRevocation, Revocation
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal, WaitingWithdrawal
from ra.deciding.kinds.withdrawal import ProposeWithdrawal, Withdrawal
from ra.deciding.many import ProposeRevocations

Proposal: TypeAlias = (
    ProposeGrant
    | ProposeRefusal
    | ProposeAmendment
    | ProposeAmendmentRefusal
    | ProposeRevocation
    | ProposeRevocations
    | ProposeWithdrawal
    | ProposeRekey
    | ProposeWaitingWithdrawal
    | ProposeCorrection
)
"""What an officer may propose."""

GRANT, REFUSAL, REKEY = Grant(), Refusal(), Rekey()
AMENDMENT, AMENDMENT_REFUSAL = Amendment(), AmendmentRefusal()
REVOCATION, WITHDRAWAL, WAITING_WITHDRAWAL = Revocation(), Withdrawal(), WaitingWithdrawal()
CORRECTION = Correction()


def kind_of(kind: DecisionKind) -> Kind[Any]:
    """Return the kind of that name."""
    match kind:
        case DecisionKind.GRANT:
            return GRANT
        case DecisionKind.REFUSE:
            return REFUSAL
        case DecisionKind.AMEND:
            return AMENDMENT
        case DecisionKind.REFUSE_AMENDMENT:
            return AMENDMENT_REFUSAL
        case DecisionKind.REVOKE:
            return REVOCATION
        case DecisionKind.WITHDRAW:
            return WITHDRAWAL
        case DecisionKind.REKEY:
            return REKEY
        case DecisionKind.WITHDRAW_WAITING:
            return WAITING_WITHDRAWAL
        case DecisionKind.CORRECT:
            return CORRECTION
        case _:
            assert_never(kind)


def task_of(kind: DecisionKind, about: str | None) -> str:
    """Return what a decision would do, as a task names it: `to revoke TDA-2027-0042-Y`.

    Args:
        kind: of the decision.
        about: its approval or application; None for one that revokes many by one act.
    """
    return kind_of(kind).task.format(about or "many approvals by one act")


def by_command(command: Proposal) -> Kind[Any]:
    """Return the kind of decision that a command proposes."""
    match command:
        case ProposeGrant():
            return GRANT
        case ProposeRefusal():
            return REFUSAL
        case ProposeAmendment():
            return AMENDMENT
        case ProposeAmendmentRefusal():
            return AMENDMENT_REFUSAL
        case ProposeRevocation() | ProposeRevocations():
            return REVOCATION
        case ProposeWithdrawal():
            return WITHDRAWAL
        case ProposeRekey():
            return REKEY
        case ProposeWaitingWithdrawal():
            return WAITING_WITHDRAWAL
        case ProposeCorrection():
            return CORRECTION
        case _:
            assert_never(command)
