"""What stands against an amendment (F2.29)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.approval import Firmware
from core.clauses import serves
from core.errors import Finding, Severity
from core.instants import text
from core.status import first_second_after
from core.words import counted
from policy.rules import Rule, judge, rule
from policy.section_f.application import TRIAL_RULES, TrialFacts
from policy.section_f.wording import shown


@dataclass(frozen=True)
class AmendmentFacts:
    """What a proposal to amend would make true.

    Args:
        at: the present instant.
        start, expiry: the approval's dates as they are: 00:00:00Z and 23:59:59Z.
        new_start, new_expiry: as they would be.
        effective: when the new certificate begins to hold.
        certificate: whether what the certificate says changes.
        notice: whether anything else changes (conditions, description).
        approved: the firmware versions as they are.
        added: versions to be added.
        removed: version strings to be removed.
        conditions: the numbers of the conditions that hold.
        ended_conditions: the numbers of those to be ended.
        maximum_devices: the limit as it would be.
        deployed: devices reported as deployed and not decommissioned.
        named: the effective instant that was asked for; None where nobody named one.
    """

    at: datetime
    start: datetime
    expiry: datetime
    new_start: datetime
    new_expiry: datetime
    effective: datetime
    certificate: bool
    notice: bool
    approved: tuple[Firmware, ...]
    added: tuple[Firmware, ...]
    removed: tuple[str, ...]
    conditions: frozenset[int]
    ended_conditions: tuple[int, ...]
    maximum_devices: int
    deployed: int
    named: datetime | None = None

    @property
    def timed(self) -> bool:
        """Whether it begins at an instant of its own, and not when it is decided."""
        return self.certificate or self.named is not None


@serves("F2.29")
def amendment_findings(facts: AmendmentFacts, amended: TrialFacts) -> tuple[Finding, ...]:
    """Return everything against an amendment, and against the approval as it would be.

    Args:
        facts: the change.
        amended: the approval with the change, as the rules of a grant look at it.
    """
    return (*judge(AMENDMENT_RULES, facts), *judge(AMENDED_RULES, amended))


@rule("nothing-changes", "F2.29", Severity.FATAL, "Name what is to be amended.")
def _nothing_changes(facts: AmendmentFacts) -> Iterator[str]:
    if not facts.certificate and not facts.notice:
        yield "Nothing would be different from what holds."


@rule("start-has-come", "F2.29", Severity.FATAL, "Leave the start as it is.")
def _start_has_come(facts: AmendmentFacts) -> Iterator[str]:
    if facts.new_start != facts.start and facts.start <= facts.at:
        yield f"The start date {facts.start.date()} has come; it can be amended only before."


@rule("new-start-passed", "F2.29", Severity.FATAL, "Choose tomorrow (UTC) or later.")
def _new_start_passed(facts: AmendmentFacts) -> Iterator[str]:
    if facts.new_start != facts.start and facts.new_start <= facts.at:
        yield f"The new start date {facts.new_start.date()} has begun; nothing is ever backdated."


@rule("expiry-passed", "F2.29", Severity.FATAL, "Revoke the approval instead (F2.30).")
def _expiry_passed(facts: AmendmentFacts) -> Iterator[str]:
    if facts.new_expiry != facts.expiry and facts.new_expiry <= facts.at:
        yield f"The new expiry date {facts.new_expiry.date()} has passed."


@rule("effective-not-in-future", "F2.29", Severity.FATAL, "Name a later instant: nothing is ever backdated.")
def _effective_not_in_future(facts: AmendmentFacts) -> Iterator[str]:
    if facts.timed and facts.effective <= facts.at:
        yield f"The effective instant {text(facts.effective)} has passed."


@rule("effective-not-whole", "RFC 5280 4.1.2.5", Severity.FATAL, "Name an instant in UTC, in whole seconds.")
def _effective_not_whole(facts: AmendmentFacts) -> Iterator[str]:
    if facts.effective.microsecond or facts.effective.utcoffset() != timedelta(0):
        yield "The effective instant is not in UTC, or has a fraction of a second."


@rule("effective-outside-trial", "F2.29", Severity.FATAL, "Name an instant from the start to both expiry dates.")
def _effective_outside_trial(facts: AmendmentFacts) -> Iterator[str]:
    if not facts.timed:
        return
    if facts.certificate and facts.effective < facts.new_start:
        yield f"The effective instant {text(facts.effective)} lies before the start date {facts.new_start.date()}."
    # The old certificate holds to its last second; a later beginning would leave an instant at which neither does.
    if facts.effective > first_second_after(facts.expiry):
        yield f"The effective instant {text(facts.effective)} lies behind the expiry date {facts.expiry.date()}."
    if facts.effective >= facts.new_expiry:
        yield f"The effective instant {text(facts.effective)} is not before the new expiry {text(facts.new_expiry)}."


@rule("effective-beside-start", "F2.29", Severity.FATAL, "Leave the effective instant out: it is the new start.")
def _effective_beside_start(facts: AmendmentFacts) -> Iterator[str]:
    if facts.new_start != facts.start and facts.named not in (None, facts.new_start):
        yield f"The start moves to {facts.new_start.date()}, and another effective instant is named."


@rule("firmware-not-there", "F2.29", Severity.FATAL, "Name a version that the approval has.")
def _firmware_not_there(facts: AmendmentFacts) -> Iterator[str]:
    held = {each.version.casefold() for each in facts.approved}
    for version in facts.removed:
        if version.casefold() not in held:
            yield f"The approval does not name firmware version {shown(version)}."


@rule("condition-not-there", "F2.29", Severity.FATAL, "Name a condition that holds.")
def _condition_not_there(facts: AmendmentFacts) -> Iterator[str]:
    for number in facts.ended_conditions:
        if number not in facts.conditions:
            yield f"The approval has no condition {number} that holds."


@rule("limit-below-deployed", "F2.21(d)", Severity.WARNING, "Tell the DCC which devices have to be decommissioned.")
def _limit_below_deployed(facts: AmendmentFacts) -> Iterator[str]:
    if facts.maximum_devices < facts.deployed:
        yield f"Deployed: {counted(facts.deployed, 'device')}; the limit would be {facts.maximum_devices:,}."


AMENDMENT_RULES: tuple[Rule[AmendmentFacts], ...] = (
    _nothing_changes,
    _start_has_come,
    _new_start_passed,
    _expiry_passed,
    _effective_not_in_future,
    _effective_not_whole,
    _effective_outside_trial,
    _effective_beside_start,
    _firmware_not_there,
    _condition_not_there,
    _limit_below_deployed,
)

AMENDED_RULES: tuple[Rule[TrialFacts], ...] = tuple(each for each in TRIAL_RULES if each.code != "start-before-today")
"""What was approved stays approved: an amendment is not asked for its start date again."""


def amended_firmware(
    approved: tuple[Firmware, ...], added: tuple[Firmware, ...], removed: tuple[str, ...]
) -> tuple[Firmware, ...]:
    """Return the firmware of the approval with the change; a version named twice is found by the rules."""
    gone = {version.casefold() for version in removed}
    return (*(each for each in approved if each.version.casefold() not in gone), *added)
