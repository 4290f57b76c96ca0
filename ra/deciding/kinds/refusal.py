"""To refuse an application (F2.24)."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.classification import Passage
from core.clauses import serves
from core.facts import Fact, FactKind
from core.kinds import ApplicationState, DecisionKind, NoticeKind
from ra.deciding.kind import Kind, Proposed
from ra.desk import Desk
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, application_of, new_decision
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import applications, facts

FORM = NoticeForm(
    kind=NoticeKind.REFUSAL,
    called=NoticeKind.REFUSAL.value,
    title="Application for a Trial Device Approval not approved",
    clause="F2.24",
    reasons_clause="F2.24",
    reasons="Why it is not approved",
    demanded=("reasons", "assessment"),
)


@dataclass(frozen=True)
class ProposeRefusal:
    """Refuse an application (F2.24)."""

    application: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


class Refusal(Kind[ProposeRefusal]):
    """The refusal of an application."""

    kind = DecisionKind.REFUSE
    counted_as = DecisionKind.REFUSE
    task = "to refuse {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeRefusal) -> Proposed:
        """Return the refusal as proposed."""
        application = requests.application(tx, command.application)
        applications.move(tx, application.id, needed=ApplicationState.SUBMITTED, to=ApplicationState.PROPOSED)
        grounds = grounds_of(command.reasons, command.minutes)
        decision = new_decision(self.kind, {"application": application.id}, grounds, tabled)
        return Proposed(replace(decision, application_id=application.id))

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The application waits for a decision again."""
        # Never one that was refused: a refusal is done when it is seconded, and comes to nothing no more.
        needed, to = ApplicationState.PROPOSED, ApplicationState.SUBMITTED
        applications.move(tx, application_of(decision), needed=needed, to=to)

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """An application can always be refused."""

    @serves("F2.24")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """The application is refused; the Manufacturer may apply again."""
        identifier = application_of(decision)
        applications.move(tx, identifier, needed=ApplicationState.PROPOSED, to=ApplicationState.REFUSED)
        refused = {"decision": decision.id}
        facts.record(tx, Fact(FactKind.APPLICATION_REFUSED, at, actor, subject=identifier, payload=refused))

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """Nothing was listed, and nothing will be."""
        return None

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """Nothing takes effect."""
        return NoticeSaid(FORM)
