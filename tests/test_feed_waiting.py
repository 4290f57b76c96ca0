"""Whoever waits at the feed has a row as soon as its checkpoint is there; no old one is told as the newest."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, update

from api import log_tip
from api.log_tip import LogTip
from api.status.exchange import Asked, Reply
from app.following_log import FollowingLog
from core.errors import RegisterWentBack
from front.limits import Limits
from front.service import Later, Stream, Turn
from store.log_tables import checkpoints, log_leaves
from store.reading import log as reading
from tests.front_world import Listening, read_all, request
from tests.frozen import frozen
from tests.served_world import Web
from tests.test_front_waiting import body, waiting
from tests.test_log import newest, with_log
from tests.world import World

OTHER = {"type": "ESME", "manufacturer": "AB99", "model": "00000099", "hardware_version": "02"}
EVENTS = b"Accept: text/event-stream\r\n"
PATIENT = Limits(look_seconds=0.05)


@pytest.fixture
def web(world: World) -> Web:
    with_log(world)
    world.granted()
    return Web(world)


@contextmanager
def followed(web: Web, limits: Limits = PATIENT) -> Iterator[Listening]:
    """A front whose log is followed by the thread that does so."""
    with web.listening(limits) as front:
        web.tip.start()
        try:
            until = time.monotonic() + 20
            while web.tip.end() is None:
                assert time.monotonic() < until
                time.sleep(0.01)
            yield front
        finally:
            web.tip.stop()


def said(octets: bytes) -> dict[str, Any]:
    assert octets.startswith(b"HTTP/1.1 200 "), octets[:400]
    return dict(json.loads(body(octets)))


def events(octets: bytes) -> list[tuple[int, dict[str, Any]]]:
    """The whole events of a stream."""
    found = []
    for each in body(octets).decode().split("\n\n")[:-1]:
        fields = dict(line.partition(": ")[::2] for line in each.split("\n"))
        if "data" in fields:
            assert fields["event"] == "rows"
            found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


def read_until(client: socket.socket, enough: Callable[[bytes], bool]) -> bytes:
    octets = b""
    while not enough(octets):
        more = client.recv(65536)
        assert more, octets
        octets += more
    return octets


def test_memory_says_what_the_register_says_octet_by_octet(web: Web) -> None:
    size = newest(web.world).size
    questions = [f"?after={after}&limit={limit}" for after in (0, 1, size - 1, size) for limit in (1, 3, 1_000)]
    with web.listening(PATIENT) as front:

        def answers() -> list[bytes]:
            found = [front.ask(request(f"/v1/feed{each}", method="GET")) for each in ["", *questions]]
            return [
                b"\r\n".join(sorted(each.partition(b"\r\nDate: ")[0].split(b"\r\n"))) + body(each) for each in found
            ]

        from_register = answers()
        reached = len(web.reached)
        web.tip.look()
        assert answers() == from_register
        assert reached == len(questions) + 1
        assert len(web.reached) == reached  # the API was not asked


def test_who_waits_has_the_row_as_soon_as_it_is_signed_for(web: Web) -> None:
    size = newest(web.world).size
    with followed(web) as front, front.client() as client:
        client.sendall(request(f"/v1/feed?after={size}&wait=30", method="GET"))
        waiting(front, 1)
        web.api.granted(device=OTHER)
        began = time.monotonic()
        found = said(read_all(client))
        assert time.monotonic() - began < 5
        assert [each["number"] for each in found["rows"]][:1] == [size + 1]
        assert newest(web.world).size >= found["rows"][-1]["number"]
        assert reading_size(found["checkpoint"]) >= found["rows"][-1]["number"]


def reading_size(note: str) -> int:
    return int(note.split("\n")[1])


def test_a_wait_that_ends_with_nothing_says_so(web: Web) -> None:
    size = newest(web.world).size
    with followed(web) as front:
        for after in (size, size + 1, 2**53 - 1):
            began = time.monotonic()
            found = said(front.ask(request(f"/v1/feed?after={after}&wait=1", method="GET")))
            assert 0.9 < time.monotonic() - began < 5
            assert found == {"rows": [], "checkpoint": newest(web.world).note}


def test_events_have_every_row_once_and_go_on_where_they_ended(web: Web) -> None:
    with followed(web) as front:
        size = newest(web.world).size
        rows: list[dict[str, Any]] = []
        last = 0
        with front.client() as client:
            client.sendall(request("/v1/feed?limit=3", method="GET", fields=EVENTS))
            octets = read_until(client, lambda so_far: so_far.count(b"\n\n") > 3)
        assert b"\r\nContent-Type: text/event-stream\r\n" in octets
        for last, data in events(octets):
            rows += data["rows"]
            assert rows[-1]["number"] == last
        with front.client() as client:
            fields = EVENTS + f"Last-Event-ID: {last}\r\n".encode()
            client.sendall(request("/v1/feed?limit=3", method="GET", fields=fields))
            octets = read_until(client, lambda so_far: f"id: {size}\n".encode() in so_far and so_far.endswith(b"\n\n"))
            web.api.granted(device=OTHER)
            end = newest(web.world).size
            octets += read_until(client, lambda so_far: f"id: {end}\n".encode() in so_far and so_far.endswith(b"\n\n"))
        for _, data in events(octets):
            rows += data["rows"]
        assert [each["number"] for each in rows] == list(range(1, end + 1))
        whole = said(front.ask(request("/v1/feed", method="GET")))
        assert rows == whole["rows"]


def test_the_first_event_comes_at_once_though_there_is_no_row(web: Web) -> None:
    size = newest(web.world).size
    with followed(web) as front, front.client() as client:
        client.sendall(request(f"/v1/feed?after={size}", method="GET", fields=EVENTS))
        octets = read_until(client, lambda so_far: b"data" in so_far and so_far.endswith(b"\n\n"))
        assert events(octets) == [(size, {"rows": [], "checkpoint": newest(web.world).note})]


def test_events_from_far_behind_are_read_by_workers(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tip, "PORTION", 2)  # rows that memory holds
    with followed(web) as front, front.client() as client:
        size = newest(web.world).size
        assert web.tip.answer(0, 1) is None
        client.sendall(request("/v1/feed?limit=4", method="GET", fields=EVENTS))
        octets = read_until(client, lambda so_far: f"id: {size}\n".encode() in so_far and so_far.endswith(b"\n\n"))
        numbers = [each["number"] for _, data in events(octets) for each in data["rows"]]
        assert numbers == list(range(1, size + 1))


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_whatever_is_sent_is_refused_and_nobody_waits(web: Web) -> None:
    queries = [
        b"after=-1",
        b"wait=31",
        b"wait=30&wait=30",
        b"limit=0",
        b"after=\xff",
        b"after=%00&wait=30",
        b"a" * 9_000,
    ]
    queries += [
        b"after=9007199254740992&wait=30",
        b"wait=3_0",
        b"wait=%2030",
        b"wait=30&x=1",
        b"after=\xd9\xa1&wait=30",
    ]
    idents = [b"x", b"-1", b"1, 2", b"9" * 30, b"\xff", b"", b"1.0"]
    with followed(web) as front:
        for query in queries:
            octets = request("/v1/feed?Q", method="GET", fields=EVENTS).replace(b"Q", query, 1)
            assert front.status(octets) in (400, 414), query
            assert front.status(octets.replace(EVENTS, b"")) in (400, 414), query
        for ident in idents:
            fields = EVENTS + b"Last-Event-ID: " + ident + b"\r\n"
            assert front.status(request("/v1/feed?wait=30", method="GET", fields=fields)) == 400, ident
        assert front.status(request("/v1/feed?after=99999&wait=30", method="HEAD")) == 200  # at once
        assert front.status(request("/v1/feed?wait=30", method="POST")) == 405
        assert len(front.front.waiters) == 0


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_while_the_database_is_silent_nothing_old_is_told_as_the_newest(
    web: Web, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tip, "OLD_SECONDS", 0.5)
    size = newest(web.world).size
    with followed(web) as front, front.client() as client, front.client() as stream:
        client.sendall(request(f"/v1/feed?after={size}&wait=3", method="GET"))
        stream.sendall(request(f"/v1/feed?after={size}", method="GET", fields=EVENTS))
        waiting(front, 2)
        with frozen(postgresql_server):
            time.sleep(0.7)
            assert len(front.front.waiters) == 2
            assert front.status(request("/healthz", method="GET")) == 200
            answered = read_all(client)
            assert answered.startswith(b"HTTP/1.1 503 ")
            assert b'"code":"store-unavailable"' in answered
            assert b"\r\nRetry-After: " in answered
        web.api.granted(device=OTHER)
        end = newest(web.world).size
        read_until(stream, lambda so_far: f"id: {end}\n".encode() in so_far)


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_what_another_process_may_have_told_already_is_not_denied(web: Web) -> None:
    web.tip.look()
    behind = newest(web.world).size
    web.api.granted(device=OTHER)
    size = newest(web.world).size
    with web.listening(PATIENT) as front:
        found = said(front.ask(request(f"/v1/feed?after={size}", method="GET")))
        assert (found["rows"], reading_size(found["checkpoint"])) == ([], size)
        found = said(front.ask(request(f"/v1/feed?after={size}&wait=1", method="GET")))
        assert (found["rows"], reading_size(found["checkpoint"])) == ([], size)
        assert web.tip.end() == behind


def rows_of(tip: LogTip, after: int) -> list[dict[str, Any]]:
    """The rows that memory has behind one."""
    found = tip.answer(after, 1_000)
    assert found is not None
    return list(json.loads(b"".join(each for parts in found[0].octets for each in parts))["rows"])


def asked(query: str, **fields: str) -> Asked:
    return Asked("GET", "/v1/feed", query, {name.replace("_", "-"): value for name, value in fields.items()})


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_of_a_register_that_went_back_nothing_is_told(web: Web) -> None:
    web.tip.look()
    back = False

    def require_whole() -> None:
        if back:
            raise RegisterWentBack

    following = FollowingLog(web.tip, web.world.store, require_whole)
    size = newest(web.world).size
    later = following.at_once(asked(f"after={size}&wait=9"))
    stream = following.at_once(asked("", accept="text/event-stream"))
    assert isinstance(later, Later)
    assert isinstance(stream, Stream)
    assert isinstance(following.at_once(asked("after=0")), Reply)
    back = True
    assert following.at_once(asked("after=0")) is Turn.API  # which says why
    assert (later.now(), stream.now(), stream.work()) == (None, None, None)
    last = later.at_last()
    assert isinstance(last, Reply)
    assert last.status == 503


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_memory_follows_what_the_register_has_and_is_bounded(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    store, told, now = web.world.store, list[int](), 0.0
    tip = LogTip(store, monotonic=lambda: now)
    tip.tells(lambda: told.append(1))
    tip.look()
    tip.look()
    size = newest(web.world).size
    assert (tip.end(), len(told)) == (size, 1)
    now = log_tip.OLD_SECONDS + 0.1
    assert tip.end() is None
    monkeypatch.setattr(log_tip, "PORTION", 5)
    web.api.granted(device=OTHER)
    tip.look()
    grown = newest(web.world).size
    assert (tip.end(), len(told)) == (grown, 2)
    assert [tip.answer(grown - 6, 9), tip.answer(grown + 1, 9)] == [None, None]
    for after in range(grown - 5, grown + 1):
        assert [each["number"] for each in rows_of(tip, after)] == list(range(after + 1, grown + 1))
        found = tip.answer(after, 1_000)
        assert found is not None
        assert found[0].length == sum(len(each) for parts in found[0].octets for each in parts)
    monkeypatch.setattr(log_tip, "OCTETS", 1)
    with store.begin("as if it were another log") as tx:
        tx.connection.execute(update(checkpoints).values(note=checkpoints.c.note.op("||")("x")))
    tip.look()
    assert tip.answer(grown - 1, 9) is not None
    assert tip.answer(grown - 2, 9) is None  # one row is longer than all may be
    with store.begin("as a restore leaves it") as tx:
        tx.connection.execute(delete(checkpoints).where(checkpoints.c.size > size))
    tip.look()
    assert tip.end() == size
    assert [each["number"] for each in rows_of(tip, size - 1)] == [size]
    with store.begin("as before the first") as tx:
        tx.connection.execute(delete(checkpoints))
    tip.look()
    assert tip.end() is None
    with store.read() as tx:
        assert reading.checkpoint(tx) is None


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_rows_of_another_log_are_read_again(web: Web) -> None:
    tip = LogTip(web.world.store)
    tip.look()
    before = newest(web.world)
    with web.world.store.begin("another log, of which the same rows have other leaves") as tx:
        other = before.note.replace("/log/1", "/log/2", 1)
        tx.connection.execute(update(checkpoints).where(checkpoints.c.size == before.size).values(note=other))
        tx.connection.execute(update(log_leaves).values(commitment=bytes(32)))
    tip.look()
    assert {each["commitment"] for each in rows_of(tip, 0)} == {"00" * 32}
