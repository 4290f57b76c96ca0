"""To revoke an approval, or to cancel its compromised certificate so that a new key can be certified (F2.30)."""

from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.instants import text
from core.kinds import CANCELLATION, DecisionKind, NoticeKind
from ra.deciding import end, many
from ra.deciding.end import Ending, Revoke, decision_to_end, end_approval, ending_findings, ending_of
from ra.deciding.kind import Kind, Proposed
from ra.deciding.many import ProposeRevocations
from ra.deciding.taking_up import give_back_end, take_up_end
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import grounds_of
from ra.proposal import Tabled, said_in
from ra.standing import require_open
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import revocations

FORM = NoticeForm(
    kind=NoticeKind.REVOCATION,
    called=NoticeKind.REVOCATION.value,
    title="Trial Device Approval revoked",
    clause="F2.30",
    reasons_clause="F2.30",
    reasons="Why it is revoked",
)

COMPROMISED = NoticeForm(
    kind=NoticeKind.REVOCATION,
    # Only the certificate ends; readers must not take it for the end of the approval.
    called=CANCELLATION,
    title="Trial CPA Certificate cancelled because its key is compromised",
    clause="F2.30",
    reasons_clause="F2.30",
    reasons="Why it is cancelled",
)
"""A revocation that leaves the approval and cancels its certificate."""


class ProposeRevocation(Revoke):
    """The same words as an urgent revocation, for as many officers as the settings ask."""


class Revocation(Kind[ProposeRevocation | ProposeRevocations]):
    """The revocation of an approval, or of its compromised certificate; or of many (ra/deciding/many.py)."""

    kind = DecisionKind.REVOKE
    counted_as = DecisionKind.REVOKE
    task = "to revoke {}"

    def table(
        self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeRevocation | ProposeRevocations
    ) -> Proposed:
        """Return the end as proposed, with what the rules find."""
        if isinstance(command, ProposeRevocations):
            return many.table(tx, tabled, command)
        found = ending_findings(command, tabled.at)
        refuse_fatal(found)
        require_open(approval_reading.record(tx, command.approval), tabled.at)
        take_up_end(tx, command.request, command.approval)
        ending = Ending(command.approval, command.cause, command.invalidity_date, request=command.request)
        grounds = grounds_of(command.reasons, command.minutes)
        return Proposed(decision_to_end(self.kind, ending, grounds, tabled, breach=command.breach), found)

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The request for the end that it named, if any, is open again."""
        if not many.is_of_many(decision):
            give_back_end(tx, ending_of(decision).request)

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """An approval ends once; of many each for itself, and what has ended is told."""
        return None if many.is_of_many(decision) else end.why_passed(tx, decision, at)

    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """The end is written; from this commit on every verification says so. Of many, the authority writes them."""
        if many.is_of_many(decision):
            revocations.begin(tx, decision.id, total=len(said_in(decision)["approvals"]), at=at)
            return
        end_approval(tx, ending_of(decision), decision=decision, actor=actor, at=at)

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The entries leave the list (F2.31), unless only the key is compromised."""
        return None if many.is_of_many(decision) else end.foreseen(tx, decision, at)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It holds at once."""
        cause = ending_of(decision).cause
        form = COMPROMISED if cause is EndCause.KEY_COMPROMISE else FORM
        return NoticeSaid(form, effective=None if at is None else text(at), cause=cause)
