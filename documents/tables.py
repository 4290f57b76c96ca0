"""Tables for people who work in spreadsheets: CSV and XLSX that a spreadsheet neither runs nor changes.

A spreadsheet that opens a CSV guesses: `=cmd…` becomes a formula, `0012` becomes 12, `1E10` a number and `MAR1` a day.
Quotation marks do not stop it, and a leading apostrophe or `="…"` spoils the value for programs. So:

- every cell of a CSV is quoted (RFC 4180), and a cell of text that a spreadsheet would run or change begins with one
  NO-BREAK SPACE (U+00A0): spreadsheets take it for text, people do not see it, and what strips white space from cells,
  as most programs do, or `plain`, which takes off this one character, has the value back;
- a full date or instant of ISO 8601 is left alone: it is read as what it is. So are the columns named as numbers;
- in a workbook every cell of text is a string cell in the number format `@` with the quote prefix set, as if somebody
  had typed an apostrophe first: nothing needs to be added to the value. XLSX is what to prefer.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

GUARD = "\N{NO-BREAK SPACE}"
"""What begins a cell of a CSV that a spreadsheet would otherwise run or change."""

LONGEST_CELL = 32_767
"""Characters that a cell of a workbook holds (Excel's specifications and limits)."""

_RUN = tuple("=+-@|＝＋－＠")  # what a formula begins with, also in full width
_HIDE = tuple("\t\r\n" + GUARD)  # what a program may drop before it looks; and our own mark, so that `plain` can tell
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")
_COUNT = re.compile(r"-?[0-9]+")
_WORDS = re.compile(r"[^\W\d_]+")
_MONTHS = "january february march april may june july august september october november december"
_NAMES_OF_MONTHS = frozenset({*_MONTHS.split(), *(month[:3] for month in _MONTHS.split()), "sept"})
_IN_NUMBERS = frozenset({"e", "d", "a", "p", "am", "pm"})  # 1E10, 10 pm; only where the cell begins with a figure
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CUT = " […]"
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the first that the format knows
_BEGINNING = datetime(1980, 1, 1)  # noqa: DTZ001 - a workbook's own properties carry no zone
_WIDEST, _NARROWEST = 60, 9


def csv_text(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[str] = (), guarded: bool = True
) -> bytes:
    """Return a table as CSV: UTF-8 with a byte order mark, every cell quoted, CRLF (RFC 4180).

    Args:
        header: the names of the columns.
        rows: the cells as text, one for each column.
        numbers: the columns that hold whole numbers; these are left as they are.
        guarded: for spreadsheets. Without it every value is what it is, for programs: no spreadsheet should open that.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([_csv_cell(name) for name in header])
    if not guarded:
        writer.writerows([_storable(cell) for cell in row] for row in rows)
        return written.getvalue().encode("utf-8")
    counted = [name in numbers for name in header]
    for row in rows:
        writer.writerow([_csv_cell(cell, number=each) for cell, each in zip(row, counted, strict=True)])
    return written.getvalue().encode("utf-8-sig")


def plain(cell: str) -> str:
    """Return the value of a cell of our CSV: without the one character that guards it."""
    return cell.removeprefix(GUARD)


def changed_by_spreadsheets(cell: str) -> bool:
    """Would a spreadsheet that opens a CSV run this text as a formula, or take it for a number, a day or a truth?

    What is in doubt counts as yes: a cell is safe if it has a word that no number or day has.
    """
    if not cell or _DATE.fullmatch(cell):
        return False
    if cell.startswith(_HIDE) or cell.lstrip().startswith(_RUN):
        return True
    words = {word.casefold() for word in _WORDS.findall(cell)}
    if not words:
        return any(character.isnumeric() for character in cell)
    if cell.strip().casefold() in {"true", "false"}:
        return True
    return words <= _NAMES_OF_MONTHS | (frozenset() if cell.lstrip()[0].isalpha() else _IN_NUMBERS)


def _csv_cell(cell: str, *, number: bool = False) -> str:
    storable = _storable(cell)
    if number and _COUNT.fullmatch(storable):
        return storable
    return GUARD + storable if changed_by_spreadsheets(storable) else storable


def _storable(text: str) -> str:
    """Text without what neither XML 1.0 nor UTF-8 can carry; U+FFFD stands there instead."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


# --- workbooks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    r"""One sheet of a workbook: a header that stays in sight, and rows.

    Args:
        name: at most 31 characters, none of `[]:*?/\`.
        header: the names of the columns.
        rows: the cells: text is written as text whatever it looks like, a whole number as a number, None as nothing.
        filtered: whether the header offers to filter and sort.
        draw: what else goes onto the sheet, a chart for instance.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]
    filtered: bool = True
    draw: Callable[[Worksheet], None] | None = None


def workbook(sheets: Sequence[Sheet], *, title: str = "", at: datetime | None = None) -> bytes:
    """Return an XLSX workbook; the same values give the same bytes.

    Args:
        sheets: one or more, in order.
        title: for its properties.
        at: the instant of what it holds, for its properties; by default the first that a ZIP file can name.
    """
    book = Workbook()
    book.remove(book.active)
    book.properties.title = _storable(title)
    book.properties.creator = "trialcpa"
    dated = _BEGINNING if at is None else at.replace(tzinfo=None)
    book.properties.created = dated
    for sheet in sheets:
        _fill(book.create_sheet(sheet.name), sheet)
    written = io.BytesIO()
    book.save(written)
    return _settled(written.getvalue(), dated)


def _fill(there: Worksheet, sheet: Sheet) -> None:
    styles = _Styles(there)
    for column, name in enumerate(sheet.header, start=1):
        styles.head(there.cell(1, column), _cell_text(name))
    for at, row in enumerate(sheet.rows, start=2):
        for column, value in enumerate(row, start=1):
            if value is not None:
                styles.body(there.cell(at, column), value)
    for column in range(1, len(sheet.header) + 1):
        there.column_dimensions[get_column_letter(column)].width = _width(sheet, column - 1)
    there.freeze_panes = "A2"
    if sheet.filtered and sheet.rows:
        there.auto_filter.ref = f"A1:{get_column_letter(len(sheet.header))}{len(sheet.rows) + 1}"
    there.page_setup.orientation = "landscape"
    there.page_setup.fitToWidth, there.page_setup.fitToHeight = 1, 0
    there.sheet_properties.pageSetUpPr.fitToPage = True
    there.print_title_rows = "1:1"
    if sheet.draw is not None:
        sheet.draw(there)


class _Styles:
    """The styles of a sheet, each looked up once: to look them up for each cell takes most of the time."""

    def __init__(self, there: Worksheet) -> None:
        top = Alignment(vertical="top")
        self._text = self._style(there, number_format="@", quotePrefix=True, alignment=top)
        wrapped = Alignment(vertical="top", wrap_text=True)
        self._long = self._style(there, number_format="@", quotePrefix=True, alignment=wrapped)
        self._head = self._style(
            there,
            number_format="@",
            quotePrefix=True,
            alignment=Alignment(vertical="center", wrap_text=True),
            font=Font(bold=True, color="FFFFFFFF"),
            fill=PatternFill("solid", fgColor="FF12476B"),
        )
        self._count = self._style(there, number_format="#,##0", alignment=top)

    @staticmethod
    def _style(there: Worksheet, **parts: object) -> object:
        model = Cell(there)
        for name, value in parts.items():
            setattr(model, name, value)
        return model._style  # noqa: SLF001 - openpyxl offers no other way to share a style between cells

    def head(self, cell: Cell, text: str) -> None:
        self._write(cell, text, "s", self._head)

    def body(self, cell: Cell, value: str | int) -> None:
        if isinstance(value, str):
            text = _cell_text(value)
            self._write(cell, text, "s", self._long if len(text) > _WIDEST else self._text)
        else:
            self._write(cell, value, "n", self._count)

    def _write(self, cell: Cell, value: str | int, kind: str, style: object) -> None:
        cell.value = value
        cell.data_type = kind  # after the value: openpyxl takes `=…` for a formula when it is set
        cell._style = copy(style)  # noqa: SLF001 - see `_style`


def _cell_text(text: str) -> str:
    """Text as a cell holds it: `_x0041_` is how a cell spells `A` (ECMA-376, 22.9.2.19), so such text is spelt out."""
    storable = _LOOKS_ESCAPED.sub("_x005F_", _storable(text).replace("\r\n", "\n").replace("\r", "\n"))
    return storable if len(storable) <= LONGEST_CELL else storable[: LONGEST_CELL - len(_CUT)] + _CUT


def _width(sheet: Sheet, column: int) -> int:
    cells = (_widest_line(row[column]) for row in sheet.rows if column < len(row))
    return min(_WIDEST, max(_NARROWEST, len(sheet.header[column]) + 4, *cells, 0) + 2)


def _widest_line(value: str | int | None) -> int:
    if isinstance(value, str):
        return max((len(each) for each in value.splitlines()), default=0)
    return 0 if value is None else len(f"{value:,}")


def _settled(written: bytes, dated: datetime) -> bytes:
    """The same workbook without the moment at which it was written, which openpyxl and the ZIP format put into it."""
    settled = io.BytesIO()
    stamp = dated.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")
    with zipfile.ZipFile(io.BytesIO(written)) as before, zipfile.ZipFile(settled, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(member, content)
    return settled.getvalue()
