"""`trialcpa check`: what the processes look at before they start, and an operator from time to time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from api.readiness import Purpose
from app import looks
from app.cli.options import home_option
from app.cli.shown import many
from app.house import House, home_of, open_house
from app.processes import told_ready
from app.settings import load
from core.errors import TrialCpaError
from core.instants import text
from core.renewal import ALARMS, Lasting
from jobs.recall import require_not_behind
from store.reading import watching


@click.command(epilog="\b\nExample:\n  trialcpa check --home /var/lib/trialcpa")
@home_option
@click.option("--keys", is_flag=True, help="Open the private keys too (as the authority's user).")
def check(home: Path | None, keys: bool) -> None:  # noqa: FBT001 - click
    """Look over settings, store, journal, approvals, keys and lists; exit with 1 if anything is wrong."""
    console = Console(highlight=False, soft_wrap=True)
    settings = load(home_of(home))
    console.print(f"[green]✓[/green] settings of {settings.home}")
    house = open_house(settings)
    console.print(f"[green]✓[/green] store {settings.store_url.split(':', 1)[0]}, revision {house.store.revision()}")
    wrong = 0
    for name, look in _LOOKS.items():
        if name == "keys" and not keys:
            continue
        try:
            for sentence in look(house):
                console.print(f"[green]✓[/green] {sentence}")
        except TrialCpaError as error:
            wrong += 1
            console.print(f"[red]✗[/red] {name}: {error} {error.hint}")
    ending = looks.ending(house)
    for sentence in (*(each.told(house.clock.now()) for each in ending), *_alarms(house, ending)):
        console.print(f"[yellow]![/yellow] {sentence}")
    raise SystemExit(1 if wrong else 0)


def _alarms(house: House, ending: Sequence[Lasting]) -> Iterator[str]:
    """What the running service says is wrong; without one, what the register says that its processes noticed last.

    Args:
        house: the authority.
        ending: what has been told of already.
    """
    known = {ALARMS[each.what] for each in ending}
    other = looks.no_answer(house)
    found = None if other else told_ready(house.settings.host, house.settings.port, f"for={Purpose.WRITING.value}")
    if found is not None:
        for each in found.alarms:
            if each.code not in known:
                yield f"{each.code.value}, since {text(each.since)}: {each.sentence}"
        return
    with house.store.read() as tx:
        left = watching.alarms(tx)
    for one in left:
        yield f"{one.code.value}, since {text(one.since)}: {one.sentence}"
    yield f"{other or looks.SILENT}: what only it knows is not told here"


def _keys(house: House) -> Iterator[str]:
    from app.authority import open_authority  # noqa: PLC0415 - who looks without --keys opens none

    memory = open_authority(house).memory
    with house.store.read() as tx:
        require_not_behind(tx, memory)
    yield f"private keys in {house.settings.keys_dir}"
    newest = "the newest are as they were sealed (trialcpa memory check proves all)"
    yield f"memory of {many(memory.last, 'record')}; {newest}"


_LOOKS: dict[str, Callable[[House], Iterator[str]]] = {
    "certificates": looks.look_at_certificates,
    "lists": looks.look_at_lists,
    "journal": looks.look_at_journal,
    "approvals": looks.look_at_approvals,
    "proxy": looks.look_at_proxy,
    "renderer": looks.look_at_renderer,
    "keys": _keys,
}
