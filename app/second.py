"""The process that answers for status alone, on a Unix socket behind a proxy: the second front under granian.

granian has no deadline for a body, so it is given no address, only the path of a socket (ADR 50). Its own process
supervises one worker, in which everything of ours is.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from app import garbage
from app.served import Waiting
from app.settings import Settings
from app.unix_socket import make_room
from app.web import OF_THE_PAST, Inside, make_status_inside
from front.second import SecondFront

_log = logging.getLogger(__name__)

_AT_ONCE = 4
"""Threads beside those that wait for the register: each answers in microseconds, one after the other."""

_CONNECTIONS = 1_024
_BACKLOG = 4_096
_STOP_SECONDS = 2
_MODE = 0o660
"""The socket is its owner's and its group's, to which the proxy belongs."""

_LOOK_SECONDS = 1.0
_FAILED = 1

_OURS_ALONE = ("HTTP_", "CONTENT_")
"""How variables begin that would be taken for header fields: granian gives each request our whole environment."""

Opening = Callable[[Callable[[], Inside], threading.Event], Inside | None]
"""Makes what is behind a front as soon as the register answers; None if it is told to stop before."""


def serve_second(settings: Settings, path: Path, waited_for: Opening) -> None:
    """Listen until SIGTERM or SIGINT; from the beginning, though the register may be silent for long.

    Args:
        settings: whose house it is.
        path: of the socket.
        waited_for: opens what is behind.

    Raises:
        PlaceUnusable: as make_room.
    """
    make_room(path)
    loading = partial(_application, settings, waited_for, os.getpid())
    server(path).serve(target_loader=loading, wrap_loader=False)


def server(path: Path) -> MPServer:
    """Return a server on a Unix socket; it has never another address."""
    return MPServer(
        "trialcpa status",
        uds=path,
        uds_permissions=_MODE,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=OF_THE_PAST + _AT_ONCE,
        backlog=_BACKLOG,
        backpressure=_CONNECTIONS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=_STOP_SECONDS,
    )


def _application(settings: Settings, waited_for: Opening, parent: int) -> SecondFront:
    """In the worker: return what answers, while what is behind is opened."""
    for name in [each for each in os.environ if each.startswith(_OURS_ALONE)]:
        del os.environ[name]
    front = SecondFront(Waiting(), waiting=OF_THE_PAST)
    threading.Thread(target=_open, args=(front, settings, waited_for), name="opening", daemon=True).start()
    threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    return front


def _open(front: SecondFront, settings: Settings, waited_for: Opening) -> None:
    try:
        inside = waited_for(lambda: make_status_inside(settings), threading.Event())
    except Exception:  # noqa: BLE001 - as the first front: it ends with its words, and is started again
        _log.exception("what is behind the front cannot be opened")
        os._exit(_FAILED)
    if inside is not None:
        for each in inside.beside:
            each.start()
        front.service = inside.served
        garbage.only_young()
        asyncio.run(garbage.collect(lambda: True, time.monotonic))


def _end_with(parent: int) -> None:
    """End with the process that began us, even if it was killed: nobody else would tell us."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
