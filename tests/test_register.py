"""The public register as one file: what the log says of every approval, whole, shared, and sent in pieces."""

from base64 import b64encode
from typing import Any

import pytest

from api import kept_files
from api.kept_files import KeptFile, Shelf, Withdrawn
from api.status.exchange import Asked, Reply
from core.canonical import canonical, read_json
from core.public_record import document
from front.service import Later, Stream, Turn
from store.reading import approvals as approval_reading
from tests.api_world import Api
from tests.front_world import HOST, Toy, listening, request
from tests.served_world import Web
from tests.test_log import ORIGIN, newest, with_log
from tests.world import World


@pytest.fixture
def api(world: World) -> Api:
    with_log(world).settle()
    world.granted()
    return Api(world)


def fetched(api: Api) -> Any:
    said = api.ask(None, "GET", "/v1/register")
    assert said.status_code == 200, said.text
    return read_json(said.data)


def approvals(world: World) -> list[Any]:
    with world.store.read() as tx:
        return [read_json(canonical(document(each))) for each in approval_reading.records(tx)]


def test_it_is_what_the_log_says_of_every_approval(api: Api) -> None:
    world = api.world
    said = fetched(api)
    of = newest(world)
    assert (said["log"], said["size"], said["root"]) == (ORIGIN, of.size, b64encode(of.root).decode())
    assert said["approvals"] == approvals(world) != []
    assert canonical(said) == api.ask(None, "GET", "/v1/register").data
    world.revoked(said["approvals"][0]["approval"])
    assert fetched(api) == said  # what is not sealed is not said
    world.authority.settle()
    api.mirror.follow()
    again = fetched(api)
    assert again["size"] > said["size"]
    assert again["approvals"] == approvals(world) != said["approvals"]


def test_before_the_first_checkpoint_there_is_none(world: World) -> None:
    said = Api(world).ask(None, "GET", "/v1/register")
    assert (said.status_code, said.json["code"]) == (404, "log-empty")  # type: ignore[index]


def test_caches_and_ranges(api: Api) -> None:
    whole = api.ask(None, "GET", "/v1/register")
    tag, length = whole.headers["ETag"], len(whole.data)
    assert whole.headers["Content-Length"] == str(length)
    assert api.ask(None, "GET", "/v1/register", If_None_Match=tag).status_code == 304
    assert api.ask(None, "GET", "/v1/register", If_None_Match=f'W/{tag}, "x"').status_code == 304
    part = api.ask(None, "GET", "/v1/register", Range="bytes=5-9")
    assert (part.status_code, part.data) == (206, whole.data[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{length}"
    for asked, found in (("bytes=-7", whole.data[-7:]), (f"bytes=9-{length * 9}", whole.data[9:])):
        assert api.ask(None, "GET", "/v1/register", Range=asked, If_Range=tag).data == found
    for each in (
        "bytes=a-b",
        "bytes=9-5",
        "rows=1-2",
        "bytes=0-1,4-5",
        "bytes=--1",
        "",
        "bytes=0-",
        f"bytes=-{length}",
    ):
        said = api.ask(None, "GET", "/v1/register", Range=each)
        assert (said.status_code, said.data) == (200, whole.data), each
    said = api.ask(None, "GET", "/v1/register", Range="bytes=5-9", If_Range='"another"')
    assert (said.status_code, said.data) == (200, whole.data)
    behind = api.ask(None, "GET", "/v1/register", Range=f"bytes={length}-")
    assert (behind.status_code, behind.headers["Content-Range"]) == (416, f"bytes */{length}")


@pytest.fixture
def web(world: World) -> Web:
    with_log(world).settle()
    world.granted()
    return Web(world)


def test_older_files_that_are_still_read_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "OLDER_OCTETS", 250)
    shelf, read = Shelf(), [KeptFile([bytes([number]) * 100]) for number in range(5)]
    for each in read:
        shelf.put(each)
    assert [each.withdrawn for each in read] == [True, True, False, False, False]
    assert read[2].read(0, 2) == b"\2\2"
    pieces = read[0].pieces(0, 100)
    with pytest.raises(Withdrawn):
        list(pieces.octets)


def test_a_file_that_is_withdrawn_is_cut_off_for_who_reads_it() -> None:
    file = KeptFile(bytes(1_000) for _ in range(40_000))

    class Serving(Toy):
        def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
            return Reply(200, pieces=file.pieces(0, file.length)) if asked.path == "/file" else super().at_once(asked)

    with listening(Serving()) as front, front.connect(reads=4096) as client:
        client.sendall(b"GET /file HTTP/1.1\r\n" + HOST + b"\r\n")
        got = len(client.recv(1_000))
        file.withdrawn = True
        while octets := client.recv(1 << 20):
            got += len(octets)
        assert got < file.length
        assert front.status(request("/now", method="GET")) == 200


def test_the_front_sends_it_in_pieces(web: Web) -> None:
    whole = web.api.ask(None, "GET", "/v1/register").data
    with web.listening() as front:
        said = front.ask(request("/v1/register", method="GET"))
        assert said.endswith(b"\r\n\r\n" + whole)
        head = front.ask(request("/v1/register", method="HEAD"))
        assert head.endswith(b"\r\n\r\n")
        assert f"Content-Length: {len(whole)}\r\n".encode() in head
        ranged = b"GET /v1/register HTTP/1.1\r\n" + HOST + b"Range: bytes=3-5\r\nConnection: close\r\n\r\n"
        assert front.ask(ranged).endswith(b"\r\n\r\n" + whole[3:6])
        # The same of an answer that is not in pieces.
        assert b"Content-Length: 0\r\n" not in front.ask(request("/v1/checkpoint", method="HEAD"))
