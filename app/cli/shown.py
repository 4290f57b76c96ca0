"""How answers are shown: tables and sentences for people, JSON for programs. Nothing is cut short to fit a window."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import date, datetime
from pathlib import Path

import click
from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from core.approval import Device
from core.errors import Finding, InputUnusable, InstantMalformed
from core.instants import day, first_second, last_second, parse, text
from core.local_time import uk
from core.words import counted
from verify.kit.terminal import harmless

PIPED_WIDTH = 160
"""Columns where there is no terminal to ask."""

LONGEST_IDENTIFIER = 40
"""Characters of what is never broken: the longest of our identifiers, a serial number, has fewer."""

_COMMAND = ": trialcpa "
"""Comes before a command that is to be typed next."""

LEAST_COLUMN = 22
"""Columns of the terminal that a column of words gets at least, if it needs them."""


def out() -> Console:
    """Return where people are shown things."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def as_json(document: object) -> None:
    """Print a document for programs: ASCII, so that nothing in it can steer a terminal."""
    click.echo(json.dumps(document, indent=2))


def to_file(body: bytes, output: Path | None) -> None:
    """Write octets to a file, or to the terminal; say which file it was."""
    if output is None or str(output) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise InputUnusable(path=output, detail=f"it cannot be written ({error.strerror}).") from None
    click.echo(f"{output}: {len(body):,} octets", err=True)


def heading(console: Console, words: str, style: str = "bold") -> None:
    """Say what follows."""
    console.print()
    console.print(Text(harmless(words), style=style))


def sentence(console: Console, words: object, *, style: str = "", indent: int = 2) -> None:
    """Say something; what ends with a command is broken by the terminal alone, so that it can be copied whole."""
    for line in harmless(written(words)).splitlines() or [""]:
        if _COMMAND in line:
            console.print(Text(" " * indent + line, style=style), soft_wrap=True)
            continue
        console.print(Padding(Text(line, style=style, overflow="fold"), (0, 0, 0, indent)))


def facts(console: Console, pairs: Iterable[tuple[str, object]]) -> None:
    """Show names with their values; what has no value is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", [], ()):
            grid.add_row(Text(f"  {name}"), _cell(value))
    console.print(grid)


def table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]], *, none: str = "none") -> None:
    """Show rows under their columns; `none` is said if there are no rows.

    Args:
        console: where.
        columns: their headings; one that begins with `#` holds numbers.
        rows: of as many cells.
        none: said instead of an empty table.
    """
    held = [list(row) for row in rows]
    if not held:
        sentence(console, none, style="dim")
        return
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", padding=(0, 1))
    least = 0
    for place, column in enumerate(columns):
        name, width = column.lstrip("#"), _least([row[place] for row in held])
        width = max(width, len(name))
        least += width + len("   ")
        made.add_column(name, overflow="fold", justify="left" if name == column else "right", min_width=width)
    for row in held:
        made.add_row(*(_cell(each) for each in row))
    # In a window that is too narrow the terminal breaks the lines; nothing that is to be copied is broken by us.
    console.print(made, width=max(console.width, least), crop=False)


def _least(cells: Sequence[object]) -> int:
    """How wide a column must be: what has no blanks, an identifier or a number, is never broken; words may be."""
    words = [word for each in cells for word in written(each).split()]
    longest = max((len(word) for word in words if len(word) <= LONGEST_IDENTIFIER), default=0)
    return max(longest, min(LEAST_COLUMN, max((len(written(each)) for each in cells), default=0)))


def many(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun: `1 certificate`, `2,000 certificates`, `2 entries`.

    Args:
        number: how many.
        one: the noun.
        several: its plural, if that is not the noun with an s.
    """
    return counted(number, one, several or None)


def when(instant: object) -> str:
    """Return an instant as people read it: UTC, and UK local time beside it."""
    try:
        at = parse(written(instant))
    except InstantMalformed:
        return written(instant)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC ({uk(at)})"


def first_day(day: object) -> str:
    """Return a UTC day as the first of something: `2027-01-04, from 00:00:00 GMT on 4 January 2027`."""
    return f"{day}, from {uk(first_second(_day(day)))}" if _is_day(day) else when(day)


def last_day(day: object) -> str:
    """Return a UTC day as the last of something: `2027-06-30, until 00:59:59 BST on 1 July 2027`."""
    return f"{day}, until {uk(last_second(_day(day)))}" if _is_day(day) else when(day)


def day_of(instant: object) -> str:
    """Return the UTC day of an instant, or what was given."""
    return written(instant)[:10]


def device_of(device: Device) -> str:
    """Return a device model in one line."""
    return " ".join(part for part in astuple(device) if part)


def findings(console: Console, found: Iterable[Finding]) -> None:
    """Show what the rules found."""
    table(
        console,
        ("severity", "clause", "finding", "what to do"),
        [(each.severity, each.clause, each.detail, each.remedy) for each in found],
        none="The rules found nothing.",
    )


def _is_day(value: object) -> bool:
    if isinstance(value, str):
        return len(value) == len("2027-01-04")
    return isinstance(value, date) and not isinstance(value, datetime)


def _day(value: object) -> date:
    return day(str(value), field="day")


def written(value: object) -> str:
    """Return a value as it is written: instants as RFC 3339 in UTC, nothing for None."""
    if isinstance(value, datetime):
        return text(value)
    return "" if value is None else str(value)


def _cell(value: object) -> Text | Group:
    if isinstance(value, list | tuple):
        return Group(*(_cell(each) for each in value))
    return Text(harmless(written(value)))
