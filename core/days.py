"""Days as people and spreadsheets write them in the United Kingdom: a table of forms, and nothing is guessed.

A month that has its name can be meant in one way only. Of `03/04/2027` the day comes first if the column in which it
stands holds a day that fits nothing else, or if its sender says so; else it is refused, with both readings.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from core.errors import DayAmbiguous, InstantMalformed
from core.instants import last_second, read_instant
from core.plain_text import trimmed

LONGEST = 64
"""Characters of a day; `Wednesday, 30th of September, 2027 00:00:00.000` has some fifty."""

_CENTURY = 2000
"""What a year of two figures belongs to: the Code is of this century."""


class DayOrder(StrEnum):
    """What is known of how the numbers of a date are ordered."""

    DAY_FIRST = "day-first"
    UNKNOWN = "unknown"

    @property
    def said(self) -> str | None:
        """What a sender says of it; None where nothing is known."""
        return None if self is DayOrder.UNKNOWN else self.value


@dataclass(frozen=True)
class Readings:
    """What a text may mean.

    Args:
        day_first: the day, if the day's number comes before the month's or the order does not matter.
        month_first: the day, if the month's number comes first.
    """

    day_first: date | None
    month_first: date | None

    @property
    def only(self) -> date | None:
        """The day, if there is no doubt which."""
        return self.day_first if self.day_first == self.month_first else None

    @property
    def shows_day_first(self) -> bool:
        """Whether it fits nothing but the day before the month."""
        return self.day_first is not None and self.month_first is None

    @property
    def shows_month_first(self) -> bool:
        """Whether it fits nothing but the month before the day."""
        return self.day_first is None and self.month_first is not None


_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS = {name[:length]: number for number, name in enumerate(_NAMES, 1) for length in (3, len(name))} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAY = re.compile(
    rf"({'|'.join(_WEEKDAYS)}|mon|tues?|wed|thur?s?|fri|sat|sun)\.?,?\s+(?=\S)"  # what follows is the day itself
)
# What a spreadsheet adds to a day in a column of days and times: its first moment.
_MIDNIGHT = re.compile(r"(?:t|,?\s+)0?0:00(?::00(?:\.0{1,9})?)?(?:z|\+00:00)?\Z")
# A day, and behind it a time of it in UTC: `3 May 2027 14:05`, `2027-05-03, 14:05:30 UTC`, `3 May 2027 14:05:30.000`.
_WITH_TIME = re.compile(
    r"(?P<rest>.+?)(?:,?\s+|[tT])(?:at\s+)?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,30})?)?(?:\s*(?:[zZ]|UTC|utc|\+00:00))?"
)
_GAP = r"(?:\s*[-/.,]\s*|\s+(?:of\s+)?)"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_NAMED = tuple(
    re.compile(each)
    for each in (
        # 30-Jun-27, 30 June 2027, 30th of June, 2027, 30.Jun.2027
        rf"(?:the\s+)?{_DAY}(?:st|nd|rd|th)?{_GAP}(?P<month>{_MONTH})\.?{_GAP}{_YEAR}",
        # 30Jun2027, 30JUN27
        rf"{_DAY}(?P<month>{_MONTH}){_YEAR}",
        # June 30, 2027; June 30th 2027
        rf"(?P<month>{_MONTH})\.?{_GAP}{_DAY}(?:st|nd|rd|th)?{_GAP}(?P<year>[0-9]{{4}})",
        # 2027-Jun-30, 2027 June 30
        rf"(?P<year>[0-9]{{4}}){_GAP}(?P<month>{_MONTH})\.?{_GAP}{_DAY}(?:st|nd|rd|th)?",
    )
)
# 2027-06-30, 2027/6/30, 20270630: where the year is first the month follows.
_YEAR_FIRST = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|()([0-9]{2})([0-9]{2}))")
_NUMBERS = re.compile(r"([0-9]{1,2})\s?([-/. ])\s?([0-9]{1,2})\s?\2\s?([0-9]{4}|[0-9]{2})")
_DASHES = str.maketrans(
    dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{MINUS SIGN}", "-") | {"\N{NO-BREAK SPACE}": " "}
)


def readings(value: str) -> Readings:
    """Return what a text may mean as a day; neither is there if it is none."""
    text = trimmed(value).casefold().translate(_DASHES)
    if not text.isascii() or len(text) > LONGEST:
        return Readings(None, None)
    text = _MIDNIGHT.sub("", text)
    weekday = _WEEKDAY.match(text)
    found = _readings(text[weekday.end() :] if weekday else text)
    if weekday is None:
        return found
    day_first, month_first = (_if_on(weekday[1], each) for each in (found.day_first, found.month_first))
    return Readings(day_first, month_first)


def order_in(column: Iterable[str]) -> DayOrder:
    """Return how the days of a column are ordered, as far as they show it themselves."""
    found = [readings(each) for each in set(column)]
    first = any(each.shows_day_first for each in found) and not any(each.shows_month_first for each in found)
    return DayOrder.DAY_FIRST if first else DayOrder.UNKNOWN


def read_day(value: str, *, field: str, order: DayOrder = DayOrder.UNKNOWN) -> date:
    """Return the day that a text means.

    Args:
        value: in any form of the table.
        field: what it is called, for the error.
        order: what is known of the order, from its column or its sender.

    Raises:
        DayAmbiguous: it may be two days, and nothing says which.
        InstantMalformed: it is no day; or one with the month first, which nobody writes here.
    """
    found = readings(value)
    if found.only is not None:
        return found.only
    if found.day_first is not None and (found.month_first is None or order is DayOrder.DAY_FIRST):
        return found.day_first
    if found.day_first is None:
        raise InstantMalformed(field=field, value=value[:LONGEST])
    raise DayAmbiguous(
        field=field, value=trimmed(value)[:LONGEST], first=found.day_first.isoformat(), second=str(found.month_first)
    )


def read_moment(value: str, *, field: str, now: datetime) -> datetime:
    """Return the moment in the past that somebody means who types one: an instant, a day with a time, or a day alone.

    A day means its last second, as an expiry does, and this very day means now. A time without an offset is UTC.
    Of a fraction the second counts in which it lies, as in `read_instant`.

    Args:
        value: `2027-05-03T14:05:00Z`, `3 May 2027 14:05` or `3 May 2027`.
        field: what it is called, for the error.
        now: what this day means.

    Raises:
        DayAmbiguous: it may be two days, and nothing says which.
        InstantMalformed: it is none of these, or longer than any of them.
    """
    try:
        return read_instant(value, field=field)
    except InstantMalformed:
        pass
    said = trimmed(value)
    timed = _WITH_TIME.fullmatch(said) if len(said) <= LONGEST else None
    # A day has no colon: what has one beside the time that was read says more than that, and is not left out.
    if len(said) > LONGEST or ":" in (said if timed is None else timed["rest"]):
        raise InstantMalformed(field=field, value=value[:LONGEST])
    if timed is None:
        named = read_day(value, field=field)
        return now if named == now.astimezone(UTC).date() else last_second(named)
    named = read_day(timed["rest"], field=field)
    hour, minute, second = (int(timed[each] or 0) for each in ("hour", "minute", "second"))
    try:
        return datetime.combine(named, time(hour, minute, second), UTC)
    except ValueError:
        raise InstantMalformed(field=field, value=value[:LONGEST]) from None


def _readings(text: str) -> Readings:
    for shape in _NAMED:
        named = shape.fullmatch(text)
        if named:
            day = _date(named["year"], str(_MONTHS[named["month"]]), named["day"])
            return Readings(day, day)
    year_first = _YEAR_FIRST.fullmatch(text)
    if year_first:
        year, month, day_of_month = (each for each in year_first.groups() if each and each not in "-/.")
        day = _date(year, month, day_of_month)
        return Readings(day, day)
    numbers = _NUMBERS.fullmatch(text)
    if numbers is None:
        return Readings(None, None)
    one, separator, other, year = numbers.groups()
    day_first = _date(year, other, one)
    # With full stops between them the day comes first wherever dates are written so.
    return Readings(day_first, day_first if separator == "." else _date(year, one, other))


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year) if len(year) == len("2027") else _CENTURY + int(year), int(month), int(day))
    except ValueError:
        return None


def _if_on(weekday: str, day: date | None) -> date | None:
    """The day, unless the day of the week that stands before it is another one."""
    return day if day is not None and _WEEKDAYS[day.weekday()].startswith(weekday[:3]) else None
