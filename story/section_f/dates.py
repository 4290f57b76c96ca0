"""The days of the trial: in two months that lie ahead, because a test clock only runs forward."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.instants import first_second

_MORNING = timedelta(hours=9)


@dataclass(frozen=True)
class Dates:
    """When what happens; all in UTC.

    Args:
        applied: the instant at which the story begins.
        start, expiry: of the approval, as it is granted.
        later_expiry: as it is amended.
        deployed: the day on which the devices are commissioned.
        amended: the day on which officers decide the amendment; it takes effect at the next midnight.
        report: when the month's report is issued.
        month: of the report, `2027-01`.
    """

    applied: datetime
    start: date
    expiry: date
    later_expiry: date
    deployed: date
    amended: datetime
    report: datetime
    month: str


def dates(now: datetime) -> Dates:
    """Return the days of a trial that begins on the second day of the month after `now`."""
    first = _month_after(now.date(), 1)
    return Dates(
        applied=first_second(first + timedelta(days=1)) + _MORNING,
        start=first + timedelta(days=4),
        expiry=_month_after(first, 3) - timedelta(days=1),
        later_expiry=_month_after(first, 4) - timedelta(days=1),
        deployed=first + timedelta(days=8),
        amended=first_second(first + timedelta(days=20)) + _MORNING,
        report=first_second(_month_after(first, 1) + timedelta(days=4)) + _MORNING,
        month=f"{first:%Y-%m}",
    )


def _month_after(day: date, months: int) -> date:
    """The first day of a later month."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
