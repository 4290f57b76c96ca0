"""To correct a notice: a new one that names the one it corrects and says why; that one stays as it is (ADR 38).

What was decided is not touched: a condition, a date or a limit is amended (F2.29). What can be put right are words: a
summary of reasons, an assessment, a description, and who gets them.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, read_json
from core.classification import Passage
from core.clauses import serves
from core.kinds import DecisionKind, NoticeKind
from ra.deciding.kind import Kind, Proposed
from ra.desk import Desk
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, new_decision, said_in
from ra.telling.listing import Foreseen
from ra.telling.matter import Corrected, NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import notices
from store.rows import Decision
from store.transactions import Transaction

SUMMARY = "summary"
"""The subject of the summary of reasons that takes the place of the one told before; `reasons` say why it does."""

_GRANTED = "F2.21"
"""The paragraph of a grant's notice; (b) of it demands its reasons."""


@dataclass(frozen=True)
class ProposeCorrection:
    """Correct a notice.

    Args:
        notice: its number.
        reasons: why it is corrected, and what was wrong.
        minutes: what comes with the decision; its passages are the words that hold instead.
    """

    notice: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


class Correction(Kind[ProposeCorrection]):
    """The correction of a notice. It is decided as a notice's own act was: by as many officers as an amendment."""

    kind = DecisionKind.CORRECT
    counted_as = DecisionKind.AMEND
    task = "to correct a notice about {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeCorrection) -> Proposed:
        """Return the correction as proposed; NoSuchThing if there is no such notice."""
        corrected = notices.notice(tx, command.notice)
        written = read_json(notices.record(tx, corrected.number)[0])
        # A refusal's notice is about an application; every other is about an approval.
        application = corrected.application_id if corrected.approval is None else None
        said: dict[str, Json] = {
            "approval": corrected.approval,
            "application": application,
            "notice": corrected.number,
            "title": written["title"],
            "clause": written["clause"],
            "written_at": written["written_at"],
        }
        decision = new_decision(self.kind, said, grounds_of(command.reasons, command.minutes), tabled)
        return Proposed(replace(decision, approval=corrected.approval, application_id=application))

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """It holds nothing."""

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """A notice can be corrected whatever has become of what it tells."""

    @serves("F2.21(b)", "F2.24", "F2.29", "F2.30")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """Nothing changes but what people are told: the new notice is all there is to it."""

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The list stays as it is."""
        return None

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It is told under the paragraph of the notice that it corrects."""
        said = said_in(decision)
        corrected = Corrected(notice=said["notice"], title=said["title"], written_at=said["written_at"])
        form = NoticeForm(
            kind=NoticeKind.CORRECTION,
            called=NoticeKind.CORRECTION.value,
            title=f"Correction of notice {corrected.notice}",
            clause=said["clause"],
            reasons_clause="F2.21(b)" if said["clause"] == _GRANTED else said["clause"],
            reasons="Why it is corrected",
            itemised=said["clause"] == _GRANTED,
        )
        return NoticeSaid(form, corrects=corrected)
