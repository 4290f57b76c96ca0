"""`trialcpa clock`: the authority's clock; a test authority's can be moved, forward only."""

from datetime import datetime, timedelta
from pathlib import Path

import click

from app.cli.options import INSTANT, home_option
from app.house import House, home_of, open_house
from app.settings import load
from core.actors import CONSOLE
from core.canonical import Json
from core.errors import ClockRefused
from core.facts import Fact, FactKind
from core.instants import ONE_SECOND, text
from store.verbs import authority, facts


@click.group(epilog="\b\nExample:\n  trialcpa clock advance --to 2027-07-01T00:00:00Z")
def clock() -> None:
    """Show the authority's clock, or move a test authority's forward."""


@clock.command()
@home_option
def show(home: Path | None) -> None:
    """Print the authority's present instant."""
    house = open_house(load(home_of(home)))
    offset = house.row().clock_offset
    ahead = f", {offset} ahead of this machine" if offset else ""
    click.echo(f"{text(house.clock.now())}{ahead}")


@clock.command()
@home_option
@click.option("--to", type=INSTANT, help="The instant to move to.")
@click.option("--by-seconds", type=click.IntRange(1), help="How far to move.")
def advance(home: Path | None, to: datetime | None, by_seconds: int | None) -> None:
    """Move a test authority's clock forward; every process follows within a quarter of a second."""
    if (to is None) == (by_seconds is None):
        raise click.UsageError("Say --to INSTANT or --by-seconds N.")
    house = open_house(load(home_of(home)))
    target = to if to is not None else house.clock.now() + timedelta(seconds=by_seconds or 0)
    set_clock(house, target)
    click.echo(text(target))


def set_clock(house: House, target: datetime) -> None:
    """Move a test authority's clock to `target`, as a fact in the journal.

    Raises:
        ClockRefused: a live authority, or the clock would run backwards.
    """
    row = house.row()
    if row.environment != "test":
        raise ClockRefused(detail="this is a live authority")
    offset = target - house.machine.now()
    if offset < row.clock_offset:
        raise ClockRefused(detail=f"it stands at {text(house.clock.now())} already")
    with house.store.begin("advance clock") as tx:
        authority.advance_clock(tx, offset=offset)
        moved: dict[str, Json] = {"offset_seconds": offset // ONE_SECOND}
        facts.record(
            tx, Fact(kind=FactKind.CLOCK_ADVANCED, at=target, actor=CONSOLE, subject=None, approvals=(), payload=moved)
        )
