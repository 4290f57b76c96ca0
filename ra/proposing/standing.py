"""What must stand before a later issue is proposed."""

from datetime import datetime

from core.approval import ApprovalRecord
from core.errors import AlreadyEnded, WrongState
from core.status import approval_status, open_at


def require_open(approval: ApprovalRecord, at: datetime) -> None:
    """Raise AlreadyEnded unless the approval may still be amended, certified or ended."""
    if not open_at(approval, at):
        raise AlreadyEnded(identifier=approval.identifier, state=approval_status(approval, at).state.value)


def require_certified(approval: ApprovalRecord) -> None:
    """Raise WrongState unless a first certificate was issued."""
    if not approval.certificates:
        raise WrongState(
            kind="Approval", identifier=approval.identifier, state="without a certificate", needed="issued first"
        )
