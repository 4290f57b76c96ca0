"""How long a large CRL takes to be built, gated and published, and how much memory; each in a process of its own."""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world
from core.identifiers import new_serial
from core.instants import seconds
from jobs.duty import Duty, take_lease
from jobs.publish import publish
from ra.issuing import issuing_ca
from store.reading import work
from tests.world import NOW, World


@dataclass(frozen=True)
class Published:
    """What was seen.

    Args:
        entries: of the list.
        first, again: seconds until the first list was published, and one more against the one before.
        memory: megabytes at the most, the whole process.
    """

    entries: int
    first: float
    again: float
    memory: float


def measure(entries: int) -> Published:
    """Publish lists of that length in a fresh process, so that its memory is its own."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.lists", str(entries)], check=True, capture_output=True, text=True
    ).stdout
    return Published(**json.loads(told))


def _measure(entries: int) -> Published:
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        _plant(world, entries)
        first = _publish(world, entries)
        again = _publish(world, entries)
        world.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Published(entries, round(first, 3), round(again, 3), round(memory, 1))


def _plant(world: World, entries: int) -> None:
    """Put that many revoked certificates into the register; only the rows that the list is made from."""
    path = world.url.removeprefix("sqlite:///")
    ended = seconds(NOW - timedelta(days=1))
    rows = (
        (serial, f"TDT-{number}", f"{number:064x}", ended, ended)
        for number in range(entries)
        for serial in [new_serial()]
    )
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO certificates (serial, approval, issue, der, fingerprint, public_key_sha256, not_before, "
            "not_after, signed_at, revoked_at, cause, ends_at, fate, presign_due) "
            f"VALUES (?, ?, 1, x'', ?, '', 0, {seconds(NOW) + 10**8}, 0, ?, 'ssc', ?, 1, {10**11})",
            rows,
        )
    connection.close()


def _publish(world: World, entries: int) -> float:
    world.clock.advance(timedelta(seconds=1))
    epoch = take_lease(world.store, "bench", world.machine, timedelta(hours=1))
    assert epoch is not None
    duty = Duty(world.store, world.authority.keyring, world.authority.pace, world.clock, world.machine, "bench", epoch)
    with world.store.read() as tx:
        issuing = issuing_ca(tx)
    begun = time.perf_counter()
    published = publish(duty, issuing, world.clock.now())
    took = time.perf_counter() - begun
    with world.store.read() as tx:
        last = work.last_crl(tx, issuing.key_id, with_bytes=False)
    if not published or last is None or last.entries != entries:
        raise AssertionError("it was not published")
    return took


if __name__ == "__main__":
    seen = _measure(int(sys.argv[1]))
    print(json.dumps(vars(seen)))
