"""A batch of questions as a table, and its answers as one: for people who keep their devices in a spreadsheet.

The header names what a question may have, a row is a question, and an empty cell says nothing. What was asked comes
back in each row, before what is answered; cells are guarded against spreadsheets as in every table of ours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api import problems
from api.status.batch import MOST_QUESTIONS, Answered, Posed
from core.approval import DEVICE_MEMBERS
from core.canonical import Json, read_json
from core.errors import BodyMalformed, QuestionsTooMany
from core.instants import text
from documents.tables import csv_text
from intake.table import Table, TableUnreadable, column_named, divided, row_of
from intake.workbook import Row, read_workbook

_OF_DEVICE = (*DEVICE_MEMBERS, "firmware_version", "firmware_hash")
_BESIDE = ("approval", "certificate", "serial", "device_id", "at")
COLUMNS = (*_BESIDE, *_OF_DEVICE)
"""What a header may name, in any order; each is what a question's member of that name is."""

_OF_ANSWER = ("valid", "state", "approval", "issue", "serial", "not_before", "not_after")
_ANSWERED = (*_OF_ANSWER, "reasons", "detail", "as_of", "fresh_until", "problem")
_EXPECTED = f"a header row with any of {', '.join(COLUMNS)}"


@dataclass(frozen=True)
class Sheet:
    """What a table asks.

    Args:
        columns: of its header.
        rows: line and cells of each question.
        asked: the questions.
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    asked: Sequence[Posed]


def read_questions(body: bytes) -> Sheet:
    """Return the questions of a table: CSV in any form in which a spreadsheet saves it.

    Raises:
        FileCompressed: with gzip.
        BodyMalformed: not such a table, or one with other columns.
        QuestionsTooMany: it has more rows than are answered at once.
    """
    try:
        table = divided(body)
    except TableUnreadable as error:
        raise BodyMalformed(detail=str(error)) from None
    return _sheet(_rows(table))


def read_workbook_questions(body: bytes) -> Sheet:
    """Return the questions of a workbook: of the first visible sheet in which something stands.

    It takes seconds and megabytes to look into one, so that nobody does so where status is answered.

    Raises:
        WorkbookRefused, WorkbookTooLarge: it may not be opened.
        BodyMalformed, QuestionsTooMany: as `read_questions`.
    """
    sheets = read_workbook(body)
    return _sheet(iter(next((each.rows for each in sheets if each.rows), ())))


def _sheet(rows: Iterator[Row]) -> Sheet:
    head = next(rows, None)
    if head is None:
        raise BodyMalformed(detail=f"the table is empty; it must have {_EXPECTED}")
    columns = _header([cell.text for cell in head.cells])
    found: list[Row] = []
    for row in rows:
        if len(found) == MOST_QUESTIONS:
            raise QuestionsTooMany(limit=MOST_QUESTIONS)
        found.append(row)
    return Sheet(columns, found, [_question(row, columns) for row in found])


def numbered(asked: Sequence[Posed]) -> Sheet:
    """Return questions that were not asked in a table as one that says their numbers only."""
    return Sheet((), [Row(number, ()) for number in range(1, len(asked) + 1)], asked)


def written(sheet: Sheet, told: Iterable[Answered], now: datetime) -> bytes:
    """Return the answers as CSV, a row for each question, in their order.

    Args:
        sheet: what was asked.
        told: the answers.
        now: the instant that those about the present speak of.
    """
    return csv_text(header(sheet), answered_rows(sheet, told, now), numbers=("line", "issue"))


def header(sheet: Sheet) -> list[str]:
    """Return the columns of the answers: what was asked, then what is answered."""
    return ["line", *(f"asked_{name}" for name in sheet.columns), *_ANSWERED]


def answered_rows(sheet: Sheet, told: Iterable[Answered], now: datetime) -> Iterator[list[str]]:
    """Yield the cells of each answer.

    Args:
        sheet: what was asked.
        told: the answers.
        now: the instant that those about the present speak of.
    """
    width = len(sheet.columns)
    for row, each in zip(sheet.rows, told, strict=True):
        yield [str(row.line), *_cells(row, width), *_answer(each, now)]


def _rows(table: Table) -> Iterator[Row]:
    for record in table.records:
        row = row_of(table, record)
        if row is None:
            raise BodyMalformed(detail=f"line {record.line} is no row of CSV; look for a stray quotation mark")
        if row.cells:  # spreadsheets leave empty rows behind
            yield row


def _header(cells: Sequence[str]) -> list[str]:
    columns = [column_named(cell) for cell in cells]
    unknown = next((place for place, name in enumerate(columns, 1) if name not in COLUMNS), None)
    if unknown is not None:
        # The first row may be no header at all but somebody's data: its words are not repeated.
        raise BodyMalformed(detail=f"column {unknown} of its first row is not known; it must have {_EXPECTED}")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise BodyMalformed(detail=f"the column {twice} is there twice")
    return columns


def _question(row: Row, columns: Sequence[str]) -> Posed:
    """Return what a row asks, as JSON asks it, so that the one is answered as the other is."""
    said = {name: cell.text for name, cell in zip(columns, row.cells, strict=False) if cell.text}
    if len(row.cells) > len(columns):
        said["cells"] = "more than the header has"  # is refused, as a member that is not known
    if len(said) == 1 and said.keys() <= {"approval", "serial"}:
        return next(iter(said.items()))
    device = {name: said.pop(name) for name in _OF_DEVICE if name in said}
    question: dict[str, Json] = {**said, "device": device} if device else {**said}
    return problems.encode(question).decode("ascii")


def _cells(row: Row, width: int) -> Sequence[str]:
    given = [cell.text for cell in row.cells[:width]]
    return given + [""] * (width - len(given))


def _answer(told: Answered, now: datetime) -> Sequence[str]:
    if isinstance(told, bytes):
        said: Mapping[str, Json] = read_json(told)
        return [*[""] * len(_OF_ANSWER), "", f"{said['detail']} {said['hint']}", "", "", str(said["code"])]
    ready, as_of = told if isinstance(told, tuple) else (told, now)
    members, reasons = ready.verdict.members, ready.verdict.reasons
    return [
        *(_cell(members[name]) for name in _OF_ANSWER),
        " ".join(each.code for each in reasons),
        " ".join(f"{each.detail} {each.remedy}" for each in reasons),
        text(as_of),
        text(ready.verdict.fresh_until(as_of)),
        "",
    ]


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
