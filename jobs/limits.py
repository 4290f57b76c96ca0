"""limits: when a later issue takes over, its limit is compared with what is deployed at that moment (F2.21(d), F2.29).

The comparison waits for nobody to report a device, and looks back to the instant itself, however late it comes. If we
die before the commit, the next turn does it.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import AUTHORITY
from core.approval import ApprovalRecord
from core.clauses import serves
from jobs.duty import Duty
from ra.reporting.limit import compare_limit
from store.reading import approvals as approval_reading
from store.reading import work
from store.verbs import breaches

_PORTION = 100


@serves("F2.21(d)", "F2.29")
def compare_limits(duty: Duty, at: datetime) -> int:
    """Compare the limit of each later issue that has taken over; return how many."""
    aside = duty.aside("compare_limits")
    with duty.read() as tx:
        due = work.limits_to_compare(tx, at, _PORTION, aside.passed_over(duty.noticed, at))
    return sum(aside.together(duty.noticed, due, lambda each: each[0], at, lambda some: _compared(duty, some, at)))


def _compared(duty: Duty, some: Sequence[tuple[str, int]], at: datetime) -> int:
    with duty.begin("compare limits") as tx:
        approval_reading.hold(tx, {approval for approval, _ in some})
        for approval, issue in some:
            record = approval_reading.record(tx, approval)
            if record.ended_at is None:
                compare_limit(tx, record, first=_taken_over(record, issue, at), actor=AUTHORITY, at=at)
            breaches.record_comparison(tx, approval, issue, at=at)
    return len(some)


def _taken_over(record: ApprovalRecord, issue: int, at: datetime) -> datetime:
    """Since when the limit of an issue holds: what was taken out since, before anybody looked, was too many then."""
    begun = (max(each.not_before, each.signed_at) for each in record.certificates if each.issue == issue)
    return min(at, *begun)
