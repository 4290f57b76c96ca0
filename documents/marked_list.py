"""A list in which differences are marked: by colour, by a comment at the cell, and in words in a last column.

Each line and column stands where it stood. Every cell is text, as in all workbooks of ours: nothing that was sent runs.
"""

from collections.abc import Mapping, Sequence
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
"""Cells of a list that is shown whole, which takes five seconds; of a longer one, the lines that differ."""

_LEFT_OUT = "Lines in which nothing differs are left empty here: the list is long"

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
    width = max((len(each) for each in (*marked.rows.values(), *(cells for cells, _ in marked.missing))), default=0)
    whole = len(marked.rows) * width <= MOST_CELLS
    lines: list[Sequence[str]] = [
        _line(marked, number, width) if whole or number <= marked.header or number in marked.marks else ()
        for number in range(1, last + 1)
    ]
    lines += [[*_filled(cells, width), said] for cells, said in marked.missing]
    first = [each or "" for each in lines[0]]

    def draw(there: Worksheet) -> None:
        _tint(there, marked, width, last)

    legend = [[each.value[0].upper() + each.value[1:]] for each in Tint] + ([] if whole else [[_LEFT_OUT]])
    sheets = [
        Sheet("List", first, lines[1:], filtered=False, draw=draw),
        Sheet("Colours", [f"Compared as of {text(at)}"], legend, filtered=False, draw=_legend),
    ]
    return workbook(sheets, title="List, marked", at=at)


def _line(marked: MarkedSheet, number: int, width: int) -> list[str]:
    marks = " ".join(each.said for each in marked.marks.get(number, ()))
    said = LAST_COLUMN if number == marked.header else marks
    return [*_filled(marked.rows.get(number, ()), width), said]


def _filled(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _tint(there: Worksheet, marked: MarkedSheet, width: int, last: int) -> None:
    fills = {tint: PatternFill("solid", fgColor=colour) for tint, colour in _COLOURS.items()}
    comments = 0
    for line, marks in marked.marks.items():
        for each in sorted(marks, key=lambda one: one.column is not None):  # a cell's own colour over its line's
            whole = each.column is None
            for column in range(1, width + 1) if each.column is None else (each.column + 1,):
                there.cell(line, column).fill = fills[each.tint]
            if not whole and comments < MOST_COMMENTS:
                _comment(there, line, (each.column or 0) + 1, each.said)
                comments += 1
    for line in range(last + 1, last + 1 + len(marked.missing)):
        for column in range(1, width + 2):
            there.cell(line, column).fill = fills[Tint.MISSING]
    for column in range(1, width + 2) if marked.header > 1 else ():
        there.cell(marked.header, column).font = Font(bold=True)
    there.freeze_panes = f"A{marked.header + 1}"
    there.auto_filter.ref = f"A{marked.header}:{get_column_letter(width + 1)}{last + len(marked.missing)}"


def _comment(there: Worksheet, line: int, column: int, said: str) -> None:
    cell = there.cell(line, column)
    before = "" if cell.comment is None else f"{cell.comment.text} "
    cell.comment = Comment(f"{before}{said}"[:1_000], _AUTHOR)


def _legend(there: Worksheet) -> None:
    for place, tint in enumerate(Tint, 2):
        there.cell(place, 1).fill = PatternFill("solid", fgColor=_COLOURS[tint])
