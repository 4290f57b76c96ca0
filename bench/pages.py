"""How long each page of the console takes to its first octet, and how many octets it has, over a register of many.

Every page that the URL map has, opened by each who may, one after another through the whole application; the time of a
processor stands beside that of the clock, for a machine that others use as well. Meanwhile status is asked in the same
process, a hundred times a second. `python -m bench.pages APPROVALS DEVICES`.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from werkzeug.test import Client

from api.comparing import PORTION
from app import garbage
from bench.cycle import held_world
from bench.report import plant_approvals, plant_devices
from console.guard import OPEN
from core.instants import seconds
from tests.api_world import Api, done
from tests.browser_world import addresses, things
from tests.console_world import Pages
from tests.test_console import MAY

APPROVALS, DEVICES = 1_000, 100_000
TIMES = 20
TTFB_SECONDS = 0.150
HEAVIEST = 150_000
"""Octets of a page with its style sheet and scripts, before anything is compressed."""

ANSWERS = frozenset({200, 202, 302})
"""What a page answers: itself, that it is being made, or where it is."""

_BETWEEN_SECONDS = 0.01
_ALONE_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A page to be opened: by its endpoint, at an address, by somebody, or by nobody who has signed in."""

    endpoint: str
    address: str
    who: str | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A page as somebody got it: the 95th percentile of seconds by the clock and of a processor, and its octets."""

    page: Asked
    waited: float
    worked: float
    octets: int


@dataclass
class Told:
    """Answers of status: seconds of each by the clock, and of a processor."""

    waited: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    def said(self) -> str:
        """Return the figures as words."""
        late = statistics.quantiles(self.waited, n=100)[-1]
        middle, busy = statistics.median(self.waited), statistics.median(self.worked)
        return (
            f"{len(self.waited):,} answers, median {middle * 1000:.2f} ms, 99th {late * 1000:.1f} ms; "
            f"{busy * 1000:.2f} ms worked"
        )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Every page by everybody who may, and status alone and meanwhile."""

    pages: Sequence[Seen]
    alone: Told
    meanwhile: Told


def asked(app: Flask, named: Mapping[str, str]) -> list[Asked]:
    """Return every page that the URL map has, for each who may open it; KeyError for one that no table lets in."""
    return [
        Asked(endpoint=endpoint, address=address, who=who)
        for endpoint, address in addresses(app, dict(named)).items()
        for who in ([None] if endpoint in OPEN else sorted(MAY[endpoint][1]))
    ]


def measure(approvals: int, devices: int, times: int = TIMES, alone: float = _ALONE_SECONDS) -> Measured:
    """Plant a register and open every page so many times."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        api = Api(world)
        named = things(Pages(api))
        identifiers = plant_approvals(world, named["approval"], approvals)
        plant_devices(world, identifiers, range(devices), seconds(world.clock.now()))
        pages = Pages(api)
        assets = sum(len(each.read_bytes()) for each in Path(pages.app.root_path, "assets").iterdir())
        for _ in range(approvals // PORTION + 2):  # as the web process does beside, while nobody waits
            api.lookout.comparing.step()
        garbage.only_young()  # as the web process does: what was planted is not looked through within a page
        with _status(api, named["approval"]) as rested:
            time.sleep(alone)
        with _status(api, named["approval"]) as told:
            found = [_opened(pages, each, assets, times) for each in asked(pages.app, named)]
        world.close()
    return Measured(pages=found, alone=rested, meanwhile=told)


def _opened(pages: Pages, page: Asked, assets: int, times: int) -> Seen:
    waited, worked, octets = list[float](), list[float](), 0
    client = pages.browser(page.who)
    for _ in range(times):
        begun, busy = time.perf_counter(), time.thread_time()
        answer = client.get(page.address, base_url=pages.origin)
        waited.append(time.perf_counter() - begun)
        worked.append(time.thread_time() - busy)
        if answer.status_code not in ANSWERS:
            raise AssertionError(f"{page} was answered {answer.status_code}: no page was measured")
        octets = len(answer.data) + assets
    return Seen(page=page, waited=_late(waited), worked=_late(worked), octets=octets)


def _late(found: Sequence[float]) -> float:
    return statistics.quantiles(found, n=20)[-1] if len(found) > 1 else found[0]


@contextmanager
def _status(api: Api, approval: str) -> Iterator[Told]:
    """Ask verification again and again, until the block ends."""
    told, over = Told(), threading.Event()
    client, key = Client(api.plane), {"Authorization": f"Bearer {api.keys['dcc']}"}

    def ask() -> None:
        while not over.is_set():
            begun, busy = time.perf_counter(), time.thread_time()
            answer = client.post("/v1/verify", json={"approval": approval}, headers=key)
            told.waited.append(time.perf_counter() - begun)
            told.worked.append(time.thread_time() - busy)
            done(answer)
            over.wait(_BETWEEN_SECONDS)

    asking = threading.Thread(target=ask, name="status")
    asking.start()
    try:
        yield told
    finally:
        over.set()
        asking.join()


def main() -> None:
    """Print the slowest pages, and the heaviest, each as whoever waits longest for it has it; and status."""
    approvals, devices = (int(each) for each in sys.argv[1:3]) if len(sys.argv) > 2 else (APPROVALS, DEVICES)
    found = measure(approvals, devices)
    worst = dict[str, Seen]()
    for each in sorted(found.pages, key=lambda one: one.worked):
        worst[each.page.endpoint] = each
    print(
        f"{len(worst)} pages, {len(found.pages)} with each who may open them; {approvals:,} approvals, "
        f"{devices:,} devices; 95th percentile of {TIMES} times each"
    )
    for each in sorted(worst.values(), key=lambda one: -one.worked):
        print(
            f"{each.waited * 1000:7.1f} ms  {each.worked * 1000:7.1f} ms worked  {each.octets:8,}  "
            f"{each.page.address}  {each.page.who or 'nobody'}"
        )
    print(f"status alone: {found.alone.said()}\nstatus meanwhile: {found.meanwhile.said()}")
    late = sorted({each.page.endpoint for each in found.pages if each.worked >= TTFB_SECONDS})
    heavy = sorted({each.page.endpoint for each in found.pages if each.octets >= HEAVIEST})
    print(f"over {TTFB_SECONDS * 1000:.0f} ms: {late or 'none'}; over {HEAVIEST:,} octets: {heavy or 'none'}")


if __name__ == "__main__":
    main()
