"""UK local time beside UTC: the Code's dates are UTC days, and its readers live in Great Britain."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_UK = ZoneInfo("Europe/London")

_FRIDAY = 4
_ONE_DAY = timedelta(days=1)


def uk(at: datetime) -> str:
    """Return an instant in UK local time for people: `00:59:59 BST on 1 July 2027`."""
    local = at.astimezone(_UK)
    return f"{local:%H:%M:%S} {local.tzname()} on {local.day} {local:%B %Y}"


def uk_day(at: datetime) -> date:
    """Return the day that it is in the United Kingdom at an instant: that on which people there do what they do."""
    return at.astimezone(_UK).date()


def utc(at: datetime) -> str:
    """Return an instant in UTC for people: `23:59:59 UTC on 30 June 2027`."""
    there = at.astimezone(UTC)
    return f"{there:%H:%M:%S} UTC on {there.day} {there:%B %Y}"


def overdue_before(at: datetime) -> datetime:
    """Return the instant before which what fell due is overdue: its UK working day is over.

    What falls due on a day is to be done in the office hours of that day, or of the next working day, Monday to Friday
    (docs/assumptions.md).

    Args:
        at: now.
    """
    last = uk_day(at) - _ONE_DAY
    while last.weekday() > _FRIDAY:
        last -= _ONE_DAY
    return datetime.combine(last + _ONE_DAY, time(), _UK).astimezone(UTC)
