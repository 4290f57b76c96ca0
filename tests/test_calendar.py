"""The calendar of starts, expiries and report dates: what it shows to whom, and how a calendar program gets it."""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from core.approval import Device, EndCause
from core.errors import OperationNotPermitted
from policy import roles
from ra.reporting.report import issue_report
from ra.waiting.calendar import calendar_feed
from tests.api_world import Api, refused
from tests.world import DCC, MANUFACTURER, NOW, OFFICER_1, PANEL, RIVAL, World

PATH = "/v1/calendar.ics"


def shown(octets: bytes) -> dict[str, tuple[date, str]]:
    """Day and summary of each event, by its identifier."""
    return {
        str(each["UID"]): (each.decoded("DTSTART"), str(each["SUMMARY"]))
        for each in Calendar.from_ical(octets).walk("VEVENT")
    }


def trials(world: World, actor: Any) -> dict[str, tuple[date, str]]:
    found = shown(calendar_feed(world.desk, actor).octets)
    return {uid: event for uid, event in found.items() if not uid.startswith("report-")}


@pytest.mark.clause("F2.27")
def test_it_shows_the_start_and_the_expiry_as_utc_days_with_local_time_beside(world: World) -> None:
    approval = world.granted()
    for actor in (MANUFACTURER, DCC, PANEL, OFFICER_1):
        assert trials(world, actor) == {
            f"{approval}-start@127.0.0.1": (date(2027, 1, 4), f"Trial starts: {approval}"),
            f"{approval}-end@127.0.0.1": (date(2027, 6, 30), f"Trial expires: {approval}"),
        }
    text = calendar_feed(world.desk, MANUFACTURER).octets.replace(b"\r\n ", b"").decode()
    assert "23:59:59 UTC on 30 June 2027\\, which is 00:59:59 BST on 1 July 2027" in text
    assert f"http://127.0.0.1:8470/approvals/{approval}" in text
    assert trials(world, RIVAL) == {}


@pytest.mark.clause("F2.31")
@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.MANUFACTURER])
def test_an_approval_that_was_ended_moves_its_end_and_before_its_start_loses_that(
    world: World, cause: EndCause
) -> None:
    before, after = world.granted(), world.granted(device=Device("CHF", "AB01", "9", "01"), start=date(2027, 3, 1))
    world.at(datetime(2027, 2, 1, 10, 0, tzinfo=UTC))
    for approval in (before, after):
        world.revoked(approval) if cause is EndCause.SSC else _withdrawn(world, approval)
    changed = Calendar.from_ical(calendar_feed(world.desk, MANUFACTURER).octets).walk("VEVENT")
    assert {each.decoded("SEQUENCE") for each in changed} == {1}, "a program moves an event only if this has grown"
    assert trials(world, MANUFACTURER) == {
        f"{before}-start@127.0.0.1": (date(2027, 1, 4), f"Trial starts: {before}"),
        f"{before}-end@127.0.0.1": (date(2027, 2, 1), f"Trial ended: {before}"),
        f"{after}-end@127.0.0.1": (date(2027, 2, 1), f"Trial ended: {after}"),
    }
    world.clock.advance(timedelta(days=401))
    assert trials(world, MANUFACTURER) == {}


def _withdrawn(world: World, approval: str) -> None:
    from store.tables import approvals  # noqa: PLC0415 - only the row's end matters here

    with world.store.begin("test") as tx:
        ended = {"ended_at": world.clock.now(), "end_cause": "manufacturer", "ended_by": "officer-1"}
        tx.connection.execute(approvals.update().where(approvals.c.identifier == approval).values(**ended))


@pytest.mark.clause("F2.28(a)")
def test_report_dates_are_for_those_between_whom_reports_go(world: World) -> None:
    world.granted()
    world.at(datetime(2027, 2, 20, tzinfo=UTC))
    for actor in (DCC, OFFICER_1):
        found = shown(calendar_feed(world.desk, actor).octets)
        assert found["report-2027-01@127.0.0.1"] == (date(2027, 2, 5), "Monthly report for 2027-01 is due")
        assert found["report-2027-12@127.0.0.1"] == (date(2028, 1, 5), "Monthly report for 2027-12 is due")
        assert sum(uid.startswith("report-") for uid in found) == 12
    for actor in (MANUFACTURER, PANEL):
        assert not any(uid.startswith("report-") for uid in shown(calendar_feed(world.desk, actor).octets))
    issue_report(world.desk, DCC, "2027-01", early=True)
    found = shown(calendar_feed(world.desk, DCC).octets)
    assert found["report-2027-01@127.0.0.1"][1] == "Monthly report for 2027-01 was issued"


def test_the_digest_changes_with_what_is_shown_and_with_nothing_else(world: World) -> None:
    world.granted()
    first = calendar_feed(world.desk, PANEL).digest
    world.clock.advance(timedelta(hours=30))
    assert calendar_feed(world.desk, PANEL).digest == first
    world.granted(device=Device("CHF", "AB01", "9", "01"), start=date(2027, 3, 1))
    assert calendar_feed(world.desk, PANEL).digest != first


def test_without_the_permission_there_is_no_calendar(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "TABLE", {})
    with pytest.raises(OperationNotPermitted):
        calendar_feed(world.desk, DCC)


# --- over HTTP ---------------------------------------------------------------------------------------------------


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_api_key_is_the_password_under_any_name(world: World) -> None:
    api = Api(world)
    approval = api.granted()
    bearer = api.ask("manufacturer", "GET", PATH)
    for user in ("", "whoever", "mañana"):
        answer = api.ask(None, "GET", PATH, Authorization=basic(user, api.keys["manufacturer"]))
        assert answer.status_code == 200
        assert answer.content_type == "text/calendar; charset=utf-8"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.data == bearer.data
    assert f"{approval}-start@127.0.0.1" in shown(bearer.data)
    assert shown(api.ask("rival", "GET", PATH).data) == {}


def test_without_a_key_a_program_is_asked_for_one(world: World) -> None:
    api = Api(world)
    for sent, code in (
        (None, "credential-missing"),
        ("", "credential-missing"),
        ("Basic", "credential-invalid"),
        ("Basic !!!", "credential-invalid"),
        ("Basic " + base64.b64encode(b"\xff:\xfe").decode(), "credential-invalid"),
        ("Basic " + base64.b64encode(b"no colon").decode(), "credential-invalid"),
        (basic("calendar", "tcpa_wrong"), "credential-invalid"),
        (basic("calendar", "x" * 100_000), "credential-invalid"),
        ("Bearer", "credential-invalid"),
        ("Digest abc", "credential-invalid"),
    ):
        answer = api.ask(None, "GET", PATH, **({} if sent is None else {"Authorization": sent}))
        refused(answer, 401, code)
        challenges = answer.headers.getlist("WWW-Authenticate")
        assert [each.partition(" ")[0] for each in challenges] == ["Bearer", "Basic"]
        assert b"tcpa_" not in answer.data


def test_basic_opens_the_calendar_and_nothing_else(world: World) -> None:
    api = Api(world)
    for path in ("/v1/tasks", "/v1/approvals", "/v1/reports"):
        answer = api.ask(None, "GET", path, Authorization=basic("x", api.keys["dcc"]))
        refused(answer, 401, "credential-invalid")


def test_a_program_that_has_it_is_told_so(world: World) -> None:
    api = Api(world)
    api.granted()
    tag = api.ask("dcc", "GET", PATH).headers["ETag"]
    assert tag.startswith('W/"')
    world.clock.advance(timedelta(minutes=5))
    answer = api.ask("dcc", "GET", PATH, If_None_Match=tag)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert api.ask("manufacturer", "GET", PATH, If_None_Match=tag).status_code == 200
    assert world.clock.now() > NOW
