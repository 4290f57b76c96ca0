"""Instants and days: one form, whole seconds, UTC, up to the end of the year 9999; and clocks that never run back."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import FixedClock, OffsetClock, SystemClock
from core.days import read_moment
from core.errors import InstantMalformed
from core.instants import day, first_second, from_seconds, last_second, next_midnight, parse, seconds, text

instants = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the zone is given beside
    lambda at: at.replace(microsecond=0)
)


@given(instants)
def test_an_instant_survives_its_text_and_its_seconds(at: datetime) -> None:
    assert parse(text(at)) == at
    assert text(at).endswith("Z")
    assert from_seconds(seconds(at)) == at


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_converted_to_utc(at: datetime, minutes: int) -> None:
    try:
        local = at.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:
        return
    assert parse(local.isoformat()) == at


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2027-06-30",
        "2027-06-30T23:59:59",
        "2027-06-30T23:59:59.5Z",
        "2027-06-30T23:59:60Z",
        "2027-02-29T00:00:00Z",
        "2027-06-31T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "2027-06-30 23:59:59Z",
        "yesterday",
        "²027-06-30T23:59:59Z",
        "2027-06-30T23:59:59Z\x00",
        "2027-06-30T23:59:59.0Z",
        "2027-06-30T23:59Z",
        "20270630T235959Z",
        "2027-W26-3T23:59:59Z",
        "2027-06-30T23:59:59+01:00:30",
    ],
)
def test_what_is_no_instant_is_refused(value: str) -> None:
    with pytest.raises(InstantMalformed):
        parse(value)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_refused_with_our_own_error(value: str) -> None:
    for read in (parse, lambda given: day(given, field="start")):
        with suppress(InstantMalformed):
            read(value)


@pytest.mark.parametrize("value", ["20270104", "2027-W01-1", "2027-1-4", "2027-02-29", "2027-01-04T00:00:00Z", ""])
def test_a_day_has_one_form(value: str) -> None:
    with pytest.raises(InstantMalformed):
        day(value, field="start")


def test_29_february_is_a_day_in_leap_years() -> None:
    assert day("2028-02-29", field="start") == date(2028, 2, 29)


@pytest.mark.clause("F2.26")
@given(st.dates(date(1000, 1, 1)))
def test_a_day_lasts_from_its_first_second_to_its_last_inclusive(of: date) -> None:
    assert last_second(of) - first_second(of) == timedelta(seconds=86_399)
    assert text(first_second(of)) == f"{of.isoformat()}T00:00:00Z"
    assert text(last_second(of)) == f"{of.isoformat()}T23:59:59Z"


@given(instants.filter(lambda at: at.date() < date(9999, 12, 31)))
def test_the_next_midnight_is_within_a_day_and_never_now(at: datetime) -> None:
    midnight = next_midnight(at)
    assert timedelta(0) < midnight - at <= timedelta(days=1)
    assert midnight == first_second(midnight.date())


def test_clocks_tell_whole_seconds_of_utc() -> None:
    for clock in (SystemClock(), OffsetClock(lambda: timedelta(days=300))):
        now = clock.now()
        assert (now.tzinfo, now.microsecond) == (UTC, 0)


def test_an_offset_is_asked_for_at_every_reading() -> None:
    offsets = [timedelta(0), timedelta(days=1)]
    clock = OffsetClock(lambda: offsets.pop(0))
    assert clock.now() + timedelta(days=1) <= clock.now()


def test_a_clock_is_never_moved_back() -> None:
    clock = FixedClock(datetime(2027, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(0))
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("3 May 2026", "2026-05-03T23:59:59Z"),
        ("2026-05-03", "2026-05-03T23:59:59Z"),
        (" Sunday 3 May 2026 ", "2026-05-03T23:59:59Z"),
        ("3 May 2026 14:05", "2026-05-03T14:05:00Z"),
        ("2026-05-03 at 4:05:06 UTC", "2026-05-03T04:05:06Z"),
        ("2026-05-03T14:05", "2026-05-03T14:05:00Z"),
        ("2026-05-03T14:05:06+01:00", "2026-05-03T13:05:06Z"),
        ("3 May 2026 00:00", "2026-05-03T00:00:00Z"),
        ("2026-05-03 00:00:00.000", "2026-05-03T00:00:00Z"),
        ("2026-05-03T00:00:00.000", "2026-05-03T00:00:00Z"),
        ("2026-05-03 00:00+00:00", "2026-05-03T00:00:00Z"),
        ("3 May 2026 00:00:00.000", "2026-05-03T00:00:00Z"),
        ("13.04.2026 00:00:00.0", "2026-04-13T00:00:00Z"),
        ("3 May 2026 14:05:00.000", "2026-05-03T14:05:00Z"),
        ("2026-05-03T14:05:06.999", "2026-05-03T14:05:06Z"),
        ("4 May 2026", "2026-05-04T12:00:00Z"),
    ],
)
def test_a_moment_that_people_write_is_read_as_they_mean_it(said: str, meant: str) -> None:
    assert text(read_moment(said, field="When", now=datetime(2026, 5, 4, 12, tzinfo=UTC))) == meant


@pytest.mark.parametrize(
    "said",
    [
        *("", "soon", "3 May 2026 25:00", "3 May 2026 12:60", "03/05/2026 12:00", "12:00", "x" * 99),
        "3 May 2026 14:05" + " " * 45 + "UTC+05:00",
        "3 May 2026 14:05" + " " * 60 + "2027",
        "2026-05-03 00:00:00.000 14:05",
    ],
)
def test_what_is_no_moment_or_two_of_them_is_refused(said: str) -> None:
    with pytest.raises(InstantMalformed, match="When: "):
        read_moment(said, field="When", now=datetime(2026, 5, 4, 12, tzinfo=UTC))
