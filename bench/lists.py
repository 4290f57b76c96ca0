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

from bench.cycle import held_world, on_duty
from core.approval import RevocationReason
from core.identifiers import Serial, new_serial
from core.instants import seconds
from core.kinds import HierarchyRole
from jobs.hierarchy import in_service
from jobs.publish import publish
from memory.records import Ended, WillSign
from store.reading import work
from tests.world import NOW, World

_PORTION = 1_000


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
        serials = [new_serial() for _ in range(entries)]
        _plant(world, serials)
        _remember(world, serials)
        first = _publish(world, entries)
        again = _publish(world, entries)
        world.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Published(entries, round(first, 3), round(again, 3), round(memory, 1))


def _remember(world: World, serials: list[Serial]) -> None:
    """Let the authority remember that it signed them, and that they have ended."""
    (issuing,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    for first in range(0, len(serials), _PORTION):
        signed, ended = [], []
        for number, serial in enumerate(serials[first : first + _PORTION], first):
            signed.append(
                WillSign(
                    serial=serial,
                    approval=f"TDT-{number}",
                    issue=1,
                    device="",
                    key_sha256=f"{number:064x}",
                    not_before=issuing.not_before,
                    not_after=NOW + timedelta(days=100),
                    issuer=issuing.key_id,
                    tbs=b"",
                    decision="",
                    proposal_sha256="",
                )
            )
            at, reason = NOW - timedelta(days=1), RevocationReason.PRIVILEGE_WITHDRAWN
            ended.append(Ended(serial=serial, at=at, reason=reason))
        world.memory.remember([*signed, *ended], now=NOW)


def _plant(world: World, serials: list[Serial]) -> None:
    """Put that many revoked certificates into the register; only the rows that the list is made from."""
    path = world.url.removeprefix("sqlite:///")
    ended = seconds(NOW - timedelta(days=1))
    rows = ((serial, f"TDT-{number}", f"{number:064x}", ended, ended) for number, serial in enumerate(serials))
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
    duty = on_duty(world)
    with world.store.read() as tx:
        (issuing,) = in_service(duty, tx, world.clock.now())
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
