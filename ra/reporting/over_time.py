"""over_time: how many devices were deployed under an approval since it began, beside the limit of then (F2.21(d))."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.approval import ApprovalRecord
from core.clauses import serves
from core.waiting import terms_at
from ra.reporting.limit import limit_at
from store.reading.deployments import deployed_at
from store.transactions import Transaction

POINTS = 24
"""Instants that are looked at: as many as a chart shows; each costs one count."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """Devices at an instant.

    Args:
        at: the instant.
        deployed: devices that were, as far as is known now.
        limit: of then.
    """

    at: datetime
    deployed: int
    limit: int


@serves("F2.21(d)")
def over_time(tx: Transaction, record: ApprovalRecord, *, at: datetime) -> tuple[Count, ...]:
    """Return how many devices were deployed at instants from the start of an approval on, the last one now or its end.

    Args:
        tx: the transaction.
        record: of the approval.
        at: now.
    """
    last = min(at, terms_at(record, at).expiry)
    if last < record.start:
        return ()
    whole = last - record.start
    steps = max(min(POINTS, whole // timedelta(days=1)), 1)
    instants = sorted(
        {record.start + timedelta(seconds=int(whole.total_seconds()) * n // steps) for n in range(steps + 1)}
    )
    return tuple(
        Count(
            at=each,
            deployed=deployed_at(tx, [record.identifier], each)[record.identifier],
            limit=limit_at(record, each),
        )
        for each in instants
    )
