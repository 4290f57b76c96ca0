"""The web process: the front, the status plane, the API on threads of its own, a mirror that follows the store.

It holds no private key of the authority and does not read the folder they lie in.
"""

import asyncio
import concurrent.futures
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from api.app import create_app, described, description
from api.bodies import BodyLimits
from api.log_tip import LogTip
from api.lookout import Lookout
from api.patience import MOST_WAITING, Patience
from api.refusals import RefusalLog
from api.status.exchange import Asked
from api.status.lists import is_genuine
from api.status.memory_files import name_told
from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from api.status.refused import Refused
from api.status.remembered import WebMemory
from api.status.tally import Tallied
from api.timed import TimedMirror
from api.verified import ToldReader, VerificationTold
from app import garbage
from app.console import with_console
from app.following_log import FollowingLog
from app.house import House, open_house
from app.served import OfTheLog, Served, StatusServed, Waiting
from app.settings import Settings
from app.status_settings import Address
from app.stopping import SIGNALS
from console.forms import LARGER
from core.clock import Clock, SystemClock
from core.kinds import ProcessRole
from core.mirror import Hearing
from core.peers import peer_of, plain
from front.head import forwarded
from front.server import Front
from front.service import Service, Turn
from front.workers import Workers
from ra.access import may_verify
from ra.deciding.awaited import at_work
from store.transactions import Store
from store.verbs import receipts, watching

SWITCH_SECONDS = 0.001
"""How long a worker's thread keeps the interpreter when the front wants it; a file that is being read takes seconds."""

OF_THE_PAST = 4
"""Threads for questions about the past: a short read each, twice as many as the cores of the smallest machine."""

_LONG = 4
"""Threads for files that people send: a report of 100,000 lines takes half a minute of one, and more at the same time
would only take each other's."""

_DRAWN = 3
"""Threads for pages of evidence: the renderer draws two at the same time."""

_PATIENT = MOST_WAITING + 4
"""Threads for those who prefer to wait, and a few for those who are too many, and are answered at once."""

_WAITING = 4
"""Requests that may wait for each thread: one that writes takes up to a second, and a wait ends after five
(front.limits.Limits.turn_seconds)."""


_LOOK_SECONDS = 0.05


class Beside(Protocol):
    """What runs beside a service, in threads of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End."""
        ...


@dataclass(frozen=True)
class Inside:
    """What is behind the front, once the register has answered.

    Args:
        served: the service.
        beside: what runs beside it, to be started, and stopped in the end.
        holds: says whether there is something to answer from.
        tells: takes what is called as soon as there is something for whoever waits.
    """

    served: Service
    beside: Sequence[Beside]
    holds: Callable[[], bool] = lambda: True
    tells: Callable[[Callable[[], None]], None] = lambda _: None


def serve_web(
    settings: Settings,
    waited_for: Callable[[Callable[[], Inside], threading.Event], Inside | None],
    make: Callable[[Settings], Inside] | None = None,
    address: Address | None = None,
) -> None:
    """Listen until SIGTERM or SIGINT; from the beginning, though the register may be silent for long.

    Args:
        settings: whose house it is.
        waited_for: makes what is behind as soon as the register answers; None if it is told to stop before.
        make: what is behind, if it is a part of what `make_inside` makes.
        address: where it listens, if it is not where web does.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    threads = {
        Turn.API: settings.web_threads,
        Turn.PAST: OF_THE_PAST,
        Turn.LONG: _LONG,
        Turn.DRAW: _DRAWN,
        Turn.WAIT: _PATIENT,
    }
    workers = {turn: Workers(turn, threads=most, waiting=most * _WAITING) for turn, most in threads.items()}
    front = Front(Waiting(), workers, SystemClock(), proxies=settings.web_proxies)
    make = make or make_inside
    address = address or Address(settings.host, settings.port)
    asyncio.run(_run(front, settings, address, partial(waited_for, lambda: make(settings))))


async def _run(
    front: Front, settings: Settings, address: Address, open_it: Callable[[threading.Event], Inside | None]
) -> None:
    stopping, halted = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    listen = partial(front.listen, address.host, address.port, shared=settings.web_workers > 1)
    server = None if settings.web_late else await listen()
    # What runs beside ends only by an error: then so do we, with its words, and are started again.
    beside = [asyncio.create_task(each) for each in (front.watch(), stopping.wait())]
    opening = _in_a_thread(lambda: open_it(halted))
    inside: Inside | None = None
    try:
        if not await _first_ended(opening, *beside):
            return
        inside = opening.result()
        if inside is None:
            return
        inside.tells(front.waiters.tell)
        for each in inside.beside:
            each.start()
        front.service = inside.served
        garbage.only_young()
        if server is None:
            if not await _first_ended(asyncio.create_task(_held(inside.holds)), *beside):
                return
            server = await listen()
        beside.append(asyncio.create_task(garbage.collect(front.resting, front.now)))
        await _first_ended(*beside)
    finally:
        halted.set()
        if server is not None:
            server.close()
        await front.stop()
        for task in beside:
            task.cancel()
        for one in reversed(inside.beside if inside else ()):
            one.stop()


async def _held(holds: Callable[[], bool]) -> None:
    """Wait until there is a snapshot to answer from."""
    while not holds():  # noqa: ASYNC110 - a thread of its own reads it, and knows no loop
        await asyncio.sleep(_LOOK_SECONDS)


async def _first_ended(*tasks: "asyncio.Future[Any]") -> bool:
    """Wait until one of several has ended, and raise what it raised; whether the first of them has."""
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in ended:
        each.result()
    return tasks[0] in ended


def _in_a_thread(work: Callable[[], Inside | None]) -> "asyncio.Future[Inside | None]":
    """Have work done by a thread that nobody waits for in the end: the register may hold it longer than we may take."""
    done: concurrent.futures.Future[Inside | None] = concurrent.futures.Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised by whoever asks for the result
            done.set_exception(error)

    threading.Thread(target=run, name="opening", daemon=True).start()
    return asyncio.wrap_future(done)


def make_status_inside(settings: Settings) -> Inside:
    """Return what answers for status alone, and writes no more than when it told an end; it raises as `make_inside`."""
    memory = settings.web_memory / "web-status"
    house, tallied = opened_as_told(settings, memory), Tallied()
    mirror, verified = _following(house, settings, memory, tallied, house.store.hearing)
    lookout = Lookout(house.store, mirror, None, disks(settings), lease=settings.pace.lease_length, tallied=tallied)
    refusals = RefusalLog()
    served = StatusServed(StatusPlane(mirror, may_verify, tallied), lookout.ready, _noting(refusals, settings))
    return Inside(served, (mirror, lookout, refusals, verified), lambda: mirror.holds)


def opened_as_told(settings: Settings, memory: Path) -> House:
    """Open the register; once it was told from here, its row moves no live authority's clock and opens no console."""
    house, told = open_house(settings), name_told(memory)
    return house.named(told) if told else house


def _following(
    house: House, settings: Settings, memory: Path, tallied: Tallied, hearing: Callable[[], Hearing]
) -> tuple[Mirror, VerificationTold]:
    """Return what follows the register, and what notes when it told an end."""
    reader = ToldReader(house.store, house.clock.now, is_genuine)
    remembered = WebMemory(memory)
    mirror = TimedMirror(
        reader,
        house.machine,
        max_age=settings.status_max_age,
        remembered=remembered,
        hearing=hearing,
        polls=tallied.polls,
    )
    verified = VerificationTold(house.store, mirror, partial(note_verified, house.store))
    reader.read_anew = verified.touched
    return mirror, verified


def make_api_inside(settings: Settings) -> Inside:
    """Return all but status; it raises what `make_inside` does."""
    return make_inside(settings, with_status=False)


def make_inside(settings: Settings, *, with_status: bool = True) -> Inside:
    """Return everything behind the front; HomeMissing, SchemaMismatch or StoreUnavailable if that cannot be."""
    memory = memory_place(settings)
    house, tallied = opened_as_told(settings, memory), Tallied()
    patience = Patience(partial(at_work, house.desk))
    hearing = patience.overhearing(house.store.hearing)
    mirror, verified = _following(house, settings, memory, tallied, hearing)
    write, lease = partial(small_write, house.store, house.machine), settings.pace.lease_length
    lookout = Lookout(house.store, mirror, write, disks(settings), lease=lease, tallied=tallied)
    refusals = RefusalLog()
    application = create_app(
        house.desk,
        base_url=house.row().base_url,
        after_write=mirror.catch_up,
        mirror=mirror,
        lookout=lookout,
        patience=patience,
    )
    behind = with_console(application.wsgi_app, house, mirror, lookout)
    limits = BodyLimits(description(application), LARGER, behind.session)
    tip = LogTip(house.store)
    plane, told = StatusPlane(mirror, may_verify, tallied), described(application)
    served = Served(
        plane=plane,
        application=behind.application,
        limits=limits,
        ready=lookout.ready,
        description=told,
        note=_noting(refusals, settings),
        log=OfTheLog(
            follow=FollowingLog(tip, house.store, mirror.require_whole).at_once,
            peer=lambda asked: peer_of(forwarded(asked, _proxies(settings))),
        ),
        with_status=with_status,
    )
    beside = (mirror, lookout, refusals, patience, tip, *((verified,) if with_status else ()))
    return Inside(served=served, beside=beside, holds=lambda: mirror.holds, tells=tip.tells)


def _noting(refusals: RefusalLog, settings: Settings) -> Callable[[Asked, Refused], None]:
    proxies = _proxies(settings)

    def note(asked: Asked, one: Refused) -> None:
        peer = forwarded(asked, proxies)
        refusals.note(asked, peer, one, counted_as=peer_of(peer))

    return note


def _proxies(settings: Settings) -> frozenset[str]:
    # Who asks over a socket has no address of its own, and is the proxy.
    return frozenset({"", *(plain(each) for each in settings.web_proxies)})


def small_write(store: Store, machine: Clock) -> None:
    """Write something that matters to nobody: whether that can be done is what is asked."""
    with store.begin("sign of life") as tx:
        watching.live(tx, ProcessRole.WEB, at=machine.now())


def note_verified(store: Store, seen: Mapping[tuple[str, str], int]) -> None:
    """Note on their receipts that verification tells of ends; nobody waits for it."""
    with store.begin("note verification") as tx:
        receipts.note_verified(tx, seen)


def memory_place(settings: Settings) -> Path:
    """Return where this web process keeps what it has told: by where it listens, and which of several there it is."""
    listens = "".join(each if each.isalnum() or each in ".-" else "_" for each in settings.host)
    which = f"-{settings.web_worker}" if settings.web_worker > 1 else ""
    return settings.web_memory / f"web-{listens}-{settings.port}{which}"


def disks(settings: Settings) -> dict[str, Path]:
    """Return the folders that the web process writes to; a database server's disk says itself when it is full."""
    found = {"what is being received": Path(tempfile.gettempdir())}
    if settings.store_url.startswith("sqlite:///"):
        found["the register"] = Path(settings.store_url.removeprefix("sqlite:///")).parent
    return found
