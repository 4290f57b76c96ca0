"""A long answer goes out in pieces: whole, to who reads slowly too, who costs no memory."""

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from front.limits import Limits
from tests.front_world import HOST, Listening, Toy, listening, read_all, request
from tests.front_world import PIECES as SENT

WHOLE = b"".join(b"".join(each) for each in SENT.octets)
GET = b"GET /pieces HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.fixture
def front() -> Iterator[Listening]:
    with listening(Toy(), limits=Limits(rest_seconds=5, look_seconds=0.05)) as found:
        yield found


def test_it_comes_whole_and_the_connection_stays(front: Listening) -> None:
    assert len(WHOLE) == SENT.length
    with front.client() as client:
        client.sendall(GET * 2 + request("/now", method="GET"))
        read = read_all(client)
    for _ in range(2):
        head, _, read = read.partition(b"\r\n\r\n")
        assert f"Content-Length: {SENT.length}".encode() in head
        body, read = read[: SENT.length], read[SENT.length :]
        assert body == WHOLE
    assert read.endswith(b"/now")


def test_it_is_not_sent_for_head(front: Listening) -> None:
    answered = front.ask(request("/pieces", method="HEAD"))
    assert f"Content-Length: {SENT.length}".encode() in answered
    assert answered.endswith(b"\r\n\r\n")


@pytest.mark.long
def test_who_reads_slowly_has_it_all_and_costs_no_memory(front: Listening) -> None:
    readers = 20
    tracemalloc.start()
    clients = [front.connect(reads=4096) for _ in range(readers)]
    for each in clients:
        each.sendall(GET)
    time.sleep(0.5)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < readers * 512 * 1024 < SENT.length
    assert front.status(request("/now", method="GET")) == 200
    read = clients[0].recv(65_536)
    while len(read) < SENT.length:
        octets = clients[0].recv(1 << 20)
        assert octets
        read += octets
    assert WHOLE.startswith(read.partition(b"\r\n\r\n")[2])
    for each in clients:
        each.close()
