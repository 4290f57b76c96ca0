"""The minutes of a meeting as a PDF: who was present, each item with what became of it; and who may have them."""

from datetime import UTC, date, datetime
from typing import Any

import pypdfium2
import pytest

from core.errors import NoSuchThing, OperationNotPermitted
from documents.minutes import minutes_pdf
from documents.notice import notice_pdf
from documents.report import report_pdf
from ra.committee.interests import declare_interest, withdraw_interest
from ra.meeting.agenda import MinuteItem, meeting, minute_item, place_on_agenda
from ra.meeting.meetings import CallMeeting, call_meeting, cancel_meeting, record_attendance
from ra.meeting.minutes import declared_then, minutes
from tests.api_world import Api
from tests.console_world import Pages
from tests.documents_world import Pdf, notice, report, squeezed
from tests.world import AUDITOR, DCC, MANUFACTURER, NOW, OFFICER_1, PANEL, World

DAY = date(2027, 2, 3)
LONG = "W" * 64 + " <script>alert(1)</script> =1+1 &amp; " + "x1" * 40
MARGIN = 62.0
"""Points on each side of a page of the house: 22 mm."""


def decided(**changed: Any) -> dict[str, Any]:
    return {
        "decision": "dec-6564f1a2-9c3b1d2e4f60718a",
        "kind": "grant",
        "state": "done",
        "open": False,
        "proposer": "officer-1",
        "seconder": "officer-2",
        "seconded_at": "2027-02-03T11:05:00Z",
        "meeting": "SSC 34",
        "minute": "34/01",
        **changed,
    }


def item(**changed: Any) -> dict[str, Any]:
    return {
        "minute": "34/01",
        "text": "Read.\n\nAll pages are there.",
        "title": "A proposal to grant: TDT-2027-0001-N",
        "before": "It waits since 4 January.",
        "interests": [],
        "decision": decided(),
        "waits": False,
        **changed,
    }


def held(**changed: Any) -> dict[str, Any]:
    return {
        "authority": "TEST Trial CPA",
        "environment": "live",
        "meeting": "mtg-6564f1a2-9c3b1d2e4f60718a",
        "name": "SSC 34",
        "held_on": "2027-02-03",
        "cancelled_at": None,
        "as_of": "2027-02-03T15:04:05Z",
        "present": ["Z. Chair", "A. Patel"],
        "items": [item()],
        **changed,
    }


def _read(**changed: Any) -> str:
    return squeezed(Pdf(minutes_pdf(held(**changed))).text)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Minutes of the Security Sub-Committee"),
        ({}, "3 February 2027"),
        ({}, "Z. Chair A. Patel"),
        ({}, "Minute 34/01"),
        ({}, "Before the Sub-Committee: It waits since 4 January."),
        ({}, "Grant: done. Proposed by officer-1, seconded by officer-2 at 11:05:00 UTC on 3 February 2027."),
        ({}, "Decision dec-6564f1a2-9c3b1d2e4f60718a, which names minute 34/01 of SSC 34."),
        ({"items": [item(decision=decided(open=True, seconder=None, seconded_at=None))]}, "Not decided. Proposed by"),
        ({"items": [item(decision=None, waits=True)]}, "Not decided."),
        ({"items": [item(interests=[{"officer": "J. Doe", "text": "A share."}])]}, "DECLARED J. Doe A share."),
        ({"items": []}, "Nothing was on the agenda."),
        ({"present": []}, "Nobody is recorded."),
        ({"cancelled_at": "2027-02-01T09:00:00Z"}, "This meeting was cancelled, at 09:00:00 UTC on 1 February 2027."),
        ({"environment": "test"}, "These minutes come from a test authority."),
    ],
)
def test_the_minutes_say(changed: dict[str, Any], said: str) -> None:
    assert squeezed(said) in _read(**changed)


def test_what_is_dealt_with_otherwise_is_not_called_undecided() -> None:
    assert squeezed("Not decided") not in _read(items=[item(decision=None, waits=False)])
    assert squeezed("DECLARED") not in _read(), "there is none"


def test_the_same_minutes_are_the_same_bytes_archival_and_for_all_readers() -> None:
    made = minutes_pdf(held(items=[item(), item(interests=[{"officer": "J.", "text": "A share."}])]))
    assert made == minutes_pdf(held(items=[item(), item(interests=[{"officer": "J.", "text": "A share."}])]))
    everything = Pdf(made).everything
    assert b"pdfaid:part" in everything
    assert b"pdfuaid:part" in everything


def test_a_hundred_names_and_two_hundred_items_are_all_there() -> None:
    present = [f"Member No. {number}" for number in range(100)]
    said = _read(present=present, items=[item(minute=f"34/{number:03}") for number in range(200)])
    assert all(squeezed(each) in said for each in present)
    assert all(squeezed(f"Minute 34/{number:03}") in said for number in range(200))


def _right(octets: bytes) -> tuple[float, float]:
    """How far to the right something stands, and how far it may."""
    document = pypdfium2.PdfDocument(octets)
    widest = 0.0
    for page in document:
        text = page.get_textpage()
        widest = max(widest, *(text.get_charbox(each)[2] for each in range(text.count_chars())))
    return widest, document[0].get_width() - MARGIN


def test_no_word_leaves_its_page_however_long() -> None:
    hostile = item(
        minute=LONG[:200],
        text=LONG,
        title=LONG,
        before=LONG,
        interests=[{"officer": LONG, "text": LONG}],
        decision=decided(proposer=LONG, meeting=LONG, minute=LONG),
    )
    widest, room = _right(minutes_pdf(held(name=LONG[:200], present=[LONG, "Å" * 200, "x"], items=[hostile])))
    assert widest < room + 1
    widest, room = _right(notice_pdf(notice(title=LONG)))
    assert widest < room + 1


TURNS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("turn", TURNS, ids=ascii)
def test_no_typed_word_turns_the_direction_of_what_a_document_says(turn: str) -> None:
    words = f"approved{turn}desufer"
    interest = {"officer": words, "text": words}
    typed: dict[str, Any] = dict.fromkeys(("minute", "text", "title", "before"), words)
    said = item(**typed, interests=[interest], decision=decided(minute=words))
    made = minutes_pdf(held(name=words, present=[words], items=[said]))
    read = Pdf(made).text
    assert turn not in read
    places = ("name", "present", "decision", *typed, *interest)
    assert squeezed(read).count(f"approved[U+{ord(turn):04X}]desufer") >= len(places)
    assert b"pdfaid:part" in Pdf(made).everything, "a name of it has a glyph in every typeface"
    for other in (notice_pdf(notice(title=words)), report_pdf(report(authority=words))):
        assert turn not in Pdf(other).text
        assert f"approved[U+{ord(turn):04X}]desufer" in squeezed(Pdf(other).text)


def test_whoever_may_read_the_minutes_saves_them(world: World) -> None:
    desk, api = world.desk, Api(world)
    application = api.applied()
    of = call_meeting(desk, OFFICER_1, CallMeeting("SSC 34", DAY)).meeting
    record_attendance(desk, OFFICER_1, of, ["Z. Chair"])
    (placed,) = place_on_agenda(desk, OFFICER_1, of, [application]).items
    minute_item(desk, OFFICER_1, MinuteItem(item=placed, minute="34/01", text="It was read."))
    declare_interest(desk, OFFICER_1, application, officer="A. Patel", words="Owns shares.")
    taken_back = declare_interest(desk, OFFICER_1, application, officer="J. Doe", words="By mistake.").interest
    withdraw_interest(desk, OFFICER_1, taken_back)
    name, octets = minutes(desk, AUDITOR, of)
    assert name == "minutes-2027-02-03.pdf"
    said = squeezed(Pdf(octets).text)
    for there in ("Z. Chair", "Minute 34/01", "It was read.", "A. Patel", "Owns shares.", "An application"):
        assert squeezed(there) in said, there
    assert squeezed("By mistake.") not in said, "it was withdrawn before the day"

    place = f"/v1/meetings/{of}"
    for who in ("officer-1", "admin", "auditor"):
        answer = api.send(who, "GET", place, Accept="application/pdf")
        assert (answer.data, answer.mimetype) == (octets, "application/pdf")
        assert name in answer.headers["Content-Disposition"]
    assert api.send("auditor", "GET", place).mimetype == "application/json"
    assert api.send("auditor", "GET", place, Accept="image/png").status_code == 406
    pages = Pages(api)
    page = pages.get("auditor", f"/console/meetings/{of}/minutes").text
    assert f'href="/console/meetings/{of}/minutes/file"' in page
    assert pages.get("auditor", f"/console/meetings/{of}/minutes/file").data == octets

    for outside in (MANUFACTURER, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            minutes(desk, outside, of)
    assert api.send("dcc", "GET", place, Accept="application/pdf").status_code == 403
    with pytest.raises(NoSuchThing):
        minutes(desk, AUDITOR, "mtg-none")
    empty = call_meeting(desk, OFFICER_1, CallMeeting("SSC 35", DAY)).meeting
    cancel_meeting(desk, OFFICER_1, empty)
    told = squeezed(Pdf(minutes(desk, AUDITOR, empty)[1]).text)
    assert squeezed("Nothing was on the agenda.") in told
    assert squeezed("This meeting was cancelled") in told
    assert NOW.date() < DAY, "what is withdrawn today is withdrawn by then"


SUMMER_DAY = date(2027, 6, 3)
"""It begins at 23:00 UTC the day before, and ends at 22:59:59 UTC."""


def test_minutes_have_the_interests_of_their_day_in_the_united_kingdom(world: World) -> None:
    desk, application = world.desk, Api(world).applied()
    of = call_meeting(desk, OFFICER_1, CallMeeting("SSC 34", SUMMER_DAY)).meeting
    place_on_agenda(desk, OFFICER_1, of, [application])
    last, next_day = datetime(2027, 6, 3, 22, 59, 59, tzinfo=UTC), datetime(2027, 6, 3, 23, 0, tzinfo=UTC)
    before, first = datetime(2027, 6, 2, 22, 59, 59, tzinfo=UTC), datetime(2027, 6, 2, 23, 0, tzinfo=UTC)
    for name, declared, withdrawn in (
        ("withdrawn the day before", NOW, before),
        ("withdrawn as it began", NOW, first),
        ("withdrawn in the evening", NOW, datetime(2027, 6, 3, 21, 0, tzinfo=UTC)),
        ("withdrawn the day after", NOW, next_day),
        ("declared as it ended", last, None),
        ("declared the day after", next_day, None),
        ("declared in autumn", datetime(2027, 9, 3, tzinfo=UTC), None),
    ):
        world.clock.instant = declared
        interest = declare_interest(desk, OFFICER_1, application, officer=name, words="A share.").interest
        if withdrawn is not None:
            world.clock.instant = withdrawn
            withdraw_interest(desk, OFFICER_1, interest)
    found = meeting(desk, OFFICER_1, of)
    assert {each.officer for each in declared_then(found.items[0], found.meeting)} == {
        "withdrawn as it began",
        "withdrawn in the evening",
        "withdrawn the day after",
        "declared as it ended",
    }
