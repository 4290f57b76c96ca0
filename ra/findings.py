"""What follows from what the rules found."""

from collections.abc import Sequence

from core.errors import Finding, RulesRefused, Severity


def refuse_fatal(found: Sequence[Finding]) -> None:
    """Raise RulesRefused, with all that was found, if anything is fatal."""
    if any(finding.severity is Severity.FATAL for finding in found):
        raise RulesRefused(found)
