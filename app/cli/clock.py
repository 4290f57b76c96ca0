"""`trialcpa clock`: the authority's clock; accepted when it was doubted. A test authority's can be moved forward."""

from datetime import datetime, timedelta
from pathlib import Path

import click

from app.cli import asking
from app.cli.options import INSTANT, home_option
from app.house import House, home_of, open_house, opened
from app.settings import load
from core.actors import CONSOLE
from core.canonical import Json
from core.errors import ClockRefused
from core.facts import Fact, FactKind
from core.instants import ONE_SECOND, text
from jobs.accept_clock import accept_clock, doubt_of
from jobs.clocks import second_clocks
from jobs.doubt import Limits
from memory.memory import Memory
from store.verbs import authority, facts


@click.group(epilog="\b\nExample:\n  trialcpa clock advance --to 2027-07-01T00:00:00Z")
def clock() -> None:
    """Show the authority's clock, accept it where it is doubted, or move a test authority's forward."""


@clock.command(epilog="\b\nExample:\n  trialcpa clock show")
@home_option
def show(home: Path | None) -> None:
    """Print the authority's present instant."""
    house = open_house(load(home_of(home)))
    offset = house.row().clock_offset
    ahead = f", {offset} ahead of this machine" if offset else ""
    click.echo(f"{text(house.clock.now())}{ahead}")


@clock.command(
    short_help="Move a test authority's clock forward.",
    epilog="\b\nExample:\n  trialcpa clock advance --to 2027-07-01T00:00:00Z",
)
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


@clock.command(short_help="Accept what this machine's clock shows.", epilog="\b\nExample:\n  trialcpa clock accept")
@home_option
@click.option("--why", help="A sentence, for the record; asked for if it is missing.")
def accept(home: Path | None, why: str | None) -> None:
    """Accept what this machine's clock shows, after the authority has doubted it (alarm `clock-doubtful`).

    Compare with a clock that has nothing to do with this machine first. What is issued from now on is dated by it.
    """
    with opened(home) as (house, memory):
        _accept(house, memory, why)


def _accept(house: House, memory: Memory, sentence: str | None) -> None:
    pace = house.settings.pace
    limits = Limits(most_jump=pace.most_jump, longest_rest=pace.longest_rest)
    reading, last, why = doubt_of(house.store, memory, limits)
    click.echo(why)
    click.echo(f"This machine's clock shows   {text(reading.wall)}")
    click.echo(f"When something was signed    {'unknown' if last is None else text(last.wall)}")
    for shown in second_clocks(house.store)():
        click.echo(f"A second clock shows         {text(shown)}")
    year = asking.number("Which year is it")
    said = sentence or asking.words("Why, in a sentence", instead="--why")
    at = accept_clock(house.store, memory, limits, shown=reading, year=year, sentence=said)
    click.echo(f"Accepted: it is {text(at)}.")


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
