"""Instants and UTC days as text, seconds and ends of days.

Dates of the Code are UTC days: a start means 00:00:00Z of that day, an expiry means 23:59:59Z of that day,
inclusive, as notAfter is (RFC 5280, 4.1.2.5).
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from core.errors import InstantMalformed
from core.plain_text import trimmed

ONE_SECOND = timedelta(seconds=1)
_KEPT = 4_096
"""Instants that are kept as they were written or read: those of one act are the same few again and again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = "%Y-%m-%dT%H:%M:%SZ"
# RFC 3339, 5.6, without fractions: the one form that is written here. Python reads more than that: ISO 8601's other
# forms, and a NUL at the end.
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2})")

_AS_SENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,30})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_FRACTION = re.compile(r"\.[0-9]+")
_LONGEST = 64


def text(at: datetime) -> str:
    """Return RFC 3339 text in UTC with `Z`, whole seconds. `at` must be aware."""
    return _text(at)


@lru_cache(maxsize=_KEPT)
def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TEXT) if at.year > 999 else at.astimezone(UTC).isoformat()


def parse(value: str, *, field: str = "at") -> datetime:
    """Return the instant that a text of ours names; what others send is read by `read_instant`.

    Args:
        value: `2027-06-30T23:59:59Z`; an offset other than Z is converted, fractions are refused.
        field: what the value is called, for the error.

    Raises:
        InstantMalformed: not RFC 3339, without a zone, or with a fraction of a second.
    """
    if not _RFC_3339.fullmatch(value):
        raise InstantMalformed(field=field, value=value)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InstantMalformed(field=field, value=value) from None


def read_instant(value: str, *, field: str = "at") -> datetime:
    """Return the instant that somebody sends, as RFC 3339 (5.6) lets them write it.

    What is true holds for whole seconds, so of a fraction the second counts in which it lies.

    Args:
        value: `2027-06-30T23:59:59.999+01:00`; a blank may stand for the T, and blanks around it.
        field: what the value is called, for the error.

    Raises:
        InstantMalformed: anything else; a time without its offset is no instant.
    """
    sent = trimmed(value)
    if not _AS_SENT.fullmatch(sent):
        raise InstantMalformed(field=field, value=value[:_LONGEST])
    return parse(_FRACTION.sub("", sent.replace(" ", "T", 1)), field=field)


def day(value: str, *, field: str) -> date:
    """Return the UTC day that `value` (`2027-01-04`, the one form that is written here) names; InstantMalformed."""
    try:
        named = date.fromisoformat(value)
    except ValueError:
        raise InstantMalformed(field=field, value=value) from None
    if named.isoformat() != value:  # week dates and 20270104 are ISO 8601, and not what people expect to be read
        raise InstantMalformed(field=field, value=value)
    return named


def first_second(of: date) -> datetime:
    """Return 00:00:00Z of a day."""
    return datetime.combine(of, time(0, 0, 0), UTC)


def last_second(of: date) -> datetime:
    """Return 23:59:59Z of a day: the last second in which an expiry date still holds."""
    return datetime.combine(of, time(23, 59, 59), UTC)


def next_midnight(at: datetime) -> datetime:
    """Return the first 00:00:00Z after `at`; OverflowError beyond the year 9999."""
    return first_second(at.date() + timedelta(days=1))


def seconds(at: datetime) -> int:
    """Return whole seconds since 1970-01-01T00:00:00Z, the form in which the store keeps instants."""
    since = at - _EPOCH
    return since.days * 86_400 + since.seconds


def from_seconds(value: int) -> datetime:
    """Return the instant of `seconds`; OverflowError outside the years 1 to 9999."""
    return _instant(value)


@lru_cache(maxsize=_KEPT)
def _instant(value: int) -> datetime:
    return _EPOCH + timedelta(seconds=value)


def end_of_years(first: date, years: int) -> datetime:
    """Return the last second of a period of whole years that begins with the day `first`.

    A period that begins on 29 February ends on 28 February: the day before the day that its last year does not have.
    """
    if first.year + years > date.max.year:
        return last_second(date.max)
    try:
        same_day = first.replace(year=first.year + years)
    except ValueError:
        same_day = date(first.year + years, 3, 1)
    return last_second(same_day - timedelta(days=1))
