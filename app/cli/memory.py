"""`trialcpa memory`: what the authority remembers by itself, beside its keys."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from app.cli import asking
from app.cli.options import home_option
from app.cli.shown import many
from app.house import House, home_of, open_house, open_keyring, open_memory, opened
from app.settings import load
from core.actors import CONSOLE
from core.errors import LeaseHeld, MemoryBegun, MemoryMissing
from core.instants import text
from core.kinds import COUNTED
from jobs.beginning import WATERMARK_FILE, Beginning, prove_register
from jobs.clocks import clocks
from jobs.duty import release_lease, take_lease
from keys.ceremony import RECORD_FILE
from memory.memory import Memory
from memory.records import Begun

_NEWEST = 5


@click.group(epilog="\b\nExample:\n  trialcpa memory show --home /var/lib/trialcpa")
def memory() -> None:
    """Show or prove what the authority remembers; begin, where it was made before there was a memory.

    The memory lies in the folder of the keys: run this as the authority's user.
    """


@memory.command(epilog="\b\nExample:\n  trialcpa memory begin --home /var/lib/trialcpa")
@home_option
@click.option("--yes", is_flag=True, help="Do not ask: the root's digest was compared before.")
def begin(home: Path | None, yes: bool) -> None:  # noqa: FBT001 - click
    """Begin to remember, once, after an upgrade; stop the authority first.

    Proves the register under the authority's own keys: the journal from row 1, each certificate, each list. Where
    something does not hold nothing is begun.
    """
    with closing(open_house(load(home_of(home)))) as house:
        _begin(house, sure=yes)


def _begin(house: House, *, sure: bool) -> None:
    try:
        with closing(open_memory(house)) as known:
            held = known.last
    except MemoryMissing:
        pass
    else:
        raise MemoryBegun(detail=f"{house.settings.keys_dir} holds {many(held, 'record')}")
    with _alone(house) as still:
        _prove_and_begin(house, still, sure=sure)


@contextmanager
def _alone(house: House) -> Iterator[Callable[[], None]]:
    """Keep authority processes from working; yields what raises LeaseHeld if one may have worked meanwhile."""
    holder, length = f"{CONSOLE.name}-{secrets.token_hex(8)}", house.settings.pace.lease_length
    epoch = take_lease(house.store, holder, house.machine, length).epoch
    if epoch is None:
        raise LeaseHeld

    def still() -> None:
        # People take their time, and so does a proof: the lease may have run out, which does no harm if nobody took it.
        if take_lease(house.store, holder, house.machine, length).epoch != epoch:
            raise LeaseHeld

    try:
        yield still
    finally:
        release_lease(house.store, holder, house.machine)


def _prove_and_begin(house: House, still: Callable[[], None], *, sure: bool) -> None:
    folder = house.settings.keys_dir
    officers = {kind.value: house.settings.rules.officers_for(kind) for kind in COUNTED}
    proved = prove_register(house.store, open_keyring(house), officers, folder / WATERMARK_FILE)
    _tell(proved)
    if not sure:
        name = proved.begun.name
        question = f"Compare the root with the ceremony's transcript. Then type {name!r} to begin"
        if asking.repeated(question, instead="--yes") != name:
            raise click.ClickException("Nothing was begun: that is not the authority's name.")
    still()
    # If we die behind the key, it is used by the next run; behind the memory, only the older file is left over.
    key = house.place().made_record_key(RECORD_FILE)
    begun = Memory.begin(
        folder,
        key,
        proved.begun,
        clocks(house.machine, house.clock_of(proved.begun.environment)),
        records=proved.records,
        links=proved.links,
    )
    (folder / WATERMARK_FILE).unlink(missing_ok=True)
    click.echo(f"Begun with {many(begun.last, 'record')}. Digest of what is believed: {begun.digest()}")
    begun.close()


@memory.command(
    short_help="Show shortly what is remembered.",
    epilog="\b\nExample:\n  trialcpa memory show --home /var/lib/trialcpa",
)
@home_option
def show(home: Path | None) -> None:
    """Show what is remembered, shortly; two machines of one authority compare the digest."""
    with opened(home) as (_, known):
        _show(known)


def _show(known: Memory) -> None:
    said, at, head = known.begun, known.last_at, known.head
    for name, value in _identity(said):
        click.echo(f"{name:<14}{value}")
    click.echo(f"{'Records':<14}" + ", ".join(f"{count} {kind}" for kind, count in known.counted().items()))
    click.echo(f"{'Head':<14}row {head.number} of the journal, {head.link.hex()}")
    if at is not None:
        click.echo(f"{'Clock':<14}{text(at.wall)}, {at.offset} s added, boot {at.boot_id}")
    for each in known.after(max(0, known.last - _NEWEST), _NEWEST):
        click.echo(f"{'Record':<14}{each.number}, {each.kind}, {text(each.at)}")
    click.echo(f"{'Digest':<14}{known.digest()}")


@memory.command(
    short_help="Prove every record.", epilog="\b\nExample:\n  trialcpa memory check --home /var/lib/trialcpa"
)
@home_option
def check(home: Path | None) -> None:
    """Prove every record, and that what is believed follows from them; exit with 1 if not."""
    with opened(home) as (_, known):
        found = known.prove()
    click.echo(
        f"{many(found.records, 'record')}, every one as it was sealed: {many(found.certificates, 'certificate')}, "
        f"{many(found.ends, 'end')}, {many(found.lists, 'list')}, the head at row {found.head}."
    )


def _identity(said: Begun) -> list[tuple[str, str]]:
    known = [
        ("Authority", f"{said.name} ({said.environment})"),
        ("Arc", said.arc),
        ("Public base", said.base_url),
    ]
    if said.taken_over:
        taken = ", ".join(f"{count} {what}" for what, count in said.taken_over.items())
        known.append(("Taken over", f"{taken}, up to row {said.journal_number}"))
    return known


def _tell(proved: Beginning) -> None:
    for name, value in _identity(proved.begun):
        click.echo(f"{name:<14}{value}")
    click.echo(f"{'Head':<14}{proved.begun.journal_link.hex()}")
    click.echo(f"{'Root':<14}SHA-256 {proved.root_sha256}")
