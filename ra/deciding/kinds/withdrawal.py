"""To end an approval at its Manufacturer's request (F2.30); it counts as a revocation does."""

from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.classification import Passage
from core.instants import text
from core.kinds import DecisionKind, NoticeKind
from ra.deciding import end
from ra.deciding.end import Ending, decision_to_end, end_approval, ending_of
from ra.deciding.kind import Kind, Proposed
from ra.deciding.taking_up import give_back_end, take_up_end
from ra.desk import Desk
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled
from ra.standing import require_open
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction

FORM = NoticeForm(
    kind=NoticeKind.WITHDRAWAL,
    called=NoticeKind.WITHDRAWAL.value,
    title="Trial Device Approval ended at the Manufacturer's request",
    clause="F2.30",
    reasons_clause="F2.30",
    reasons="Why it is ended",
)


@dataclass(frozen=True)
class ProposeWithdrawal:
    """End an approval at its Manufacturer's request (F2.30), which is named if it was made here."""

    approval: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES
    request: str | None = None


class Withdrawal(Kind[ProposeWithdrawal]):
    """The end of an approval at its Manufacturer's request."""

    kind = DecisionKind.WITHDRAW
    counted_as = DecisionKind.REVOKE
    task = "to end {} at its Manufacturer's request"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeWithdrawal) -> Proposed:
        """Return the end as proposed."""
        require_open(approval_reading.record(tx, command.approval), tabled.at)
        take_up_end(tx, command.request, command.approval)
        ending = Ending(command.approval, EndCause.MANUFACTURER, None, request=command.request)
        return Proposed(decision_to_end(self.kind, ending, grounds_of(command.reasons, command.minutes), tabled))

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The request for the end that it named, if any, is open again."""
        give_back_end(tx, ending_of(decision).request)

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """An approval ends once."""
        return end.why_passed(tx, decision, at)

    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """The end is written; from this commit on every verification says so."""
        end_approval(tx, ending_of(decision), decision=decision, actor=actor, at=at)

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The entries leave the list (F2.31)."""
        return end.foreseen(tx, decision, at)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It holds at once."""
        return NoticeSaid(FORM, effective=None if at is None else text(at), cause=ending_of(decision).cause)
