"""Files of many in a browser: each line answered, the result kept for an hour for whoever sent it, and nobody else."""

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

from app.kept_results import KEPT_SECONDS, MOST_KEPT, KeptResults
from tests.api_world import Api
from tests.console_world import Pages
from tests.test_console import HOSTILE
from tests.test_cpl_list import HEADER, changed
from tests.test_workbook import book
from tests.world import World

_LINK = 'class="button" href="'


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def approval(pages: Pages) -> str:
    return pages.api.granted()


def sent(pages: Pages, place: str, octets: bytes, who: str = "dcc") -> Any:
    csrf = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    return pages.post(who, place, {"csrf_token": csrf, "file": (BytesIO(octets), "x.csv")})


def link(page: str) -> str:
    return page.partition(_LINK)[2].partition('"')[0]


def questions(*rows: list[str]) -> list[list[str]]:
    return [["approval", "device_id", "at"], *rows]


def as_csv(rows: list[list[str]]) -> bytes:
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_each_line_is_answered_and_all_of_them_can_be_saved(pages: Pages, approval: str, form: str) -> None:
    rows = questions([approval], ["TDT-2027-0999-X"], ["=cmd|' /C calc'!A0"], [approval, "", "2026-01-01T00:00:00Z"])
    answer = sent(pages, "/console/verify/file", as_csv(rows) if form == "csv" else book(*rows))
    assert answer.status_code == 200
    assert "0 of 4 lines are covered" in answer.text, "the trial begins tomorrow"
    assert "2 that could not be asked about" in answer.text
    assert answer.text.index("Not asked") < answer.text.index("Not covered"), "what needs somebody comes first"
    saved = pages.get("dcc", link(answer.text))
    assert saved.headers["Content-Disposition"] == "attachment; filename=answers.csv"
    cells = list(csv.DictReader(StringIO(saved.data.decode("utf-8-sig"))))
    assert [each["line"] for each in cells] == ["2", "3", "4", "5"]
    # A spreadsheet takes it for text; in a workbook it was a formula, and has no result.
    assert cells[2]["asked_approval"].startswith("\N{NO-BREAK SPACE}=") is (form == "csv")
    assert [bool(each["problem"]) for each in cells] == [False, True, True, False]
    assert pages.get("panel", link(answer.text)).status_code == 404, "it is another's"


def test_what_is_covered_is_counted(pages: Pages, approval: str) -> None:
    before = pages.api.world.clock.instant
    pages.api.world.clock.instant += timedelta(days=2)
    pages._browsers.clear()
    try:
        pages.api.mirror.follow()
        answer = sent(pages, "/console/verify/file", as_csv(questions([approval], [approval])))
        assert "2 of 2 lines are covered" in answer.text
        day = f"{pages.api.world.clock.instant:%d %B %Y}"
        dated = sent(pages, "/console/verify/file", f"approval,at\n{approval},{day}\n{approval},3 May 2026\n".encode())
        assert "1 of 2 lines are covered" in dated.text, "this day means now; before it was granted nothing was"
        assert "had not been granted" in dated.text
    finally:
        pages.api.world.clock.instant = before
        pages._browsers.clear()
        pages.api.mirror.follow()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00\x01\x02",
        b"PK\x03\x04nothing",
        b"%PDF-1.7",
        HOSTILE.encode(),
        as_csv([["approval", "approval"], ["a", "b"]]),
        as_csv(questions(*[["TDT-2027-0001-X"]] * 10_001)),
    ],
    ids=["empty", "octets", "no workbook", "another kind", "no header", "twice", "too many"],
)
def test_what_is_no_file_of_questions_is_told(pages: Pages, approval: str, octets: bytes) -> None:
    assert approval
    answer = sent(pages, "/console/verify/file", octets)
    assert answer.status_code == 422
    assert "Nothing was done" in answer.text
    assert "<script>alert" not in answer.text


def test_a_number_in_a_workbook_is_answered_with_doubt(pages: Pages) -> None:
    rows: list[list[object]] = [["serial"], [12]]
    assert "leading zeros may be lost" in sent(pages, "/console/verify/file", book(*rows)).text


def test_a_compared_list_can_be_saved_marked_by_whoever_sent_it(pages: Pages, approval: str) -> None:
    rows = [HEADER, changed(approval=approval, model="=1+1"), changed(approval="TDT-2027-0999-X")]
    answer = sent(pages, "/console/list/reconciliation", as_csv(rows), "panel")
    assert answer.status_code == 200
    saved = pages.get("panel", link(answer.text))
    assert saved.headers["Content-Disposition"] == "attachment; filename=list-marked.xlsx"
    assert saved.data[:2] == b"PK"
    assert pages.get("officer-1", link(answer.text)).status_code == 404, "it is another's"
    assert pages.get("dcc", link(answer.text)).status_code == 403
    assert pages.get("panel", "/console/list/reconciliation/..%2f..%2fconsole.key").status_code == 404


def test_results_are_kept_for_an_hour_and_not_more_than_so_many(world: World, tmp_path: Path) -> None:
    kept = KeptResults(tmp_path / "results", world.machine)
    first = kept.keep("jane", b"first")
    assert kept.found("jane", first) == b"first"
    assert kept.found("john", first) is None
    assert {each.stat().st_mode & 0o777 for each in kept.folder.iterdir()} == {0o600}
    world.machine.instant += timedelta(seconds=KEPT_SECONDS + 1)
    assert kept.found("jane", first) is None
    names = [kept.keep("jane", b"x") for _ in range(MOST_KEPT + 3)]
    assert len(list(kept.folder.iterdir())) == MOST_KEPT, "the old one is gone, and the oldest of these"
    assert kept.found("jane", names[-1]) == b"x"
    assert kept.keep("jane", bytes(64 * 1024 * 1024 + 1)) == ""
    kept.folder.joinpath("x").write_bytes(b"")
    assert KeptResults(kept.folder / "x" / "y", world.machine).keep("jane", b"x") == "", "no folder, and no page fails"


def test_a_result_is_kept_while_another_process_sweeps_and_for_an_hour_by_any_clock(
    world: World, tmp_path: Path
) -> None:
    kept = KeptResults(tmp_path / "results", world.machine)
    kept.folder.mkdir()
    kept.folder.joinpath("gone").symlink_to(tmp_path / "nothing")  # as whatever is removed between list and look
    name = kept.keep("jane", b"x")
    assert kept.found("jane", name) == b"x"
    world.machine.instant -= timedelta(seconds=KEPT_SECONDS + 1)
    assert kept.found("jane", name) is None, "a clock that goes back keeps nothing for longer"
    assert kept.found("jane", kept.keep("jane", b"y")) == b"y"
    assert len([each for each in kept.folder.iterdir() if each.is_file()]) == 1
