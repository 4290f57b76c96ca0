"""What stands against a revocation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.approval import EndCause
from core.errors import Finding, Severity
from core.instants import text
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class RevocationFacts:
    """What a proposal to revoke says.

    Args:
        cause: why.
        invalidity_date: since when the key is known to be compromised, if it is said.
        at: the present instant.
    """

    cause: EndCause
    invalidity_date: datetime | None
    at: datetime


def revocation_findings(facts: RevocationFacts) -> tuple[Finding, ...]:
    """Return everything against a proposal to revoke."""
    return judge(REVOCATION_RULES, facts)


# --- a revocation ------------------------------------------------------------------------------------------------


@rule("invalidity-date-unfounded", "RFC 5280 5.3.2", Severity.FATAL, "Leave it out, or give key-compromise as cause.")
def _invalidity_date_unfounded(facts: RevocationFacts) -> Iterator[str]:
    if facts.invalidity_date is not None and facts.cause is not EndCause.KEY_COMPROMISE:
        yield f"An invalidity date says since when a key is compromised; the cause given is {facts.cause.value}."


@rule("invalidity-date-malformed", "RFC 5280 5.3.2", Severity.FATAL, "Name an instant in UTC, in whole seconds.")
def _invalidity_date_malformed(facts: RevocationFacts) -> Iterator[str]:
    date_ = facts.invalidity_date
    if date_ is not None and (date_.microsecond or date_.utcoffset() != timedelta(0)):
        yield "The invalidity date is not in UTC, or has a fraction of a second."


@rule("invalidity-date-in-future", "RFC 5280 5.3.2", Severity.FATAL, "Name an instant that has passed.")
def _invalidity_date_in_future(facts: RevocationFacts) -> Iterator[str]:
    if facts.invalidity_date is not None and facts.invalidity_date > facts.at:
        yield f"The invalidity date {text(facts.invalidity_date)} has not come yet."


REVOCATION_RULES: tuple[Rule[RevocationFacts], ...] = (
    _invalidity_date_unfounded,
    _invalidity_date_malformed,
    _invalidity_date_in_future,
)
