"""No page is without a measurement: `bench.pages` opens what the URL map has, by each who may; all else is no page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import pages as bench
from console.guard import OPEN
from tests.api_world import Api
from tests.browser_world import SAVED, things
from tests.console_world import Pages
from tests.test_console import MAY
from tests.world import World

ELSEWHERE = {403, 404}
"""What is answered where a file is asked for that was kept for somebody, and is not there or not for whoever asks."""


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def named(pages: Pages) -> dict[str, str]:
    return things(pages)


def test_every_page_is_opened_by_each_who_may_is_one_and_is_light() -> None:
    found = bench.measure(3, 12, times=1, alone=0.1)
    measured = {(each.page.endpoint, each.page.who) for each in found.pages}
    for endpoint, (said, who) in MAY.items():
        method, _, _ = said.partition(" ")
        if method == "GET" and endpoint not in SAVED and endpoint not in OPEN:
            assert {(endpoint, each) for each in who} <= measured, endpoint
    assert {endpoint for endpoint, _ in measured} >= OPEN - SAVED - {"offered", "come_in_as", "try_example"} - {
        "answer_passkey",
        "take_up",
    }
    assert [each for each in found.pages if each.octets >= bench.HEAVIEST] == []
    assert found.alone.waited
    assert found.meanwhile.waited


def test_what_is_not_measured_is_no_page(pages: Pages, named: dict[str, str]) -> None:
    asked = {each.endpoint for each in bench.asked(pages.app, named)}
    left_out = {rule.endpoint for rule in pages.app.url_map.iter_rules() if "GET" in (rule.methods or ())} - asked
    assert left_out <= SAVED
    for endpoint in sorted(left_out - {"assets"}):
        said, who = MAY[endpoint]
        place = said.partition(" ")[2].format(**named)
        answer = pages.get(next(iter(sorted(who)), "panel"), place)
        assert answer.status_code in ELSEWHERE or answer.mimetype != "text/html", endpoint


def test_a_new_page_is_measured_or_fails(pages: Pages, named: dict[str, str]) -> None:
    before = len(bench.asked(pages.app, named))
    another = Pages(pages.api)
    another.app.add_url_rule("/console/something", "something", lambda: "new")
    with pytest.raises(KeyError):
        bench.asked(another.app, named)
    another = Pages(pages.api)
    another.app.add_url_rule("/console/something/<identifier>", "check_anew", lambda: "new")
    with pytest.raises(AssertionError, match="does not know"):
        bench.asked(another.app, named)
    assert before == len(bench.asked(pages.app, named))
