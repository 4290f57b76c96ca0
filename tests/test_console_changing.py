"""A Manufacturer changes what it has sent: begun from what it says, kept, checked; what is stale is said kindly."""

import os
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest

from console import draft_form
from core.kinds import DraftPart
from ra.applying import changing, drafts
from ra.applying.change import change_application
from ra.applying.look import application as application_of
from ra.applying.views import ApplicationAnswer
from ra.reporting.report import month_of
from tests.api_world import Api, done
from tests.browser_world import HEIGHT, MIDDLE, NARROW, WIDE, chromium, listening, saved, seen_by
from tests.console_world import Pages
from tests.test_console import HOSTILE
from tests.test_console_applying import csrf, kept
from tests.world import DEVICE, World

_LOOK = os.environ.get("TRIALCPA_SCREENSHOTS", "")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def said(pages: Pages, application: str) -> ApplicationAnswer:
    return application_of(pages.desk, pages.actor("admin"), application)


def begun(pages: Pages, application: str) -> str:
    answer = pages.post("manufacturer", f"/console/applications/{application}/change", {"csrf_token": csrf(pages)})
    assert answer.status_code == 303
    return str(answer.location)


def sending(pages: Pages, place: str) -> dict[str, str]:
    page = pages.get("manufacturer", f"{place}/check").text
    return {"csrf_token": csrf(pages), **pages.fields(page, f"{place}/change")}


def trial(pages: Pages, place: str, **changed: str) -> dict[str, str]:
    held = drafts.draft(pages.desk, pages.actor("manufacturer"), place.rpartition("/")[2]).part(DraftPart.TRIAL).said
    return {**held, **changed}


def test_what_was_sent_is_changed_and_officers_see_what_it_said_before(pages: Pages) -> None:
    application = pages.api.applied(gbcs_version="4.2")
    shown = pages.get("manufacturer", f"/console/applications/{application}").text
    assert "Change the application" in shown
    assert "Change the application" not in pages.get("officer-1", f"/console/applications/{application}").text
    place = begun(pages, application)
    assert begun(pages, application) == place, "the one that is kept is gone on with"
    assert pages.get("manufacturer", place).text.count("Done") >= 4
    assert "says that already" in pages.get("manufacturer", f"{place}/check").text
    before = said(pages, application)
    changed = trial(pages, place, maximum_devices="77", purpose=HOSTILE)
    assert kept(pages, place, DraftPart.TRIAL, changed).location == place
    assert said(pages, application) == before, "what is kept is nobody's act"
    check = pages.get("manufacturer", f"{place}/check").text
    assert ">500</td>" in check
    assert ">77</td>" in check
    assert "<script>alert" not in check
    form = sending(pages, place)
    sent = pages.post("manufacturer", f"{place}/change", form)
    assert sent.location == f"/console/applications/{application}#versions"
    assert pages.post("manufacturer", f"{place}/change", form).location == sent.location, "twice is once"
    assert pages.get("manufacturer", place).status_code == 404
    now = said(pages, application)
    assert (now.version, now.maximum_devices, now.firmware, now.device) == (2, 77, before.firmware, before.device)
    assert now.changes[0].members == ("maximum_devices", "purpose")
    assert {each.subject: (each.before, each.after) for each in now.changes[0].differences} == {
        "most devices": ("500", "77"),
        "purpose": (before.purpose, now.purpose),
    }
    page = pages.get("officer-1", f"/console/applications/{application}").text
    assert "Version 2 beside version 1" in page
    assert ">77</td>" in page


def test_each_thing_that_it_says_is_written_into_the_form_and_read_from_it_again(pages: Pages) -> None:
    """A change of nothing is one of nothing: what was begun and sent untouched makes no version."""
    day = "2026-05-04"
    named = {"scheme": "ZigBee", "certificate": "Z-1", "manufacturer": "AB01", "model": DEVICE.model, "issued_on": day}
    cpa = {"certificate": "CPA-1", "manufacturer": "AB01", "model": "other", "issued_on": day, "expires_on": day}
    application = pages.api.applied(assurance=[named], earlier_cpa=cpa, contact="notices@acme.example")
    place = begun(pages, application)
    sent = pages.post("manufacturer", f"{place}/change", sending(pages, place))
    assert sent.status_code == 303
    assert "nothing was changed" in pages.get("manufacturer", str(sent.location)).text
    assert said(pages, application).version == 1
    assert said(pages, application).changes == ()


def test_of_two_who_change_it_the_second_is_told_and_sees_both(pages: Pages, world: World) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    kept(pages, place, DraftPart.TRIAL, trial(pages, place, maximum_devices="77"))
    stale = sending(pages, place)
    world.clock.instant += timedelta(seconds=5)
    change_application(pages.desk, pages.actor("manufacturer"), application, {"maximum_devices": 66})
    told = pages.post("manufacturer", f"{place}/change", stale)
    assert told.status_code == 409
    assert "it is not as you read it" in told.text
    assert "It has been changed since you began" in told.text
    assert ">66</td>" in told.text
    assert ">77</td>" in told.text
    assert said(pages, application).maximum_devices == 66
    fresh = pages.fields(told.text, f"{place}/change")
    assert pages.post("manufacturer", f"{place}/change", {"csrf_token": csrf(pages), **fresh}).status_code == 303
    assert (said(pages, application).maximum_devices, said(pages, application).version) == (77, 3)


@pytest.mark.parametrize("version", ["", "0", "2", "9" * 30, "-1", "\N{SUPERSCRIPT TWO}"])
def test_a_form_that_names_no_version_that_stands_changes_nothing(pages: Pages, version: str) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    kept(pages, place, DraftPart.TRIAL, trial(pages, place, maximum_devices="77"))
    form = {**sending(pages, place), "version": version}
    assert pages.post("manufacturer", f"{place}/change", form).status_code == 409
    assert said(pages, application).version == 1


def test_what_is_proposed_meanwhile_is_not_changed_and_what_was_typed_stays(pages: Pages) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    kept(pages, place, DraftPart.TRIAL, trial(pages, place, maximum_devices="77"))
    form = sending(pages, place)
    pages.api.proposed(kind="grant", application=application)
    told = pages.post("manufacturer", f"{place}/change", form)
    assert told.status_code == 409
    assert "A decision about it has been proposed" in told.text
    assert "Send the change" not in told.text
    page = pages.get("manufacturer", f"{place}/check").text
    assert "It cannot be changed any more" in page
    assert 'value="77"' in pages.get("manufacturer", f"{place}/trial").text
    assert "Change the application" not in pages.get("manufacturer", f"/console/applications/{application}").text
    again = pages.post("manufacturer", f"/console/applications/{application}/change", {"csrf_token": csrf(pages)})
    assert again.status_code == 422
    assert said(pages, application).maximum_devices == 500
    assert pages.post("manufacturer", f"{place}/throwing-away", {"csrf_token": csrf(pages)}).status_code == 303


def test_a_draft_of_a_change_is_its_organisations_alone_and_makes_no_application(pages: Pages) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    form = {"csrf_token": csrf(pages, "rival"), "fresh": "A" * 22, "version": "1"}
    assert pages.post("rival", f"/console/applications/{application}/change", form).status_code == 404
    assert pages.post("rival", f"{place}/change", form).status_code == 404
    own = {"csrf_token": csrf(pages), "fresh": "B" * 22}
    assert pages.post("manufacturer", f"{place}/check", own).status_code == 404, "it is no application of its own"
    new = str(pages.post("manufacturer", "/console/drafts", {"csrf_token": csrf(pages)}).location)
    assert pages.post("manufacturer", f"{new}/change", {**own, "version": "1"}).location == f"{new}/check"
    assert said(pages, application).version == 1


def test_one_that_is_incomplete_or_could_never_be_granted_is_not_sent(pages: Pages) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    form = sending(pages, place)
    kept(pages, place, DraftPart.TRIAL, trial(pages, place, maximum_devices="0"))
    assert "Fatal" in pages.get("manufacturer", f"{place}/check").text
    assert pages.post("manufacturer", f"{place}/change", form).status_code == 422
    kept(pages, place, DraftPart.TRIAL, trial(pages, place, maximum_devices="many"))
    assert pages.post("manufacturer", f"{place}/change", form).location == f"{place}/check"
    assert "It is not complete" in pages.get("manufacturer", f"{place}/check").text
    assert said(pages, application).version == 1


def test_what_has_more_rows_than_a_form_is_changed_elsewhere(pages: Pages) -> None:
    many = [{"version": f"{n:08}", "image_sha256": f"{n:064x}"} for n in range(1, 52)]
    application = pages.api.applied(firmware=many)
    told = pages.post("manufacturer", f"/console/applications/{application}/change", {"csrf_token": csrf(pages)})
    assert told.status_code == 422
    assert "51" in told.text
    assert "/v1/applications" in told.text


def test_further_files_are_attached_to_what_was_sent(pages: Pages) -> None:
    application = pages.api.applied()
    for number in range(2):
        body = b"%PDF-1.7\n" + str(number).encode() + b"\n%%EOF\n"
        form = {"csrf_token": csrf(pages), "fresh": f"{number}" * 22, "file": (BytesIO(body), f"{number}.pdf")}
        assert pages.post("manufacturer", f"/console/applications/{application}/files", form).status_code == 303
    assert {each.name for each in said(pages, application).evidence} == {"0.pdf", "1.pdf"}


@pytest.mark.parametrize("place", ["/console/applications/{application}/files", "/console/reports/{month}/files"])
def test_a_script_that_shows_how_far_a_file_is_goes_on_by_itself(pages: Pages, place: str) -> None:
    """It must not follow by itself, or it would eat what is said there: it is told where to go, with 200."""
    address = place.format(application=pages.api.applied(), month=month_of(pages.desk.clock.now()))
    who = "dcc" if "reports" in place else "manufacturer"
    token = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    form = {"csrf_token": token, "fresh": "A" * 22, "file": (BytesIO(b"%PDF-1.7\n1\n%%EOF\n"), "a.pdf")}
    sent = pages.browser(who).post(address, base_url=pages.origin, data=form, headers={"X-Goes-On": "yes"})
    assert sent.status_code == 200
    assert "a.pdf is attached" in pages.get(who, sent.headers["Location"]).text


def test_the_service_takes_the_version_that_was_read(pages: Pages) -> None:
    api, application = pages.api, pages.api.applied()
    place = f"/v1/applications/{application}"
    assert api.ask("manufacturer", "PATCH", place, {"version": 2, "purpose": "No."}).status_code == 409
    assert api.ask("manufacturer", "PATCH", place, {"version": 1}).status_code == 400, "it changes nothing"
    assert done(api.ask("manufacturer", "PATCH", place, {"version": 1, "purpose": "Yes."}))["version"] == 2
    listed = done(api.ask("manufacturer", "GET", place))["changes"]
    assert listed[0]["differences"][0]["after"] == "Yes."


def test_the_check_of_a_change_and_the_versions_are_drawn_for_everybody(world: World) -> None:
    """axe-core, both schemes, 360 pixels: with names from hostile hands, overtaken by somebody else's change."""
    if not world.url.startswith("sqlite"):
        pytest.skip("a browser draws the same whatever is behind")
    with listening(Api(world)) as pages, chromium() as browser:
        application = pages.api.applied(purpose=HOSTILE)
        maker = pages.actor("manufacturer")
        name = changing.begin_change(pages.desk, maker, application, draft_form.written)
        held = drafts.draft(pages.desk, maker, name).part(DraftPart.TRIAL).said
        written = {**held, "maximum_devices": "77", "purpose": f"{HOSTILE} twice"}
        assert drafts.keep_part(pages.desk, maker, name, DraftPart.TRIAL, written, version=1)
        change_application(pages.desk, maker, application, {"maximum_devices": 66, "contact": "a@acme.example"})
        for who, place, sees in (
            ("manufacturer", f"/console/drafts/{name}", "A change of your application"),
            ("manufacturer", f"/console/drafts/{name}/check", "It has been changed since you began"),
            ("officer-1", f"/console/applications/{application}", "Version 2 beside version 1"),
            ("manufacturer", f"/console/applications/{application}", "Change the application"),
        ):
            with seen_by(browser, pages, who) as seen:
                seen.open(place)
                assert sees in seen.page.content()
                for scheme in SCHEMES:
                    seen.page.emulate_media(color_scheme=scheme)
                    for width in (NARROW, MIDDLE, WIDE):
                        seen.page.set_viewport_size({"width": width, "height": HEIGHT})
                        assert seen.wider() == [], (place, width)
                        if _LOOK:
                            saved(seen.page, Path(_LOOK, f"changing-{who}-{place.count('/')}-{width}-{scheme}.png"))
                    assert seen.axe() == [], (place, scheme)
                assert seen.complaints == []
