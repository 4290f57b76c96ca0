"""What stands against a grant beside the application itself: requirements that are open (F2.20)."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import Finding, Severity
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class RequirementFacts:
    """The further requirements of an application.

    Args:
        open: the identifiers of those that are neither met nor waived.
    """

    open: tuple[str, ...]


def requirement_findings(facts: RequirementFacts) -> tuple[Finding, ...]:
    """Return what open requirements have against a grant; run when proposed and again when seconded."""
    return judge(REQUIREMENT_RULES, facts)


@rule("requirement-open", "F2.20", Severity.FATAL, "Record each as met, or waive it with a reason.")
def _requirement_open(facts: RequirementFacts) -> Iterator[str]:
    for identifier in facts.open:
        # Which, and never its words: they are between the SSC and the applicant.
        yield f"Further requirement {identifier} is open."


REQUIREMENT_RULES: tuple[Rule[RequirementFacts], ...] = (_requirement_open,)
