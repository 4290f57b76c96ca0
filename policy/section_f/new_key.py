"""What stands against a new key under the same approval."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.errors import Finding, Severity
from core.instants import first_second, last_second, text
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class RekeyFacts:
    """What a proposal for a new key under the same approval would make true.

    Args:
        effective: the new certificate's notBefore, and the old one's end.
        at: the present instant.
        start, expiry: the approval's UTC days.
        issuing_ends: the issuing CA's notAfter.
        issuing_window_end: the last instant at which the issuing CA issues.
        same_key: whether the key stays.
        compromised: whether it is said to be compromised.
        issuer_ended: whether the issuing CA of the certificate before was ended before its time.
    """

    effective: datetime
    at: datetime
    start: date
    expiry: date
    issuing_ends: datetime
    issuing_window_end: datetime
    same_key: bool = False
    compromised: bool = False
    issuer_ended: bool = False


def rekey_findings(facts: RekeyFacts) -> tuple[Finding, ...]:
    """Return everything against a new key under the same approval; run when proposed and again when seconded."""
    return judge(REKEY_RULES, facts)


# --- a new key ---------------------------------------------------------------------------------------------------


@rule("effective-not-whole", "RFC 5280 4.1.2.5", Severity.FATAL, "Name an instant in UTC, in whole seconds.")
def _effective_not_whole(facts: RekeyFacts) -> Iterator[str]:
    if facts.effective.microsecond or facts.effective.utcoffset() != timedelta(0):
        yield "The effective instant is not in UTC, or has a fraction of a second."


@rule("effective-not-in-future", "F2.25", Severity.FATAL, "Name a later instant: nothing is ever backdated.")
def _effective_not_in_future(facts: RekeyFacts) -> Iterator[str]:
    if facts.effective <= facts.at:
        yield f"The effective instant {text(facts.effective)} has passed."


@rule("effective-before-start", "F2.25", Severity.FATAL, "Name an instant on or after the start date.")
def _effective_before_start(facts: RekeyFacts) -> Iterator[str]:
    if facts.effective < first_second(facts.start):
        yield f"The effective instant {text(facts.effective)} lies before the start date {facts.start.isoformat()}."


@rule("effective-after-expiry", "F2.25", Severity.FATAL, "The approval is over by then: apply again (F2.31).")
def _effective_after_expiry(facts: RekeyFacts) -> Iterator[str]:
    if facts.effective >= last_second(facts.expiry):
        yield f"The effective instant {text(facts.effective)} is not before the end of {facts.expiry.isoformat()}."


@rule("beyond-issuing-ca", "F2.25", Severity.FATAL, "The operator must make a new issuing CA first.")
def _rekey_beyond_issuing_ca(facts: RekeyFacts) -> Iterator[str]:
    if last_second(facts.expiry) > facts.issuing_ends:
        yield f"The approval outlives the issuing CA, which ends at {text(facts.issuing_ends)}."


@rule("issuing-window-closed", "F2.25", Severity.FATAL, "The operator must make a new issuing CA first.")
def _rekey_window_closed(facts: RekeyFacts) -> Iterator[str]:
    if facts.at > facts.issuing_window_end:
        yield f"The issuing CA has issued nothing since {text(facts.issuing_window_end)}."


@rule("same-key-again", "F2.25", Severity.FATAL, "Send a request (PKCS#10) for a new key.")
def _same_key_again(facts: RekeyFacts) -> Iterator[str]:
    if facts.same_key and facts.compromised:
        yield "A key that is compromised is not certified again."
    elif facts.same_key and not facts.issuer_ended:
        yield "The same key is certified again only where the issuing CA of its certificate was ended."


REKEY_RULES: tuple[Rule[RekeyFacts], ...] = (
    _effective_not_whole,
    _effective_not_in_future,
    _effective_before_start,
    _effective_after_expiry,
    _rekey_beyond_issuing_ca,
    _rekey_window_closed,
    _same_key_again,
)
