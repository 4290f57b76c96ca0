"""A committee in a browser: a meeting is called, its agenda gone through and seconded item by item, and minuted."""

import re
from datetime import date

from core.kinds import DecisionState
from ra.committee.comments import comments_of
from ra.deciding.look import decision as decision_of
from ra.meeting.agenda import meeting as meeting_of
from ra.meeting.agenda import place_on_agenda, step
from ra.meeting.meetings import CallMeeting, call_meeting, record_attendance
from tests.api_world import Api
from tests.console_world import Pages
from tests.signing import another_device
from tests.test_console import HOSTILE, seconding
from tests.world import World

DAY = date(2027, 2, 3)
SECRET = "Nobody but officers reads this."
OUTSIDE = ("manufacturer", "rival", "dcc", "panel")


def test_a_meeting_is_called_attended_and_given_an_agenda(world: World) -> None:
    pages = Pages(Api(world))
    api, asks = pages.api, pages.post
    first, second = api.applied(device=another_device(1)), api.applied(device=another_device(2))
    assert "Next meeting" not in pages.get("officer-1", "/console/home").text

    call = "/console/meetings"
    fields = pages.fields(pages.get("officer-1", call).text, call)
    for wrong in (
        {"name": ""},
        {"name": "SSC 34"},
        {"name": "SSC 34", "held_on": "03/04/2027"},
        {"held_on": "2027-02-03"},
    ):
        kept = asks("officer-1", call, {**fields, **wrong})
        assert kept.status_code == 422, wrong
        assert f'value="{wrong.get("name", "")}"' in kept.text
    typed = {**fields, "name": "SSC 34", "held_on": "3 February 2027"}
    place = asks("officer-1", call, typed).location
    assert asks("officer-1", call, typed).location == place, "the same form again is the same act"
    assert asks("officer-1", call, {**typed, "fresh": "A" * 22}).status_code == 422, "another of its name"
    assert "SSC 34</a>, 3 February 2027" in pages.get("officer-2", "/console/home").text
    assert "Next meeting" not in pages.get("dcc", "/console/home").text

    page = pages.get("officer-1", place).text
    tick = pages.fields(page, f"{place}/agenda")
    assert asks("officer-1", f"{place}/agenda", tick).status_code == 422, "nothing is ticked"
    assert asks("officer-1", f"{place}/agenda", {**tick, "subject": ["app-none"]}).status_code == 404
    assert asks("officer-1", f"{place}/agenda", {**tick, "subject": [first, second]}).status_code == 303
    attending = {**pages.fields(page, f"{place}/attendances"), "names": f"J. Doe\r\n\r\n{HOSTILE[:200]}"}
    assert asks("officer-1", f"{place}/attendances", attending).status_code == 303
    it = meeting_of(pages.desk, pages.actor("auditor"), place.rpartition("/")[2])
    assert [each.subject for each in it.items] == [first, second]
    assert len(it.attendances) == 2
    present = pages.get("auditor", f"{place}/minutes").text.partition("<h2>Present</h2>")[2]
    assert present.strip().startswith("<p><bdi>J. Doe</bdi>, <bdi>"), "no name turns those behind it"


def agenda(pages: Pages) -> tuple[list[str], list[str]]:
    """A meeting with two applications on its agenda: their identifiers, and those of the items."""
    api = pages.api
    applications = [api.applied(device=another_device(each)) for each in (1, 2)]
    of = call_meeting(pages.desk, pages.actor("officer-1"), CallMeeting("SSC 34", DAY)).meeting
    record_attendance(pages.desk, pages.actor("officer-1"), of, ["J. Doe"])
    return applications, list(place_on_agenda(pages.desk, pages.actor("officer-1"), of, applications).items)


def test_an_agenda_is_gone_through_and_seconded_one_after_another(world: World) -> None:
    pages = Pages(Api(world))
    api, ((first, _), (one, two)) = pages.api, agenda(pages)
    item, other = f"/console/agenda-items/{one}", f"/console/agenda-items/{two}"
    # From the item to its application, to a proposal that names the meeting, and on to the next.
    page = pages.get("officer-1", item).text
    led = f"/console/applications/{first}?agenda={one}"
    assert led in page
    page = pages.get("officer-1", led).text
    assert "<bdi>SSC 34</bdi>: item 1 of 2" in page
    compose = f"/console/applications/{first}/grant?agenda={one}"
    assert compose in page
    page = pages.get("officer-1", compose).text
    assert 'name="meeting" value="SSC 34"' in page
    decision = api.proposed(kind="grant", application=first)
    api.settle()
    walked = f"/console/decisions/{decision}?agenda={one}"
    assert walked in pages.get("officer-2", item).text
    page = pages.get("officer-2", walked).text
    assert f'href="{other}" rel="next"' in page
    sent = pages.post("officer-2", _form(page, "/second"), seconding(pages, "officer-2", decision))
    assert sent.status_code == 303
    assert sent.location.endswith(f"agenda={one}"), "who goes through an agenda is still at its item"
    assert f'href="{other}" rel="next"' in pages.get("officer-2", sent.location).text
    api.settle()
    assert decision_of(pages.desk, pages.actor("auditor"), decision).state is DecisionState.DONE
    assert "Dealt with" in pages.get("officer-1", item).text
    assert "Back to the agenda" in pages.get("officer-1", other).text
    for nothing in ("agi-none", "agi-00000000-0000000000000000", "<b>"):
        assert 'rel="next"' not in pages.get("officer-2", f"/console/decisions/{decision}?agenda={nothing}").text


def test_items_are_minuted_and_a_second_tab_loses_nothing(world: World) -> None:
    pages = Pages(Api(world))
    _, (one, two) = agenda(pages)
    item, other = f"/console/agenda-items/{one}", f"/console/agenda-items/{two}"
    place = f"/console/meetings/{step(pages.desk, pages.actor('auditor'), one).meeting.meeting}"
    asks = pages.post
    fields = pages.fields(pages.get("officer-1", item).text, f"{item}/minute")
    said: dict[str, str] = {**fields, "minute": "34/01", "text": HOSTILE}
    assert asks("officer-1", f"{item}/minute", said).status_code == 303
    late = asks("officer-1", f"{item}/minute", {**said, "fresh": "A" * 22, "text": "Otherwise."})
    assert (late.status_code, "Otherwise.</textarea>" in late.text) == (422, True)
    for wrong in ("", "-1", "x", "9" * 9):
        assert asks("officer-1", f"{item}/minute", {**said, "fresh": "B" * 22, "after": wrong}).status_code == 422
    printed = pages.get("auditor", f"{place}/minutes").text
    assert "<bdi>34/01</bdi>. An application" in printed
    assert "&lt;script&gt;" in printed
    assert "<script>" not in printed
    for who in OUTSIDE:
        for each in (place, item, f"{place}/minutes", "/console/meetings"):
            assert pages.get(who, each).status_code == 403, (who, each)

    off = pages.fields(pages.get("officer-1", other).text, f"{other}/removal")
    assert asks("officer-1", f"{other}/removal", off).location == place
    assert pages.get("officer-1", other).status_code == 404
    strike = pages.fields(pages.get("officer-1", place).text, f"{place}/striking")
    assert asks("officer-1", f"{place}/striking", strike).status_code == 303
    cancel = pages.fields(pages.get("officer-1", place).text, f"{place}/cancellation")
    assert asks("officer-1", f"{place}/cancellation", cancel).status_code == 303
    page = pages.get("officer-1", place).text
    assert "Cancelled" in page
    assert f"{place}/agenda" not in page


def test_interests_and_comments_stand_on_the_application_for_officers_alone(world: World) -> None:
    pages = Pages(Api(world))
    application = pages.api.applied()
    place = f"/console/applications/{application}"
    page = pages.get("officer-1", place).text
    declare = pages.fields(page, f"{place}/interests")
    assert pages.post("officer-1", f"{place}/interests", {**declare, "officer": "A. Patel"}).status_code == 422
    declared = {**declare, "officer": "", "interest": f"{SECRET} {HOSTILE}"}
    for _ in range(2):
        sent = pages.post("officer-1", f"{place}/interests", declared)
        assert (sent.status_code, sent.location) == (303, f"{place}#interests")
    say = {**pages.fields(page, f"{place}/comments"), "comment": f"{SECRET}\n{HOSTILE}"}
    for wrong in ("", "a\x00b", "a" * 4_001):
        assert pages.post("officer-1", f"{place}/comments", {**say, "comment": wrong}).status_code == 422, wrong[:9]
    for _ in range(2):
        assert pages.post("officer-1", f"{place}/comments", say).status_code == 303
    (held,) = comments_of(pages.desk, pages.actor("auditor"), application).comments

    page = pages.get("officer-2", place).text
    assert page.count(SECRET) == 2
    assert "<script>alert" not in page
    assert "The authority counts no interest" in page
    assert f"{place}/comments/retraction" not in page, "only its author takes it back"
    assert SECRET in pages.get("auditor", place).text
    assert f"{place}/comments" not in pages.get("auditor", place).text
    decision = pages.api.proposed(kind="refuse", application=application)
    assert SECRET in pages.get("officer-2", f"/console/decisions/{decision}").text
    for who in OUTSIDE:
        for each in (place, f"/console/decisions/{decision}", "/console/journal", "/console/home"):
            assert SECRET not in pages.get(who, each).text, (who, each)

    back = f"{place}/comments/retraction"
    fields = pages.fields(pages.get("officer-1", place).text, back)
    csrf = {**fields, **pages.fields(page, f"{place}/comments"), "which": held.comment}
    assert pages.post("officer-2", back, csrf).status_code == 422, "it is another's"
    assert pages.post("officer-1", back, fields).status_code == 303
    assert "Retracted" in pages.get("officer-2", place).text
    withdraw = f"{place}/interests/withdrawal"
    fields = pages.fields(pages.get("officer-2", place).text, withdraw)
    assert pages.post("officer-2", withdraw, fields).status_code == 303
    assert "Withdrawn" in pages.get("officer-1", place).text


def _form(page: str, end: str) -> str:
    """Where a form of a page goes, by how its path ends."""
    found = re.search(rf'action="([^"?]*{end}(\?[^"]*)?)"', page)
    assert found is not None
    return found[1]
