"""Where pages lead whoever does not know them: what comes first, what is counted, and how it is proved elsewhere."""

from datetime import timedelta
from io import BytesIO

import pytest

from console.draft_form import part_of
from core.errors import Finding, Severity
from policy.section_f.application import APPLICATION_RULES
from policy.section_f.assurance import ASSURANCE_RULES
from tests.api_world import Api
from tests.console_world import Pages
from tests.deployments_world import csv_of, deployed
from tests.test_console_working import form
from tests.world import World

ANYWHERE = {"device-name-unprintable", "name-unprintable", "example-value"}
"""Codes of what may stand in any part of an application."""

CODES = {each.code for each in APPLICATION_RULES} | {each.code for each in ASSURANCE_RULES}


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def reported(pages: Pages, approval: str, devices: int) -> str:
    octets = csv_of([deployed(number, approval) for number in range(1, devices + 1)])
    fields = {**form(pages, "dcc"), "file": (BytesIO(octets), "devices.csv")}
    return pages.post("dcc", "/console/deployments", fields).text


@pytest.mark.clause("F2.21(d)")
def test_whoever_reports_devices_and_whose_they_are_see_that_they_are_too_many(pages: Pages) -> None:
    approval = pages.api.granted(maximum_devices=2)
    pages.api.world.clock.instant += timedelta(days=7)
    pages._browsers.clear()  # sessions of before are over
    place = f"/console/approvals/{approval}"
    assert "0 of at most 2 are deployed" in pages.get("manufacturer", place).text
    told = reported(pages, approval, 2)
    assert f'href="{place}"' in told
    assert "2 of at most 2" in told
    assert "A breach is suspected" not in told
    assert "A breach is suspected" in reported(pages, approval, 3)
    for who in ("manufacturer", "dcc"):
        page = pages.get(who, place).text
        assert "3 of at most 2 are deployed" in page, who
        assert "Above the limit" in page
    assert pages.get("rival", place).status_code == 404
    assert "are deployed" not in pages.get("panel", place).text


def test_what_somebody_waits_for_comes_before_what_is_only_to_be_known(pages: Pages) -> None:
    approval = pages.api.granted(maximum_devices=2)
    pages.api.world.clock.instant += timedelta(days=7)
    pages._browsers.clear()
    reported(pages, approval, 3)
    home = pages.get("officer-1", "/console/home").text
    assert 0 < home.index("Breach suspected") < home.index("Decision to witness")


def test_whom_nothing_waits_for_is_led_to_apply(pages: Pages) -> None:
    home = pages.get("manufacturer", "/console/home").text
    assert 'href="/console/drafts">Apply for a Trial Device Approval' in home
    assert "/console/drafts" not in pages.get("panel", "/console/home").text


def test_a_decision_says_how_it_is_proved_elsewhere(pages: Pages) -> None:
    approval = pages.api.granted()
    decided = (
        pages.get("auditor", "/console/decisions").text.partition('href="/console/decisions/')[2].partition('"')[0]
    )
    page = pages.get("auditor", f"/console/decisions/{decided}").text
    assert f'href="/console/journal?q={decided}"' in page
    assert f"trialcpa-verify decision dossier/decisions/{decided} --root root.cer" in page
    assert f'href="/console/approvals/{approval}/dossier"' in page
    journal = pages.get("auditor", f"/console/journal?q={decided}").text
    assert "Decision seconded" in journal


@pytest.mark.parametrize(
    ("place", "page"),
    [("/console/deployments", "Reports"), ("/console/contacts", "Notices"), ("/console/home", "Home")],
)
def test_a_page_says_where_one_is(pages: Pages, place: str, page: str) -> None:
    who = "manufacturer" if page == "Notices" else "dcc"
    _, _, behind = pages.get(who, place).text.partition(' aria-current="')
    assert behind.partition(">")[2].partition("<")[0] == page


@pytest.mark.parametrize("code", sorted(CODES - ANYWHERE))
def test_each_finding_leads_to_where_it_is_mended(code: str) -> None:
    found = Finding(code=code, clause="F2.18", severity=Severity.FATAL, detail="It is wrong.")
    assert part_of(found) is not None
