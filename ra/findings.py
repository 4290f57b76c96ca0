"""What follows from what the rules found."""

from collections.abc import Sequence

from core.canonical import Json
from core.errors import Finding, RulesRefused, Severity
from ra.views import view_of


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


def findings_of(text: str) -> tuple[Finding, ...]:
    """Return findings from the JSON in which they are stored."""
    return view_of(tuple[Finding, ...], text)
