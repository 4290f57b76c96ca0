"""What stands against a grant beside the application itself: requirements that are open (F2.20)."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import Finding, Severity
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class RequirementFacts:
    """The further requirements of an application.

    Args:
        open: how many are neither met nor waived.
    """

    open: int


def requirement_findings(facts: RequirementFacts) -> tuple[Finding, ...]:
    """Return what open requirements have against a grant; run when proposed and again when seconded."""
    return judge(REQUIREMENT_RULES, facts)


@rule("requirement-open", "F2.20", Severity.FATAL, "Record each as met, or waive it with a reason.")
def _requirement_open(facts: RequirementFacts) -> Iterator[str]:
    if facts.open:
        # How many, never which: their words are between the SSC and the applicant.
        yield f"{facts.open} further {'requirement is' if facts.open == 1 else 'requirements are'} open."


REQUIREMENT_RULES: tuple[Rule[RequirementFacts], ...] = (_requirement_open,)
