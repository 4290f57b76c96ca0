"""The public register as one file: what the log says of every approval, whole, shared, and sent in pieces."""

import os
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from ssl import DER_cert_to_PEM_cert
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from api import kept_files
from api.kept_files import KeptFile, Shelf, Withdrawn
from api.status.exchange import Asked, Reply
from app import readers
from core.alarms import AlarmCode
from core.canonical import canonical, read_json
from core.errors import MemoryContradicted
from core.public_record import document
from front import wsgi
from front.service import Later, Stream, Turn
from memory.records import Record, Register
from store.log_tables import log_documents
from store.reading import approvals as approval_reading
from store.reading import register as register_reading
from store.reading.register import SignedRegister
from tests.api_world import Api
from tests.front_world import HOST, Toy, listening, request
from tests.served_world import Web
from tests.test_log import ORIGIN, newest, with_log
from tests.world import DEVICE, NOW, World


def later(world: World) -> None:
    """The next register is due, and signed."""
    world.at(world.clock.now() + timedelta(minutes=1))
    world.authority.settle()


@pytest.fixture
def api(world: World) -> Api:
    with_log(world).settle()
    world.granted()
    later(world)
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
    later(world)
    api.mirror.follow()
    again = fetched(api)
    assert again["size"] > said["size"]
    assert again["approvals"] == approvals(world) != said["approvals"]


def test_before_the_first_is_signed_there_is_none(world: World) -> None:
    api = Api(world)
    for path in ("/v1/register", "/v1/register.p7s"):
        said = api.ask(None, "GET", path)
        assert (said.status_code, said.json["code"]) == (404, "register-unsigned")  # type: ignore[index]
    assert api.ask(None, "GET", "/v1/register.p7s?size=7").status_code == 404


def openssl(folder: Path, root: bytes, content: bytes, signature: bytes) -> bool:
    """Whether the stock tool takes it, with nothing but the root and no option that lets anything pass."""
    for name, octets in (("register.json", content), ("register.p7s", signature)):
        (folder / name).write_bytes(octets)
    (folder / "root.pem").write_text(DER_cert_to_PEM_cert(root))
    asked = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "register.p7s", "-content"]
    asked += ["register.json", "-CAfile", "root.pem", "-out", os.devnull, "-attime", str(int(NOW.timestamp()) + 3600)]
    return subprocess.run(asked, cwd=folder, check=False, capture_output=True, timeout=60).returncode == 0


def test_the_stock_tool_verifies_it_and_nothing_else(api: Api, tmp_path: Path) -> None:
    register = api.ask(None, "GET", "/v1/register").data
    signature = api.ask(None, "GET", "/v1/register.p7s")
    assert signature.headers["Content-Type"] == "application/pkcs7-signature"
    root = api.ask(None, "GET", "/ca/root.cer").data
    assert openssl(tmp_path, root, register, signature.data)
    size = read_json(register)["size"]
    assert api.ask(None, "GET", f"/v1/register.p7s?size={size}").data == signature.data
    for place in (0, len(register) // 2, len(register) - 1):
        other = bytearray(register)
        other[place] ^= 1
        assert not openssl(tmp_path, root, bytes(other), signature.data)
    other = bytearray(signature.data)
    other[-1] ^= 1
    assert not openssl(tmp_path, root, register, bytes(other))


def test_the_commands_of_the_page_fetch_and_verify_it(web: Web, tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "relying-parties.md").read_text("utf-8")
    commands = page.split("## The whole register as one file")[1].split("```sh\n")[1].split("```")[0]
    assert "openssl cms" in commands
    root = web.api.ask(None, "GET", "/ca/root.cer").data
    (tmp_path / "root.pem").write_text(DER_cert_to_PEM_cert(root))
    # The test authority's certificates begin later than today.
    commands = commands.replace("-CAfile", f"-attime {int(NOW.timestamp()) + 3600} -CAfile")
    with web.listening() as front:
        told = {**os.environ, "BASE": f"http://127.0.0.1:{front.port}"}
        for script, verifies in ((commands, True), (f"printf ' ' >> register.json\n{_verify(commands)}", False)):
            done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=told, check=False, timeout=60)
            assert (done.returncode == 0) == verifies
    assert (tmp_path / "register.csv").read_bytes()


def _verify(commands: str) -> str:
    return next(line for line in commands.splitlines() if line.startswith("openssl"))


def test_it_is_signed_at_most_once_in_an_interval_and_the_same_is_served_between(api: Api, tmp_path: Path) -> None:
    world = api.world
    first, root = fetched(api), api.ask(None, "GET", "/ca/root.cer").data
    world.revoked(first["approvals"][0]["approval"])
    api.settle()
    assert newest(world).size > first["size"]
    assert fetched(api) == first
    signature = api.ask(None, "GET", "/v1/register.p7s").data
    later(world)
    api.mirror.follow()
    second = fetched(api)
    assert second["size"] == newest(world).size
    assert second["approvals"] == approvals(world)
    other = api.ask(None, "GET", "/v1/register.p7s").data
    register = api.ask(None, "GET", "/v1/register").data
    assert openssl(tmp_path, root, register, other)
    # Whoever has fetched the one before still finds what was signed of it.
    assert api.ask(None, "GET", f"/v1/register.p7s?size={first['size']}").data == signature != other
    assert openssl(tmp_path, root, canonical(first), signature)
    assert not openssl(tmp_path, root, register, signature)


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
    later(world)
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


# --- what gets no signature ------------------------------------------------------------------------------------------


def signed(world: World) -> SignedRegister:
    with world.store.read() as tx:
        found = register_reading.newest_register(tx)
    assert found is not None
    return found


def restarted(world: World) -> None:
    """Another process of the authority, which knows nothing but what is remembered and what rows say."""
    with_log(world).settle()


D = log_documents.c
FORGERIES = {
    "a document is changed": update(log_documents).values(
        document=func.replace(D.document, '"maximum_devices":500', '"maximum_devices":900')
    ),
    "the only document is gone": delete(log_documents),
    "a document of nobody": insert(log_documents).values(approval="TDA-2027-9999-X", number=2, document="{}"),
    "it is said to be another's": update(log_documents).values(approval="TDA-2027-9999-X"),
    "it is no JSON": update(log_documents).values(document="{"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("again", [False, True], ids=["the process goes on", "another process begins"])
def test_forged_rows_get_no_signature(api: Api, forgery: str, *, again: bool) -> None:
    world, before = api.world, signed(api.world)
    with world.store.begin("forge") as tx:
        tx.connection.execute(FORGERIES[forgery])
    if again:
        restarted(world)
    world.granted(device=replace(DEVICE, model="00000007"))
    later(world)
    assert signed(world) == before
    assert AlarmCode.REGISTER_CONTRADICTS in {each.code for each in world.alarms()}
    # And nobody is told what was not signed: a web process that begins now has that to hand out, or nothing.
    said = Api(world).ask(None, "GET", "/v1/register")
    if said.status_code == 200:
        assert (forgery, sha256(said.data).digest()) == ("it is said to be another's", before.sha256)
    else:
        assert (said.status_code, said.json["code"]) == (503, "public-register-differs")  # type: ignore[index]


def test_a_row_that_went_back_gets_no_signature(api: Api) -> None:
    world = api.world
    (approval,) = (each["approval"] for each in fetched(api)["approvals"])
    world.revoked(approval)
    later(world)
    before = signed(world)
    with world.store.begin("let the end not be") as tx:
        tx.connection.execute(delete(log_documents).where(D.number == select(func.max(D.number)).scalar_subquery()))
    restarted(world)
    world.granted(device=replace(DEVICE, model="00000007"))
    later(world)
    assert signed(world) == before


def test_what_is_mended_is_signed_again(api: Api) -> None:
    world, before = api.world, signed(api.world)
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(log_documents).values(approval="TDA-2027-9999-X"))
    world.granted(device=replace(DEVICE, model="00000007"))
    later(world)
    with world.store.begin("mend") as tx:
        (approval, *_) = (each["approval"] for each in approvals(world))
        tx.connection.execute(update(log_documents).where(D.approval == "TDA-2027-9999-X").values(approval=approval))
    later(world)
    assert signed(world).moment.size > before.moment.size
    assert fetched(Api(world))["approvals"] == approvals(world)


@pytest.mark.parametrize("boundary", ["commit memory", "commit keep register"])
def test_whoever_died_between_two_steps_is_followed(api: Api, boundary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world, before = api.world, signed(api.world)
    world.granted(device=replace(DEVICE, model="00000007"))
    world.at(world.clock.now() + timedelta(minutes=1))
    remember = world.memory.remember

    def dying(records: Sequence[Record], **others: Any) -> int:
        if isinstance(records[0], Register) and boundary == "commit memory":
            raise OSError("dead")
        new = remember(records, **others)
        if isinstance(records[0], Register):
            raise OSError("dead")
        return new

    with monkeypatch.context() as patched:
        patched.setattr(world.memory, "remember", dying)
        world.authority.settle()
    assert signed(world) == before
    held = world.memory.register(ORIGIN)
    assert held is not None
    assert (held.size > before.moment.size) == (boundary != "commit memory")
    restarted(world)
    after = signed(world)
    assert after.moment.size == newest(world).size
    assert fetched(Api(world))["approvals"] == approvals(world)
    world.memory.prove()


def test_the_memory_refuses_another_register(api: Api) -> None:
    world, held = api.world, api.world.memory.register(ORIGIN)
    assert held is not None
    assert world.memory.remember([held], now=NOW) == 0
    wrong = [
        replace(held, sha256="0" * 64),
        replace(held, size=held.size - 1),
        replace(held, size=held.size + 1_000),
        replace(held, root=bytes(32)),
        replace(held, log="elsewhere.example/log/1"),
    ]
    for each in wrong:
        with pytest.raises(MemoryContradicted):
            world.memory.remember([each], now=NOW)
    world.memory.prove()


def test_readers_while_it_moves_on_get_whole_registers(web: Web) -> None:
    world, seen, stop = web.world, set[bytes](), threading.Event()

    def read() -> None:
        while not stop.is_set():
            head, _, body = front.ask(request("/v1/register", method="GET")).partition(b"\r\n\r\n")
            assert b" 200 " in head.partition(b"\r\n")[0], head
            seen.add(body)

    with web.listening() as front:
        with ThreadPoolExecutor(3) as readers:
            reading = [readers.submit(read) for _ in range(3)]
            for number in range(4):
                world.granted(device=replace(DEVICE, model=f"{number + 7:08X}"))
                later(world)
                web.api.mirror.follow()
            stop.set()
            for one in reading:
                one.result(60)
        last = front.ask(request("/v1/register", method="GET")).partition(b"\r\n\r\n")[2]
    assert read_json(last)["approvals"] == approvals(world)
    for each in seen:
        assert canonical(read_json(each)) == each


def test_no_parameter_does_harm(api: Api) -> None:
    sizes = ("0", "-1", "x", "9" * 30, "1&size=2", "1&x=1", "", "1.0", "%00", "1e9")
    for each in sizes:
        said = api.ask(None, "GET", f"/v1/register.p7s?size={each}")
        assert said.status_code in (400, 404), each
    for path in ("/v1/register/", "/v1/register/..", "/v1/register.json", "//v1/register", "/v1/register.p7s/x"):
        assert api.ask(None, "GET", path).status_code in (308, 404) or path == "/v1/register/", path
    assert api.ask(None, "POST", "/v1/register", b"x").status_code == 405


def test_one_peer_reads_so_many_at_a_time_and_another_is_served(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "OF_ONE_PEER", 2)
    pieces = KeptFile(bytes(100_000) for _ in range(200)).pieces(0, 20_000_000)
    long = Reply(200)
    monkeypatch.setattr(wsgi, "call", lambda *_: long._replace(pieces=replace(pieces)))
    asked = request("/v1/register", method="GET")
    with web.listening() as front:
        slow = [front.connect(reads=4096) for _ in range(2)]
        for each in slow:
            each.sendall(asked)
            assert each.recv(12).endswith(b"200")
        assert front.status(asked) == 503
        with front.client("127.0.0.2") as other:
            other.sendall(asked)
            assert other.recv(12).endswith(b"200")
        for each in slow:
            each.close()
        until = time.monotonic() + 20
        while front.status(asked) != 200:
            assert time.monotonic() < until
