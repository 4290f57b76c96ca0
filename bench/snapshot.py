"""What the snapshot of a web process costs: its start, its memory, an answer and a change, with few approvals and many.

The rows are planted, not acted. Each register is read by a process of its own, whose memory and processor time are its
own: seconds are of a processor, from the process's first instruction on.
"""

import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.cycle import held_world
from bench.holding import KEY, device_id
from core.canonical import canonical
from core.identifiers import ApprovalIdentifier
from core.instants import seconds, text


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of one register.

    Args:
        approvals, units: of it.
        imported: seconds until everything was imported.
        first: until the first answer.
        whole: until the units were held.
        memory: megabytes then.
        change: milliseconds that a poll took which brought one approval.
        reported: milliseconds that a poll took which brought 2,000 deployments.
        answers: microseconds of an answer, by kind.
    """

    approvals: int
    units: int
    imported: float
    first: float
    whole: float
    memory: float
    change: float
    reported: float
    answers: dict[str, float]


def measure(sizes: Sequence[tuple[int, int]]) -> list[Seen]:
    """Plant a register of each size, of approvals and units, and have it read."""
    found = []
    for approvals, units in sizes:
        with tempfile.TemporaryDirectory() as folder:
            world = held_world(Path(folder))
            model = world.granted(maximum_devices=100)
            world.authority.settle()
            now = world.clock.now() + timedelta(minutes=5)
            identifiers = plant(world.url, model, approvals, units, now)
            world.close()
            (Path(folder) / "asked.json").write_bytes(canonical({"now": text(now), "approvals": list(identifiers)}))
            command = [sys.executable, "-m", "bench.holding", world.url, folder]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            found.append(Seen(**{**told, "approvals": approvals, "units": units}))
    return found


# --- planting ----------------------------------------------------------------------------------------------------


def plant(url: str, model: str, approvals: int, units: int, now: datetime) -> list[str]:
    """Put as many approvals into the register as were asked for, like the one granted, and units under them."""
    identifiers = [model, *(str(ApprovalIdentifier("test", 2028, number)) for number in range(1, approvals))]
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous = OFF")
    with connection:
        _plant_approvals(connection, model, identifiers[1:])
        connection.execute(
            "INSERT INTO credentials (id, key_sha256, name, role, created_at, expires_at) "
            "VALUES (?, ?, ?, 'dcc', ?, ?)",
            ("bench", hashlib.sha256(KEY.encode()).hexdigest(), "bench", seconds(now), seconds(now) + 10**8),
        )
        connection.execute(
            "INSERT INTO deployment_batches (id, form, content_sha256, received_at, received_by) "
            "VALUES ('bench', 'csv', ?, ?, 'dcc')",
            ("0" * 64, seconds(now)),
        )
        _plant_units(connection, identifiers, range(units), seconds(now) - 86_400)
    connection.close()
    return identifiers


def _plant_approvals(connection: sqlite3.Connection, model: str, identifiers: Sequence[str]) -> None:
    columns = {
        table: [each[1] for each in connection.execute(f"PRAGMA table_info({table})")]
        for table in ("approvals", "terms", "certificates", "ocsp_answers")
    }
    like = {
        table: [
            dict(zip(names, row, strict=True))
            for row in connection.execute(f"SELECT * FROM {table} WHERE {where}", (model,))
        ]
        for table, names in columns.items()
        for where in [
            {
                "approvals": "identifier = ?",
                "ocsp_answers": "serial IN (SELECT serial FROM certificates WHERE approval = ?)",
            }.get(table, "approval = ?")
        ]
    }
    (serial,) = {row["serial"] for row in like["certificates"]}

    def rows(table: str) -> Iterator[list[object]]:
        for number, identifier in enumerate(identifiers):
            own = f"4{number:031X}"
            named: dict[str, object] = {
                "identifier": identifier,
                "approval": identifier,
                "decision_id": f"dec-bench-{number:08d}",
            }
            named |= {"application_id": f"app-bench-{number}", "model": f"{number:08X}", "device_key": f"b-{number}"}
            named |= {"serial": own, "fingerprint": f"{number:064x}", "id": None}
            for row in like[table]:
                mine = row | {name: value for name, value in named.items() if name in row}
                if "der" in row:
                    mine["der"] = row["der"].replace(bytes.fromhex(serial), bytes.fromhex(own))
                yield [mine[name] for name in columns[table]]

    for table, names in columns.items():
        places = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows(table))


def _plant_units(connection: sqlite3.Connection, identifiers: Sequence[str], numbers: range, since: int) -> None:
    connection.executemany(
        "INSERT INTO deployments (device_id, approval, firmware_version, deployed_at, recorded_at, batch_id, "
        "decommissioned_at, decommission_recorded_at) VALUES (?, ?, '0002012F', ?, ?, 'bench', ?, ?)",
        (
            (
                device_id(number),
                identifiers[number % len(identifiers)],
                since - number % 3_600,
                since,
                since if number % 50 == 0 else None,
                since if number % 50 == 0 else None,
            )
            for number in numbers
        ),
    )


if __name__ == "__main__":
    for seen in measure([(1_000, 10_000), (100_000, 1_000_000)]):
        print(seen)
