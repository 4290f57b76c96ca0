"""To refuse the amendment that a Manufacturer asked for (F2.29); the approval stands as it is."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.facts import Fact, FactKind
from core.kinds import AmendmentRequestState, DecisionKind, NoticeKind
from ra.deciding.kind import Kind, Proposed
from ra.deciding.taking_up import give_back, take_up
from ra.desk import Desk
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, new_decision
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading.amendment_requests import amendment_request
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import amendment_requests, facts

FORM = NoticeForm(
    kind=NoticeKind.AMENDMENT_REFUSAL,
    called=NoticeKind.AMENDMENT_REFUSAL.value,
    title="Amendment of a Trial Device Approval refused",
    clause="F2.29",
    reasons_clause="F2.29",
    reasons="Why it is refused",
)


@dataclass(frozen=True)
class ProposeAmendmentRefusal:
    """Refuse an amendment that was asked for (F2.29)."""

    request: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


class AmendmentRefusal(Kind[ProposeAmendmentRefusal]):
    """The refusal of an amendment."""

    kind = DecisionKind.REFUSE_AMENDMENT
    counted_as = DecisionKind.REFUSE_AMENDMENT
    task = "to refuse an amendment of {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeAmendmentRefusal) -> Proposed:
        """Return the refusal as proposed, and hold the request for it."""
        asked = amendment_request(tx, command.request)
        said: dict[str, Json] = {"approval": asked.approval, "request": asked.id}
        decision = new_decision(self.kind, said, grounds_of(command.reasons, command.minutes), tabled)
        take_up(tx, asked.id, asked.approval, at=tabled.at)
        return Proposed(replace(decision, approval=asked.approval, amendment_request=asked.id))

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The request is open again."""
        give_back(tx, decision.amendment_request, at=at)

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """A request can be refused whatever has become of its approval."""

    @serves("F2.29")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """The request is refused."""
        request, approval = decision.amendment_request or "", decision.approval
        needed, to = AmendmentRequestState.PROPOSED, AmendmentRequestState.REFUSED
        amendment_requests.move(tx, request, needed=needed, to=to, at=at, decision_id=decision.id)
        refused: dict[str, Json] = {"request": request, "decision": decision.id}
        facts.record(tx, Fact(FactKind.AMENDMENT_REFUSED, at, actor, subject=approval, payload=refused))

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The list stays as it is."""
        return None

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """Nothing takes effect."""
        return NoticeSaid(FORM)
