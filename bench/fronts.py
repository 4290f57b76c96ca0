"""A front to be measured, as a process of its own: `python -m bench.fronts first|second plane|constant WHERE REGISTER`.

Behind it is the status plane over a register in memory (bench/register.py), or what answers the same requests with the
same octets each time, which is the most that this front can do.
"""

import asyncio
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import BinaryIO

from api.lookout import told
from api.readiness import Readiness
from api.status.exchange import Asked, Reply, lines_of
from api.status.plane import StatusPlane
from api.status.snapshot import Mirror
from app import garbage, second
from app.served import StatusServed
from app.web import OF_THE_PAST
from bench import register
from core.clock import SystemClock
from front.second import SecondFront
from front.server import Front
from front.service import Service, Turn
from front.workers import Workers

LENGTHS = {"/ocsp": 1_000, "/v1/verify": 2_000}
"""Octets of a constant answer, by the path's beginning: about as many as of a true one."""


class Constant:
    """A service that does nothing."""

    def __init__(self) -> None:
        fields = [("Content-Type", "application/json")]
        lines = lines_of(200, fields)
        self._replies = [(path, Reply(200, b"x" * many, fields, (), lines)) for path, many in LENGTHS.items()]

    def admit(self, _asked: Asked) -> int | Reply:
        """Take any body."""
        return 64 * 1024

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Answer the same."""
        (path, reply), (_, other) = self._replies
        return reply if asked.path.startswith(path) else other

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer the same; nothing is left to be worked on."""
        del turn, body, length
        answered = self.at_once(asked)
        assert isinstance(answered, Reply)
        return answered


def service(kind: str, path: Path) -> Service:
    """Return what is behind the front."""
    if kind == "constant":
        return Constant()
    mirror = Mirror(register.read(path), SystemClock())
    mirror.follow()
    mirror.start()
    ready = told(Readiness(ready=True, checks=(), alarms=()))
    return StatusServed(StatusPlane(mirror, lambda _: True), lambda _: ready, lambda *_: None)


async def _first(behind: Service, port: int) -> None:
    workers = {turn: Workers(turn, threads=OF_THE_PAST, waiting=64) for turn in Turn}
    front = Front(behind, workers, SystemClock())
    server = await front.listen("127.0.0.1", port)
    garbage.only_young()
    print("ready", flush=True)
    await asyncio.gather(front.watch(), garbage.collect(front.resting, time.monotonic), server.serve_forever())


def _loaded(kind: str, path: Path) -> SecondFront:
    front = SecondFront(service(kind, path), waiting=OF_THE_PAST)
    garbage.only_young()
    print("ready", flush=True)
    return front


def main() -> None:
    """Serve until the process is ended."""
    front, kind, where, path = sys.argv[1:]
    if front == "first":
        asyncio.run(_first(service(kind, Path(path)), int(where)))
    else:
        server = second.server(Path(where))
        server.serve(target_loader=partial(_loaded, kind, Path(path)), wrap_loader=False)


if __name__ == "__main__":
    sys.setswitchinterval(0.001)
    os.environ.pop("HTTP_PROXY", None)
    main()
