"""`trialcpa store`: the schema of the register."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of, opened
from app.settings import load
from jobs import restore
from store import schema
from store.transactions import Store


@click.group(epilog="\b\nExample:\n  trialcpa store upgrade")
def store() -> None:
    """Show the store's schema revision, upgrade it, or accept a backup that was put back."""


@store.command()
@home_option
def revision(home: Path | None) -> None:
    """Print the revision that the store has and the one that this release needs."""
    register = Store(load(home_of(home)).store_url)
    click.echo(f"store {register.revision() or 'empty'}, this release {schema.needed_revision()}")


@store.command()
@home_option
def upgrade(home: Path | None) -> None:
    """Bring the store to the revision that this release needs; stop the services first."""
    register = Store(load(home_of(home)).store_url)
    before = register.revision()
    schema.upgrade(register)
    click.echo(f"{before or 'empty'} → {register.revision()}")


@store.command("accept-restore")
@home_option
@click.option("--why", help="A sentence, for the record; asked for if it is missing.")
def accept_restore(home: Path | None, why: str | None) -> None:
    """Accept a register that is older than what this authority has sealed, after a backup was put back.

    Compare first: what the last published CRL lists and the register does not must be revoked again.
    """
    with opened(home) as (house, memory):
        sentence = why or click.prompt("Why, in a sentence", type=str)
        number = restore.accept_restore(house.store, memory, house.clock.now(), sentence)
    click.echo(f"Accepted at journal row {number}; {restore.NUMBERS_SKIPPED} approval numbers are left out.")
