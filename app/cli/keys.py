"""`trialcpa keys`: every key, where it lies, how long it is of use, and how often it was used."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.cli.shown import as_json
from app.house import opened
from core.instants import text
from jobs.key_table import KeyLine, every_key

_NOWHERE = "not in this folder"


@click.command(epilog="\b\nExample:\n  trialcpa keys --home /var/lib/trialcpa")
@home_option
@click.option("--json", "plain", is_flag=True, help="For programs.")
def keys(home: Path | None, plain: bool) -> None:  # noqa: FBT001 - click
    """Show every key: purpose, algorithm, where it lies, since, until, used how often. None is opened but the memory's.

    The root's key lies elsewhere; what it has signed is counted here.
    """
    with opened(home) as (house, memory):
        found = every_key(house.store, memory, house.settings.keys_dir, house.clock.now())
        folder = house.settings.keys_dir
    if plain:
        as_json([_document(each, folder) for each in found])
        return
    for each in found:
        _show(each, folder)


def _document(line: KeyLine, folder: Path) -> dict[str, object]:
    return {
        "purpose": line.purpose,
        "state": line.state.value,
        "algorithm": line.algorithm,
        "key_id": line.key_id,
        "sha256": line.sha256,
        "serial": line.serial,
        "file": str(folder / line.name) if line.held else None,
        "token": line.token,
        "since": None if line.since is None else text(line.since),
        "until": None if line.until is None else text(line.until),
        "used": dict(line.used),
        "verifier_key": line.verifier_key,
    }


def _show(line: KeyLine, folder: Path) -> None:
    click.echo(f"{line.purpose}, {line.state.value}")
    for name, value in (
        ("algorithm", line.algorithm),
        ("key", line.key_id),
        ("SHA-256", line.sha256),
        ("serial", line.serial),
        ("verifier", line.verifier_key),
        ("file", str(folder / line.name) if line.held else _NOWHERE),
        ("token", line.token),
        ("since", None if line.since is None else text(line.since)),
        ("until", None if line.until is None else text(line.until)),
        ("used", ", ".join(f"{count} {what}" for what, count in line.used.items())),
    ):
        if value is not None:
            click.echo(f"  {name:<11}{value}")
