"""Who waits for news holds no thread; how many may, who is told, who is let go, and that nobody else notices."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest

from api.status.exchange import Asked, Pieces, Reply
from front.limits import Limits
from front.second import SecondFront
from front.service import Later, Stream, Turn
from tests.front_world import LARGE, Listening, Toy, fin, listening, quick, read_all, request, rst

PATIENT = Limits(look_seconds=0.05)


@dataclass
class News(Toy):
    """A toy that has news, once it is told them."""

    news: bytes = b""
    asked_now: int = 0
    seconds: float = 20.0
    work_news: bytes = b""
    large: bytes = b""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        if asked.path.startswith("/later"):
            return _Later(self)
        return _Stream(self) if asked.path == "/stream" else super().at_once(asked)


class _Later(Later):
    def __init__(self, toy: News) -> None:
        self.toy = toy
        self.seconds = toy.seconds

    def now(self) -> Reply | Turn | None:
        with self.toy.lock:
            self.toy.asked_now += 1
        if self.toy.news == b"by a worker":
            return Turn.API
        if self.toy.news == b"unforeseen":
            raise KeyError("this")
        return Reply(200, self.toy.news) if self.toy.news else None

    def at_last(self) -> Reply | Turn:
        return Reply(200, b"nothing")


class _Stream(Stream):
    head = Reply(HTTPStatus.OK, headers=[("Content-Type", "text/event-stream")])
    first = b"begins\n"
    quiet = b":\n"

    def __init__(self, toy: News) -> None:
        self.toy = toy
        self.seconds = toy.seconds
        self.sent = b""

    def now(self) -> Pieces | Turn | None:
        if self.toy.large:
            return Pieces([[self.toy.large[at : at + 16_384]] for at in range(0, len(self.toy.large), 16_384)], 1)
        if self.toy.work_news not in (b"", self.sent):
            return Turn.LONG
        return self._sent(self.toy.news)

    def work(self) -> Pieces | None:
        return None if self.toy.work_news == b"not now" else self._sent(self.toy.work_news)

    def _sent(self, octets: bytes) -> Pieces | None:
        if octets == self.sent:
            return None
        self.sent = octets
        return Pieces([[octets], [b"\n"]], len(octets) + 1)

    def at_last(self) -> Reply | Turn:
        return Reply(200, b"once")


def waiting(front: Listening, count: int) -> None:
    """Wait until so many wait."""
    until(lambda: len(front.front.waiters) == count)


def until(so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 20
    while not so():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def asking(
    front: Listening, path: str = "/later", *, source: str = "127.0.0.1", keep: bool = False
) -> Iterator[socket.socket]:
    with front.connect(source=source) as client:
        octets = request(path, method="GET")
        client.sendall(octets.replace(b"Connection: close\r\n", b"") if keep else octets)
        yield client


def body(octets: bytes) -> bytes:
    return octets.partition(b"\r\n\r\n")[2]


def test_whoever_waits_is_answered_when_the_front_is_told_and_holds_no_worker() -> None:
    toy = News()
    with listening(toy, limits=PATIENT, workers=(1, 0)) as front, ExitStack() as stack:
        clients = [stack.enter_context(asking(front, keep=number % 2 == 0)) for number in range(100)]
        waiting(front, 100)
        before = threading.active_count()
        assert body(front.ask(request("/api", method="GET"))) == b"worked "  # the only worker is free
        front.front.waiters.tell()  # of something else
        time.sleep(0.1)
        assert len(front.front.waiters) == 100
        toy.news = b"news"
        front.front.waiters.tell()
        for client in clients:
            assert client.recv(65536).endswith(b"\r\n\r\nnews")
        assert len(front.front.waiters) == 0
        assert threading.active_count() <= before + 1
        clients[0].sendall(request("/now/after", method="GET"))  # the connection is as good as any
        assert body(read_all(clients[0])) == b"/now/after"


def test_who_is_told_often_looks_once() -> None:
    toy = News()
    with listening(toy, limits=PATIENT) as front, asking(front):
        waiting(front, 1)
        held = threading.Event()
        front._loop.call_soon_threadsafe(held.wait, 10)
        for _ in range(10_000):
            front.front.waiters.tell()
        held.set()
        time.sleep(0.2)
        assert toy.asked_now == 1


def test_the_wait_ends_when_it_was_to_and_not_by_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = News(seconds=0.5)
    with listening(toy, limits=PATIENT) as front, asking(front) as client:
        waiting(front, 1)
        monkeypatch.setattr(time, "time", lambda: 0.0)  # the machine's clock is set back, and far ahead
        began = time.monotonic()
        monkeypatch.setattr(time, "time", lambda: 1e11)
        assert body(read_all(client)) == b"nothing"
        assert 0.3 < time.monotonic() - began < 5


def test_what_was_sent_behind_is_answered_afterwards() -> None:
    toy = News()
    with listening(toy, limits=PATIENT) as front, asking(front, keep=True) as client:
        waiting(front, 1)
        client.sendall(request("/now/second", method="GET"))
        time.sleep(0.1)
        toy.news = b"news"
        front.front.waiters.tell()
        answered = read_all(client)
        assert answered.index(b"news") < answered.index(b"/now/second")


@pytest.mark.parametrize("path", ["/later", "/stream"])
@pytest.mark.parametrize("leave", [fin, rst, socket.socket.close])
def test_whoever_has_gone_waits_no_more(path: str, leave: object) -> None:
    with listening(News(seconds=60), limits=PATIENT) as front:
        with asking(front, path) as client:
            waiting(front, 1)
            time.sleep(0.1)
            leave(client)  # type: ignore[operator]
            waiting(front, 0)
        assert body(front.ask(request("/now", method="GET"))) == b"/now"


def test_what_a_worker_has_to_do_is_done_by_one() -> None:
    toy = News()
    with listening(toy, limits=PATIENT) as front, asking(front) as client:
        waiting(front, 1)
        toy.news = b"by a worker"
        front.front.waiters.tell()
        assert body(read_all(client)) == b"worked "


def test_one_that_cannot_be_answered_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    toy = News()
    with listening(toy, limits=PATIENT) as front, asking(front) as first, asking(front, "/stream") as second:
        waiting(front, 2)
        toy.news = b"unforeseen"
        front.front.waiters.tell()
        assert first.recv(1) == b""
        time.sleep(0.1)
        assert b"unforeseen" in second.recv(65536)
        assert "could not be answered" in caplog.text


def test_as_many_as_may_wait_do_and_one_peer_takes_no_others_place() -> None:
    limits = Limits(look_seconds=0.05, waiters=20, waiters_of_one_peer=8)
    with listening(News(), limits=limits) as front, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(asking(front))
        waiting(front, 8)
        refused = front.ask(request("/later", method="GET"))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 5\r\n" in refused
        assert b'"code":"too-many-wait"' in refused
        for number in range(12):
            stack.enter_context(asking(front, "/stream", source=f"127.0.1.{number + 1}"))
        waiting(front, 20)
        with asking(front, source="127.0.2.1") as client:
            assert b"too-many-wait" in read_all(client)
    assert len(front.front.waiters) == 0


def test_behind_a_proxy_the_peer_is_who_it_says() -> None:
    limits = Limits(look_seconds=0.05, waiters_of_one_peer=2)
    with listening(News(), limits=limits, proxies=frozenset({"127.0.0.1"})) as front, ExitStack() as stack:
        for number in (1, 1, 2, 2):
            client = stack.enter_context(front.client())
            client.sendall(request("/later", method="GET", fields=f"X-Forwarded-For: 10.0.0.{number}\r\n".encode()))
        waiting(front, 4)
        assert b"too-many-wait" in front.ask(request("/later", method="GET", fields=b"X-Forwarded-For: 10.0.0.1\r\n"))


@pytest.mark.long
def test_ten_thousand_want_to_wait_and_status_is_answered_meanwhile() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = 10_000
    if hard < 2 * many:
        pytest.skip(f"both ends of {many} connections need more descriptors than the {hard} that there are")
    toy = News()
    with listening(toy, limits=Limits()) as front, ExitStack() as stack:
        clients, slowest = [], 0.0
        for number in range(many):
            client = stack.enter_context(front.connect(source=f"127.1.{number // 200 // 250}.{number // 100 + 1}"))
            client.sendall(request("/later", method="GET"))
            clients.append(client)
            if number % 500 == 499:
                began = time.monotonic()
                assert body(front.ask(request("/now", method="GET"))) == b"/now"
                slowest = max(slowest, time.monotonic() - began)
        waiting(front, 4_096)
        assert slowest < 2
        toy.news = b"news"
        front.front.waiters.tell()
        answers = [read_all(each) for each in clients]
        refused = [each for each in answers if each.startswith(b"HTTP/1.1 503 ")]
        told = [each for each in answers if each.endswith(b"news")]
        assert (len(told), len(refused)) == (4_096, many - 4_096)
        assert all(b"Retry-After: " in each for each in refused)


def test_an_end_answers_all_at_once() -> None:
    toy = News(seconds=60)
    with listening(toy, limits=PATIENT) as front, ExitStack() as stack:
        clients = [stack.enter_context(asking(front)) for _ in range(50)]
        stream = stack.enter_context(asking(front, "/stream"))
        late = stack.enter_context(front.client())
        late.sendall(b"GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
        late.recv(65536)
        waiting(front, 51)
        began = time.monotonic()
        asyncio.run_coroutine_threadsafe(front.front.stop(), front._loop).result(10)
        assert [body(read_all(each)) for each in clients] == [b"nothing"] * 50
        assert read_all(stream).endswith(b"begins\n")
        late.sendall(request("/later", method="GET"))  # nobody begins to wait
        assert body(read_all(late)) == b"nothing"
        assert time.monotonic() - began < 3


def test_a_stream_sends_what_comes_and_something_while_nothing_does() -> None:
    toy = News(seconds=60)
    limits = Limits(look_seconds=0.05, quiet_seconds=0.3)
    with listening(toy, limits=limits) as front, asking(front, "/stream") as client:
        waiting(front, 1)
        found = b""
        for told in (b"one", b"two", b"three"):
            toy.news = told
            front.front.waiters.tell()
            while not found.endswith(told + b"\n"):
                found += client.recv(65536)
        head, _, sent = found.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        assert b"Connection: close" in head
        assert b"Content-Length" not in head
        assert sent == b"begins\none\ntwo\nthree\n"
        assert client.recv(65536) == b":\n"
        toy.work_news = b"read by a worker"
        front.front.waiters.tell()
        while not found.endswith(b"read by a worker\n"):
            found += client.recv(65536)


def test_what_could_not_be_read_for_a_stream_is_looked_for_again() -> None:
    toy = News(seconds=60, work_news=b"not now")
    with listening(toy, limits=PATIENT) as front, asking(front, "/stream") as client:
        waiting(front, 1)
        time.sleep(0.2)
        toy.work_news = b"now"  # and nobody tells
        found = b""
        while b"\nnow\n" not in found:
            found += client.recv(65536)
        assert body(found).startswith(b"begins\nnow\n")


def test_a_stream_ends_when_it_was_to() -> None:
    with listening(News(news=b"one", seconds=0.4), limits=PATIENT) as front, asking(front, "/stream") as client:
        assert body(read_all(client)) == b"begins\none\n"
        waiting(front, 0)


def test_a_stream_that_is_not_read_is_cut() -> None:
    toy = News(seconds=60, large=bytes(4 * 1024 * 1024))
    with listening(toy, limits=quick()) as front, front.connect(reads=4096) as client:
        client.sendall(request("/stream", method="GET"))
        waiting(front, 1)
        waiting(front, 0)


def test_what_is_made_for_one_reader_is_bounded_until_it_is_read() -> None:
    limits = Limits(look_seconds=0.05, answers=4 * LARGE, answers_of_one_peer=2 * LARGE)
    long = request("/long", method="GET")
    with listening(News(), limits=limits, workers=(1, 9)) as front, ExitStack() as stack:

        def begun(source: str) -> socket.socket:
            client = stack.enter_context(front.connect(source=source, reads=4096))
            client.sendall(long)
            assert client.recv(9) == b"HTTP/1.1 "
            return client

        first, second = begun("127.0.0.1"), begun("127.0.0.1")
        assert front.front.answers.octets == 2 * LARGE
        assert front.status(long) == 503
        assert front.status(request("/api", method="GET")) == 200  # a short one is nobody's concern
        others = [begun("127.0.0.2"), begun("127.0.0.3")]
        refused = begun("127.0.0.4")
        assert refused.recv(4) == b"503 "  # all together
        rst(first)
        others[0].close()
        until(lambda: front.front.answers.octets == 2 * LARGE)
        assert front.status(long) == 200
        assert len(body(read_all(second))) == LARGE
        until(lambda: front.front.answers.octets == LARGE)


def test_a_stream_ends_before_a_gap() -> None:
    limits = Limits(look_seconds=0.05, answers_of_one_peer=LARGE)
    toy = News(seconds=60)
    with listening(toy, limits=limits) as front, front.connect(reads=4096) as slow, asking(front, "/stream") as client:
        slow.sendall(request("/long", method="GET"))
        until(lambda: front.front.answers.octets == LARGE)
        waiting(front, 1)
        toy.work_news = bytes(64 * 1024)
        front.front.waiters.tell()
        assert body(read_all(client)) == b"begins\n"


def test_where_a_thread_would_wait_nobody_does() -> None:
    front = SecondFront(News(), waiting=1)
    told: list[str] = []
    for path, said in (("/later", b"nothing"), ("/stream", b"once")):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""}
        assert b"".join(front(environ, lambda status, *_: told.append(status))) == said  # type: ignore[arg-type]
    assert told == ["200 OK", "200 OK"]
