"""Rules as data: clause, code, severity, remedy and a check over frozen facts.

A check yields a sentence for each thing wrong. All findings are collected and none stops another; a rule that crashes
is a fatal finding of its own, never a pass.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import Finding, Severity

FactsT = TypeVar("FactsT", contravariant=True)  # noqa: PLC0105 - a rule over less than it is handed is a rule


@dataclass(frozen=True)
class Rule(Generic[FactsT]):
    """One rule of Section F, of a standard, or of our own profile.

    Args:
        code: stable, kebab-case.
        clause: the paragraph of Section F, or the section of a standard.
        severity: what follows from a finding.
        remedy: what to do about it, a sentence.
        check: yields a sentence for each thing wrong.
    """

    code: str
    clause: str
    severity: Severity
    remedy: str
    check: Callable[[FactsT], Iterable[str]]


def rule(
    code: str, clause: str, severity: Severity, remedy: str
) -> Callable[[Callable[[FactsT], Iterable[str]]], Rule[FactsT]]:
    """Make a rule of a function that yields a sentence for each thing wrong. For the arguments see Rule."""

    def made(check: Callable[[FactsT], Iterable[str]]) -> Rule[FactsT]:
        return Rule(code=code, clause=clause, severity=severity, remedy=remedy, check=check)

    return made


def judge(rules: Iterable[Rule[FactsT]], facts: FactsT) -> tuple[Finding, ...]:
    """Return what all the rules find, in their order.

    Args:
        rules: the table.
        facts: what they look at.
    """
    findings: list[Finding] = []
    for each in rules:
        try:
            findings += [
                Finding(code=each.code, clause=each.clause, severity=each.severity, detail=detail, remedy=each.remedy)
                for detail in each.check(facts)
            ]
        except Exception as crash:  # noqa: BLE001 - a rule that cannot judge must not pass, whatever broke it
            findings.append(
                Finding(
                    code="rule-crashed",
                    clause=each.clause,
                    severity=Severity.FATAL,
                    detail=f"The rule {each.code} could not be judged ({type(crash).__name__}).",
                    remedy="This is a fault of ours: keep the request and report it.",
                )
            )
    return tuple(findings)
