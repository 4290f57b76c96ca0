"""Tables as people hand them in: CSV in every form in which spreadsheets save it, or a workbook; rows of text come out.

What a program adds on its own is taken off here, once for every reader of tables: byte order marks, a line `sep=;`,
empty cells and rows at the ends, the mark that guards a cell of our own export, and `="0012"`. What kind of file it is,
its content says; what is another kind of file is told as that.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import FileCompressed
from core.plain_text import TextUnreadable, as_saved, is_gzip, trimmed
from intake.workbook import CUT, LONGEST_CELL, Cell, Row

MOST_LINES_OF_A_ROW = 50
"""Lines that one row of a CSV may run over: beyond that a quotation mark was forgotten."""

SEPARATORS = ",;\t|"
_LOOKED_AT = 20
"""Rows from the beginning by which it is told what stands between cells."""

_SAYS_SEPARATOR = re.compile(r"\s*\"?sep=(.)\"?[,;\t|]*\s*", re.IGNORECASE)
_AS_TEXT = re.compile(r'="(.*)"|\'([^\']*)', re.DOTALL)
_EMPTY = Cell("")
_END_OF_FILE = "\x1a"  # what programs of MS-DOS end a text with

_OTHER_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (
        re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "it is a workbook of Excel 97-2003 (.xls), or one with a password; save it as .xlsx without a password",
    ),
    (re.compile(rb"%PDF-"), "it is a PDF; send the table that it was made of"),
    (re.compile(rb"ID;P"), "it is a SYLK file (.slk); save it as .xlsx or as CSV UTF-8"),
    (re.compile(rb"TABLE\r?\n0,1\r?\n"), "it is a DIF file (.dif); save it as .xlsx or as CSV UTF-8"),
    (re.compile(rb"\{\\rtf"), "it is a text of a word processor (RTF); save it as .xlsx or as CSV UTF-8"),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<\?xml|(\xef\xbb\xbf)?\s*<\?mso"),
        "it is XML, as “XML Spreadsheet 2003” is; save it as .xlsx or as CSV UTF-8",
    ),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|table|meta|head)", re.IGNORECASE),
        "it is a web page, whatever its name says; save it as .xlsx or as CSV UTF-8",
    ),
)


class TableUnreadable(ValueError):
    """A file that is no table. Its message says what it is, as half a sentence."""


@dataclass(frozen=True)
class Record:
    """One row of a CSV as it stands there.

    Args:
        line: the number of its first line, from 1.
        text: with the line ends within quoted cells as LF; None if its quotation marks do not pair.
    """

    line: int
    text: str | None


@dataclass(frozen=True)
class Table:
    """A CSV that has been divided into rows, and not yet into cells.

    Args:
        separator: what stands between its cells.
        lines: how many lines it has.
        records: its rows, but for a line `sep=` before them.
    """

    separator: str
    lines: int
    records: Sequence[Record]


def require_table(octets: bytes) -> None:
    """Raise if a file is neither text nor a workbook.

    Raises:
        FileCompressed: it was compressed.
        TableUnreadable: it is a file of another kind.
    """
    if is_gzip(octets):
        raise FileCompressed
    for begins, told in _OTHER_KINDS:
        if begins.match(octets):
            raise TableUnreadable(told)


def divided(octets: bytes) -> Table:
    """Return a CSV divided into rows.

    Args:
        octets: UTF-8, UTF-16 with its mark, or Windows-1252; CRLF, LF or CR at the ends of lines.

    Raises:
        FileCompressed, TableUnreadable: no text, or a file of another kind.
    """
    require_table(octets)
    try:
        text = as_saved(octets)
    except TextUnreadable as error:
        raise TableUnreadable(str(error)) from None
    text = text.rstrip(_END_OF_FILE)
    if "\x00" in text:
        raise TableUnreadable("it is neither a workbook nor text")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    said = _SAYS_SEPARATOR.fullmatch(lines[0])
    begin = 1 if said else 0
    return Table(said[1] if said else _separator(lines), len(lines), tuple(_records(lines, begin)))


def row_of(table: Table, record: Record) -> Row | None:
    """Return a record divided into cells, without empty ones at its end; None if it cannot be divided."""
    if record.text is None:
        return None
    if '"' not in record.text and len(record.text) < csv.field_size_limit():
        return _row(record.line, record.text.split(table.separator))  # most rows: a fifth of the time, the same cells
    try:
        cells = next(csv.reader([record.text], delimiter=table.separator, strict=True), [])
    except csv.Error:
        return None
    return _row(record.line, cells)


def _row(line: int, cells: Sequence[str]) -> Row:
    kept = [_cell(each) if each else _EMPTY for each in cells]
    while kept and not kept[-1].text:
        kept.pop()
    return Row(line, tuple(kept))


def column_named(header: str) -> str:
    """Return the column that a header names, whatever its case, and whether with blanks or underscores."""
    return "_".join(header.casefold().replace("_", " ").split())


def _separator(lines: Sequence[str]) -> str:
    """What stands in most of the first rows outside quotation marks, and if that is several, most often."""
    bare = re.sub(r'"[^"]*"', "", "\n".join(lines[:_LOOKED_AT]))
    # A sentence in a cell may have more commas than its row has cells; the header and rows without one have none.
    return max(SEPARATORS, key=lambda each: (sum(each in row for row in bare.split("\n")), bare.count(each)))


def _records(lines: Sequence[str], begin: int) -> Iterator[Record]:
    place = begin
    while place < len(lines):
        last = place
        marks = lines[place].count('"')
        # RFC 4180: within a quoted cell a mark is doubled, so a row is whole when their number is even.
        while marks % 2 and last + 1 < min(len(lines), place + MOST_LINES_OF_A_ROW):
            last += 1
            marks += lines[last].count('"')
        if marks % 2:
            yield Record(place + 1, None)
            place += 1
        else:
            yield Record(place + 1, "\n".join(lines[place : last + 1]))
            place = last + 1


def _cell(text: str) -> Cell:
    # NO-BREAK SPACE is among the blanks: our own export guards cells with it (documents/tables.py).
    stripped = trimmed(text)
    # `="0012"` and `'0012` are how people and programs keep a spreadsheet from making a number of a text.
    as_text = _AS_TEXT.fullmatch(stripped) if stripped.startswith(("=", "'")) else None
    if as_text:
        stripped = trimmed((as_text[1] or as_text[2] or "").replace('""', '"'))
    return Cell(stripped[:LONGEST_CELL], CUT) if len(stripped) > LONGEST_CELL else Cell(stripped)
