"""What the verifier of decisions says: what is proved, what speaks against it, what is missing, what it did not see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What is proved of a decision."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


class Against(StrEnum):
    """Stable codes of what refutes a decision."""

    PART_UNREADABLE = "part-unreadable"
    JOURNAL_BROKEN = "journal-broken"
    PROPOSAL_ALTERED = "proposal-altered"
    STATEMENT_REFUSED = "statement-refused"
    STATEMENT_UNSIGNED = "statement-unsigned"
    STATEMENT_STRANGE = "statement-strange"
    STATEMENT_USED_AGAIN = "statement-used-again"
    OFFICER_TWICE = "officer-twice"
    OFFICERS_WANTING = "officers-wanting"
    OFFICER_GONE = "officer-gone"
    CAME_TO_NOTHING = "came-to-nothing"
    ORDER_REVERSED = "order-reversed"
    ROSTER_ALTERED = "roster-altered"
    ROSTER_UNPROVED = "roster-unproved"
    CERTIFICATE_ALTERED = "certificate-altered"
    CERTIFICATE_FOREIGN = "certificate-foreign"
    LOG_UNPROVED = "log-unproved"
    CONSEQUENCE_STRANGE = "consequence-strange"


class Missing(StrEnum):
    """Stable codes of what would be needed to decide."""

    PART = "part-missing"
    JOURNAL_KEY = "journal-key-missing"
    ROWS = "rows-missing"
    STATEMENT = "statement-missing"
    ROSTER = "roster-missing"
    CERTIFICATE = "certificate-missing"


@dataclass(frozen=True)
class Finding:
    """One thing against, or missing.

    Args:
        code: stable.
        detail: a sentence for people.
    """

    code: Against | Missing
    detail: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened, and by what it is proved.

    Args:
        row: its number in the journal.
        at: when, as the fact says.
        who: the actor.
        what: in words.
        key: the thumbprint of the key that signed it; None for what nobody signs.
        roster: the number of the roster on which that key was.
        statement: the digest of what was signed, hex.
    """

    row: int
    at: datetime
    who: str
    what: str
    key: str | None = None
    roster: int | None = None
    statement: str | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is proved of one decision.

    Args:
        decision: its identifier, as the dossier names it.
        proposal_sha256: of its proposal, hex; None where that is not there.
        about: what was decided, in words.
        against: everything that refutes it.
        missing: everything that would be needed.
        unchecked: what could not be looked at, a sentence each.
        story: what happened, in order; to be believed only where nothing is against it.
    """

    decision: str
    proposal_sha256: str | None = None
    about: str = ""
    against: Sequence[Finding] = field(default=())
    missing: Sequence[Finding] = field(default=())
    unchecked: Sequence[str] = field(default=())
    story: Sequence[Event] = field(default=())

    @property
    def outcome(self) -> Outcome:
        """Refuted by one thing against it, whatever is missing."""
        if self.against:
            return Outcome.REFUTED
        return Outcome.UNDECIDED if self.missing else Outcome.PROVED


class Ledger:
    """Findings as they are made."""

    def __init__(self) -> None:
        self.against: list[Finding] = []
        self.missing: list[Finding] = []
        self.unchecked: list[str] = []

    def refute(self, code: Against, detail: str) -> None:
        """Write down what speaks against the decision."""
        self.against.append(Finding(code, detail))

    def lack(self, code: Missing, detail: str) -> None:
        """Write down what is missing."""
        if Finding(code, detail) not in self.missing:
            self.missing.append(Finding(code, detail))

    def pass_over(self, sentence: str) -> None:
        """Write down what could not be looked at."""
        if sentence not in self.unchecked:
            self.unchecked.append(sentence)
