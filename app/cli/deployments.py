"""`trialcpa deployments`: the DCC reports devices deployed, replaced and decommissioned (F2.28(d) to (f))."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli import shown
from app.cli.deployment_files import LARGEST_CHUNK, USUAL_CHUNK, Chunk, chunks
from app.cli.service import Service, asks_service
from app.client import Client, path
from core.days import DayOrder
from core.deployments import Outcome
from core.errors import InputUnusable, ServiceRefused, ServiceUnreachable
from ra.reporting.views import LineTaken, ReportTaken
from ra.views import document

SHOWN = 50
"""Refused lines that are shown; --json has them all."""

EXIT_REFUSED = 1


@dataclass
class Told:
    """What became of the lines so far."""

    batches: list[str] = field(default_factory=list)
    results: list[LineTaken] = field(default_factory=list)

    def add(self, answer: ReportTaken, chunk: Chunk) -> None:
        """Add an answer; its lines are numbered as in the whole file."""
        self.batches.append(answer.batch)
        self.results += [replace(each, line=chunk.line(each.line)) for each in answer.results]

    @property
    def counts(self) -> dict[str, int]:
        """How many lines there were, and how many of each outcome."""
        seen = Counter(each.outcome for each in self.results)
        return {"lines": len(self.results), **{outcome.value: seen[outcome] for outcome in Outcome}}

    @property
    def in_order(self) -> list[LineTaken]:
        """What became of each line, in the order of the file."""
        return sorted(self.results, key=lambda each: each.line)

    @property
    def not_recorded(self) -> list[LineTaken]:
        """The lines of which nothing was recorded because something is wrong with them."""
        return [each for each in self.in_order if each.outcome is Outcome.REFUSED]

    @property
    def remarks(self) -> list[LineTaken]:
        """The lines that were taken, or passed over, with a word about them."""
        return [each for each in self.in_order if each.outcome is not Outcome.REFUSED and each.detail]


@click.group(epilog="\b\nExample:\n  trialcpa deployments import devices.csv")
def deployments() -> None:
    """Report devices deployed, replaced and decommissioned."""


@deployments.command("import", epilog="\b\nExample:\n  trialcpa deployments import devices.csv")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--chunk",
    type=click.IntRange(1, LARGEST_CHUNK),
    default=USUAL_CHUNK,
    show_default=True,
    help="Lines sent at once. A DUIS message is sent whole.",
)
@click.option("--day-first", is_flag=True, help="Of 03/04/2027 the 3 is the day; else the column must show it.")
@asks_service
def import_(file: Path, chunk: int, day_first: bool, service: Service) -> None:  # noqa: FBT001 - click
    """Send a CSV, XLSX or JSON file, or a DUIS 8.2 inventory as it is.

    Lines that are wrong are shown with line and column; the others are recorded. Sending a file twice changes nothing.
    """
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    told = Told()
    with service.connect() as client:
        order = DayOrder.DAY_FIRST if day_first else DayOrder.UNKNOWN
        _send(client, chunks(octets, chunk), told, order, quiet=service.as_json)
    if service.as_json:
        results = [document(each) for each in told.in_order]
        shown.as_json({**told.counts, "batches": told.batches, "results": results})
    else:
        _show(shown.out(), file, told)
    raise SystemExit(EXIT_REFUSED if told.not_recorded else 0)


def _send(client: Client, parts: list[Chunk], told: Told, order: DayOrder, *, quiet: bool) -> None:
    """Send part after part; what was answered before one fails is recorded, and said."""
    columns = (TextColumn("sent"), BarColumn(), MofNCompleteColumn(), TextColumn("lines"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("", total=sum(each.lines for each in parts))
        for part in parts:
            try:
                known = part.order if order is DayOrder.UNKNOWN else order
                taken = client.hand_in(
                    ReportTaken, path("deployments"), part.octets, part.content_type, dates=known.said
                )
                told.add(taken, part)
            except (ServiceRefused, ServiceUnreachable):
                if told.results and not quiet:
                    click.echo(
                        f"{shown.many(len(told.results), 'line')} dealt with; send the whole file again.", err=True
                    )
                raise
            progress.advance(bar, part.lines)


def _show(console: Console, file: Path, told: Told) -> None:
    counts = {name: f"{number:,}" for name, number in told.counts.items()}
    style = "bold red" if told.not_recorded else "bold green"
    shown.heading(
        console,
        f"{file.name}: {shown.many(told.counts['lines'], 'line')}, {counts['recorded']} recorded, "
        f"{counts['known']} known already, {counts['refused']} refused, {counts['ignored']} passed over",
        style,
    )
    for title, listed in (("Refused: nothing was recorded of these", told.not_recorded), ("Remarks", told.remarks)):
        if not listed:
            continue
        shown.heading(console, title)
        shown.table(
            console,
            ("#line", "column", "device", "what"),
            [(each.line, each.column, each.device_id, each.detail or each.code) for each in listed[:SHOWN]],
        )
        if len(listed) > SHOWN:
            shown.sentence(console, f"and {len(listed) - SHOWN:,} more; --json lists them all.", style="dim")
