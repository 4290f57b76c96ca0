"""Where a request begins and ends, and what frames its body: crumbs are no work, what is no request has no answer."""

import re
import socket
import tracemalloc
from collections.abc import Iterator

import pytest

from front.connection import Connection
from front.incoming import Incoming, Spool
from tests.front_world import HOST, LIMIT, Listening, Toy, chunked, listening, request


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def front(toy: Toy) -> Iterator[Listening]:
    with listening(toy) as listens:
        yield listens


def test_another_protocols_request_is_known_however_it_comes_and_wherever_it_stands(front: Listening, toy: Toy) -> None:
    def piece_by_piece(client: socket.socket) -> None:
        for octet in b"GET /now/x RTSP/1.0\r\n" + HOST + b"\r\n":
            client.sendall(bytes([octet]))

    assert front.status(b"", then=piece_by_piece) == 505
    behind = front.ask(b"GET /now HTTP/1.1\r\n" + HOST + b"\r\nGET /now RTSP/1.0\r\n" + HOST + b"\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", behind) == [b"200", b"505"]
    toy.done.clear()
    assert front.status(request("/now", fields=b"X: GET /now RTSP/1.0\r\n", method="GET")) == 200


@pytest.mark.parametrize("fields", [b"", HOST + HOST, HOST + b"Content-Encoding: gzip\r\n", HOST + b"X : a\r\n"])
def test_a_head_that_is_refused_gets_no_body_either(front: Listening, fields: bytes) -> None:
    answered = front.ask(b"HEAD /now HTTP/1.1\r\n" + fields + b"\r\n")
    assert answered[9:10] == b"4"
    assert answered.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", ["/now", "/elsewhere"])
@pytest.mark.parametrize("behind", [b"GET /now/x HTTP/1.1\r\n" + HOST + b"\r\n", b"nonsense " * 10_000])
def test_behind_the_last_request_nothing_is_answered(front: Listening, path: str, behind: bytes) -> None:
    upgrade = b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"
    for last in (request(path, method="GET"), request(path, fields=upgrade, body=b"abc")):
        answered = front.ask(last + behind)
        assert (answered[9:12], answered.count(b"HTTP/1.1 ")) == (b"200", 1)


def test_chunks_of_an_octet_each_are_refused_before_they_are_work(front: Listening, toy: Toy) -> None:
    crumbs, few = [b"ab"] * 30_000, [b"ab"] * 1_000
    answered = front.ask(chunked("/now", *crumbs))
    assert answered[9:12] == b"400"
    assert b"chunks-too-small" in answered
    assert toy.done == []
    assert front.status(chunked("/now", *few)) == 200  # as who sends each word by itself may
    assert toy.done[0][1] == b"ab" * 1_000


@pytest.mark.parametrize(
    "end",
    [
        b"0\r\n" + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        b"0\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
        b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_a_trailer_has_a_bound_and_what_stands_between_chunks_too(front: Listening, toy: Toy, end: bytes) -> None:
    answered = front.ask(chunked("/now", b"abc", end=end))
    assert answered[9:12] == b"431"
    assert b"trailer-too-large" in answered
    assert toy.done == []
    assert front.status(chunked("/now", b"abc", end=b"0\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")) == 200


def test_chunks_are_looked_at_a_few_at_a_time(front: Listening, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    fed, feed = [], Connection._feed

    def noting(connection: Connection, octets: bytes) -> None:
        fed.append(len(octets))
        feed(connection, octets)

    monkeypatch.setattr(Connection, "_feed", noting)
    assert front.status(chunked("/now", *[b"abcdefgh"] * 5_000)) == 200
    assert max(fed) <= 2048
    assert toy.done[0][1] == b"abcdefgh" * 5_000


def test_a_body_in_crumbs_takes_the_memory_of_its_octets() -> None:
    incoming = Incoming(Spool(0), in_memory=LIMIT, at_once=LIMIT)
    tracemalloc.start()
    try:
        for number in range(LIMIT // 2):
            incoming.add(number.to_bytes(2, "big"))
        assert tracemalloc.get_traced_memory()[0] < 2 * LIMIT
    finally:
        tracemalloc.stop()
    assert len(incoming.opened().read()) == LIMIT
