"""Long lists without a cursor: each row is on one page, each page is light, and what is no place shows the first."""

import re
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bench.pages import HEAVIEST
from bench.report import plant_approvals
from console.portion import ROWS, portion
from ra.meeting.agenda import place_on_agenda
from ra.meeting.meetings import CallMeeting, call_meeting
from store.tables import applications
from tests.api_world import Api
from tests.console_world import Pages
from tests.world import OFFICER_1, World

MANY = 130
_FURTHER = re.compile(r'<nav class="pages".*?</nav>', re.DOTALL)
_LINK = re.compile(r'<a href="([^"]+)">Next</a>')


def waiting(world: World, many: int) -> list[str]:
    """Applications that wait to be decided, alike but for their names."""
    first = world.applied()
    with world.store.begin("plant") as tx:
        row = dict(tx.connection.execute(select(applications).where(applications.c.id == first)).mappings().one())
        named = [f"{first[:-4]}{number:04x}" for number in range(many)]
        tx.connection.execute(insert(applications), [{**row, "id": each} for each in named if each != first])
    return sorted({first, *named})


def walked(pages: Pages, who: str, place: str) -> list[str]:
    """Every page from one on, as its links to the next lead."""
    found = list[str]()
    while place:
        answer = pages.get(who, place)
        assert answer.status_code == 200
        weight = len(answer.data) + sum(
            len(each.read_bytes()) for each in Path(pages.app.root_path, "assets").iterdir()
        )
        assert weight < HEAVIEST
        found.append(answer.text)
        assert len(found) < 20, "it leads in circles"
        links = [_LINK.search(each) for each in _FURTHER.findall(answer.text)]
        place = next((each[1].replace("&amp;", "&") for each in links if each), "")
    return found


def of_main(page: str) -> str:
    return page.partition("<main")[2]


def test_what_waits_stands_on_one_page_each_and_is_placed_from_any(world: World) -> None:
    named = waiting(world, MANY)
    pages = Pages(Api(world))
    home = walked(pages, "officer-1", "/console/home")
    assert len(home) == -(-len(named) // ROWS)
    for each in named:
        assert [of_main(page).count(f'href="/console/applications/{each}"') for page in home].count(1) == 1, each
    last = pages.get("officer-1", f"/console/home?from={2 * ROWS}").text
    assert f'<a href="/console/home?from={ROWS}">Previous</a>' in last
    assert '<a href="/console/home">Previous</a>' in home[1], "the first has no number"

    of = call_meeting(world.desk, OFFICER_1, CallMeeting("SSC 34", date(2027, 2, 3))).meeting
    place = f"/console/meetings/{of}"
    offered = walked(pages, "officer-1", place)
    assert sorted(each for page in offered for each in re.findall('name="subject" value="([^"]+)"', page)) == named
    place_on_agenda(world.desk, OFFICER_1, of, named)
    agenda = walked(pages, "officer-1", place)
    numbers = [int(each) for page in agenda for each in re.findall(r">([0-9]+)\. An application<", page)]
    assert numbers == list(range(1, len(named) + 1))


@pytest.mark.parametrize("said", ["", "-1", "9999999999", "0x1", "\u0665\u0660", f"{MANY}", "1e3"])
def test_what_is_no_place_in_a_list_is_its_beginning(world: World, said: str) -> None:
    pages = Pages(Api(world))
    with pages.app.test_request_context("/console/home", query_string={"from": said}):
        found = portion(range(MANY), "from")
    assert (found.begin, found.before, found.following, found.whole) == (0, None, ROWS, MANY)
    assert list(found.rows) == list(range(ROWS))


def test_each_approval_of_a_report_is_on_one_of_its_pages(world: World) -> None:
    if world.store.dialect != "sqlite":
        return  # planted in its file
    identifiers = plant_approvals(world, world.granted(), MANY)
    shown = walked(Pages(Api(world)), "dcc", "/console/reports/2027-01")
    assert len(shown) > 1
    for each in identifiers:
        assert sum(len(re.findall(f'<th scope="row"><a [^>]*>{each}<', page)) for page in shown) == 1, each
