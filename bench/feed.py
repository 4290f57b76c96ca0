"""How soon whoever waits at the feed has a revocation, from its commit on, while two hundred wait.

A real service with its three processes, on each database. Two hundred connections from two addresses wait for rows, and
ask again as soon as they have some. Each revocation is a request of its own; milliseconds count from the instant that
its receipt names, just before the act's commit, until the whole answer with the approval's end is with a waiter; what
of it is over when the checkpoint is in the register is seen by whoever listens there as web does.
"""

import json
import selectors
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Self

import psycopg

from bench.serving import Service, application, folder, serving, until
from bench.writing import Clients
from store.reading.log import checkpoint
from store.transactions import Store, sqlite_file, sqlite_url
from tests.postgresql import kept_server
from tests.world import csr_pem

WAITERS = 200
_WAIT = 30
_PATIENCE_SECONDS = 30.0
_PEERS = ("127.0.0.2", "127.0.0.3")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was seen on one database.

    Args:
        database: which.
        waiters: how many waited.
        milliseconds: from each act until each waiter had it.
        signed: from each act until its checkpoint was there.
    """

    database: str
    waiters: int
    milliseconds: Sequence[float] = field(repr=False)
    signed: Sequence[float] = field(repr=False)


def measure(revocations: int) -> Iterator[Told]:
    """Revoke so many on each database, one after the other."""
    with folder() as made, kept_server() as server:
        with psycopg.connect(server.format("postgres"), autocommit=True) as operator:
            operator.execute("CREATE DATABASE feed TEMPLATE template0")
        for database, url in (("SQLite", ""), ("PostgreSQL", server.format("feed"))):
            with serving(made / database, store_url=url) as service:
                yield _told(database, service, url or sqlite_url(service.home / "store.sqlite"), revocations)


def _told(database: str, service: Service, url: str, revocations: int) -> Told:
    clients = Clients(service)
    given = [clients.grant(application(csr_pem().decode(), f"F{number:07X}")) for number in range(revocations)]
    crowd, checkpoints = _Crowd(service.port), _Checkpoints(url)
    with crowd, checkpoints:
        for approval in given:
            until(crowd.all_wait, every=0.02)
            clients.revoke(approval, clients.revocation(approval))
            until(lambda: crowd.have(approval) == WAITERS, _PATIENCE_SECONDS, every=0.02)  # noqa: B023 - called here
    began = _began(url)
    return Told(
        database=database,
        waiters=WAITERS,
        milliseconds=[at - began[approval] for approval in given for at in crowd.told[approval]],
        signed=[checkpoints.at(crowd.rows[approval]) - began[approval] for approval in given],
    )


def _began(url: str) -> dict[str, float]:
    """The instant of each act, by approval, milliseconds since 1970."""
    query = "SELECT approval, began FROM receipts"
    file = sqlite_file(url)
    if file is None:
        with psycopg.connect(url) as connection:
            return {str(approval): float(began) for approval, began in connection.execute(query)}
    with closing(sqlite3.connect(file)) as opened:
        return {str(approval): float(began) for approval, began in opened.execute(query)}


class _Checkpoints:
    """Sees checkpoints come, by listening to the register.

    Args:
        url: of the register.
    """

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints")
        self._seen: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._store.close()

    def at(self, row: int) -> float:
        """When the first was there that covers a row, milliseconds since 1970."""
        return next(at for at, size in self._seen if size >= row)

    def _run(self) -> None:
        with closing(self._store.hearing(0.002)) as hearing:
            while not self._stopping.is_set():
                hearing.wait(1.0, self._stopping)
                with self._store.read() as tx:
                    found = checkpoint(tx)
                if found is not None and (not self._seen or self._seen[-1][1] != found.size):
                    self._seen.append((time.time() * 1000, found.size))


class _Crowd:
    """All who wait, served by one thread.

    Args:
        port: of the service.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="waiters")
        self._ended: dict[bytes, tuple[dict[str, int], int]] = {}
        self._newest = 0
        self.after = [0] * WAITERS
        self.told: dict[str, list[float]] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def all_wait(self) -> bool:
        """Whether each has all rows that any has."""
        return self._newest > 0 and min(self.after) == self._newest

    def have(self, approval: str) -> int:
        """How many have been told its end."""
        return len(self.told.get(approval, ()))

    def _run(self) -> None:
        with ExitStack() as stack, selectors.DefaultSelector() as selector:
            for number in range(WAITERS):
                one = stack.enter_context(socket.socket())
                one.bind((_PEERS[number % len(_PEERS)], 0))
                one.connect(("127.0.0.1", self._port))
                selector.register(one, selectors.EVENT_READ, (number, bytearray()))
                self._ask(one, number)
            while not self._stopping.is_set():
                for key, _ in selector.select(0.1):
                    number, held = key.data
                    assert isinstance(key.fileobj, socket.socket)
                    octets = key.fileobj.recv(1 << 20)
                    if not octets:
                        raise ConnectionError("a waiter was let go")
                    held += octets
                    body = _whole(held)
                    if body is not None:
                        self._have(number, body, time.time() * 1000)
                        held.clear()
                        self._ask(key.fileobj, number)

    def _ask(self, one: socket.socket, number: int) -> None:
        one.sendall(f"GET /v1/feed?after={self.after[number]}&wait={_WAIT} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    def _have(self, number: int, body: bytes, at: float) -> None:
        known = self._ended.get(body)
        if known is None:  # all get the same: one reads it
            rows = json.loads(body)["rows"]
            carried = [(row["number"], each) for row in rows for each in row["public"].get("approvals", ())]
            ended = {each["approval"]: number for number, each in carried if each["ended_at"] is not None}
            self.rows = {**ended, **self.rows}
            known = self._ended[body] = ended, rows[-1]["number"] if rows else 0
        self.after[number] = max(self.after[number], known[1])
        self._newest = max(self._newest, known[1])
        for approval in known[0]:
            told = self.told.setdefault(approval, [])
            if len(told) < WAITERS:  # each is told once: it asks for what comes behind
                told.append(at)


def _whole(held: bytearray) -> bytes | None:
    head, end, body = bytes(held).partition(b"\r\n\r\n")
    if not end:
        return None
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(head.decode("latin-1"))
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return body if len(body) >= length else None
