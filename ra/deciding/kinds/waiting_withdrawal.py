"""To withdraw what waits: changes that are decided and have not begun never do; what holds goes on (F2.29)."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.approval import ApprovalRecord, CertificateRecord, EndCause
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.errors import DeviceAlreadyApproved, WrongState
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import CHANGE_WITHDRAWAL, DecisionKind, NoticeKind
from core.status import certificate_end
from ra.deciding import later_issue
from ra.deciding.kind import Kind, Proposed
from ra.desk import Desk
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, approval_of, new_decision, said_in
from ra.standing import require_open, why_ended
from ra.telling.listing import Foreseen, instruct
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import approvals, facts, receipts

FORM = NoticeForm(
    kind=NoticeKind.AMENDMENT,
    # Nothing that holds changes; readers must not take it for another amendment.
    called=CHANGE_WITHDRAWAL,
    title="Change of a Trial Device Approval withdrawn before it began",
    clause="F2.29",
    reasons_clause="F2.29",
    reasons="Why it is withdrawn",
)

_NOTHING_WAITS = ("without a change that waits", "with one that is decided and has not begun")
_KEY_GONE = (
    "waiting for a new key, as the one that it was to change under is compromised",
    "certified under a new one: a rekey carries what waits, or withdraws it",
)


@dataclass(frozen=True)
class ProposeWaitingWithdrawal:
    """Withdraw what waits of an approval, all of it.

    Args:
        approval: its identifier.
        reasons: a summary of why.
        minutes: what comes with the decision.
    """

    approval: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


class WaitingWithdrawal(Kind[ProposeWaitingWithdrawal]):
    """The withdrawal of what waits; it counts as an amendment does."""

    kind = DecisionKind.WITHDRAW_WAITING
    counted_as = DecisionKind.AMEND
    task = "to withdraw what waits of {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeWaitingWithdrawal) -> Proposed:
        """Return the withdrawal as proposed: of everything that waits now."""
        record = approval_reading.record(tx, command.approval)
        require_open(record, tabled.at)
        basis = later_issue.basis_at(record, tabled.at)
        if not any(each.revoked_at is None for each in basis.behind):
            # What waits under a compromised key has no certificate left to withdraw; its terms wait for the new key.
            state, needed = _KEY_GONE if basis.behind else _NOTHING_WAITS
            raise WrongState(kind="Approval", identifier=record.identifier, state=state, needed=needed)
        expiry = basis.terms.expiry
        other = approval_reading.overlapping(
            tx, record.device, start=record.start, expiry=expiry, other_than=record.identifier
        )
        if other is not None:
            raise DeviceAlreadyApproved(other=other)
        said: dict[str, Json] = {
            "approval": record.identifier,
            "cause": EndCause.CHANGE_WITHDRAWN.value,
            **basis.outline(),
            "withdrawn": later_issue.withdrawn(basis),
        }
        decision = new_decision(self.kind, said, grounds_of(command.reasons, command.minutes), tabled)
        return Proposed(replace(decision, approval=record.identifier))

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """It holds nothing."""

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """The approval stands, and exactly this still waits."""
        record = approval_reading.record(tx, approval_of(decision))
        if why_ended(record, at) is None and not later_issue.basis_at(record, at).is_as(said_in(decision)):
            return "what waits has changed, or has begun, since it was proposed"
        return why_ended(record, at)

    @serves("F2.29")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """What waits ends now, and what holds goes on to its own end."""
        approval, said = approval_of(decision), said_in(decision)
        record = approval_reading.locked(tx, approval)
        basis = later_issue.basis_at(record, at)
        # Asked again behind the lock: something else may have been recorded since.
        if basis.certificate is None or not basis.is_as(said):
            state, needed = "another change by now", "as it was proposed"
            raise WrongState(kind="What waits of", identifier=approval, state=state, needed=needed)
        gone = [each.serial for each in _gone(record, basis, at)]
        serials = approvals.withdraw_waiting(tx, approval, gone, at=at)
        approvals.restore_course(tx, basis.certificate.serial, at=at)
        approvals.move_dates(tx, approval, start=record.start, expiry=basis.terms.expiry)
        later_issue.take_back_words(tx, approval, said["in_place_of"], decision.id, at)
        for serial in serials:
            withdrawn: dict[str, Json] = {
                "serial": serial,
                "cause": EndCause.CHANGE_WITHDRAWN.value,
                "decision": decision.id,
                "proposal_sha256": decision.proposal_sha256,
            }
            facts.record(
                tx,
                Fact(
                    FactKind.CERTIFICATE_REVOKED, at, actor, subject=approval, approvals=(approval,), payload=withdrawn
                ),
            )
        instruct(tx, approval, cause=decision.id, actor=actor, at=at)
        receipts.open_receipts(tx, {approval: len(serials)}, decision=decision.id, at=at)

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """What the Panel was to do later is not to be done."""
        record = approval_reading.record(tx, approval_of(decision))
        gone = {each.issue for each in _gone(record, later_issue.basis_at(record, at), at)}
        certificates = tuple(
            replace(each, revoked_at=at, cause=EndCause.CHANGE_WITHDRAWN) if each.issue in gone else each
            for each in record.certificates
        )
        return Foreseen(replace(record, certificates=certificates))

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It holds at once."""
        return NoticeSaid(FORM, effective=None if at is None else text(at))


def _gone(record: ApprovalRecord, basis: later_issue.Basis, at: datetime) -> list[CertificateRecord]:
    """What never begins: what waits, and what it was to take the place of, which would begin again without it."""
    held = 0 if basis.certificate is None else basis.certificate.issue
    coming = [each for each in record.certificates if each.issue > held and each.not_before > at]
    return [each for each in coming if certificate_end(each).at > at]
