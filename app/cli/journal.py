"""`trialcpa journal`: an export that an auditor can prove without trusting us, and the proof."""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of, open_house, profile_of
from app.settings import load
from store.reading import journal as reading
from store.reading.authority import authority_row
from store.transactions import Store
from verify import journal as proving
from verify.parsing import Unreadable

_PORTION = 1_000


@click.group(epilog="\b\nExample:\n  trialcpa journal export > journal.jsonl\n  trialcpa journal prove journal.jsonl")
def journal() -> None:
    """Export the journal, or prove an export: order, links, signed heads."""


@journal.command(
    short_help="Print the sealed journal.", epilog="\b\nExample:\n  trialcpa journal export > journal.jsonl"
)
@home_option
def export(home: Path | None) -> None:
    """Print the sealed journal, one JSON object a line: its name and key, rows, then signed heads."""
    for line in lines(open_house(load(home_of(home))).store):
        click.echo(line)


def lines(store: Store) -> Iterator[str]:
    """Yield the lines of an export."""
    with store.read() as tx:
        row = authority_row(tx)
    key = base64.b64encode(row.journal_key).decode()
    yield json.dumps({"journal": profile_of(row).journal_name, "key": key})
    after = 0
    while True:
        with store.read() as tx:
            rows = reading.sealed_after(tx, after, _PORTION)
        for each in rows:
            yield json.dumps({"row": asdict(each.row), "link": each.link.hex()})
        if not rows:
            break
        after = rows[-1].row.number
    with store.read() as tx:
        for head in reading.heads(tx):
            if head.number <= after:
                signature = head.signature.hex()
                yield json.dumps({"head": head.number, "link": head.link.hex(), "signature": signature})


@journal.command(short_help="Prove an export.", epilog="\b\nExample:\n  trialcpa journal prove journal.jsonl")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "known",
    metavar="BASE64",
    help="The journal's public key as you got it by another way: an earlier export names it, and /v1/authority does. "
    "Without it the export is believed about its own key.",
)
def prove(file: Path, known: str | None) -> None:
    """Prove an export; needs nothing of the authority but the export, and the journal's key from elsewhere."""
    try:
        export = proving.read_export(file.read_bytes())
    except Unreadable as error:
        raise click.UsageError(f"{file}: {error}.") from None
    name = export.name
    rows = [each for stretch in export.stretches for each in stretch.rows]
    key = export.key if known is None else _key(known)
    problems = list(proving.check(rows, export.heads, journal=name, journal_key=key))
    if key != export.key:
        problems.insert(0, "The export names another key of the journal than the one that you know.")
    for problem in problems:
        click.echo(problem)
    if problems:
        raise SystemExit(1)
    whose = "the key in the export itself" if known is None else "the key that you know"
    click.echo(f"{name}: rows 1 to {len(rows)} in unbroken order; signed heads: {len(export.heads)}; by {whose}.")


def _key(known: str) -> bytes:
    try:
        return base64.b64decode(known, validate=True)
    except ValueError:
        raise click.BadParameter("this is not base64.", param_hint="--key") from None
