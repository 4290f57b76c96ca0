"""Workbooks (XLSX) from strangers: their visible sheets as rows of text, and nothing of them is ever run.

A workbook is an archive of XML files, and either can be a bomb. In this order, so that nothing is expanded that was
not bounded before:

1. the archive's directory: how many parts, how large, how many times larger than they lie there, compressed how;
2. each part as it is: as large as it says, with the checksum that it says, no more elements than a list needs, and no
   document type in any, so that there is no entity to expand and nothing outside to fetch;
3. openpyxl reads it, through defusedxml, links and macros left aside, and only the values that Excel last saw.

Formulas are not evaluated. A number is told as one: `0012` typed into a cell is 12, and nobody can say what it was.
"""

import re
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any
from xml.parsers import expat

from core.errors import WorkbookRefused, WorkbookTooLarge
from core.plain_text import trimmed

MOST_PARTS = 1_000
"""Files within a workbook; one with a hundred sheets and their drawings has some hundreds."""

LARGEST_EXPANDED = 64 * 1024 * 1024
"""Octets of a workbook when it is expanded: four times the largest that is taken in."""

HIGHEST_RATIO = 200
"""How many times larger a part may become; sheets become 5 to 30 times as large, deflate can reach 1,032."""

SMALL_PART = 64 * 1024
"""Octets below which a part's ratio says nothing: a sheet of blanks may shrink to a few."""

MOST_ROWS = 50_000
"""Rows of a sheet that hold something."""

MOST_COLUMNS = 100
"""Columns of a sheet that are read; what lies to the right of them is not looked at."""

MOST_ELEMENTS = 3_000_000
"""Elements of XML in a workbook: three for each cell of MOST_ROWS rows of twenty columns."""

MOST_IN_A_ROW = 60_000
"""Elements in one row or one string: three for each of the 16,384 cells that Excel allows in a row, and some."""

MOST_IN_A_PART = 300_000
"""Elements in a part that is neither a sheet nor the strings: styles, relations, properties."""

MOST_MERGED = 10_000
"""Places in one sheet where cells are shown as one."""

MOST_FORMULAS = 500_000
"""Formulas in one sheet: ten for each row that is read."""

MOST_MERGED = 50_000
"""Merged areas in one sheet: one for each row that is read."""

LONGEST_CELL = 1_000
"""Characters of a cell that are kept; Excel allows 32,767."""

NUMBER = "The cell holds a number; leading zeros may be lost."
FORMULA = "The cell holds a formula; what it last gave was read."
NO_RESULT = "The cell holds a formula without a result; write the value."
ERROR = "The cell holds an error of the spreadsheet."
MERGED = "The cell is merged with one above it; what that says was read."
ACROSS = "The cell is merged with one beside it; write the value into each."
CUT = f"The cell holds more than {LONGEST_CELL:,} characters."

_BOOK = "xl/workbook.xml"
_STRICT = b"purl.oclc.org/ooxml"
_OTHER_WORKBOOKS: Mapping[str, str] = {
    "xl/workbook.bin": "it is an Excel binary workbook (.xlsb)",
    "mimetype": "it is an OpenDocument spreadsheet (.ods)",
    "index/document.iwa": "it is a spreadsheet of Apple Numbers",
    "word/document.xml": "it is a text of a word processor (.docx)",
}
"""By the part that it has and no workbook (.xlsx) does."""

_EXCEL_ROWS = 1_048_576
_CHUNK = 64 * 1024
_ENCRYPTED = 0x1
_ERRORS = re.compile(r"#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|GETTING_DATA)")


class _Name:
    """The elements that matter, as the parser gives them."""

    MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    ROW = MAIN + "row"
    CELL = MAIN + "c"
    FORMULA = MAIN + "f"
    MERGED = MAIN + "mergeCell"
    STRING = MAIN + "si"
    LONG = (MAIN + "worksheet", MAIN + "sst")


# What `zipfile` and its decompressors raise for hostile bytes; none of them is a fault of ours.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    KeyError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)

# One at a time: an expanded workbook is large, and what openpyxl warns of is silenced for the whole process.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Cell:
    """A cell.

    Args:
        text: its value as text, without the blanks around it; empty if it holds nothing.
        note: what must be known about it, a sentence; empty if nothing.
    """

    text: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row that holds something.

    Args:
        line: its number, from 1.
        cells: from the first column on; what is missing at its end is empty.
    """

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class _Area:
    """A merged area: its first and last column, and its last row."""

    first_column: int
    last_column: int
    last_row: int


@dataclass
class _Extent:
    """How far a sheet reaches, where it has formulas (by row, the columns) and what is merged (by its first row)."""

    last_row: int = 1
    last_column: int = 1
    formulas: dict[int, set[int]] = field(default_factory=dict)
    merged: dict[int, list["_Area"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """A visible sheet."""

    name: str
    rows: tuple[Row, ...]


def is_workbook(octets: bytes) -> bool:
    """Return whether a file begins as a workbook does: no text begins like that."""
    return octets.startswith(b"PK\x03\x04")


def read_workbook(octets: bytes) -> tuple[Sheet, ...]:
    """Return the visible sheets of a workbook, in order.

    Args:
        octets: an XLSX file, with or without macros; its size is bounded by whoever took it in.

    Raises:
        WorkbookTooLarge: more parts, octets or rows than the limits above.
        WorkbookRefused: not a workbook, or not an honest one.
    """
    with _ONE_AT_A_TIME:
        try:
            with zipfile.ZipFile(BytesIO(octets)) as archive:
                _require_bounded(archive.infolist())
                _require_workbook(archive)
                scan = _Scan()
                for part in archive.infolist():
                    scan.part(archive, part)
        except _BROKEN:
            raise WorkbookRefused(detail="it is not a whole archive") from None
        return _sheets(octets, scan.extents)


# --- the archive -------------------------------------------------------------------------------------------------


def _require_bounded(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS:
        raise WorkbookTooLarge(limit=MOST_PARTS, what="parts")
    if sum(part.file_size for part in parts) > LARGEST_EXPANDED:
        raise WorkbookTooLarge(limit=LARGEST_EXPANDED, what="octets when it is expanded")
    for part in parts:
        if part.file_size > max(SMALL_PART, HIGHEST_RATIO * part.compress_size):
            raise WorkbookRefused(detail=f"a part of it would become more than {HIGHEST_RATIO} times as large")
        if part.flag_bits & _ENCRYPTED or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WorkbookRefused(detail="a part of it is encrypted, or compressed as no workbook is")
    names = [part.filename.casefold() for part in parts]
    if len(set(names)) != len(names):
        raise WorkbookRefused(detail="two parts of it have one name")


def _require_workbook(archive: zipfile.ZipFile) -> None:
    """Say of what other programs, or other forms of the same, make of a sheet what it is."""
    names = {each.casefold() for each in archive.namelist()}
    for part, told in _OTHER_WORKBOOKS.items():
        if part in names:
            raise WorkbookRefused(detail=f"{told}; save it as an Excel workbook (.xlsx)")
    if _BOOK in names:
        with archive.open(next(each for each in archive.namelist() if each.casefold() == _BOOK)) as opened:
            if _STRICT in opened.read(_CHUNK):
                told = "it is a Strict Open XML workbook"
                raise WorkbookRefused(detail=f"{told}; save it as an Excel workbook (.xlsx), which is another choice")


class _Scan:
    """What openpyxl will meet in the parts of a workbook, found without building anything.

    Every part is looked at, whatever it is called: which of them are sheets is said by others of them.
    """

    def __init__(self) -> None:
        self.extents: dict[str, _Extent] = {}
        self._elements = 0

    def part(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        """Read a part to its end; it is bounded by what it declares."""
        look = _Look(self)
        # `zipfile` gives no octet beyond what is declared and then compares the checksum, so a part that is larger
        # than it says is noticed without being expanded.
        found = 0
        with archive.open(part) as opened:
            while chunk := opened.read(_CHUNK):
                found += len(chunk)
                look.at(chunk)
        if found != part.file_size:
            raise WorkbookRefused(detail="a part of it has another size than it says")
        self.extents[part.filename] = look.extent

    def count(self) -> None:
        """Count an element."""
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise WorkbookTooLarge(limit=MOST_ELEMENTS, what="elements of XML")


class _Look:
    """One part, as XML for as far as it is XML: an image ends at its first octet, and so would openpyxl."""

    def __init__(self, scan: _Scan) -> None:
        # Late, here and below: every process of the service loads this file, and only web reads workbooks.
        from openpyxl.utils.cell import coordinate_to_tuple  # noqa: PLC0415

        self._place = coordinate_to_tuple
        self.extent = _Extent()
        self._scan = scan
        self._formulas = self._merged = 0
        self._parser: expat.XMLParserType | None = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._most = 0
        self._together = 0
        self._row = self._column = 0

    def at(self, chunk: bytes) -> None:
        """Look at the next octets."""
        if self._parser is None:
            return
        try:
            self._parser.Parse(chunk)
        except expat.ExpatError:
            self._parser = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._scan.count()
        if not self._most:
            self._most = MOST_IN_A_ROW if name in _Name.LONG else MOST_IN_A_PART
        match name:
            case _Name.ROW:
                self._row, self._column = int(attributes.get("r", self._row + 1)), 0
                self._together = 0
            case _Name.STRING:
                self._together = 0
            case _Name.CELL:
                place = attributes.get("r")
                self._row, self._column = self._place(place) if place else (self._row, self._column + 1)
                self._reach()
            case _Name.FORMULA:
                self._formula()
            case _Name.MERGED:
                self._merge(attributes.get("ref", ""))
        # openpyxl keeps a row, a string or a whole part of another kind in memory until it has seen its end.
        self._together += 1
        if self._together > self._most:
            raise WorkbookTooLarge(limit=self._most, what="elements of XML in one place")

    def _reach(self) -> None:
        # A row may be numbered beyond all sense; openpyxl would fill up everything before it.
        if self._row <= _EXCEL_ROWS:
            self.extent.last_row = max(self.extent.last_row, self._row)
            self.extent.last_column = max(self.extent.last_column, min(self._column, MOST_COLUMNS))

    def _formula(self) -> None:
        self._formulas += 1
        if self._formulas > MOST_FORMULAS:
            raise WorkbookTooLarge(limit=MOST_FORMULAS, what="formulas")
        self.extent.formulas.setdefault(self._row, set()).add(self._column)

    def _merge(self, area: str) -> None:
        self._merged += 1
        if self._merged > MOST_MERGED:
            raise WorkbookTooLarge(limit=MOST_MERGED, what="merged cells")
        first, _, last = area.partition(":")
        row, column = self._place(first)
        last_row, last_column = self._place(last or first)
        if column <= MOST_COLUMNS:
            last_column = min(last_column, MOST_COLUMNS)
            found = _Area(first_column=column, last_column=last_column, last_row=last_row)
            self.extent.merged.setdefault(row, []).append(found)

    def _refuse(self, *_declared: object) -> None:
        # Without a document type there is no entity to expand, and nothing outside to fetch.
        raise WorkbookRefused(detail="a part of it declares a document type or an entity")


# --- the sheets --------------------------------------------------------------------------------------------------


def _sheets(octets: bytes, extents: Mapping[str, _Extent]) -> tuple[Sheet, ...]:
    import openpyxl  # noqa: PLC0415 - as above
    from openpyxl.worksheet.worksheet import Worksheet  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of drawings and validations that are of no interest here
        try:
            book = openpyxl.load_workbook(BytesIO(octets), read_only=True, data_only=True, keep_links=False)
            try:
                return tuple(
                    # openpyxl says nowhere else which part a sheet is.
                    Sheet(sheet.title, tuple(_rows(sheet, extents[sheet._worksheet_path])))  # noqa: SLF001
                    for sheet in book.worksheets
                    if sheet.sheet_state == Worksheet.SHEETSTATE_VISIBLE
                )
            finally:
                book.close()
        except WorkbookTooLarge:
            raise
        except Exception:  # noqa: BLE001 - for hostile XML openpyxl raises whatever it stumbles over
            raise WorkbookRefused(detail="its sheets cannot be read") from None


def _rows(sheet: Any, extent: _Extent) -> Iterator[Row]:  # noqa: ANN401 - openpyxl has no types
    kept, merged = 0, _Merged(extent)
    # What the sheet itself says of its dimensions is not believed.
    values = sheet.iter_rows(max_row=extent.last_row, max_col=extent.last_column, values_only=True)
    for line, row in enumerate(values, 1):
        formulas = extent.formulas.get(line, set())
        if not formulas and row.count(None) == len(row):
            continue
        cells = [_cell(value, formula=column in formulas) for column, value in enumerate(row, 1)]
        merged.fill(line, cells)
        while cells and cells[-1] == Cell(""):
            cells.pop()
        if not cells:
            continue
        kept += 1
        if kept > MOST_ROWS:
            raise WorkbookTooLarge(limit=MOST_ROWS, what="rows in a sheet")
        yield Row(line, tuple(cells))


class _Merged:
    """What merged areas put into the rows that hold something of their own.

    A spreadsheet keeps the value in the first cell only. Downwards it is what everybody sees in each row; across, one
    value stands for columns that mean different things.
    """

    def __init__(self, extent: _Extent) -> None:
        self._areas = extent.merged
        self._held: dict[int, tuple[int, Cell]] = {}  # by column: the last row, and what every row of it is

    def fill(self, line: int, cells: list[Cell]) -> None:
        """Fill the cells of a row."""
        for column, (last_row, cell) in list(self._held.items()):
            if line > last_row:
                del self._held[column]
            elif column <= len(cells) and not cells[column - 1].text:
                cells[column - 1] = cell
        for area in self._areas.get(line, ()):
            for column in range(area.first_column, min(area.last_column, len(cells)) + 1):
                if column > area.first_column:
                    cells[column - 1] = Cell("", ACROSS)
                cell = cells[column - 1]
                self._held[column] = (area.last_row, Cell(cell.text, cell.note or MERGED) if cell.text else cell)


def _cell(value: object, *, formula: bool) -> Cell:
    if value is None:
        return Cell("", NO_RESULT if formula else "")
    text, note = _text(value)
    if len(text) > LONGEST_CELL:
        return Cell(text[:LONGEST_CELL], CUT)
    return Cell(text, FORMULA if formula else note)


def _text(value: object) -> tuple[str, str]:
    """A value as it would be typed, and what must be known about it."""
    note = ""
    match value:
        case bool():
            text = "TRUE" if value else "FALSE"
        case int() | float():
            text, note = (f"{value:.0f}" if value == value // 1 else repr(value)), NUMBER
        case datetime():
            # What is formatted as a day comes as its midnight.
            text = value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date() | time():
            text = value.isoformat()
        case timedelta():
            text, note = str(value), NUMBER
        case _:
            text = trimmed(str(value))
            note = ERROR if _ERRORS.fullmatch(text) else ""
    return text, note
