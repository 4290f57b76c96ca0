"""The web process: the front, the status plane, the API on threads of its own, a mirror that follows the store.

It holds no private key of the authority and does not read the folder they lie in.
"""

import asyncio
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from api.app import create_app, description
from api.bodies import BodyLimits
from api.lookout import Lookout
from api.refusals import RefusalLog
from api.status.exchange import Asked
from api.status.plane import StatusPlane
from api.status.refused import Refused
from api.status.remembered import Remembered
from api.status.snapshot import Mirror
from app import garbage
from app.house import House, open_house
from app.served import Served
from app.settings import Settings
from core.clock import Clock
from core.kinds import ProcessRole
from front.crowd import plain
from front.head import forwarded
from front.server import Front
from front.service import Turn
from front.workers import Workers
from ra.access import may_verify
from store.reading.status import StatusReader
from store.transactions import Store
from store.verbs import watching

SWITCH_SECONDS = 0.001
"""How long a worker's thread keeps the interpreter when the front wants it; a file that is being read takes seconds."""

_OF_THE_PAST = 4
"""Threads for questions about the past: a short read each, twice as many as the cores of the smallest machine."""

_LONG = 4
"""Threads for files that people send: a report of 100,000 lines takes half a minute of one, and more at the same time
would only take each other's."""

_WAITING = 4
"""Requests that may wait for each thread: one that writes takes up to a second, and a wait ends after five
(front.limits.Limits.turn_seconds)."""


def serve_web(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT."""
    sys.setswitchinterval(SWITCH_SECONDS)
    house = open_house(settings)
    remembered = Remembered(memory_place(settings))
    reader = StatusReader(house.store, house.clock.now)
    mirror = Mirror(reader, house.machine, max_age=settings.status_max_age, remembered=remembered)
    write = partial(small_write, house.store, house.machine)
    lookout = Lookout(house.store, mirror, write, disks(settings))
    refusals = RefusalLog()
    mirror.start()
    lookout.start()
    refusals.start()
    try:
        asyncio.run(_run(make_front(house, mirror, lookout, refusals, settings), settings))
    finally:
        refusals.stop()
        lookout.stop()
        mirror.stop()


async def _run(front: Front, settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    server = await front.listen(settings.host, settings.port)
    garbage.only_young()
    beside = [asyncio.create_task(each) for each in (front.watch(), garbage.collect(front.resting, front.now))]
    told = asyncio.create_task(stopping.wait())
    # What runs beside ends only by an error: then so do we, with its words, and are started again.
    ended, _ = await asyncio.wait([told, *beside], return_when=asyncio.FIRST_COMPLETED)
    server.close()
    await front.stop()
    for each in (told, *beside):
        each.cancel()
    for each in ended:
        each.result()


def make_front(house: House, mirror: Mirror, lookout: Lookout, refusals: RefusalLog, settings: Settings) -> Front:
    """Return the front of a house, with everything behind it."""
    application = create_app(
        house.desk, base_url=house.row().base_url, after_write=mirror.catch_up, mirror=mirror, lookout=lookout
    )
    limits = BodyLimits(description(application))

    proxies = frozenset(plain(each) for each in settings.web_proxies)

    def note(asked: Asked, one: Refused) -> None:
        refusals.note(asked, forwarded(asked, proxies), one)

    served = Served(StatusPlane(mirror, may_verify), application.wsgi_app, limits, lookout.ready, note)
    threads = {Turn.API: settings.web_threads, Turn.PAST: _OF_THE_PAST, Turn.LONG: _LONG}
    workers = {turn: Workers(turn, threads=most, waiting=most * _WAITING) for turn, most in threads.items()}
    return Front(served, workers, house.machine, proxies=proxies)


def small_write(store: Store, machine: Clock) -> None:
    """Write something that matters to nobody: whether that can be done is what is asked."""
    with store.begin("sign of life") as tx:
        watching.live(tx, ProcessRole.WEB, at=machine.now())


def memory_place(settings: Settings) -> Path:
    """Return where this web process keeps what it has told: by where it listens, so several have each their own."""
    listens = "".join(each if each.isalnum() or each in ".-" else "_" for each in settings.host)
    return settings.web_memory / f"web-{listens}-{settings.port}"


def disks(settings: Settings) -> dict[str, Path]:
    """Return the folders that the web process writes to; a database server's disk says itself when it is full."""
    found = {"what is being received": Path(tempfile.gettempdir())}
    if settings.store_url.startswith("sqlite:///"):
        found["the register"] = Path(settings.store_url.removeprefix("sqlite:///")).parent
    return found
