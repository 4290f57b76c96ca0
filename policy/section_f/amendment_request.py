"""What is said of a Manufacturer's request for an amendment, and of an answer that is not as it was asked (F2.29).

Nothing of it refuses the request: what is asked for decides nothing, and officers may amend as they see fit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.clauses import serves
from core.errors import Finding, Severity
from core.words import counted
from policy.rules import Rule, judge, rule
from policy.section_f.wording import shown


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is asked for; None or empty is to stay. Days are UTC.

    Args:
        added, removed: firmware version strings.
        other: whether something else is asked for, in words.
    """

    start: date | None
    expiry: date | None
    maximum_devices: int | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    other: bool = False


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What an approval says: start and expiry as UTC days, the limit, and its firmware version strings."""

    start: date
    expiry: date
    maximum_devices: int
    firmware: tuple[str, ...]

    def names(self, version: str) -> bool:
        """Return whether a firmware version is among its own; case makes no difference."""
        return version.casefold() in {each.casefold() for each in self.firmware}


@dataclass(frozen=True)
class RequestFacts:
    """A request, the approval as it has last been decided, and the present UTC day."""

    wishes: Wishes
    holds: Holding
    today: date


@serves("F2.29")
def request_findings(facts: RequestFacts) -> tuple[Finding, ...]:
    """Return what is odd about a request; it advises its Manufacturer and the officers."""
    return judge(REQUEST_RULES, facts)


@rule("nothing-asked", "F2.29", Severity.WARNING, "Say what is to be amended, or take the request back.")
def _nothing_asked(facts: RequestFacts) -> Iterator[str]:
    asked = facts.wishes
    terms = (asked.start, asked.expiry, asked.maximum_devices)
    if all(each is None for each in terms) and not (asked.added or asked.removed or asked.other):
        yield "Nothing is asked for."


@rule("asked-for-the-past", "F2.29", Severity.WARNING, "Ask for a day that has not come.")
def _asked_for_the_past(facts: RequestFacts) -> Iterator[str]:
    asked = facts.wishes
    if asked.expiry is not None and asked.expiry < facts.today:
        yield f"The expiry date {asked.expiry.isoformat()} has passed."
    if asked.start is not None and facts.holds.start <= facts.today:
        yield f"The start date {facts.holds.start.isoformat()} has come; it can be amended only before."
    elif asked.start is not None and asked.start <= facts.today:
        yield f"The start date {asked.start.isoformat()} is not in the future."


@rule("asked-expiry-before-start", "F2.29", Severity.WARNING, "Ask for an expiry date on or after the start date.")
def _asked_expiry_before_start(facts: RequestFacts) -> Iterator[str]:
    start, expiry = facts.wishes.start or facts.holds.start, facts.wishes.expiry
    if expiry is not None and expiry < start:
        yield f"The expiry date {expiry.isoformat()} lies before the start date {start.isoformat()}."


@rule("asked-as-it-is", "F2.29", Severity.NOTICE, "Nothing needs to be done.")
def _asked_as_it_is(facts: RequestFacts) -> Iterator[str]:
    asked, holds = facts.wishes, facts.holds
    if asked.start == holds.start:
        yield f"The start date is {holds.start.isoformat()} already."
    if asked.expiry == holds.expiry:
        yield f"The expiry date is {holds.expiry.isoformat()} already."
    if asked.maximum_devices == holds.maximum_devices:
        yield f"The limit is {counted(holds.maximum_devices, 'device')} already."
    for version in asked.added:
        if holds.names(version):
            yield f"The approval names firmware version {shown(version)} already."


@rule("asked-firmware-not-there", "F2.29", Severity.WARNING, "Name a version that the approval has.")
def _asked_firmware_not_there(facts: RequestFacts) -> Iterator[str]:
    for version in facts.wishes.removed:
        if not facts.holds.names(version):
            yield f"The approval does not name firmware version {shown(version)}."


REQUEST_RULES: tuple[Rule[RequestFacts], ...] = (
    _nothing_asked,
    _asked_for_the_past,
    _asked_expiry_before_start,
    _asked_as_it_is,
    _asked_firmware_not_there,
)


@dataclass(frozen=True)
class AnswerFacts:
    """A request, and the approval as the amendment that answers it makes it."""

    wishes: Wishes
    becomes: Holding


@serves("F2.29")
def answer_findings(facts: AnswerFacts) -> tuple[Finding, ...]:
    """Return where an amendment is not what was asked for."""
    return judge(ANSWER_RULES, facts)


@rule("not-as-asked", "F2.29", Severity.NOTICE, "Say in the summary why it is not as it was asked.")
def _not_as_asked(facts: AnswerFacts) -> Iterator[str]:
    asked, becomes = facts.wishes, facts.becomes
    if asked.start is not None and asked.start != becomes.start:
        yield f"A start date of {asked.start.isoformat()} was asked for; it is {becomes.start.isoformat()}."
    if asked.expiry is not None and asked.expiry != becomes.expiry:
        yield f"An expiry date of {asked.expiry.isoformat()} was asked for; it is {becomes.expiry.isoformat()}."
    if asked.maximum_devices is not None and asked.maximum_devices != becomes.maximum_devices:
        asked_for = counted(asked.maximum_devices, "device")
        yield f"A limit of {asked_for} was asked for; it is {becomes.maximum_devices:,}."
    for version in asked.added:
        if not becomes.names(version):
            yield f"Firmware version {shown(version)} was to be added; it is not."
    for version in asked.removed:
        if becomes.names(version):
            yield f"Firmware version {shown(version)} was to be removed; it stays."


ANSWER_RULES: tuple[Rule[AnswerFacts], ...] = (_not_as_asked,)
