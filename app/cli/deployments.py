"""`trialcpa deployments`: the DCC reports devices deployed, replaced and decommissioned (F2.28(d) to (f))."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli import shown
from app.cli.deployment_files import LARGEST_CHUNK, USUAL_CHUNK, Chunk, chunks
from app.cli.service import Service, asks_service
from app.client import Client
from core.deployments import Outcome
from core.errors import InputUnusable, ServiceRefused, ServiceUnreachable

SHOWN = 50
"""Refused lines that are shown; --json has them all."""

EXIT_REFUSED = 1


@dataclass
class Told:
    """What became of the lines so far."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("lines", "recorded", "known", "refused", "ignored"), 0)
    )
    batches: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], chunk: Chunk) -> None:
        """Add an answer; its lines are numbered as in the whole file."""
        for name in self.counts:
            self.counts[name] += int(answer[name])
        self.batches.append(str(answer["batch"]))
        self.results += [{**each, "line": chunk.line(int(each["line"]))} for each in answer["results"]]

    @property
    def not_recorded(self) -> list[dict[str, Any]]:
        """The lines of which nothing was recorded because something is wrong with them."""
        return sorted((each for each in self.results if each["outcome"] == Outcome.REFUSED), key=_line)

    @property
    def remarks(self) -> list[dict[str, Any]]:
        """The lines that were taken, or passed over, with a word about them."""
        return sorted(
            (each for each in self.results if each["outcome"] != Outcome.REFUSED and each["detail"]), key=_line
        )


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
@asks_service
def import_(file: Path, chunk: int, service: Service) -> None:
    """Send a CSV or JSON file, or a DUIS 8.2 inventory response as it is.

    Lines that are wrong are shown with line and column; the others are recorded. Sending a file twice changes nothing.
    """
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    told = Told()
    with service.connect() as client:
        _send(client, chunks(octets, chunk), told, quiet=service.as_json)
    if service.as_json:
        shown.as_json({**told.counts, "batches": told.batches, "results": sorted(told.results, key=_line)})
    else:
        _show(shown.out(), file, told)
    raise SystemExit(EXIT_REFUSED if told.counts["refused"] else 0)


def _line(result: Mapping[str, Any]) -> int:
    return int(result["line"])


def _send(client: Client, parts: list[Chunk], told: Told, *, quiet: bool) -> None:
    """Send part after part; what was answered before one fails is recorded, and said."""
    columns = (TextColumn("sent"), BarColumn(), MofNCompleteColumn(), TextColumn("lines"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("", total=sum(each.lines for each in parts))
        for part in parts:
            try:
                told.add(client.send("/v1/deployments", part.octets, part.content_type), part)
            except (ServiceRefused, ServiceUnreachable):
                if told.counts["lines"] and not quiet:
                    click.echo(f"{told.counts['lines']:,} lines were dealt with; send the whole file again.", err=True)
                raise
            progress.advance(bar, part.lines)


def _show(console: Console, file: Path, told: Told) -> None:
    counts = {name: f"{number:,}" for name, number in told.counts.items()}
    style = "bold red" if told.counts["refused"] else "bold green"
    shown.heading(
        console,
        f"{file.name}: {counts['lines']} lines, {counts['recorded']} recorded, {counts['known']} known already, "
        f"{counts['refused']} refused, {counts['ignored']} passed over",
        style,
    )
    for title, listed in (("Refused: nothing was recorded of these", told.not_recorded), ("Remarks", told.remarks)):
        if not listed:
            continue
        shown.heading(console, title)
        shown.table(
            console,
            ("#line", "column", "device", "what"),
            [
                (each["line"], each.get("column"), each.get("device_id"), each.get("detail") or each.get("code"))
                for each in listed[:SHOWN]
            ],
        )
        if len(listed) > SHOWN:
            shown.sentence(console, f"and {len(listed) - SHOWN:,} more; --json lists them all.", style="dim")
