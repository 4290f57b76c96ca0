"""The calendar of days that matter: read back by a parser, and nothing in a text becomes a property."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from documents.calendar import CalendarEvent, calendar

MADE = datetime(2027, 1, 4, 9, 0, 0, tzinfo=UTC)
EXPIRY = CalendarEvent(
    uid="expiry-TDA-2027-0042-Y@trial-cpa.example",
    day=date(2027, 6, 30),
    summary="TDA-2027-0042-Y expires",
    description="At 23:59:59 UTC; 00:59:59 BST on 1 July 2027.\nESME 010A030B, Maker Ltd.",
    url="https://trial-cpa.example/approvals/TDA-2027-0042-Y",
    alarm_days=7,
)
BASE = "https://trial-cpa.example"
HOSTILE = 'x\r\nEND:VEVENT\r\nBEGIN:VEVENT\rATTACH:http://evil\n; , \\ : "'


def _event(event: CalendarEvent) -> dict[str, object]:
    [read] = Calendar.from_ical(calendar("Trials", [event], made_at=MADE, organizer=BASE)).walk("VEVENT")
    return dict(read)


def test_an_event_is_one_whole_utc_day_and_comes_back_as_it_went_in() -> None:
    written = calendar("Trials, and more", [EXPIRY], made_at=MADE, organizer=BASE)
    read = Calendar.from_ical(written)
    [event] = read.walk("VEVENT")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (date(2027, 6, 30), date(2027, 7, 1))
    assert b"DTSTART;VALUE=DATE:20270630\r\n" in written
    assert b"DTSTAMP:20270104T090000Z\r\n" in written
    assert (str(event["uid"]), str(event["summary"])) == (EXPIRY.uid, EXPIRY.summary)
    assert (str(event["description"]), str(event["url"])) == (EXPIRY.description, EXPIRY.url)
    [alarm] = read.walk("VALARM")
    assert alarm.decoded("trigger") == timedelta(days=-7)
    assert b"X-WR-CALNAME:Trials\\, and more\r\n" in written
    assert b"METHOD:PUBLISH\r\n" in written


def test_the_same_events_in_any_order_give_the_same_bytes() -> None:
    other = CalendarEvent("start@x", date(2027, 1, 4), "Start", "", "")
    assert calendar("T", [EXPIRY, other], made_at=MADE, organizer=BASE) == calendar(
        "T", [other, EXPIRY], made_at=MADE, organizer=BASE
    )


def test_no_line_is_longer_than_75_octets_and_every_line_ends_in_crlf() -> None:
    long = CalendarEvent("u@x", date(2027, 1, 4), "é" * 200, "中" * 300, "")
    written = calendar("T", [long], made_at=MADE, organizer=BASE)
    assert written.endswith(b"\r\n")
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert str(_event(long)["SUMMARY"]) == "é" * 200


def test_a_line_break_in_a_text_begins_no_property() -> None:
    hostile = CalendarEvent(HOSTILE, date(2027, 1, 4), HOSTILE, HOSTILE, "", 1)
    written = calendar(HOSTILE, [hostile], made_at=MADE, organizer=BASE)
    assert len(Calendar.from_ical(written).walk("VEVENT")) == 1
    assert b"\r\nATTACH" not in written
    assert str(_event(hostile)["SUMMARY"]) == HOSTILE.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x/\r\nATTACH:y", "https://x/ y", "https://é.example/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        calendar("T", [CalendarEvent("u@x", date(2027, 1, 4), "S", "", url)], made_at=MADE, organizer=BASE)


def test_the_last_day_of_all_has_no_day_after_it() -> None:
    read = _event(CalendarEvent("u@x", date.max, "S", "", ""))
    assert "DTEND" not in read


@given(text=st.text(max_size=100))
def test_any_text_makes_a_calendar_of_one_event(text: str) -> None:
    read = _event(CalendarEvent("u@x", date(2027, 1, 4), text, text, ""))
    assert set(read) == {
        "UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP", "ORGANIZER"
    }  # fmt: skip


def test_each_event_of_what_is_published_has_an_organizer_and_says_how_often_it_changed() -> None:
    written = calendar('Trials "and" more', [replace(EXPIRY, sequence=2)], made_at=MADE, organizer=BASE)
    [event] = Calendar.from_ical(written).walk("VEVENT")
    assert (event.decoded("sequence"), str(event["organizer"])) == (2, BASE)
    assert event["organizer"].params["CN"] == "Trials 'and' more"
