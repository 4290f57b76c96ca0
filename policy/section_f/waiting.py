"""What stands against what is to become of the changes that wait (F2.29)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.errors import Finding, Severity
from core.instants import text
from core.status import first_second_after
from core.waiting import MOST_DRAFTS
from policy.rules import Rule, judge, rule


@dataclass(frozen=True)
class Carried:
    """A change that waits, made anew on top of a decision.

    Args:
        effective, expiry: its own instant, and how long its certificate would hold.
        expiry_before: how long the one before it would.
        firmware: how many versions would be left.
    """

    effective: datetime
    expiry: datetime
    expiry_before: datetime
    firmware: int


@dataclass(frozen=True)
class WaitingFacts:
    """What a proposal that begins before changes that wait would make of them.

    Args:
        withdraws: whether they are to be withdrawn.
        behind: how many there are.
        carried: those that are made anew, in order.
    """

    withdraws: bool
    behind: int
    carried: tuple[Carried, ...]


def waiting_findings(facts: WaitingFacts) -> tuple[Finding, ...]:
    """Return everything against what is to become of that which waits."""
    return judge(WAITING_RULES, facts)


@rule("nothing-waits", "F2.29", Severity.FATAL, "Leave “waiting” out.")
def _nothing_waits(facts: WaitingFacts) -> Iterator[str]:
    if facts.withdraws and not facts.behind:
        yield "No change waits behind the effective instant: there is nothing to withdraw."


@rule("carried-outside-trial", "F2.29", Severity.FATAL, "Withdraw what waits with it: “waiting”: “withdraw”.")
def _carried_outside_trial(facts: WaitingFacts) -> Iterator[str]:
    for each in facts.carried:
        if each.effective > first_second_after(each.expiry_before) or each.effective >= each.expiry:
            yield f"The approval would be over before the change that waits until {text(each.effective)}."


@rule("carried-without-firmware", "F2.25", Severity.FATAL, "Withdraw what waits with it: “waiting”: “withdraw”.")
def _carried_without_firmware(facts: WaitingFacts) -> Iterator[str]:
    for each in facts.carried:
        if not each.firmware:
            yield f"From {text(each.effective)} on, when a change that waits begins, no firmware would be left."


@rule("carried-too-many", "F2.29", Severity.FATAL, "Withdraw what waits with it: “waiting”: “withdraw”.")
def _carried_too_many(facts: WaitingFacts) -> Iterator[str]:
    if len(facts.carried) >= MOST_DRAFTS:  # more digests than seconding takes: it could only lapse
        yield f"{len(facts.carried)} changes wait; a decision leads to {MOST_DRAFTS} certificates, its own among them."


WAITING_RULES: tuple[Rule[WaitingFacts], ...] = (
    _nothing_waits,
    _carried_outside_trial,
    _carried_without_firmware,
    _carried_too_many,
)
