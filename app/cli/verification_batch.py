"""A file of questions, a table or the JSON of a batch, asked by the portion. Nothing is judged here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.client import Client, path
from core.canonical import read_json
from core.errors import FileCompressed, InputUnusable
from core.plain_text import TextUnreadable, utf8
from documents.tables import csv_text
from intake.table import TableUnreadable, divided, row_of

PORTION = 2_500
"""Questions sent at once, so that the bar moves; the service takes four times as many."""

COLUMNS = ("line", "asked", "covered", "state", "approval", "issue", "serial", "reasons", "detail", "as_of")
"""Of the table that is written."""

_JSON, _TABLE = "application/json", "text/csv"


@dataclass(frozen=True)
class _Portion:
    """Questions that are sent together: as octets, and of each its number in the file and what it names."""

    octets: bytes
    content_type: str
    named: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Line:
    """One question and what became of it.

    Args:
        number: its line in a table, or its place in the list.
        asked: what it names, for people.
        answer: as the service sent it; the document of a problem if the question was refused.
    """

    number: int
    asked: str
    answer: Mapping[str, Any]

    @property
    def refused(self) -> bool:
        """Whether it was."""
        return "valid" not in self.answer

    @property
    def covered(self) -> bool:
        """Whether the answer is yes."""
        return self.answer.get("valid") is True

    def cells(self) -> list[str]:
        """Return it as COLUMNS."""
        said = self.answer
        if self.refused:
            return [str(self.number), self.asked, "", *[""] * 4, str(said["code"]), _sentences([said]), ""]
        state, approval, issue, serial = ("" if said[name] is None else str(said[name]) for name in COLUMNS[3:7])
        reasons: list[Mapping[str, Any]] = said["reasons"]
        codes = " ".join(each["code"] for each in reasons)
        covered = "yes" if self.covered else "no"
        told = (codes, _sentences(reasons), str(said["as_of"]))
        return [str(self.number), self.asked, covered, state, approval, issue, serial, *told]


def ask_each(client: Client, file: Path, octets: bytes, *, quiet: bool) -> list[Line]:
    """Ask what a file asks.

    Args:
        client: whom to ask.
        file: its name, for errors.
        octets: what is in it.
        quiet: whether no progress is shown.

    Raises:
        InputUnusable: it is neither a table nor a batch in JSON.
        ServiceRefused, ServiceUnreachable, ServiceAnswerMalformed: as the client raises them.
    """
    portions = list(_portions(file, octets))
    columns = (TextColumn("asked"), BarColumn(), MofNCompleteColumn(), TextColumn("questions"))
    found: list[Line] = []
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("", total=sum(len(each.named) for each in portions))
        for each in portions:
            told: Mapping[str, Any] = client.hand_in(dict, path("verify", "batch"), each.octets, each.content_type)
            answers = zip(each.named, told["answers"], strict=True)
            found += [Line(number, asked, answer) for (number, asked), answer in answers]
            progress.advance(bar, len(each.named))
    return found


def as_table(lines: Sequence[Line]) -> bytes:
    """Return the answers as CSV."""
    return csv_text(COLUMNS, [each.cells() for each in lines], numbers=("line", "issue"))


def _sentences(reasons: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(f"{each['detail']} {each.get('remedy') or each.get('hint') or ''}".strip() for each in reasons)


def _portions(file: Path, octets: bytes) -> Iterator[_Portion]:
    try:
        if octets.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
            yield from _of_json(octets)
        else:
            yield from _of_table(octets)
    except (TableUnreadable, TextUnreadable, FileCompressed, ValueError) as error:
        raise InputUnusable(path=file, detail=f"it is no list of questions: {error}.") from None


def _of_json(octets: bytes) -> Iterator[_Portion]:
    said = read_json(utf8(octets))
    asked = said.get("questions") if isinstance(said, dict) else said
    if not isinstance(asked, list):
        raise ValueError("it is no object with the member “questions”, a list")  # noqa: TRY004 - as of all that is no list
    for first in range(0, len(asked), PORTION):
        some = asked[first : first + PORTION]
        named = [(first + place, _words(each)) for place, each in enumerate(some, 1)]
        yield _Portion(json.dumps({"questions": some}).encode("ascii"), _JSON, named)


def _of_table(octets: bytes) -> Iterator[_Portion]:
    table = divided(octets)
    head, rows = "", list[tuple[str, int, str]]()
    for each in table.records:
        row = row_of(table, each)
        if row is None or each.text is None:
            raise ValueError(f"line {each.line} is no row of CSV; look for a stray quotation mark")
        if not row.cells:
            continue
        if head:
            rows.append((each.text, each.line, " ".join(cell.text for cell in row.cells if cell.text)))
        else:
            # What stands between the cells is said, and not left to be found out again from a part of the rows.
            head = f"sep={table.separator}\r\n{each.text}"
    for first in range(0, max(1, len(rows)), PORTION):
        some = rows[first : first + PORTION]
        text = "\r\n".join([head, *(each[0] for each in some), ""])
        yield _Portion(text.encode(), _TABLE, [(line, asked) for _, line, asked in some])


def _words(question: object) -> str:
    if not isinstance(question, dict):
        return json.dumps(question)
    values = [each for one in question.values() for each in (one.values() if isinstance(one, dict) else (one,))]
    return " ".join(str(each) for each in values)
