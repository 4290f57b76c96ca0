"""`trialcpa store`: the schema of the register."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of
from app.settings import load
from store import schema
from store.transactions import Store


@click.group(epilog="\b\nExample:\n  trialcpa store upgrade")
def store() -> None:
    """Show the store's schema revision, or upgrade it."""


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
