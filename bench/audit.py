"""How long it takes to prove that a register follows from its journal, and how much memory; from a file, on one core.

Two kinds of rows are told apart: what every act leaves behind and rests upon nothing, and the life of an approval, with
its statements, bytes, certificate, list and answers. A register of a million rows has both.
"""

import io
import json
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cycle import held_world
from core.facts import Fact, FactKind
from ra.auditing.exported import export
from store.verbs import facts
from tests.cycle_world import device
from tests.world import DCC, NOW, World
from verify.audited import Audit, Pinned
from verify.exported import read_lines

_PORTION = 10_000


@dataclass(frozen=True)
class Proved:
    """What was seen.

    Args:
        rows: of the journal.
        approvals: granted, a third of them revoked.
        exported: seconds in which the export was made.
        proved: seconds in which it was proved.
        worked: seconds of the processor in which it was.
        octets: of the export.
        memory: octets that proving it took at most.
    """

    rows: int
    approvals: int
    exported: float
    proved: float
    worked: float
    octets: int
    memory: int


def measure(*, rows: int, approvals: int) -> Proved:
    """Make a register of so many rows that rest upon nothing, and so many lives; export and prove it."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        for number in range(approvals):
            granted = world.granted(device=device(number))
            if number % 3 == 0:
                world.revoked(granted)
        world.authority.settle()
        _fill(world, rows)
        file = Path(folder) / "register.jsonl"
        begun = time.perf_counter()
        with file.open("wb") as stream:
            for line in export(world.store):
                stream.write(json.dumps(line).encode() + b"\n")
        exported = time.perf_counter() - begun
        world.memory.close()
        world.store.close()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun, work = time.perf_counter(), time.process_time()
        found = Audit(Pinned())
        with file.open("rb") as stream:
            for said in read_lines(io.BufferedReader(stream)):
                found.take(said)
        proved, worked = time.perf_counter() - begun, time.process_time() - work
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        octets = file.stat().st_size
    if found.findings.problems:
        raise AssertionError(found.findings.problems[0])
    return Proved(
        rows=found.rows,
        approvals=approvals,
        exported=exported,
        proved=proved,
        worked=worked,
        octets=octets,
        memory=memory,
    )


def _fill(world: World, rows: int) -> None:
    for first in range(0, rows, _PORTION):
        with world.store.begin("what everybody leaves behind") as tx:
            for number in range(first, min(first + _PORTION, rows)):
                said = {"number": f"TTN-2027-{number:06d}", "recipient": "dcc", "copy_sha256": f"{number:064x}"}
                facts.record(tx, Fact(FactKind.NOTICE_FETCHED, NOW, DCC, subject=f"app-{number}", payload=said))
        world.authority.settle()


if __name__ == "__main__":
    import sys

    print(measure(rows=int(sys.argv[1]), approvals=int(sys.argv[2])))
