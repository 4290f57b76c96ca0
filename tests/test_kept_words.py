"""Words in rows, and what somebody has written there by hand: one bad row takes no page, and hides no other."""

from typing import Any

import pytest
from sqlalchemy import delete

from console import draft_form
from core.canonical import canonical
from core.kinds import DraftPart
from ra.applying import drafts
from ra.applying.change import change_application
from store.console_tables import application_drafts, draft_changes
from store.trial_tables import application_versions
from tests.api_world import Api
from tests.console_world import Pages
from tests.planting import change
from tests.test_console_applying import csrf, kept
from tests.test_console_changing import begun
from tests.world import World

BAD = {
    "no JSON": "not json",
    "a list": "[1]",
    "nothing": "null",
    "a text with a control": '"\\u0000"',
    "a text": '"x"',
    "pairs that are none": '[["a","b","c"]]',
    "beyond all bounds": "1e999",
    "without an end": "[" * 5_000,
    "a number": '{"purpose":5}',
    "an object inside": '{"purpose":{"a":"b"}}',
    "half a character": '{"purpose":"\\ud800"}',
    "longer than any": canonical({"purpose": "x" * 1_100_000}).decode(),
}
NUL = {"a control": "\x00"}
"""SQLite alone has room for it."""


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def planted(pages: Pages, table: Any, where: Any = None, **values: Any) -> None:
    with pages.desk.store.begin("plant") as tx:
        change(table, where, **values)(tx)


def values(pages: Pages) -> list[str]:
    return [*BAD.values(), *(NUL.values() if pages.api.world.url.startswith("sqlite") else ())]


def test_a_version_that_cannot_be_read_has_no_words_and_the_page_goes_on(pages: Pages) -> None:
    application = pages.api.applied()
    change_application(pages.desk, pages.actor("manufacturer"), application, {"maximum_devices": 66})
    place = f"/console/applications/{application}"
    assert "cannot be read" not in pages.get("officer-1", place).text
    for each in values(pages):
        planted(pages, application_versions, said=each)
        for who in ("officer-1", "manufacturer"):
            page = pages.get(who, place)
            assert page.status_code == 200, each[:40]
            assert "what it said then cannot be read" in page.text, each[:40]
        answer = pages.api.ask("officer-1", "GET", f"/v1/applications/{application}")
        assert answer.status_code == 200, each[:40]
        (told,) = (answer.json or {})["changes"]
        assert (told["members"], told["differences"], told["unreadable"]) == (["maximum_devices"], [], True), each[:40]


def test_a_draft_that_cannot_be_read_hides_no_other_and_is_thrown_away(pages: Pages) -> None:
    spoilt, whole = begun(pages, pages.api.applied()), begun(pages, pages.api.applied())
    name, c = spoilt.rpartition("/")[2], application_drafts.c
    for part in (DraftPart.DEVICE, DraftPart.CERTIFICATES):
        for each in values(pages):
            planted(pages, application_drafts, (c.draft == name) & (c.part == part), said=each)
            _hides_no_other(pages, spoilt, whole, each[:40])
        planted(pages, application_drafts, (c.draft == name) & (c.part == part), said="{}")
        assert pages.get("manufacturer", spoilt).status_code == 200
    with pages.desk.store.begin("plant") as tx:
        tx.connection.execute(delete(application_drafts).where(c.draft == name, c.part == DraftPart.DEVICE))
    _hides_no_other(pages, spoilt, whole, "a part that is gone")
    thrown = pages.post("manufacturer", f"{spoilt}/throwing-away", {"csrf_token": csrf(pages)})
    assert thrown.status_code == 303
    listed = pages.get("manufacturer", "/console/drafts").text
    assert "cannot be read" not in listed
    assert whole in listed


def _hides_no_other(pages: Pages, spoilt: str, whole: str, what: str) -> None:
    listed = pages.get("manufacturer", "/console/drafts")
    assert listed.status_code == 200, what
    assert listed.text.count("A draft that cannot be read any more") == 1, what
    assert f'action="{spoilt}/throwing-away"' in listed.text, what
    assert f'href="{whole}"' in listed.text, what
    for each in ("", "/check", "/trial", "/firmware"):
        page = pages.get("manufacturer", f"{spoilt}{each}")
        assert page.status_code == 409, (what, each)
        assert "Throw it away where your drafts are listed" in page.text, (what, each)
    sent = pages.post("manufacturer", f"{spoilt}/change", {"csrf_token": csrf(pages), "version": "1"})
    assert sent.status_code == 409, what


@pytest.mark.parametrize("row", ["2000000", "99999999999", "51", "x", "-1", "1.1", "", "٣"])
def test_no_more_rows_than_a_page_has_room_for_are_read(pages: Pages, row: str) -> None:
    place = begun(pages, pages.api.applied())
    c = application_drafts.c
    for part in (DraftPart.FIRMWARE, DraftPart.CERTIFICATES):
        said = canonical({f"{draft_form.ROWS[part][0]}.{row}": "1"}).decode()
        assert draft_form.how_many_rows(part, {f"{draft_form.ROWS[part][0]}.{row}": "1"}) == 0
        planted(pages, application_drafts, c.part == part, said=said)
        for each in ("", "/check", f"/{part}"):
            assert pages.get("manufacturer", f"{place}{each}").status_code == 200, each
        typed = {f"{name}.{row}": "1" for name in draft_form.ROWS[part]}
        assert kept(pages, place, part, typed).status_code == 303
        draft = drafts.draft(pages.desk, pages.actor("manufacturer"), place.rpartition("/")[2])
        assert draft.part(part).said == {}, "a browser's row is bounded as well"


@pytest.mark.parametrize("what", ["gone", "never there", "another organisation's"])
def test_a_change_is_begun_anew_in_the_place_of_one_that_nobody_can_go_on_with(pages: Pages, what: str) -> None:
    application = pages.api.applied()
    place = begun(pages, application)
    name, c = place.rpartition("/")[2], application_drafts.c
    rival = pages.actor("rival").organisation
    with pages.desk.store.begin("plant") as tx:
        if what == "gone":
            tx.connection.execute(delete(application_drafts).where(c.draft == name))
        elif what == "never there":
            change(draft_changes, draft="dft-nowhere")(tx)
        else:
            change(application_drafts, c.draft == name, organisation_id=rival)(tx)
    again = begun(pages, application)
    assert again != place
    assert pages.get("manufacturer", again).status_code == 200
    assert application in pages.get("manufacturer", again).text
    assert begun(pages, application) == again, "the one that is kept is gone on with"
