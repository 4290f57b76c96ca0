"""UK local time beside UTC: the Code's dates are UTC days, and its readers live in Great Britain."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_UK = ZoneInfo("Europe/London")


def uk(at: datetime) -> str:
    """Return an instant in UK local time for people: `00:59:59 BST on 1 July 2027`."""
    local = at.astimezone(_UK)
    return f"{local:%H:%M:%S} {local.tzname()} on {local.day} {local:%B %Y}"


def utc(at: datetime) -> str:
    """Return an instant in UTC for people: `23:59:59 UTC on 30 June 2027`."""
    there = at.astimezone(UTC)
    return f"{there:%H:%M:%S} UTC on {there.day} {there:%B %Y}"
