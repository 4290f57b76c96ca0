"""limit: the number of F2.21(d) is compared with what was deployed at any instant at which either may have changed.

When a report of devices brings more, at its peak and not only at its end; when an amendment takes effect; and when the
monthly report is issued. The limit is no lock on facts: what exceeds it is recorded, and a breach suspected. What
officers have dismissed stays dismissed while the limit is the same and no more devices are deployed than were then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from core.actors import Actor
from core.approval import ApprovalRecord, Terms
from core.clauses import serves
from core.instants import ONE_SECOND
from core.status import approval_at
from ra.reporting.breach import limit_was_kept, suspect_limit
from store.reading import breaches as breach_reading
from store.reading import deployments as reading
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class Excess:
    """More devices than the approval allowed: how many, the limit that held, and since when."""

    deployed: int
    maximum: int
    since: datetime


@serves("F2.21(d)")
def compare_limit(tx: Transaction, record: ApprovalRecord, *, first: datetime, actor: Actor, at: datetime) -> None:
    """Suspect a breach if more devices were deployed than the limit of the time allowed.

    Args:
        tx: the caller's, in which something changed.
        record: the approval, held.
        first: the first instant at which there may be more devices than before, or another limit.
        actor: who brought it about.
        at: now.
    """
    suspect_excess(tx, record, _excesses(tx, record, first, at), actor=actor, at=at)


@serves("F2.21(d)", "F2.23")
def suspect_excess(
    tx: Transaction, record: ApprovalRecord, excesses: Iterable[Excess], *, actor: Actor, at: datetime
) -> None:
    """Suspect a breach for the first excess that officers have not dismissed.

    Args:
        tx: the caller's.
        record: the approval, held.
        excesses: times in which there were more devices than the approval allowed.
        actor: who brought it about, or noticed it.
        at: now.
    """
    for each in excesses:
        dismissed = breach_reading.dismissed_limits(tx, record.identifier)
        if not any(each.deployed <= most and _one_limit(record, each.since, since) for most, since in dismissed):
            suspect_limit(
                tx,
                record.identifier,
                deployed=each.deployed,
                maximum=each.maximum,
                actor=actor,
                at=at,
                since=None if each.since == at else each.since,
            )
            return


@serves("F2.21(d)")
def look_whether_kept(tx: Transaction, record: ApprovalRecord, *, actor: Actor, at: datetime) -> None:
    """Say of a suspicion that it rests upon nothing any more, if by what is known now the limit was always kept.

    A deployment was taken back; or an end is told late, and the device had come down before the others went up.
    """
    if breach_reading.open_limit_breach(tx, record.identifier) is None:
        return
    first = reading.first_deployed(tx, record.identifier)
    if first is None or next(_excesses(tx, record, first, at), None) is None:
        limit_was_kept(tx, record.identifier, actor=actor, at=at)


def limit_at(record: ApprovalRecord, at: datetime) -> int:
    """Return the number of F2.21(d) that holds at an instant."""
    return limit_of(record, approval_at(record, at)[1])


def limit_of(record: ApprovalRecord, terms: Terms | None) -> int:
    """Return the number of F2.21(d) under terms of an approval; before it was granted (None), that of its first."""
    return (terms or record.terms[0]).maximum_devices


def _one_limit(record: ApprovalRecord, one: datetime, other: datetime) -> bool:
    """Whether the limit was the same from one instant to the other, in whichever order."""
    return len({limit_at(record, begins) for begins, _ in _times(record, *sorted((one, other)))}) == 1


def _excesses(tx: Transaction, record: ApprovalRecord, first: datetime, at: datetime) -> Iterator[Excess]:
    """The times from `first` to `at` in which there were too many, each at its worst."""
    times = list(_times(record, first, at))
    # There are never more at once than there were at all: mostly that is few enough, and nothing more is counted.
    most = reading.ever_standing(tx, record.identifier, since=first)
    for begins, ends in times:
        maximum = limit_at(record, begins)
        if most > maximum:
            deployed, since = reading.peak(tx, record.identifier, begins, ends)
            if deployed > maximum:
                yield Excess(deployed=deployed, maximum=maximum, since=since)


def _times(record: ApprovalRecord, first: datetime, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of time in each of which one issue holds, first and last second."""
    turns = (max(each.not_before, each.signed_at) for each in record.certificates)
    begins = [first, *sorted({turn for turn in turns if first < turn <= at}), at + ONE_SECOND]
    yield from ((begun, after - ONE_SECOND) for begun, after in pairwise(begins))
