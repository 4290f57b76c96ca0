"""What the front holds: bodies in memory and in files, on a disk that is full too; and who is connected."""

import asyncio
import re
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.status.exchange import Asked
from api.status.ocsp import REQUEST_LIMIT
from api.status.questions import QUESTION_LIMIT
from core.clock import SystemClock
from front.connection import Connection
from front.head import forwarded
from front.incoming import Incoming, Spool
from front.limits import Limits
from front.server import Front
from front.workers import Workers
from tests.front_world import Listening, Toy, listening, quick, read_all, request
from tests.nginx_world import CONF


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def front(toy: Toy) -> Iterator[Listening]:
    with listening(toy) as listens:
        yield listens


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """What a full disk does, to this process alone: a write is taken in part, and the next one refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("piece", [100, 1_000, 9_000])
def test_a_disk_that_is_full_refuses_a_body_and_no_room_is_lost(piece: int) -> None:
    spool = Spool(1_000_000)
    incoming = Incoming(spool, in_memory=1_000, at_once=2_000)
    with files_of_at_most(20_500):
        took = [incoming.add(b"a" * piece) for _ in range(20_500 // piece + 1)]
        assert took == [True] * (len(took) - 1) + [False]
        assert spool.held == 20_500 // piece * piece or spool.held == 20_500
        incoming.drop()
        assert spool.held == 0
        incoming.drop()
        assert spool.held == 0


def test_a_full_disk_ends_no_watch_and_takes_nobodys_place(toy: Toy) -> None:
    body = b"a" * 40_000
    with listening(toy, limits=quick(in_memory=1_000, at_work_of_one_peer=1)) as front, files_of_at_most(30_100):
        with front.client() as slow:
            slow.sendall(request("/work", fields=b"Content-Length: 40000\r\n") + body[:30_050])
            assert int(read_all(slow)[9:12]) == 408
        assert front.status(request("/work", body=body)) == 503
        for _ in range(2):  # each has its turn although there is one place only
            assert front.status(request("/work", body=body[:30_000])) == 200
        assert front.ask(b"GET /now HTTP/1.1\r\nHo").startswith(b"HTTP/1.1 408")
        assert front.front.spool.held == 0


def test_one_that_cannot_be_closed_keeps_no_other_from_it(
    front: Listening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Connection.overdue
    failed: list[Connection] = []

    def failing(member: Connection, now: float) -> None:
        if not failed:
            failed.append(member)
            raise OSError("this")
        real(member, now)

    with front.client() as first:
        time.sleep(0.1)
        monkeypatch.setattr(Connection, "overdue", failing)
        assert read_all(first) == b""
    assert front.status(b"GET /now HTTP/1.1\r\nHo") == 408
    assert "this" in caplog.text


def test_whatever_status_answers_to_at_once_is_handed_on_at_once(toy: Toy) -> None:
    limits = Limits()
    assert limits.at_once >= max(QUESTION_LIMIT, REQUEST_LIMIT)
    body = b"a" * QUESTION_LIMIT
    with listening(toy, limits=limits) as front:
        assert front.ask(request("/now", body=body)).endswith(b"\r\n\r\n" + body)
        assert front.front.spool.held == 0


def test_bodies_in_memory_are_few_octets_however_many_connections_hold_one() -> None:
    limits = Limits()
    assert limits.in_memory * limits.connections <= 128 * 1024 * 1024
    incoming = Incoming(Spool(1_000_000), limits.in_memory, limits.at_once)
    for _ in range(100):
        assert incoming.add(b"a" * 1_000)
        assert len(incoming._memory) <= limits.in_memory
    assert incoming.spool.held == 100_000
    incoming.drop()


@pytest.mark.parametrize(
    ("proxy", "comes_from"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
    ],
)
def test_a_proxy_is_known_in_whichever_form_its_address_comes(toy: Toy, proxy: str, comes_from: str) -> None:
    front = Front(toy, {}, SystemClock(), limits=quick(of_one_peer=2), proxies=frozenset({proxy}))

    def connected(address: str) -> Connection:
        made = Connection(front)
        made.connection_made(Connected(address))
        return made

    members = [connected(comes_from) for _ in range(9)]
    assert len(front.crowd) == 9  # it stands for many peers
    asked = Asked(method="GET", path="/", fields={"x-forwarded-for": "::ffff:192.0.2.9"}, peer=members[0]._address)
    assert forwarded(asked, front.proxies) == "192.0.2.9"
    # Whoever else is in its network is one peer, and no part of it.
    others = [connected("2001:db8::2") for _ in range(5)]
    assert len(front.crowd) == 11
    for each in (*members, *others):
        each.connection_lost(None)
    assert len(front.crowd) == 0


class Connected(asyncio.Transport):
    """A connection from an address that this machine need not have."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def abort(self) -> None:
        pass


def test_the_proxy_lets_go_of_what_rests_before_the_front_does() -> None:
    upstream = CONF.read_text("utf-8").partition("upstream trialcpa {")[2].partition("}")[0]
    said = re.search(r"keepalive_timeout (\d+)s;", upstream)
    assert said is not None
    assert int(said[1]) <= Limits().head_seconds / 2


def test_a_thread_that_cannot_be_made_is_missed_only_as_long_as_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers, gate, done = Workers("test", threads=2, waiting=3), threading.Event(), threading.Semaphore(0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        assert [workers.submit(done.release) for _ in range(5)] == [None] * 5

    def wait() -> None:
        gate.wait(5)

    workers.submit(wait)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        assert workers.submit(done.release) is not None  # the one that there is does it
    assert workers.submit(done.release) is not None  # and now there are two
    assert done.acquire(timeout=5)
    assert done.acquire(timeout=5)
    gate.set()
