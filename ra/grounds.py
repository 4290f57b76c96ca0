"""What a decision rests on: its reasons and other passages, its conditions, the meeting and the minute it comes from.

Words are classified, each with its recipients (F2.22). The proposal names them by salted digests; the register keeps
them; a notice holds those that its recipient may have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.canonical import Json, canonical, read_json
from core.classification import Passage, passage_of
from core.words import required
from store.rows import Decision

REASONS = "reasons"
"""The subject of the summary of reasons that every decision has (F2.21(b), F2.24, F2.29, F2.30)."""


@dataclass(frozen=True)
class Minutes:
    """What comes with a decision beside its reasons.

    Args:
        meeting: of the Sub-Committee, as its minutes name it; empty between meetings.
        minute: the minute.
        passages: more words: the assessment, a description.
        conditions: new conditions (F2.21(e)), in order.
    """

    meeting: str = ""
    minute: str = ""
    passages: tuple[Passage, ...] = ()
    conditions: tuple[Passage, ...] = ()


NO_MINUTES = Minutes()


@dataclass(frozen=True)
class Grounds:
    """Reasons and minutes, with their conditions numbered."""

    reasons: Passage
    passages: tuple[Passage, ...]
    conditions: tuple[tuple[int, Passage], ...]
    meeting: str
    minute: str

    def outline(self) -> dict[str, Json]:
        """Return what a proposal says of them: everything but the words."""
        return {
            "meeting": self.meeting,
            "minute": self.minute,
            "reasons_salted_sha256": self.reasons.digest,
            "passages": [each.outline() for each in self.passages],
            "conditions": [{"number": number, **each.outline()} for number, each in self.conditions],
        }

    def kept_passages(self) -> str:
        """Return the passages as a decision keeps them, canonical JSON."""
        return canonical([each.kept() for each in self.passages]).decode()

    def kept_conditions(self) -> str:
        """Return the conditions as a decision keeps them, canonical JSON."""
        return canonical([{"number": number, **each.kept()} for number, each in self.conditions]).decode()


def grounds_of(reasons: "str | Passage", minutes: Minutes, *, first_number: int = 1) -> Grounds:
    """Return what a decision rests on.

    Args:
        reasons: words alone are Amber and go to all three recipients.
        minutes: what comes with them.
        first_number: of the first new condition; an approval's conditions are counted through and never renumbered.

    Raises:
        NothingSaid: the reasons, a passage or a condition are blanks.
    """
    summary = reasons if isinstance(reasons, Passage) else Passage.of(REASONS, reasons)
    for each in (summary, *minutes.passages, *minutes.conditions):
        required(each.text, of=each.subject)
    numbered = tuple(
        (number, replace(each, subject=f"condition {number}"))
        for number, each in enumerate(minutes.conditions, first_number)
    )
    return Grounds(
        reasons=summary,
        passages=(summary, *minutes.passages),
        conditions=numbered,
        meeting=minutes.meeting,
        minute=minutes.minute,
    )


def passages_of(decision: Decision) -> tuple[Passage, ...]:
    """Return the passages of a decision; one from before there were classes has its reasons, Amber, for all."""
    kept = read_json(decision.passages)
    if kept:
        return tuple(passage_of(each) for each in kept)
    return (replace(Passage.of(REASONS, decision.reasons), salt=decision.reasons_salt),)


def conditions_of(decision: Decision) -> Sequence[tuple[int, Passage]]:
    """Return the conditions that a decision sets, with their numbers."""
    return [(int(each["number"]), passage_of(each)) for each in read_json(decision.conditions)]
