"""How many approvals are in which state, answers in force, units deployed: each one of a register is looked at."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from api.status.snapshot import Snapshot
from core.instants import seconds
from core.mirror import in_force
from core.status import State, approval_status

AT_ONCE = 500
"""Approvals that are counted, or compared in every channel, while somebody waits: a few milliseconds, or a sixth of a
second. Of more, what was found last is told."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What was counted.

    Args:
        states: approvals, by their state.
        answers: OCSP answers, by whether they are in force.
        units: deployed under all approvals; None until they have been read.
    """

    states: Counter[State]
    answers: Counter[bool]
    units: int | None


def counts(view: Snapshot, now: datetime) -> Counts:
    """Return what a snapshot has at an instant."""
    states, answers, second = Counter[State](), Counter[bool](), seconds(now)
    for held in view.approvals.values():
        states[approval_status(held.record, now).state] += 1
        answers.update(in_force(each, now) for each in held.answers)
    units = None if view.deployed is None else sum(each.count(second) for each in view.deployed.values())
    return Counts(states=states, answers=answers, units=units)
