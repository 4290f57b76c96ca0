"""A calendar of days that matter, for ordinary calendar programs (RFC 5545)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

PRODUCT = "-//trialcpa//Trial CPA authority//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"
_ASKED_AGAIN = timedelta(hours=6)
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # CONTROL and what UTF-8 cannot carry (RFC 5545, 3.1)
_ADDRESS = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True)
class CalendarEvent:
    """Something that is true of a whole UTC day.

    Args:
        uid: always the same for the same thing, so that a calendar moves an event instead of showing it twice.
        day: the UTC day.
        summary: a few words.
        description: what to know about it.
        url: where to read more: http or https, plain ASCII; empty for nowhere.
        alarm_days: how many days before to remind; None for not at all.
        sequence: how often it has been changed since it was first told (RFC 5545, 3.8.7.4): programs keep what they
            have of an event unless it grows.
    """

    uid: str
    day: date
    summary: str
    description: str
    url: str
    alarm_days: int | None = None
    sequence: int = 0


def calendar(name: str, events: Sequence[CalendarEvent], *, made_at: datetime, organizer: str) -> bytes:
    """Return an iCalendar of all-day events: the same values give the same bytes.

    Args:
        name: what the calendar is called where it is shown.
        events: in any order; they are written by day.
        made_at: the instant of the register that it shows (DTSTAMP): aware, UTC, whole seconds.
        organizer: who publishes it, http or https: the method PUBLISH wants it in each event (RFC 5546, 3.2.1), and a
            calendar address is any URI (RFC 5545, 3.3.3).

    Raises:
        ValueError: a URL that is not http or https in plain ASCII.
    """
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("name", vText(_text(name)))  # RFC 7986, 5.1; the next is what older programs read
    made.add("x-wr-calname", vText(_text(name)))
    made.add("refresh-interval", _ASKED_AGAIN, parameters={"VALUE": "DURATION"})  # RFC 7986, 5.7
    for event in sorted(events, key=lambda each: (each.day, each.uid)):
        shown = _event(event, made_at.astimezone(UTC))
        shown.add("organizer", _organizer(name, organizer))
        made.add_component(shown)
    written: bytes = made.to_ical()
    return written


def _event(event: CalendarEvent, made_at: datetime) -> Event:
    made = Event()
    made.add("uid", _text(event.uid))
    made.add("dtstamp", made_at)
    made.add("sequence", event.sequence)
    made.add("dtstart", event.day)
    if event.day < date.max:  # without an end, the event is its one day (RFC 5545, 3.6.1)
        made.add("dtend", event.day + timedelta(days=1))
    made.add("summary", _text(event.summary))
    made.add("description", _text(event.description))
    if event.url:
        made.add("url", _address(event.url))
    made.add("transp", "TRANSPARENT")  # nobody is busy because an approval expires
    if event.alarm_days is not None:
        made.add_component(_alarm(event))
    return made


def _organizer(name: str, address: str) -> vCalAddress:
    made = vCalAddress(_address(address))
    made.params["CN"] = _text(name).replace('"', "'").replace("\n", " ")  # no parameter has either (RFC 5545, 3.2)
    return made


def _alarm(event: CalendarEvent) -> Alarm:
    made = Alarm()
    made.add("action", "DISPLAY")
    made.add("description", _text(event.summary))
    made.add("trigger", -timedelta(days=event.alarm_days or 0))
    return made


def _text(value: str) -> str:
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n").replace("\r", "\n"))


def _address(url: str) -> str:
    # A URI is written as it is (RFC 5545, 3.3.13): a line break in it would begin another property.
    if not _ADDRESS.fullmatch(url):
        raise ValueError(f"not an http address in plain ASCII: {url!r}")
    return url
