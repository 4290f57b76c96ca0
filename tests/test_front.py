"""The front, asked through raw sockets: what is one whole request is handed on, and nothing else ever is."""

import io
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from api.status.exchange import Asked
from core.peers import peer_of
from front.head import _ONCE
from front.workers import Workers
from front.wsgi import call
from tests.front_world import (
    HOST,
    LARGE,
    LIMIT,
    Listening,
    Toy,
    chunked,
    fin,
    listening,
    quick,
    read_all,
    request,
    rst,
)

if TYPE_CHECKING:
    from wsgiref.types import StartResponse


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def front(toy: Toy) -> Iterator[Listening]:
    with listening(toy) as listens:
        yield listens


# --- what is a request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "path", "query"),
    [
        (b"GET /now/a%2Fb%20%C3%A9?x=%41 HTTP/1.1\r\n" + HOST, "/now/a/b é", "x=%41"),
        (b"GET /now/%ff HTTP/1.1\r\n" + HOST, "/now/\ufffd", ""),
        (b"GET http://elsewhere.example/now?x=%41 HTTP/1.1\r\n" + HOST, "/now", "x=%41"),
        (b"\r\nGET /now HTTP/1.1\r\nhost:\r\n", "/now", ""),
        (b"GET /now HTTP/1.0\r\n", "/now", ""),
        (b"GET /now/../x HTTP/1.1\r\n" + HOST, "/now/../x", ""),
        (b"GET /now?a?b%3F HTTP/1.1\r\n" + HOST, "/now", "a?b%3F"),
    ],
)
def test_a_target_is_decoded_once_and_left_as_it_is(
    front: Listening, toy: Toy, octets: bytes, path: str, query: str
) -> None:
    assert front.status(octets + b"Connection: close\r\n\r\n") == 200
    asked = toy.done[0][0]
    assert (asked.path, asked.query) == (path, query)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"get /now HTTP/1.1\r\n" + HOST, 501),
        (b"Post /now HTTP/1.1\r\n" + HOST, 501),
        (b"BREW /now HTTP/1.1\r\n" + HOST, 501),
        (b"CONNECT a:443 HTTP/1.1\r\n" + HOST, 501),
        (b"PROPFIND /now HTTP/1.1\r\n" + HOST, 501),
        (b"GET /now HTTP/1.1\r\n", 400),
        (b"GET /now HTTP/1.1\r\n" + HOST + HOST, 400),
        (b"GET /now HTTP/1.1\r\nHost: a b\r\n", 400),
        (b"GET /now HTTP/1.1\r\nHost: a/b\r\n", 400),
        (b"GET /now HTTP/1.1\r\nHost : a\r\n", 400),
        (b"GET now HTTP/1.1\r\n" + HOST, 400),
        (b"GET /now#x HTTP/1.1\r\n" + HOST, 400),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST, 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST, 400),
        (b"GET /now HTTP/2.0\r\n" + HOST, 505),
        (b"GET /now RTSP/1.0\r\n" + HOST, 505),
        (b"\r\nOPTIONS  /now  RTSP/1.1\r\n" + HOST, 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", 400),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n", 400),
        (b"GET /now HTTP/1.1\n" + HOST, 400),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nAuthorization: b\r\n", 400),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"Expect: something\r\n", 417),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 40_000 + b"\r\n", 431),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 400_000 + b"\r\n", 431),
        (b"GET /now HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 101, 431),
        (b"GET /now" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET /now" + b"a" * 400_000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 400),
        (b"POST /now HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n", 501),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n", 400),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
        (b"POST /now HTTP/1.1\r\n" + HOST + b"Content-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 415),
    ],
)
def test_what_is_no_request_of_ours_is_told_and_never_handed_on(
    front: Listening, toy: Toy, octets: bytes, status: int
) -> None:
    answered = front.ask(octets + b"\r\n")
    assert int(answered[9:12]) == status
    assert b"Connection: close" in answered
    assert b"application/problem+json" in answered
    assert toy.done == []


def test_lines_of_a_list_are_joined_and_a_name_with_an_underscore_is_not_heard(front: Listening, toy: Toy) -> None:
    front.ask(request("/now", fields=b"If-None-Match: a\r\nif-none-match: b\r\nIdempotency_Key: x\r\n", method="GET"))
    fields = toy.done[0][0].fields
    assert fields["if-none-match"] == "a, b"
    assert "idempotency_key" not in fields


def test_head_is_answered_without_a_body(front: Listening) -> None:
    answered = front.ask(request("/now", method="HEAD"))
    assert b"Content-Length: 4\r\n" in answered
    assert answered.endswith(b"\r\n\r\n")


def test_an_answer_that_would_end_a_line_of_its_head_is_ours_to_answer_for(front: Listening) -> None:
    answered = front.ask(request("/broken"))
    assert int(answered[9:12]) == 500
    assert b"Set-Cookie" not in answered


# --- one after the other -----------------------------------------------------------------------------------------


def test_requests_of_one_connection_are_answered_in_their_order(front: Listening, toy: Toy) -> None:
    one = b"POST /slow%d HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n%02d"
    many = b"".join(one % (each, each) for each in range(30))
    answered = front.ask(many + request("/now", method="GET"))
    told = [answered.index(b"worked %02d" % each) for each in range(30)]
    assert told == sorted(told)
    assert answered.count(b"HTTP/1.1 200 OK") == 31
    assert [octets for _, octets in toy.done[:30]] == [b"%02d" % each for each in range(30)]


def test_what_comes_before_its_turn_is_left_with_the_kernel(front: Listening, toy: Toy) -> None:
    with front.client() as client:
        client.sendall(b"POST /gate HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        time.sleep(0.1)
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.sendall((b"GET /now HTTP/1.1\r\n" + HOST + b"\r\n") * 1_000_000)
        toy.gate.set()


def test_a_request_sent_octet_by_octet_is_one_request(front: Listening, toy: Toy) -> None:
    with front.client() as client:
        for octet in chunked("/now", b"ab", b"c"):
            client.sendall(bytes([octet]))
        assert read_all(client).endswith(b"\r\n\r\nabc")
    assert [octets for _, octets in toy.done] == [b"abc"]


@pytest.mark.parametrize(
    "fields", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
def test_an_upgrade_that_is_offered_is_left_and_the_request_answered(front: Listening, toy: Toy, fields: bytes) -> None:
    # Java's client offers h2c with whatever it sends in the clear.
    offered = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    sent = b"POST /work HTTP/1.1\r\n" + HOST + offered + fields
    answered = front.ask(sent * 2 + request("/now", method="GET"))
    assert answered.count(b"worked abc") == 2
    assert answered.count(b"HTTP/1.1 200 OK") == 3
    assert [octets for _, octets in toy.done] == [b"abc", b"abc", b""]


def test_who_waits_to_be_told_to_go_on_is_told(front: Listening) -> None:
    with front.client() as client:
        client.sendall(request("/now", fields=b"Expect: 100-continue\r\nContent-Length: 3\r\n"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert read_all(client).endswith(b"abc")
    large = request("/now", fields=b"Expect: 100-continue\r\nContent-Length: %d\r\n" % (LIMIT + 1))
    assert front.status(large, then=fin) == 413


def test_nobody_is_told_to_go_on_who_would_not_understand_it(front: Listening) -> None:
    head = b"POST /now HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    with front.client() as client:
        client.sendall(head)
        assert not select.select([client], [], [], 0.2)[0]
        client.sendall(b"abc")
        assert read_all(client).startswith(b"HTTP/1.1 200 ")  # RFC 9110, 15.2: never 1xx to HTTP/1.0


@pytest.mark.parametrize("path", ["/unforeseen/head", "/unforeseen/whole"])
def test_what_we_raise_is_ours_to_answer_for_and_is_logged(
    front: Listening, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    answered = front.ask(request(path, body=b"abc"))
    assert int(answered[9:12]) == 500
    assert b"not-http" not in answered
    assert "this" in caplog.text
    assert front.status(request("/now", body=b"a")) == 200


@pytest.mark.parametrize(
    ("field", "name", "port"),
    [
        ("a:81", "a", "81"),
        ("a", "a", "80"),
        ("[::1]:81", "[::1]", "81"),
        ("[::1]", "[::1]", "80"),
        ("", "localhost", "80"),
    ],
)
def test_an_application_is_told_the_host_and_its_port(field: str, name: str, port: str) -> None:
    told: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: "StartResponse") -> list[bytes]:
        told.update(environ)
        start_response("200 OK", [])
        return []

    call(application, Asked(method="GET", path="/", fields={"host": field}), io.BytesIO(), 0)
    assert (told["SERVER_NAME"], told["SERVER_PORT"]) == (name, port)


def test_a_field_that_may_be_sent_once_is_named_where_it_was_sent_twice(front: Listening) -> None:
    for each in _ONCE - {"host"}:
        answered = front.ask(request("/now", fields=f"{each}: 1\r\n".encode() * 2))
        hint = json.loads(answered.partition(b"\r\n\r\n")[2])["hint"]
        assert each in hint.lower()


def test_who_has_said_all_may_still_read(front: Listening) -> None:
    assert front.ask(request("/work", body=b"abc"), then=fin).endswith(b"worked abc")


# --- bodies ------------------------------------------------------------------------------------------------------

CUT: dict[str, tuple[bytes, Callable[[socket.socket], None]]] = {
    "length, FIN": (request("/work", fields=b"Content-Length: 30\r\n") + b"abc", fin),
    "length, RST": (request("/work", fields=b"Content-Length: 30\r\n") + b"abc", rst),
    "chunks, FIN": (chunked("/work", b"abc", end=b""), fin),
    "chunks, RST": (chunked("/work", b"abc", end=b""), rst),
    "within a chunk": (chunked("/work", b"abc", end=b"50\r\nabc"), fin),
    "last chunk not ended": (chunked("/work", b"abc", end=b"0\r\n"), fin),
    "within a trailer": (chunked("/work", b"abc", end=b"0\r\nX: 1\r\n"), fin),
}


@pytest.mark.parametrize("cut", CUT)
def test_half_a_body_is_never_handed_on(front: Listening, toy: Toy, cut: str) -> None:
    octets, end = CUT[cut]
    if end is fin:
        assert front.status(octets, then=fin) == 400
    else:
        assert front.ask(octets, then=rst) == b""
    assert front.ask(request("/work", body=b"whole")).endswith(b"worked whole")
    assert [body for _, body in toy.done] == [b"whole"]
    assert front.front.spool.held == 0


def test_a_body_has_its_limit_however_it_is_sent(front: Listening, toy: Toy) -> None:
    assert front.status(request("/work", body=b"a" * LIMIT)) == 200
    assert front.status(chunked("/work", b"a" * 1000, b"a" * (LIMIT - 1000))) == 200
    toy.done.clear()
    assert front.status(request("/work", body=b"a" * (LIMIT + 1))) == 413
    assert front.status(chunked("/work", b"a" * 1000, b"a" * (LIMIT - 999))) == 413
    assert front.status(request("/work", fields=b"Content-Length: %d\r\n" % (LIMIT + 1))) == 413
    assert front.status(request("/refused", body=b"a")) == 401
    assert toy.done == []


def test_who_is_still_sending_can_read_why_it_was_refused(front: Listening) -> None:
    body = b"a" * 8_000_000
    for octets in (request("/work", body=body), chunked("/work", body)):
        with front.client() as client:
            client.sendall(octets)  # all of it: nothing is read meanwhile
            assert int(read_all(client)[9:12]) == 413


def test_no_more_is_taken_of_a_refused_body_than_is_bound() -> None:
    with listening(Toy(), limits=quick(drained=500_000)) as front, front.client() as client:
        client.sendall(request("/work", fields=b"Content-Length: 90000000\r\n"))
        with pytest.raises(ConnectionError):
            client.sendall(b"a" * 90_000_000)


def test_a_large_body_is_collected_into_a_file_that_has_room() -> None:
    toy = Toy(limit=3_000_000)
    body = bytes(range(256)) * 10_000
    with listening(toy, limits=quick(in_memory=1000, spooled=2_600_000)) as front:
        for octets in (request("/work", body=body), chunked("/work", body[:1001], body[1001:])):
            assert front.status(octets) == 200
        assert [octets for _, octets in toy.done] == [body, body]
        assert front.front.spool.held == 0
        with front.client() as client:
            client.sendall(request("/work", fields=b"Content-Length: 3000000\r\n") + body[:100_000])
            time.sleep(0.2)
            assert front.front.spool.held == 100_000
            answered = front.ask(request("/work", body=body))
            assert int(answered[9:12]) == 503
            assert b"Retry-After: " in answered
            assert front.front.spool.held == 100_000
        assert front.status(request("/work", body=body)) == 200


# --- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"", 0),
        (b"GET /now HTTP/1.1\r\nHo", 408),
        (request("/now", fields=b"Content-Length: 30\r\n") + b"abc", 408),
        (chunked("/now", b"abc", end=b""), 408),
    ],
)
def test_silence_ends_a_connection(front: Listening, octets: bytes, status: int) -> None:
    assert front.status(octets) == status


def test_a_body_that_drips_ends_as_well(front: Listening, toy: Toy) -> None:
    with front.client() as client:
        client.sendall(request("/now", fields=b"Content-Length: 1000\r\n"))
        for _ in range(20):
            client.sendall(b"a")
            time.sleep(0.1)
            if select.select([client], [], [], 0)[0]:
                break
        assert int(client.recv(100)[9:12]) == 408
    assert toy.done == []


def test_a_slow_reader_gets_all_of_it_as_long_as_it_reads() -> None:
    with listening(Toy(), limits=quick(steady_seconds=20)) as front, front.connect(reads=65_536) as client:
        client.sendall(request("/large", method="GET"))
        read, began = 0, time.monotonic()
        while octets := client.recv(65_536):
            read += len(octets)
            time.sleep(0.01)
        assert read > LARGE
        assert time.monotonic() - began > front.front.limits.rest_seconds


def test_a_reader_that_stops_is_let_go(front: Listening) -> None:
    with front.connect(reads=4096) as client:
        client.sendall(request("/large", method="GET"))
        time.sleep(1.5)
        assert len(front.front.crowd) == 0
        assert len(read_all(client)) < LARGE


# --- who and how many --------------------------------------------------------------------------------------------


def test_a_full_pool_says_so_and_a_request_that_waits_too_long_is_not_begun(toy: Toy) -> None:
    gated = request("/gate", body=b"g")
    with listening(toy, workers=(1, 1)) as front:
        held = [front.connect() for _ in range(3)]
        for each in held:
            each.sendall(gated)
            time.sleep(0.1)
        # The first is worked on, the second waits, for the third there is no room.
        assert b" 503 " in held[2].recv(65536)
        assert b" 503 " in held[1].recv(65536)
        assert front.ask(request("/now", body=b"n")).endswith(b"n")
        toy.gate.set()
        assert read_all(held[0]).endswith(b"worked g")
        assert front.ask(request("/work", body=b"after")).endswith(b"worked after")
        for each in held:
            each.close()
    assert [octets for _, octets in toy.done] == [b"n", b"g", b"after"]


def test_what_waits_for_a_client_that_has_gone_is_not_begun(toy: Toy) -> None:
    with listening(toy, workers=(1, 4), limits=quick(turn_seconds=20)) as front, front.client() as first:
        first.sendall(request("/gate", body=b"first"))
        time.sleep(0.1)
        with front.client() as gone:
            gone.sendall(request("/work", body=b"gone"))
            rst(gone)
        time.sleep(0.1)
        toy.gate.set()
        assert read_all(first).endswith(b"worked first")
    assert [octets for _, octets in toy.done] == [b"first"]


def test_one_peer_has_only_its_share_of_the_workers(toy: Toy) -> None:
    with listening(toy, workers=(8, 0), limits=quick(at_work_of_one_peer=2), proxies=frozenset({"127.0.0.3"})) as front:
        held = [front.connect() for _ in range(2)]
        for each in held:
            each.sendall(request("/gate", body=b"g"))
        time.sleep(0.1)
        assert front.status(request("/work")) == 503
        # Another address has its own, and behind a proxy of ours the address counts that it has written, last.
        for source, field, status in (
            ("127.0.0.2", b"X-Forwarded-For: 127.0.0.1\r\n", 200),
            ("127.0.0.3", b"X-Forwarded-For: 192.0.2.9, 127.0.0.1\r\n", 503),
            ("127.0.0.3", b"X-Forwarded-For: 127.0.0.1, 192.0.2.9\r\n", 200),
        ):
            with front.client(source) as client:
                client.sendall(request("/work", fields=field))
                assert int(read_all(client)[9:12]) == status
        toy.gate.set()
        for each in held:
            assert read_all(each).endswith(b"worked g")
            each.close()
        assert front.status(request("/work")) == 200


def test_who_is_new_gets_in_and_the_oldest_of_its_own_that_holds_on_goes(toy: Toy) -> None:
    with listening(toy, limits=quick(head_seconds=20, of_one_peer=20)) as front:  # noqa: SIM117 - the clients are its own
        with front.client("127.0.0.2") as other, front.client() as working:
            working.sendall(request("/gate", body=b"g"))
            time.sleep(0.1)
            silent = [front.connect() for _ in range(60)]
            time.sleep(0.1)
            assert len(front.front.crowd) == 21
            assert [each.recv(1) for each in silent[:40]] == [b""] * 40
            assert front.ask(request("/now", body=b"n")).endswith(b"n")
            other.sendall(request("/now", body=b"o"))
            assert read_all(other).endswith(b"o")
            toy.gate.set()
            assert read_all(working).endswith(b"worked g")
            for each in silent:
                each.close()


def test_when_there_are_too_many_in_all_the_peer_with_most_makes_room(toy: Toy) -> None:
    with listening(toy, limits=quick(head_seconds=20, connections=20)) as front, front.client("127.0.0.2") as other:
        silent = [front.connect() for _ in range(40)]
        assert front.ask(request("/now", body=b"n")).endswith(b"n")
        other.sendall(request("/now", body=b"o"))
        assert read_all(other).endswith(b"o")
        assert len(front.front.crowd) <= 20
        for each in silent:
            each.close()


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_peer_is_an_address_or_what_one_customer_has_of_ipv6(address: str, peer: str) -> None:
    assert peer_of(address) == peer


def test_a_worker_outlives_work_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    workers, done = Workers("test", threads=1, waiting=1), threading.Event()

    def failing() -> None:
        raise KeyError("this")

    assert workers.submit(failing) is not None
    while workers.submit(done.set) is None:
        time.sleep(0.01)
    assert done.wait(5)
    assert "this" in caplog.text


def test_little_is_answered_to_a_reader_that_does_not_read(toy: Toy) -> None:
    with listening(toy, limits=quick(rest_seconds=5, steady_seconds=5)) as front, front.connect(reads=2048) as client:
        client.settimeout(1)
        asked = request("/now", body=b"x" * LIMIT).replace(b"Connection: close\r\n", b"")
        with pytest.raises(TimeoutError):
            client.sendall(asked * 200)
        assert 1 <= len(toy.done) * LIMIT <= 512 * 1024


def test_hundreds_that_were_asked_at_once_are_answered_in_order(toy: Toy) -> None:
    with listening(toy) as front:
        kept = [request(f"/now{each}", method="GET").replace(b"Connection: close\r\n", b"") for each in range(400)]
        answered = front.ask(b"".join(kept) + request("/now!", method="GET"))
    assert answered.count(b"HTTP/1.1 200") == 401
    assert [asked.path for asked, _ in toy.done] == [*(f"/now{each}" for each in range(400)), "/now!"]


def test_a_refusal_can_be_read_by_whoever_goes_on_sending_heads(toy: Toy) -> None:
    with listening(toy) as front:
        answered = front.ask(b"GET /\x00 HTTP/1.1\r\n\r\n" + request("/now", method="GET") * 200_000)
    assert answered.startswith(b"HTTP/1.1 400")
    assert toy.done == []
