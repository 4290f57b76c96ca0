"""How many certificates a second from seconded to published, every check on, SQLite with synchronous=FULL."""

import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from core.approval import Device
from jobs.duty import Duty, take_lease
from jobs.recall import Copy
from keys.log_key import LOG_FILE
from ra.bounds import Bounds
from ra.deciding.kinds.grant import ProposeGrant
from store import schema
from store.transactions import Store, sqlite_url
from tests.world import DEVICE, World, hold_ceremony, memory_folder, place

MANY = 1_000_000_000


@dataclass(frozen=True)
class Cycle:
    """What was seen.

    Args:
        certificates: how many were in the queue.
        seconds: from the first turn after the last seconding until nothing was due: signed, answered, listed, sealed.
        drafting: seconds that drafting and linting them took before.
    """

    certificates: int
    seconds: float
    drafting: float

    @property
    def rate(self) -> float:
        """Certificates a second."""
        return self.certificates / self.seconds


def measure(certificates: int) -> Cycle:
    """Fill a queue of seconded decisions and work it off."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        waiting = [proposed(world, number) for number in range(certificates)]
        begun = time.perf_counter()
        world.authority.settle()
        drafting = time.perf_counter() - begun
        for decision in waiting:
            world.seconded(decision)
        begun = time.perf_counter()
        world.authority.settle()
        took = time.perf_counter() - begun
        issued = sum(bool(world.record(each).certificates) for each in _approvals(world, waiting))
        world.close()
    if issued != certificates:
        raise AssertionError(f"{issued} of {certificates} were issued")
    return Cycle(certificates, took, drafting)


def held_world(folder: Path) -> World:
    """Return a test authority, with its public log, on a fresh SQLite store in `folder`."""
    url = sqlite_url(folder / "store.sqlite")
    store = Store(url)
    schema.upgrade(store)
    hold_ceremony(store, folder / "ceremony", memory_folder(url, folder / "ceremony"))
    store.close()
    world = World(url, folder / "ceremony")
    # One organisation does here in minutes what all do in years.
    whatever = Bounds(open_applications=MANY, acts_per_day=MANY, deployment_lines_per_day=MANY)
    world.desk = replace(world.desk, rules=replace(world.desk.rules, bounds=whatever))
    log = place(folder / "ceremony").log_key(LOG_FILE)
    world.authority.keyring = replace(world.authority.keyring, log=log)
    return world


def proposed(world: World, number: int) -> str:
    """Apply for the device of a number, propose to grant it, and return the decision."""
    return world.proposed(ProposeGrant(world.applied(device=_device(number)), "A bench."))


def in_force(world: World, approvals: int) -> list[str]:
    """Have so many granted, let their start come, and return them in order."""
    waiting = [proposed(world, number) for number in range(approvals)]
    world.authority.settle()
    given = [world.seconded(each) for each in waiting]
    world.authority.settle()
    world.passes(timedelta(days=2))
    world.authority.settle()
    return sorted(given)


def on_duty(world: World) -> Duty:
    """Return what the jobs of the authority work with, under a lease of their own."""
    epoch = take_lease(world.store, world.authority.holder, world.machine, timedelta(hours=1)).epoch
    assert epoch is not None
    return Duty(
        store=world.store,
        keyring=world.authority.keyring,
        pace=world.authority.pace,
        clock=world.clock,
        machine=world.machine,
        holder=world.authority.holder,
        epoch=epoch,
        memory=world.memory,
        copy=Copy(world.memory, whole=True),
    )


def _device(number: int) -> Device:
    return replace(DEVICE, model=f"{number:08X}")


def _approvals(world: World, decisions: list[str]) -> list[str]:
    from store.reading import requests  # noqa: PLC0415 - only to count

    with world.store.read() as tx:
        return [str(requests.decision(tx, each).approval) for each in decisions]
