"""`trialcpa journal`: an export that an auditor can prove without trusting us, and the proof."""

import base64
import json
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of, open_house, profile_of
from app.settings import load
from core.chain import SealedRow
from store.reading import journal as reading
from verify import journal as proving

_PORTION = 1_000


@click.group(epilog="\b\nExample:\n  trialcpa journal export > journal.jsonl && trialcpa journal prove journal.jsonl")
def journal() -> None:
    """Export the journal, or prove an export: order, links, signed heads."""


@journal.command()
@home_option
def export(home: Path | None) -> None:
    """Print the sealed journal, one JSON object a line: its name and key, rows, then signed heads."""
    house = open_house(load(home_of(home)))
    row = house.row()
    key = base64.b64encode(row.journal_key).decode()
    click.echo(json.dumps({"journal": profile_of(row).journal_name, "key": key}))
    after = 0
    while True:
        with house.store.read() as tx:
            rows = reading.sealed_after(tx, after, _PORTION)
        for each in rows:
            click.echo(json.dumps({"row": asdict(each.row), "link": each.link.hex()}))
        if not rows:
            break
        after = rows[-1].row.number
    with house.store.read() as tx:
        for head in reading.heads(tx):
            if head.number <= after:
                signature = head.signature.hex()
                click.echo(json.dumps({"head": head.number, "link": head.link.hex(), "signature": signature}))


@journal.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def prove(file: Path) -> None:
    """Prove an export; needs nothing of the authority but the export."""
    name, key, rows, heads = _read(file)
    problems = proving.check(rows, heads, journal=name, journal_key=key)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise SystemExit(1)
    click.echo(f"{name}: rows 1 to {len(rows)} in unbroken order; signed heads: {len(heads)}.")


def _read(file: Path) -> tuple[str, bytes, list[proving.LinkedRow], list[proving.Head]]:
    """Read an export; whatever is not one is told by its line."""
    name, key = "", b""
    rows: list[proving.LinkedRow] = []
    heads: list[proving.Head] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            said = json.loads(line)
            if "row" in said:
                rows.append(proving.LinkedRow(SealedRow(**said["row"]), str(said["link"])))
            elif "head" in said:
                heads.append(proving.Head(int(said["head"]), str(said["link"]), bytes.fromhex(said["signature"])))
            else:
                name, key = str(said["journal"]), base64.b64decode(said["key"], validate=True)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise click.UsageError(f"{file}, line {number}: this is not a line of a journal export.") from None
    return name, key, rows, heads
