"""A front to be measured, as a process of its own: `python -m bench.fronts first|second plane|constant WHERE REGISTER`.

Behind it is the status plane over a register in memory (bench/register.py), or what answers the same requests with the
same octets each time, which is the most that this front can do.
"""

import asyncio
import os
import sys
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from api.lookout import told
from api.readiness import Readiness
from api.status.exchange import Asked, Reply
from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from app import garbage, second
from app.served import StatusServed
from app.web import OF_THE_PAST
from bench import register
from core.clock import SystemClock
from front.second import SecondFront
from front.server import Front
from front.service import Service, Turn
from front.workers import Workers


class Constant:
    """A service that does nothing: whoever asks one kind of question gets the same octets each time.

    They are a true answer's, with its header fields: what is left is what the server takes for requests and answers
    like ours.
    """

    def __init__(self) -> None:
        one = register.planted(1)
        mirror = Mirror(one, SystemClock())
        mirror.follow()
        plane, requests = StatusPlane(mirror, lambda _: True), register.questions(one)
        self._of_ocsp, self._verified, self._got = (
            _answer(plane, *requests[name]) for name in ("OCSP POST sha1", "verify by approval", "GET /v1/verify")
        )

    def admit(self, _asked: Asked) -> int | Reply:
        """Take any body."""
        return 64 * 1024

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Answer the same."""
        if asked.path.startswith("/ocsp"):
            return self._of_ocsp
        return self._verified if asked.method == "POST" else self._got

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer the same; nothing is left to be worked on."""
        del turn, body, length
        answered = self.at_once(asked)
        assert isinstance(answered, Reply)
        return answered


def _answer(plane: StatusPlane, request: bytes) -> Reply:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    method, path, _ = line.split(" ")
    fields = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    answered = plane.at_once(Asked(method, path, "", fields, body))
    assert isinstance(answered, Reply)
    assert answered.status == HTTPStatus.OK
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
