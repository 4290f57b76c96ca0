"""What must stand before something is proposed under an approval, or added to a report."""

import re
from datetime import datetime

from core.approval import ApprovalRecord
from core.errors import AlreadyEnded, MonthMalformed, ReportOutOfTurn, WrongState
from core.instants import text
from core.status import approval_status, first_second_after, open_at
from store.reading import reports
from store.transactions import Transaction

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def require_open(approval: ApprovalRecord, at: datetime) -> None:
    """Raise AlreadyEnded unless the approval may still be amended, certified or ended."""
    if not open_at(approval, at):
        status = approval_status(approval, at)
        expiry = (status.terms or approval.terms[0]).expiry
        ended = approval.ended_at if approval.ended_at is not None else first_second_after(expiry)
        raise AlreadyEnded(identifier=approval.identifier, state=f"{status.state.value} since {text(ended)}")


def why_ended(approval: ApprovalRecord, at: datetime) -> str | None:
    """Return, in words, that an approval may no longer be amended, certified or ended; None while it may."""
    return None if open_at(approval, at) else f"approval {approval.identifier} has ended"


def suspicion_settled(identifier: str) -> WrongState:
    """Return the refusal of what comes too late for a suspicion. Which of the ends it came to is the SSC's."""
    return WrongState(kind="Suspicion", identifier=identifier, state="settled", needed="open")


def require_certified(approval: ApprovalRecord) -> None:
    """Raise WrongState unless a first certificate was issued."""
    if not approval.certificates:
        raise WrongState(
            kind="Approval", identifier=approval.identifier, state="without a certificate", needed="issued first"
        )


def is_month(month: str) -> bool:
    """Return whether somebody names a month as reports do: `2027-05`."""
    return _MONTH.fullmatch(month) is not None


def require_open_month(tx: Transaction, month: str) -> None:
    """Raise unless something can still be added to a month's report (F2.28).

    Raises:
        MonthMalformed: not `2027-05`.
        ReportOutOfTurn: a later one has been issued.
        WrongState: it has been issued.
    """
    if not is_month(month):
        raise MonthMalformed(value=month[: len("2027-05") * 2])
    if reports.issued(tx, month) is not None:
        raise WrongState(kind="Report", identifier=month, state="issued", needed="not yet issued")
    newest = reports.newest_month(tx)
    if newest is not None and month < newest:
        raise ReportOutOfTurn(month=month, detail=f"that for {newest} has been issued and covers it")
