"""A front that listens, with raw sockets as its clients: what a library would not send is what is asked here."""

import asyncio
import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Self

from api.status.exchange import Asked, Pieces, Reply
from core.clock import SystemClock
from front.limits import Limits
from front.server import Front
from front.service import Later, Service, Stream, Turn
from front.workers import Workers

HOST = b"Host: 127.0.0.1\r\n"
LIMIT = 64 * 1024
LARGE = 4 * 1024 * 1024
"""Octets of an answer that no kernel takes at once."""


_PART = bytes(range(256)) * 64
PIECES = Pieces(
    [[_PART, b"", _PART[: number % 7]] for number in range(1_500)], sum(len(_PART) + n % 7 for n in range(1_500))
)
"""A body that holds its octets once, and is 24 million of them to who reads it."""


@dataclass
class Toy:
    """A service that answers at once under /now, and by a worker elsewhere; it notes whatever it was asked to do."""

    limit: int = LIMIT
    done: list[tuple[Asked, bytes]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def admit(self, asked: Asked) -> int | Reply:
        if asked.path == "/unforeseen/head":
            raise KeyError("this")
        return Reply(401, b"who?") if asked.path == "/refused" else self.limit

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        if asked.path.startswith("/now"):
            self.done.append((asked, asked.body))
            return Reply(200, asked.body or asked.path.encode(), [("Content-Type", "text/plain")])
        if asked.path == "/unforeseen/whole":
            raise KeyError("this")
        if asked.path == "/large":
            return Reply(200, b"x" * LARGE)
        if asked.path == "/pieces":
            return Reply(200, pieces=PIECES)
        return Turn.API

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        del turn
        if asked.path == "/gate":
            assert self.gate.wait(20)
        octets = body.read()
        assert len(octets) == length
        self.done.append((asked, octets))
        if asked.path == "/long":
            return Reply(200, b"x" * LARGE)
        if asked.path == "/broken":
            return Reply(200, b"", [("X-Name", "a\r\nSet-Cookie: b")])
        return Reply(200, b"worked " + octets[:20])


class Listening:
    """A front at work on a port of its own."""

    def __init__(self, service: Service, limits: Limits, proxies: frozenset[str], workers: tuple[int, int]) -> None:
        self._made = threading.Event()
        self._service, self._limits, self._proxies, self._workers = service, limits, proxies, workers
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.port = 0

    async def _run(self) -> None:
        threads, waiting = self._workers
        pools = {turn: Workers(turn, threads=threads, waiting=waiting) for turn in Turn}
        self.front = Front(self._service, pools, SystemClock(), limits=self._limits, proxies=self._proxies)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self.front.listen("127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        watching = asyncio.create_task(self.front.watch())
        self._made.set()
        await self._stop.wait()
        server.close()
        watching.cancel()
        for each in self.front.crowd.everybody():
            each.evict()
        await asyncio.sleep(0.01)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._made.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def connect(self, *, source: str = "127.0.0.1", reads: int | None = None) -> socket.socket:
        """Connect; `reads` is how much the kernel takes for us before we read."""
        client = socket.socket()
        client.settimeout(10)
        if reads is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, reads)
        client.bind((source, 0))
        client.connect(("127.0.0.1", self.port))
        return client

    @contextmanager
    def client(self, source: str = "127.0.0.1") -> Iterator[socket.socket]:
        with self.connect(source=source) as client:
            yield client

    def ask(self, octets: bytes, *, then: "Callable[[socket.socket], None] | None" = None) -> bytes:
        """Send octets, do something, and read until the other side closes, or has answered and rests."""
        with self.client() as client:
            client.sendall(octets)
            if then is not None:
                then(client)
            return read_all(client)

    def status(self, octets: bytes, *, then: "Callable[[socket.socket], None] | None" = None) -> int:
        """The status of what was answered; 0 for nothing."""
        answered = self.ask(octets, then=then)
        return int(answered[9:12]) if answered else 0


def listening(
    service: Service,
    *,
    proxies: frozenset[str] = frozenset(),
    workers: tuple[int, int] = (2, 2),
    limits: Limits | None = None,
) -> Listening:
    return Listening(service, limits or quick(), proxies, workers)


def quick(**changes: float) -> Limits:
    """Limits in tenths of a second."""
    short: dict[str, float] = {"head_seconds": 0.4, "rest_seconds": 0.4, "steady_seconds": 1.0, "look_seconds": 0.05}
    return Limits(**{**short, "turn_seconds": 0.4, **changes})  # type: ignore[arg-type]


def read_all(client: socket.socket) -> bytes:
    """Read until the end; what was cut off by a reset is told as nothing more."""
    read = io.BytesIO()
    try:
        while octets := client.recv(65536):
            read.write(octets)
    except OSError:
        pass
    return read.getvalue()


def fin(client: socket.socket) -> None:
    """Say that no more will be sent."""
    client.shutdown(socket.SHUT_WR)


def rst(client: socket.socket) -> None:
    """End the connection as a crash does."""
    time.sleep(0.05)  # or the reset overtakes what was sent
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def request(path: str, *, method: str = "POST", fields: bytes = b"", body: bytes | None = None) -> bytes:
    """A request after whose answer the connection ends; with a Content-Length if there is a body."""
    head = f"{method} {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n" + fields
    if body is None:
        return head + b"\r\n"
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(path: str, *pieces: bytes, end: bytes = b"0\r\n\r\n", fields: bytes = b"", method: str = "POST") -> bytes:
    """The same in chunks."""
    head = request(path, method=method, fields=fields + b"Transfer-Encoding: chunked\r\n")
    return head + b"".join(f"{len(each):X}\r\n".encode() + each + b"\r\n" for each in pieces) + end
