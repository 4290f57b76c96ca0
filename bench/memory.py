"""How long an authority takes to start with a long memory, and how fast it goes on; SQLite with synchronous=FULL."""

import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world
from core.identifiers import serial_of
from core.kinds import HierarchyRole
from jobs.clocks import clocks
from memory.memory import Memory
from memory.records import WillSign
from tests.cycle_world import device
from tests.world import NOW, World, memory_folder, record_key

_PORTION = 5_000
_MORE = 200
TBS = 700
"""Octets of a TBSCertificate."""


@dataclass(frozen=True)
class Start:
    """What was seen.

    Args:
        records: how many there were.
        opened: seconds until the memory answered, its newest records proved.
        portions: portions of one record each that were then remembered in a second, each durable.
        proved: seconds that a look at all of it took.
        octets: of its file.
    """

    records: int
    opened: float
    portions: float
    proved: float
    octets: int


def measure(records: int) -> Start:
    """Make a memory of that many certificates, open it, and go on with it."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        _fill(world, records)
        world.memory.close()
        place = memory_folder(world.url, world.folder)
        key, told = record_key(world.folder), clocks(world.machine, world.clock)
        begun = time.perf_counter()
        memory = Memory.open(place, key, told)
        answered = memory.head, memory.last, memory.newest_list(_issuer(memory), NOW)
        opened = time.perf_counter() - begun
        begun = time.perf_counter()
        for number in range(_MORE):
            memory.remember([_record(records + number, _issuer(memory))], now=NOW)
        portions = _MORE / (time.perf_counter() - begun)
        begun = time.perf_counter()
        found = memory.prove()
        proved = time.perf_counter() - begun
        octets = (place / "memory.sqlite").stat().st_size
        memory.close()
        world.store.close()
    if found.certificates != records + _MORE or answered[1] < records:
        raise AssertionError(f"{found} of {records}")
    return Start(records=records, opened=opened, portions=portions, proved=proved, octets=octets)


def _fill(world: World, records: int) -> None:
    issuer = _issuer(world.memory)
    for first in range(0, records, _PORTION):
        portion = [_record(number, issuer) for number in range(first, min(first + _PORTION, records))]
        world.memory.remember(portion, now=NOW)


def _issuer(memory: Memory) -> str:
    return memory.hierarchy(HierarchyRole.ISSUING)[0].key_id


def _record(number: int, issuer: str) -> WillSign:
    return WillSign(
        serial=serial_of(number + 2**100),
        approval=f"TDT-{number}",
        issue=1,
        device=device(1).key,
        key_sha256=f"{number:064x}",
        not_before=NOW,
        not_after=NOW + timedelta(days=100),
        issuer=issuer,
        tbs=number.to_bytes(8, "big") * (TBS // 8),
        decision=f"decision-{number}",
        proposal_sha256=f"{number:064x}",
    )
