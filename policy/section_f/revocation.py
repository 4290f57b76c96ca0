"""What stands against a revocation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.approval import EndCause
from core.errors import Finding, Severity
from core.instants import text
from core.words import named
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class RevocationFacts:
    """What a proposal to revoke says.

    Args:
        cause: why.
        invalidity_date: since when the key is known to be compromised, if it is said.
        at: the present instant.
        breach_cited: whether it cites a breach of a condition.
        request_named: whether it names the Manufacturer's request for the end.
        ended: which of many have been ended by somebody before.
    """

    cause: EndCause
    invalidity_date: datetime | None
    at: datetime
    breach_cited: bool = False
    request_named: bool = False
    ended: Sequence[str] = ()


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


@rule("breach-without-cause", "F2.23", Severity.FATAL, "Give breach as the cause, or cite none.")
def _breach_without_cause(facts: RevocationFacts) -> Iterator[str]:
    if facts.breach_cited and facts.cause is not EndCause.BREACH:
        yield f"A breach is cited; the cause given is {facts.cause.value}."


@rule("breach-not-cited", "F2.23", Severity.NOTICE, "Cite the confirmed breach, so that it counts as answered.")
def _breach_not_cited(facts: RevocationFacts) -> Iterator[str]:
    if facts.cause is EndCause.BREACH and not facts.breach_cited:
        yield "The cause is a breach and no recorded one is cited."


@rule("request-without-end", "F2.30", Severity.FATAL, "Name no request, or end the approval.")
def _request_without_end(facts: RevocationFacts) -> Iterator[str]:
    if facts.request_named and facts.cause is EndCause.KEY_COMPROMISE:
        yield "A request for the end is named, and of a compromised key only the certificate is cancelled."


@rule("ended-before", "F2.30", Severity.NOTICE, "Leave them out, or let them: the end that was first stands.")
def _ended_before(facts: RevocationFacts) -> Iterator[str]:
    if facts.ended:
        yield f"Ended before, and not changed by this: {named(facts.ended)}."


REVOCATION_RULES: tuple[Rule[RevocationFacts], ...] = (
    _invalidity_date_unfounded,
    _invalidity_date_malformed,
    _invalidity_date_in_future,
    _breach_without_cause,
    _breach_not_cited,
    _request_without_end,
    _ended_before,
)
