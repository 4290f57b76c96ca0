"""The Panel's list comes back marked: each line where it stood, what differs coloured, commented and said in words."""

import tracemalloc
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from core.cpl import TRIAL_MARKER
from documents import marked_list
from documents.marked_list import LAST_COLUMN, Mark, MarkedSheet, Tint, marked_xlsx
from ra.telling.reconcile import reconcile_marked
from tests.test_cpl_list import HEADER, START, changed, right, table, trial
from tests.test_workbook import book
from tests.world import PANEL, World

__all__ = ["trial"]

AT = datetime(2027, 2, 1, tzinfo=UTC)


def opened(octets: bytes) -> Any:
    return openpyxl.load_workbook(BytesIO(octets))


def colour(cell: Any) -> str:
    return str(cell.fill.fgColor.rgb) if cell.fill.patternType else ""


@pytest.mark.clause("F2.27")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_differs_is_marked_where_it_stands(trial: tuple[World, str], form: str) -> None:
    world, approval = trial
    one, _ = right(approval)
    one[HEADER.index("Model")] = "OTHER"
    rows = [one, changed(approval="TDT-2027-0999-X", model="N"), ["", "no", "", "ESME", "X", "=1+1", "1", "2", ""]]
    titled = [["Central Products List"], HEADER, *rows]
    octets = table(*rows).encode() if form == "csv" else book(*titled)
    told, made = reconcile_marked(world.desk, PANEL, octets)
    assert (len(told.wrong), len(told.unknown), len(told.missing)) == (1, 1, 1)
    sheet, legend = opened(made).worksheets
    begin = 1 if form == "csv" else 2
    assert [each.value for each in sheet[begin]] == [*HEADER, LAST_COLUMN]
    model, last = sheet.cell(begin + 1, HEADER.index("Model") + 1), len(HEADER) + 1
    assert model.value == "OTHER"
    assert colour(model) == marked_list._COLOURS[Tint.WRONG]
    assert model.comment.text == "Model: should be “010A030B”."
    assert sheet.cell(begin + 1, last).value == model.comment.text
    assert colour(sheet.cell(begin + 1, 1)) == "", "what is right is not coloured"
    assert {colour(each) for each in sheet[begin + 2][:-1]} == {marked_list._COLOURS[Tint.UNKNOWN]}
    formula = sheet.cell(begin + 3, HEADER.index("Model") + 1)
    assert (formula.value, formula.quotePrefix) == ("=1+1" if form == "csv" else None, True), "one has no result here"
    assert formula.data_type != "f"
    added = [each.value for each in sheet[begin + 4]]
    assert added[:3] == [approval, TRIAL_MARKER, told.missing[0].expiry.date().isoformat()]
    assert added[-1].startswith("Add this line. Instruction ")
    assert {colour(each) for each in sheet[begin + 4]} == {marked_list._COLOURS[Tint.MISSING]}
    assert sheet.freeze_panes == f"A{begin + 1}"
    assert {colour(each[0]) for each in legend.iter_rows(min_row=2, max_col=1)} == set(marked_list._COLOURS.values())


def test_what_ended_is_to_be_taken_off_and_what_cannot_be_read_is_said(trial: tuple[World, str]) -> None:
    world, approval = trial
    rows = [
        *right(approval),
        changed(approval=approval, firmware_version="9"),
        changed(approval=approval, expiry="soon"),
    ]
    told, made = reconcile_marked(world.desk, PANEL, table(*rows).encode())
    sheet = opened(made).worksheets[0]
    assert told.gone
    assert sheet.cell(told.gone[0].line, len(HEADER) + 1).value.startswith("Take it off the list. ")
    unread = sheet.cell(5, HEADER.index("Expiry") + 1)
    assert colour(unread) == marked_list._COLOURS[Tint.UNREAD]
    assert unread.comment.text == told.unreadable[0].sentence
    assert world.clock.now() == START


def test_a_long_list_has_the_lines_that_differ_in_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {number: [f"cell {number}", "b"] for number in range(1, 11)}
    sheet = MarkedSheet(
        header=1, rows=rows, marks={7: [Mark(Tint.GONE, "Gone.")], 12: [Mark(Tint.UNREAD, "?")]}, missing=()
    )
    whole = opened(marked_xlsx(sheet, at=AT)).worksheets[0]
    assert [whole.cell(number, 1).value for number in (1, 2, 7, 10)] == ["cell 1", "cell 2", "cell 7", "cell 10"]
    assert whole.cell(12, 3).value == "?"
    monkeypatch.setattr(marked_list, "MOST_CELLS", 19)
    monkeypatch.setattr(marked_list, "MOST_COMMENTS", 0)
    part = opened(marked_xlsx(sheet, at=AT))
    list_, legend = part.worksheets
    assert [list_.cell(number, 1).value for number in (1, 2, 7, 10)] == ["cell 1", None, "cell 7", None]
    assert "left empty here" in str(legend.cell(legend.max_row, 1).value)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (1, {1: ["a", "b"], 2: ["x"] * 20_000}),
        (1, {1: ["x"] * 20_000, 2: ["a", "b"]}),
        (1, {1: ["x"] * 100, 100_000: ["a", "b"]}),
        (2, {2: ["a", "b"], 1_048_576: ["a", "b"]}),
    ],
    ids=["a wide line", "a wide header", "far below", "the last line of all"],
)
def test_a_list_of_few_cells_costs_little_wherever_they_stand(header: int, rows: dict[int, list[str]]) -> None:
    last = max(rows)
    marks = {last: [Mark(Tint.GONE, "Gone."), Mark(Tint.WRONG, "No.", 19_999), Mark(Tint.WRONG, "Nor.", 1)]}
    missing = [(["m"] * len(rows[header]), "Add this line.")]
    tracemalloc.start()
    made = marked_xlsx(MarkedSheet(header=header, rows=rows, marks=marks, missing=missing), at=AT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
    sheets = opened(made).worksheets
    width = min(marked_list.MOST_COLUMNS, max(map(len, rows.values())))
    assert sheets[0].cell(last, 1).value == rows[last][0]
    assert sheets[0].cell(last, width + 1).value == "Gone. No. Nor."
    assert [each.comment.text for each in sheets[0][last] if each.comment] == ["Nor."]
    apart = last == marked_list.MOST_LINES
    added, line = (sheets[1], 2) if apart else (sheets[0], last + 1)
    assert (added.cell(line, 1).value, added.cell(line, width + 1).value) == ("m" if width else None, "Add this line.")
    assert str(sheets[-1].cell(sheets[-1].max_row, 1).value).startswith("Lines in which") is (width == 256)


def test_of_very_many_lines_that_differ_the_first_are_shown_and_all_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marked_list, "MOST_CELLS", 10)
    rows = {number: [f"cell {number}", "b"] for number in range(1, 11)}
    sheet = MarkedSheet(header=1, rows=rows, marks={each: [Mark(Tint.GONE, "Gone.")] for each in rows}, missing=())
    shown = opened(marked_xlsx(sheet, at=AT)).worksheets[0]
    assert [shown.cell(each, 1).value for each in (1, 5, 6)] == ["cell 1", "cell 5", None]
    assert [colour(shown.cell(each, 1)) != "" for each in (5, 6)] == [True, False]
    assert [shown.cell(each, 3).value for each in (2, 10)] == ["Gone.", "Gone."]
