"""What is told at every decision: a revocation that is owed (F2.23)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.clauses import serves
from core.errors import Finding, Severity
from core.instants import text
from policy.rules import Rule, judge, rule


@dataclass(frozen=True, kw_only=True)
class OwedFacts:
    """Confirmed breaches that no revocation has answered, but the one that the decision itself is for.

    Args:
        owed: of each the breach, its approval, and when it was confirmed.
    """

    owed: tuple[tuple[str, str, datetime], ...]


@serves("F2.23")
def owed_findings(facts: OwedFacts) -> tuple[Finding, ...]:
    """Return a warning for each revocation that is owed while something else is decided."""
    return judge(OWED_RULES, facts)


@rule("revocation-owed", "F2.23", Severity.WARNING, "Revoke for this breach, or close it if the approval has ended.")
def _revocation_owed(facts: OwedFacts) -> Iterator[str]:
    for breach, approval, confirmed in facts.owed:
        yield f"A revocation of {approval} is owed since {text(confirmed)}, for breach {breach}."


OWED_RULES: tuple[Rule[OwedFacts], ...] = (_revocation_owed,)
