"""Words in rows, and what somebody has written there by hand: one bad row takes no page, and hides no other."""

from typing import Any

import pytest

from core.canonical import canonical
from ra.applying.change import change_application
from store.trial_tables import application_versions
from tests.api_world import Api
from tests.console_world import Pages
from tests.planting import change
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
