"""How long a report of 100,000 deployments takes, SQLite with synchronous=FULL, and the same one sent again."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cycle import held_world
from core.deployments import Form, Outcome
from ra.reporting.record import record_deployments
from tests.deployments_world import LATER, csv_of, deployed
from tests.world import DCC


@dataclass(frozen=True)
class Import:
    """What was seen.

    Args:
        lines: of the report.
        seconds: until each had its result.
        again: seconds of the same report sent a second time.
    """

    lines: int
    seconds: float
    again: float


def measure(lines: int) -> Import:
    """Import a CSV file of devices that go up, spread over 20 days, twice."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        approval = world.granted(maximum_devices=lines)
        world.at(LATER)
        body = csv_of(deployed(number, approval, on=f"2027-01-{number % 20 + 5:02d}") for number in range(lines))
        took = []
        for outcome in (Outcome.RECORDED, Outcome.KNOWN):
            begun = time.perf_counter()
            answer = record_deployments(world.desk, DCC, Form.CSV, body)
            took.append(time.perf_counter() - begun)
            seen = sum(each.outcome is outcome for each in answer.results)
            if seen != lines:
                raise AssertionError(f"{seen} of {lines} were {outcome}")
        world.close()
    return Import(lines, *took)


if __name__ == "__main__":
    print(measure(100_000))
