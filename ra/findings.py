"""What follows from what the rules found."""

from collections.abc import Sequence

from core.canonical import Json
from core.errors import Finding, RulesRefused, Severity


def refuse_fatal(found: Sequence[Finding]) -> None:
    """Raise RulesRefused, with all that was found, if anything is fatal."""
    if any(finding.severity is Severity.FATAL for finding in found):
        raise RulesRefused(found)


def findings_json(found: Sequence[Finding]) -> list[Json]:
    """Return findings as they are stored and shown."""
    return [
        {
            "code": finding.code,
            "clause": finding.clause,
            "severity": finding.severity.value,
            "detail": finding.detail,
            "remedy": finding.remedy,
        }
        for finding in found
    ]
