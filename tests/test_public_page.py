"""The public page: what is White, in UTC and in UK time, and nothing that could run or tell more."""

import base64
import hashlib
import re
from html import unescape

import pytest

from core.approval import Device, EndCause
from tests.status_plane import Answered, Plane, max_age
from tests.status_world import API_KEY, EXPIRY, NOON, SECOND, START


@pytest.fixture
def plane() -> Plane:
    return Plane()


def readable(answered: Answered) -> str:
    body = re.sub(r"<style>.*?</style>", "", answered.body.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_page_shows_what_is_white_in_utc_and_uk_time_and_nothing_else(plane: Plane) -> None:
    identifier = plane.world.grant(maximum=12345)
    plane.world.deploy(identifier, "00-DB-12-34-56-78-90-01")
    answered = plane.ask("GET", f"/approvals/{identifier}")
    assert (answered.status, answered.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    shown = readable(answered)
    for fact in (
        identifier,
        "Active",
        "Firmware 0002012F",
        "Granted ",
        "Certificate 1, from 4 January 2027",
        "TEST",
        "ESME",
        "AB01",
        "010A030B",
        "4 January 2027, 00:00:00 UTC",
    ):
        assert fact in shown
    assert "30 June 2027, 23:59:59 UTC" in shown
    assert "00:59:59 BST on 1 July 2027" in shown
    assert "00:00:00 GMT on 4 January 2027" in shown
    everything = answered.body.decode()
    assert everything.count("<svg ") == 1
    for secret in ("Secret Meters", "org-1", "12345", "ab" * 32, "00-DB", API_KEY, "<script"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("cause", "shown"),
    [(EndCause.SSC, "Cancelled"), (EndCause.BREACH, "Cancelled"), (EndCause.MANUFACTURER, "Withdrawn")],
)
def test_the_page_tells_that_an_approval_has_ended_and_when_and_not_why(
    plane: Plane, cause: EndCause, shown: str
) -> None:
    identifier = plane.world.grant()
    plane.world.end(identifier, NOON, cause)
    page = readable(plane.ask("GET", f"/approvals/{identifier}"))
    assert shown in page
    assert "Ended 1 February 2027, 12:00:00 UTC" in page
    assert "breach" not in page.lower()


def test_the_page_agrees_with_the_state_at_every_boundary(plane: Plane) -> None:
    identifier = plane.world.grant()
    waiting = plane.world.grant(7, issue=False)
    for instant, shown in (
        (START - SECOND, "Not yet started"),
        (START, "Active"),
        (EXPIRY, "Active"),
        (EXPIRY + SECOND, "Expired"),
    ):
        plane.clock.instant = instant
        answered = plane.ask("GET", f"/approvals/{identifier}")
        assert shown in readable(answered)
        assert max_age(answered) <= 60
        assert instant != EXPIRY or max_age(answered) == 0
    plane.clock.instant = NOON
    assert "Active" not in readable(plane.ask("GET", f"/approvals/{waiting}"))
    assert "not recorded" in readable(plane.ask("GET", f"/approvals/{waiting}"))


def test_the_page_allows_one_style_no_script_and_escapes_what_it_shows(plane: Plane) -> None:
    identifier = plane.world.grant(device=Device("ESME", '<script>"', "&amp;<b>", "'"))
    answered = plane.ask("GET", f"/approvals/{identifier}")
    body = answered.body.decode()
    assert "<script" not in body
    assert "<b>" not in body
    assert "&amp;amp;&lt;b&gt;" in body
    styles = re.findall(r"<style>(.*?)</style>", body, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert answered.headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert len(styles) == 1
    assert "style=" not in body
    assert answered.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_or_mistyped_approval_is_a_page_that_says_so(plane: Plane) -> None:
    for asked in ("TDT-2027-0042-5", "TDT-2027-0042-6", "<script>alert(1)</script>".replace("/", ""), "\xff" * 500):
        answered = plane.ask("GET", f"/approvals/{asked}")
        assert answered.status == 404
        assert "Unknown" in readable(answered)
        assert "<script" not in answered.body.decode()
    assert "0042-5" not in plane.ask("GET", "/approvals/TDT-2027-0042-6").body.decode()
