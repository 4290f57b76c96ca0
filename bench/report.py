"""How long the monthly report takes over a register of many approvals and deployed devices, on SQLite.

The rows are planted, not acted: half the devices before the last report and half since, one in fifty decommissioned,
one in a thousand taken back, and for each approval three entries on the list.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world
from core.instants import seconds
from core.status import first_second_after
from ra.reporting.report import issue_report, report
from tests.world import DCC, DEVICE, World


@dataclass(frozen=True)
class Reported:
    """What was seen.

    Args:
        approvals, devices: how many.
        first: seconds that the first report took to be computed and issued.
        computed: seconds that the second took to be computed, from the first on.
    """

    approvals: int
    devices: int
    first: float
    computed: float


def measure(approvals: int, devices: int) -> Reported:
    """Plant a register and compute two reports over it."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        model = world.granted()
        now = seconds(world.clock.now())
        identifiers = plant_approvals(world, model, approvals)
        plant_devices(world, identifiers, range(devices // 2), now)
        begun = time.perf_counter()
        issue_report(world.desk, DCC, "2027-01", early=True)
        first = time.perf_counter() - begun
        world.clock.advance(timedelta(days=30))
        plant_devices(world, identifiers, range(devices // 2, devices), seconds(world.clock.now()))
        begun = time.perf_counter()
        document = report(world.desk, DCC, "2027-02")
        computed = time.perf_counter() - begun
        world.close()
    if document.count(b'"above_limit"') != approvals:
        raise AssertionError("an approval is missing")
    return Reported(approvals, devices, first, computed)


def plant_approvals(world: World, model: str, count: int) -> list[str]:
    """Approvals like the one that was granted, each of another model."""
    record = world.record(model)
    certificate = record.certificates[0]
    identifiers = [model, *(f"TDT-2027-{number:05d}-X" for number in range(10_000, 10_000 + count - 1))]
    connection = sqlite3.connect(world.url.removeprefix("sqlite:///"))
    expiry, start = seconds(certificate.not_after), seconds(record.start)
    with connection:
        for place, identifier in enumerate(identifiers[1:]):
            connection.execute(
                "INSERT INTO approvals (identifier, decision_id, application_id, organisation_id, device_type, "
                "manufacturer, model, hardware_version, device_key, granted_at, start, expiry) SELECT ?, ?, ?, "
                "organisation_id, device_type, manufacturer, ?, hardware_version, ?, granted_at, start, expiry "
                "FROM approvals WHERE identifier = ?",
                (identifier, identifier, identifier, f"{place:08X}", f"{DEVICE.type}-{place}", model),
            )
            connection.execute(
                "INSERT INTO terms SELECT ?, issue, decision_id, effective, expiry, maximum_devices, firmware "
                "FROM terms WHERE approval = ?",
                (identifier, model),
            )
            connection.execute(
                "INSERT INTO certificates (serial, approval, issue, der, fingerprint, public_key_sha256, not_before, "
                "not_after, signed_at, ends_at, presign_due) VALUES (?, ?, 1, x'00', ?, '', ?, ?, ?, ?, ?)",
                (
                    f"{place:032X}",
                    identifier,
                    f"{place:064x}",
                    start,
                    expiry,
                    seconds(certificate.signed_at),
                    seconds(first_second_after(certificate.not_after)),
                    expiry,
                ),
            )
        connection.executemany(
            "INSERT INTO cpl_instructions (id, approval, firmware_version, firmware_key, kind, entry, due, cause, "
            "instructed_at, state, acknowledged_at, acknowledged_by) SELECT ?, ?, ?, ?, 'add', coalesce(("
            "SELECT entry FROM cpl_instructions WHERE approval = ? LIMIT 1), '{}'), ?, 'x', ?, 'loaded', ?, 'panel'",
            (
                (f"bench-{identifier}-{entry}", identifier, str(entry), str(entry), model, start, start, start)
                for identifier in identifiers
                for entry in range(3)
            ),
        )
    connection.close()
    return identifiers


def plant_devices(world: World, identifiers: list[str], numbers: range, recorded: int) -> None:
    """Devices of those approvals, reported at one instant."""
    connection = sqlite3.connect(world.url.removeprefix("sqlite:///"))
    with connection:
        connection.execute(
            "INSERT INTO deployment_batches (id, form, content_sha256, received_at, received_by) "
            "VALUES (?, 'csv', ?, ?, 'dcc')",
            (f"bench-{recorded}", "0" * 64, recorded),
        )
        connection.executemany(
            "INSERT INTO deployments (device_id, approval, firmware_version, deployed_at, recorded_at, batch_id, "
            "decommissioned_at, decommission_recorded_at, voided_at, void_reason) VALUES (?, ?, '0002012F', ?, ?, ?, "
            "?, ?, ?, ?)",
            _devices(identifiers, numbers, recorded),
        )
    connection.close()


def _devices(identifiers: list[str], numbers: range, recorded: int) -> Iterator[tuple[object, ...]]:
    batch = f"bench-{recorded}"
    for number in numbers:
        digits = f"{number:016X}"
        device = "-".join(digits[place : place + 2] for place in range(0, 16, 2))
        gone = recorded if number % 50 == 0 else None
        void = recorded if number % 1_000 == 1 else None
        yield (
            device,
            identifiers[number % len(identifiers)],
            recorded - number % 86_400,
            recorded,
            batch,
            gone,
            gone,
            void,
            "It was another's." if void else None,
        )


if __name__ == "__main__":
    print(measure(1_000, 1_000_000))
