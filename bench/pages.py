"""How long each page of the console takes to its first octet, and how many octets it has, over a register of many.

Asked one after another through the whole application, by whoever may; the time of a processor stands beside that of the
clock, for a machine that others use as well. `python -m bench.pages APPROVALS DEVICES`.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.cycle import held_world
from bench.report import plant_approvals, plant_devices
from console.guard import OPEN
from core.instants import seconds
from tests.api_world import Api
from tests.browser_world import addresses, things
from tests.console_world import Pages
from tests.test_console import MAY

APPROVALS, DEVICES = 1_000, 100_000
TIMES = 20
TTFB_SECONDS = 0.150
HEAVIEST = 150_000
"""Octets of a page with its style sheet and scripts, before anything is compressed."""


@dataclass(frozen=True)
class Seen:
    """A page: its address, the 95th percentile of seconds by the clock and of a processor, and its octets."""

    address: str
    waited: float
    worked: float
    octets: int


def measure(approvals: int, devices: int) -> list[Seen]:
    """Plant a register and open every page."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        api = Api(world)
        named = things(Pages(api))
        identifiers = plant_approvals(world, named["approval"], approvals)
        plant_devices(world, identifiers, range(devices), seconds(world.clock.now()))
        pages = Pages(api)
        assets = sum(len(each.read_bytes()) for each in Path(pages.app.root_path, "assets").iterdir())
        found = [
            _opened(pages, None if endpoint in OPEN else max(MAY[endpoint][1]), address, assets)
            for endpoint, address in addresses(pages.app, named).items()
        ]
        world.close()
    return found


def _opened(pages: Pages, who: str | None, address: str, assets: int) -> Seen:
    waited, worked, octets = list[float](), list[float](), 0
    client = pages.browser(who)
    for _ in range(TIMES):
        begun, busy = time.perf_counter(), time.thread_time()
        answer = client.get(address, base_url=pages.origin)
        waited.append(time.perf_counter() - begun)
        worked.append(time.thread_time() - busy)
        octets = len(answer.data) + assets
    late, busiest = (statistics.quantiles(each, n=20)[-1] for each in (waited, worked))
    return Seen(address=address, waited=late, worked=busiest, octets=octets)


def main() -> None:
    """Print the slowest pages, and the heaviest."""
    approvals, devices = (int(each) for each in sys.argv[1:3]) if len(sys.argv) > 2 else (APPROVALS, DEVICES)
    found = measure(approvals, devices)
    print(f"{len(found)} pages, {approvals:,} approvals, {devices:,} devices; 95th percentile of {TIMES} times each")
    for each in sorted(found, key=lambda one: -one.worked):
        print(f"{each.waited * 1000:7.1f} ms  {each.worked * 1000:7.1f} ms worked  {each.octets:8,}  {each.address}")
    late = [each.address for each in found if each.worked >= TTFB_SECONDS]
    heavy = [each.address for each in found if each.octets >= HEAVIEST]
    print(f"over {TTFB_SECONDS * 1000:.0f} ms: {late or 'none'}; over {HEAVIEST:,} octets: {heavy or 'none'}")


if __name__ == "__main__":
    main()
