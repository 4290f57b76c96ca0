"""Tables that a spreadsheet neither runs nor changes: what goes in comes back, whatever it looks like."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval import Device, Firmware
from core.cpl import Entry, Instruction, InstructionState, Kind
from documents.cpl import COLUMNS, instructions_csv, instructions_xlsx
from documents.tables import GUARD, LONGEST_CELL, Sheet, changed_by_spreadsheets, csv_text, plain, workbook

FORMULAS = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "=", "-", "|x"]
CHANGED = ["0012", "9001", "1E10", "12e4", "1,234", "1.5", "5%", "£5", "(5)", "1/2", "10:30", "10 pm", "MAR1", "1-Dec",
           "march 2027", "SEPT2", "TRUE", "false", "３", "00-12-34-56-78-90-12-34"]  # fmt: skip
SAFE = ["", "ESME", "AB01", "010A030B", "0002012F", "433100AC", "GEO", "MFG1", "A1", "E2", "00-DB-12-34-56-78-90-01",
        "TDA-2027-0042-Y", "2027-06-30", "2027-06-30T23:59:59Z", "SMETS V1.58", "Trial", "a = b", "yes", "true north",
        "ab" * 32]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40)


def _read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def _load(written: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(written))


# --- CSV ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*FORMULAS, *CHANGED])
def test_what_a_spreadsheet_would_run_or_change_is_guarded_and_comes_back(cell: str) -> None:
    assert changed_by_spreadsheets(cell)
    [_, [there]] = _read(csv_text(["Model"], [[cell]]))
    assert there == GUARD + cell
    assert plain(there) == cell
    assert not there.startswith(("'", '"', "=", "\t"))


@pytest.mark.parametrize("cell", SAFE)
def test_what_is_plainly_text_is_left_alone(cell: str) -> None:
    assert not changed_by_spreadsheets(cell)
    assert _read(csv_text(["Model"], [[cell]]))[1] == [cell]


def test_a_column_of_numbers_is_left_alone_but_only_where_it_holds_numbers() -> None:
    rows = _read(csv_text(["Model", "Devices"], [["12", "12"], ["x", "=12"]], numbers={"Devices"}))
    assert rows[1:] == [[GUARD + "12", "12"], ["x", GUARD + "=12"]]


def test_the_form_is_rfc_4180_with_a_byte_order_mark() -> None:
    assert csv_text(["A", "B"], [['say "hi"', "x,\ny"]]) == b'\xef\xbb\xbf"A","B"\r\n"say ""hi""","x,\ny"\r\n'


def test_a_row_that_does_not_fit_its_header_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        csv_text(["A", "B"], [["only one"]])


@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_any_text_comes_back_from_csv(rows: list[tuple[str, str]]) -> None:
    back = _read(csv_text(["A", "B"], rows))[1:]
    assert [tuple(plain(cell) for cell in row) for row in back] == rows
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in back for cell in row)


@given(text=st.text(max_size=40))
def test_no_text_stops_a_table(text: str) -> None:
    assert csv_text([text], [[text]])
    assert _load(workbook([Sheet("S", [text], [[text]])]))


# --- XLSX ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*FORMULAS, *CHANGED, *filter(None, SAFE)])
def test_every_text_is_a_text_cell_and_nothing_is_added_to_it(cell: str) -> None:
    there = _load(workbook([Sheet("S", ["Model"], [[cell]])]))["S"]["A2"]
    assert there.value == cell.replace("\r", "\n")  # XML 1.0 (2.11) knows one kind of line end
    assert (there.data_type, there.number_format, there.quotePrefix) == ("s", "@", True)


def test_a_number_is_a_number_and_nothing_is_nothing() -> None:
    sheet = _load(workbook([Sheet("S", ["Devices", "By"], [[1200, None]])]))["S"]
    assert (sheet["A2"].value, sheet["A2"].data_type) == (1200, "n")
    assert sheet["B2"].value is None


def test_the_header_stays_in_sight_and_filters() -> None:
    sheet = _load(workbook([Sheet("S", ["A", "A longer head"], [["x" * 30, "y"], ["z", "0"]])]))["S"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:B3")
    assert sheet.column_dimensions["A"].width > 30
    assert sheet.column_dimensions["B"].width > len("A longer head")


def test_the_same_values_give_the_same_bytes_and_no_moment_is_in_them() -> None:
    sheets = [Sheet("S", ["A"], [["x"]])]
    first = workbook(sheets, title="T", at=datetime(2027, 1, 4, tzinfo=UTC))
    with zipfile.ZipFile(io.BytesIO(first)) as members:
        assert {member.date_time for member in members.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = members.read("docProps/core.xml").decode()
    assert set(re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z", core)) == {"2027-01-04T00:00:00Z"}
    assert workbook(sheets, title="T", at=datetime(2027, 1, 4, tzinfo=UTC)) == first


def test_a_text_too_long_for_a_cell_is_cut_and_says_so() -> None:
    there = _load(workbook([Sheet("S", ["A"], [["x" * (LONGEST_CELL + 1)]])]))["S"]["A2"].value
    assert len(there) == LONGEST_CELL
    assert there.endswith("[…]")


def test_what_looks_like_a_cell_s_own_escape_is_spelt_out() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook([Sheet("S", ["A"], [["_x0041_"]])]))) as members:
        assert b"_x005F_x0041_" in members.read("xl/worksheets/sheet1.xml")


@given(text=TEXT.filter(lambda text: text.strip() and "_x" not in text))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_a_workbook(text: str) -> None:
    there = _load(workbook([Sheet("S", ["A"], [[text]])]))["S"]["A2"]
    assert (there.value, there.data_type) == (text, "s")


# --- the instructions to the Panel ----------------------------------------------------------------------------------

START = datetime(2027, 1, 4, tzinfo=UTC)
INSTRUCTION = Instruction(
    id="CPLI-0001",
    kind=Kind.ADD,
    entry=Entry(
        approval="TDA-2027-0042-Y",
        device=Device("ESME", "106C", "0100", "01"),
        firmware=Firmware("1E10", "ab" * 32),
        expiry=datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC),
    ),
    due=START,
    state=InstructionState.PENDING,
    instructed_at=START - timedelta(days=3),
)
AS_TEXT = ["CPLI-0001", "add", "2027-01-04T00:00:00Z", "TDA-2027-0042-Y", "Trial Device", "2027-06-30T23:59:59Z",
           "ESME", "106C", "0100", "01", "1E10", "ab" * 32, "pending", "no", "Certificate awaited."]  # fmt: skip


@pytest.mark.clause("F2.27")
def test_instructions_survive_a_spreadsheet_as_csv() -> None:
    header, row = _read(instructions_csv([(INSTRUCTION, "Certificate awaited.")], START))
    assert tuple(header) == COLUMNS
    assert [plain(cell) for cell in row] == AS_TEXT
    assert [name for name, cell in zip(header, row, strict=True) if cell.startswith(GUARD)] == [
        "model",
        "hardware_version",
        "firmware_version",
    ]


@pytest.mark.clause("F2.27")
def test_instructions_survive_a_spreadsheet_as_a_workbook() -> None:
    late = replace(INSTRUCTION, due=START - timedelta(days=7, seconds=1))  # a UK working day or more before
    sheet = _load(instructions_xlsx([(INSTRUCTION, "Certificate awaited."), (late, "")], START))["CPL instructions"]
    header, first, second = sheet.iter_rows()
    assert tuple(cell.value for cell in header) == COLUMNS
    assert [cell.value for cell in first] == AS_TEXT
    assert {(cell.data_type, cell.number_format, cell.quotePrefix) for cell in first} == {("s", "@", True)}
    assert (second[2].value, second[13].value) == ("2026-12-27T23:59:59Z", "yes")


def test_a_csv_for_programs_changes_nothing() -> None:
    cells = [*FORMULAS, *CHANGED, *SAFE]
    written = csv_text(["Model"], [[each] for each in cells], guarded=False)
    assert [row[0] for row in csv.reader(io.StringIO(written.decode("utf-8"), newline=""))] == ["Model", *cells]
