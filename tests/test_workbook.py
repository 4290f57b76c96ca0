"""Workbooks from strangers: read as they show themselves, never run, and refused before they go off."""

import io
import struct
import threading
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import TrialCpaError, WorkbookRefused, WorkbookTooLarge
from intake import workbook
from intake.workbook import ERROR, FORMULA, NO_RESULT, NUMBER, Cell, is_workbook, read_workbook

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def book(*rows: list[Any], prepare: Callable[[Any], None] = lambda _book: None) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    prepare(made)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def with_part(octets: bytes, name: str, content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The workbook with one part replaced or added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(octets)) as old, zipfile.ZipFile(written, "w", compression) as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        new.writestr(name, content)
    return written.getvalue()


def sheet(rows: str) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def cells(octets: bytes) -> list[tuple[Cell, ...]]:
    (only,) = read_workbook(octets)
    return [row.cells for row in only.rows]


# --- honest ones --------------------------------------------------------------------------------------------------


def test_text_is_kept_as_it_is_and_a_number_is_told_as_one() -> None:
    (row,) = cells(book(["0012", "1E10", 106, 10_000_000_000, 1.5, 106.0, True, "=cmd|x", " GEO ", None, "end"]))
    assert row == (
        Cell("0012"), Cell("1E10"), Cell("106", NUMBER), Cell("10000000000", NUMBER), Cell("1.5", NUMBER),
        Cell("106", NUMBER), Cell("TRUE"), Cell("", NO_RESULT), Cell("GEO"), Cell(""), Cell("end"),
    )  # fmt: skip


def test_days_instants_and_errors_are_read_as_a_spreadsheet_shows_them() -> None:
    (row,) = cells(book([date(2027, 6, 30), datetime(2027, 6, 30, 23, 59, 59), time(9, 5), "#N/A"]))  # noqa: DTZ001
    assert [each.text for each in row] == ["2027-06-30", "2027-06-30 23:59:59", "09:05:00", "#N/A"]
    assert row[3].note == ERROR


def test_a_formula_is_not_evaluated_and_what_it_last_gave_is_read_with_a_note() -> None:
    rows = (
        '<row r="1"><c r="A1"><f>1+1</f><v>9001</v></c><c r="B1" t="str"><f>CONCAT("a")</f><v>AB01</v></c>'
        '<c r="C1"><f>WEBSERVICE("http://localhost/")</f></c><c><v>7</v></c></row>'
        '<row><c t="inlineStr"><is><t>=1+1</t></is></c><c><f>A1</f></c></row>'
    )
    assert cells(with_part(book(), SHEET, sheet(rows))) == [
        (Cell("9001", FORMULA), Cell("AB01", FORMULA), Cell("", NO_RESULT), Cell("7", NUMBER)),
        (Cell("=1+1"), Cell("", NO_RESULT)),
    ]


def test_hidden_sheets_are_left_aside_and_rows_keep_their_numbers() -> None:
    def prepare(made: Any) -> None:
        for state in ("hidden", "veryHidden", "visible"):
            made.create_sheet(state).append([state])
            made[state].sheet_state = state
        made.active["B5"] = "x"

    found = read_workbook(book(["first"], prepare=prepare))
    assert [(each.name, [(row.line, [cell.text for cell in row.cells]) for row in each.rows]) for each in found] == [
        ("Sheet", [(1, ["first"]), (5, ["", "x"])]),
        ("visible", [(1, ["visible"])]),
    ]


def test_a_workbook_with_macros_is_read_without_them() -> None:
    assert cells(with_part(book(["x"]), "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" * 100)) == [(Cell("x"),)]


def test_links_to_other_workbooks_lead_nowhere() -> None:
    def prepare(made: Any) -> None:
        made.active["A2"] = "='[1]Other'!A1"

    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    octets = with_part(book(["x"], prepare=prepare), "xl/externalLinks/externalLink1.xml", link)
    assert cells(octets) == [(Cell("x"),), (Cell("", NO_RESULT),)]


# --- bombs and lies -----------------------------------------------------------------------------------------------


def refused(octets: bytes, kind: type[TrialCpaError] = WorkbookRefused) -> str:
    with pytest.raises(kind) as refusal:
        read_workbook(octets)
    assert "UNIQUEWORD" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("octets", [b"", b"PK", b"PK\x03\x04" + b"\x00" * 100, b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0" * 50])
def test_what_is_no_archive_is_no_workbook(octets: bytes) -> None:
    assert "whole archive" in refused(octets)


def test_a_workbook_that_is_cut_off_or_changed_is_refused() -> None:
    octets = book(["x"] * 100)
    for broken in (octets[:-30], octets[: len(octets) // 2], octets[:60] + b"\xff" * 20 + octets[80:]):
        refused(broken)


def test_what_begins_as_an_archive_is_taken_for_a_workbook() -> None:
    assert is_workbook(book())
    assert not is_workbook(b"PK,approval\n")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("xl/media/zeros.bin", b"\x00" * 20_000_000, "times as large"),
        (SHEET, sheet("<row>" + "<c/>" * 3_000_000 + "</row>"), "times as large"),
    ],
)
def test_a_bomb_is_refused_by_how_much_larger_it_would_become(name: str, content: bytes, words: str) -> None:
    assert words in refused(with_part(book(), name, content))


def test_many_parts_that_are_modest_one_by_one_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = book(["x"])
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        parts = archive.infolist()
    monkeypatch.setattr(workbook, "LARGEST_EXPANDED", sum(part.file_size for part in parts) - 1)
    assert "when it is expanded" in refused(octets, WorkbookTooLarge)
    monkeypatch.undo()
    monkeypatch.setattr(workbook, "MOST_PARTS", len(parts) - 1)
    assert "parts" in refused(octets, WorkbookTooLarge)
    monkeypatch.setattr(workbook, "MOST_PARTS", len(parts))
    assert cells(octets) == [(Cell("x"),)]


@pytest.mark.parametrize(
    ("limit", "least", "name", "content"),
    [
        ("MOST_ELEMENTS", 200, SHEET, sheet("<row><c/><c/></row>" * 100)),
        ("MOST_IN_A_ROW", 50, SHEET, sheet("<row>" + "<c/>" * 50 + "</row>")),
        ("MOST_IN_A_ROW", 50, "xl/sharedStrings.xml", f'<sst xmlns="{MAIN}"><si>{"<r/>" * 50}</si></sst>'.encode()),
        ("MOST_IN_A_PART", 300, "docProps/custom.xml", b"<x>" + b"<y/>" * 300 + b"</x>"),
        ("MOST_FORMULAS", 9, SHEET, sheet("<row>" + "<c><f>1</f></c>" * 10 + "</row>")),
        ("MOST_ROWS", 9, SHEET, sheet("<row><c><v>1</v></c></row>" * 10)),
    ],
)
def test_xml_that_would_fill_the_memory_is_refused_while_it_is_counted(
    monkeypatch: pytest.MonkeyPatch, limit: str, least: int, name: str, content: bytes
) -> None:
    octets = with_part(book(), name, content)
    read_workbook(octets)
    monkeypatch.setattr(workbook, limit, least)
    refused(octets, WorkbookTooLarge)


def test_rows_and_columns_beyond_all_sense_are_not_filled_up() -> None:
    far = '<row r="1048576"><c><v>4</v></c></row>'
    assert len(read_workbook(with_part(book(), SHEET, sheet(far)))[0].rows) == 1
    rows = '<row r="2"><c r="A2"><v>1</v></c><c r="ZZZ2"><v>2</v></c></row><row r="99999999999"><c><v>3</v></c></row>'
    named = sheet(rows).replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    assert cells(with_part(book(), SHEET, named)) == [(Cell("1", NUMBER),)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", [SHEET, "xl/styles.xml", "xl/media/drawing.bin"])
@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "UNIQUEWORD">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://localhost/UNIQUEWORD.dtd">',
    ],
)
def test_a_part_that_declares_a_document_type_is_refused_whatever_it_is_called(
    name: str, declared: str, encoding: str
) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?>{declared}<x>&a;</x>'.encode(encoding)
    assert "document type" in refused(with_part(book(), name, content))


def test_parts_that_are_encrypted_doubled_or_compressed_otherwise_are_refused() -> None:
    octets = book(["x"])
    assert "compressed as no workbook" in refused(with_part(octets, "a", b"x", zipfile.ZIP_BZIP2))
    assert "compressed as no workbook" in refused(with_part(octets, "a", b"x", zipfile.ZIP_LZMA))
    assert "one name" in refused(with_part(octets, SHEET.upper(), b"<x/>"))
    place = octets.rindex(b"PK\x01\x02") + 8
    assert "encrypted" in refused(octets[:place] + b"\x01\x00" + octets[place + 2 :])


def test_a_part_that_is_larger_than_it_says_is_refused() -> None:
    octets = with_part(book(), "zz", b"\x00" * 5_000, zipfile.ZIP_DEFLATED)
    sizes = struct.pack("<I", 5_000)
    assert octets.count(sizes) >= 2
    refused(octets.replace(sizes, struct.pack("<I", 10)))


def test_a_sheet_that_is_no_xml_or_has_no_number_where_one_belongs_is_refused() -> None:
    for rows in (
        "<row",
        '<row r="1"><c><v>UNIQUEWORD</v></c></row>',
        '<row r="x"/>',
        '<row><c t="s"><v>99</v></c></row>',
    ):
        refused(with_part(book(), SHEET, sheet(rows)))
    assert read_workbook(with_part(book(), "xl/workbook.xml", b"<workbook/>")) == ()
    refused(with_part(book(), "[Content_Types].xml", b"<Types/>"))


HONEST = book(["approval", "0012", 5], ["x", "=1+1", None])


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_octets_that_are_changed_by_chance_are_refused_or_read_and_never_a_fault_of_ours(
    changes: list[tuple[int, int]],
) -> None:
    octets = bytearray(HONEST)
    for place, value in changes:
        octets[place] = value
    try:
        read_workbook(bytes(octets))
    except (WorkbookRefused, WorkbookTooLarge):
        return


CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="=￾￿")


@settings(max_examples=60)
@given(st.lists(st.lists(st.text(CHARACTERS, min_size=1, max_size=12), min_size=1, max_size=5), min_size=1, max_size=5))
def test_whatever_text_is_written_is_read(rows: list[list[str]]) -> None:
    assert [[cell.text for cell in row] for row in cells(book(*[[*row] for row in rows]))] == rows


def test_workbooks_are_read_from_several_threads() -> None:
    octets = book(*[[f"{number:04}"] for number in range(50)])
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(cells(octets))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in found] == [50] * 4
