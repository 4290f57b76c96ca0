"""A list in which differences are marked: by colour, by a comment at the cell, and in words in a last column.

Each line and column stands where it stood. Every cell is text, as in all workbooks of ours: nothing that was sent runs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from core.instants import text
from documents.tables import Sheet, workbook

LAST_COLUMN = "What differs"
MOST_COMMENTS = 2_000
"""Cells that get a comment; the last column says all of it, and spreadsheets grow slow with more."""

MOST_CELLS = 300_000
"""Cells of a list that are shown, which takes five seconds: of a longer one those of the lines that differ, as far as
they go."""

MOST_COLUMNS = 256
"""Columns that are shown: what spreadsheets had until 2007. Whoever sends a list chooses how wide it is."""

MOST_LINES = 1_048_576
"""Lines of a sheet (Excel)."""

_LEFT_OUT = "Lines in which nothing differs are left empty here: the list is long, or wide"

_AUTHOR = "trialcpa"


class Tint(StrEnum):
    """Why something is marked; its value says it in the legend."""

    WRONG = "another value stands here than should"
    GONE = "this line should not be on the list any more"
    UNKNOWN = "nobody here knows this trial"
    UNREAD = "this could not be read, or only with doubt"
    MISSING = "this line is missing, and is added here"


_COLOURS: Mapping[Tint, str] = {
    Tint.WRONG: "FFFFE699",
    Tint.GONE: "FFF8CBAD",
    Tint.UNKNOWN: "FFD9D2E9",
    Tint.UNREAD: "FFDDDDDD",
    Tint.MISSING: "FFC6E0B4",
}


@dataclass(frozen=True)
class Mark:
    """Something that differs.

    Args:
        tint: why.
        said: what, a sentence.
        column: of the cell, from 0; None for the whole line.
    """

    tint: Tint
    said: str
    column: int | None = None


@dataclass(frozen=True, kw_only=True)
class MarkedSheet:
    """A list with its marks.

    Args:
        header: the line of its header, from 1.
        rows: cells by line.
        marks: by line.
        missing: lines that are to be added, each with what to do.
    """

    header: int
    rows: Mapping[int, Sequence[str]]
    marks: Mapping[int, Sequence[Mark]]
    missing: Sequence[tuple[Sequence[str], str]]


def marked_xlsx(marked: MarkedSheet, *, at: datetime) -> bytes:
    """Return a marked list as a workbook of two sheets: the list, and what its colours mean.

    Args:
        marked: the list.
        at: when it was compared.
    """
    last = max((marked.header, *marked.rows, *marked.marks))
    widest = max((len(each) for each in (*marked.rows.values(), *(cells for cells, _ in marked.missing))), default=0)
    width, whole = min(widest, MOST_COLUMNS), sum(map(len, marked.rows.values())) <= MOST_CELLS
    shown = _shown(marked, whole=whole)
    lines = [_line(marked, number, width, shown) for number in range(1, last + 1)]
    missing = [[*_filled(cells, width), said] for cells, said in marked.missing]
    apart = last + len(missing) > MOST_LINES
    lines += () if apart else missing
    first = [each or "" for each in [*lines[0], *[""] * (width + 1 - len(lines[0]))]]

    def draw(there: Worksheet) -> None:
        _tint(there, marked, width, (last, 0 if apart else len(missing)))

    legend = [[each.value[0].upper() + each.value[1:]] for each in Tint] + (
        [] if whole and width == widest else [[_LEFT_OUT]]
    )
    sheets = [
        Sheet("List", first, lines[1:], filtered=False, draw=draw),
        Sheet("Colours", [f"Compared as of {text(at)}"], legend, filtered=False, draw=_legend),
    ]
    if apart:  # something stands so far below that there is no room for them behind it
        sheets.insert(1, Sheet("To be added", [""] * (width + 1), missing, filtered=False))
    return workbook(sheets, title="List, marked", at=at)


def _shown(marked: MarkedSheet, *, whole: bool) -> set[int]:
    """The lines whose cells are shown, from the first on."""
    found, left = set[int](), MOST_CELLS
    for number, cells in sorted(marked.rows.items()):
        if whole or number <= marked.header or number in marked.marks:
            left -= min(len(cells), MOST_COLUMNS)
            if left >= 0:
                found.add(number)
    return found


def _line(marked: MarkedSheet, number: int, width: int, shown: Collection[int]) -> Sequence[str | None]:
    marks = " ".join(each.said for each in marked.marks.get(number, ()))
    said = LAST_COLUMN if number == marked.header else marks
    cells = marked.rows.get(number, ()) if number in shown else ()
    return [*_filled(cells, width), said] if cells or said else ()


def _filled(cells: Sequence[str], width: int) -> Sequence[str | None]:
    return [*cells[:width], *[None] * (width - len(cells))]


def _tint(there: Worksheet, marked: MarkedSheet, width: int, extent: tuple[int, int]) -> None:
    """Colour what is marked.

    Args:
        there: the sheet.
        marked: what it shows.
        width: columns of the list.
        extent: the last of its lines, and how many are added behind it.
    """
    fills = {tint: PatternFill("solid", fgColor=colour) for tint, colour in _COLOURS.items()}
    comments, left, (last, added) = 0, MOST_CELLS, extent
    for line, marks in marked.marks.items():
        for each in sorted(marks, key=lambda one: one.column is not None):  # a cell's own colour over its line's
            if each.column is not None and each.column >= width:
                continue  # the last column says it
            columns = range(1, width + 1) if each.column is None else (each.column + 1,)
            left -= len(columns)
            for column in columns if left >= 0 else ():
                there.cell(line, column).fill = fills[each.tint]
            if each.column is not None and comments < MOST_COMMENTS:
                _comment(there, line, each.column + 1, each.said)
                comments += 1
    for line in range(last + 1, last + 1 + added):
        left -= width + 1
        for column in range(1, width + 2) if left >= 0 else ():
            there.cell(line, column).fill = fills[Tint.MISSING]
    for column in range(1, width + 2) if marked.header > 1 else ():
        there.cell(marked.header, column).font = Font(bold=True)
    there.freeze_panes = f"A{marked.header + 1}"
    there.auto_filter.ref = f"A{marked.header}:{get_column_letter(width + 1)}{last + added}"


def _comment(there: Worksheet, line: int, column: int, said: str) -> None:
    cell = there.cell(line, column)
    before = "" if cell.comment is None else f"{cell.comment.text} "
    cell.comment = Comment(f"{before}{said}"[:1_000], _AUTHOR)


def _legend(there: Worksheet) -> None:
    for place, tint in enumerate(Tint, 2):
        there.cell(place, 1).fill = PatternFill("solid", fgColor=_COLOURS[tint])
