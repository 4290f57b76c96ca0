"""The second front: it answers as the first one does, and rests upon a proxy that hands on whole requests only."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from api.status.exchange import Asked
from app.proxied import HALVES, connections, require_whole
from app.served import StatusServed
from app.status_settings import Address, read_listens, read_proxy
from app.unix_socket import make_room
from core.errors import PlaceUnusable, ProxyUnfit
from front.second import Fields, SecondFront
from front.service import Turn
from tests.begin_world import made
from tests.front_world import LIMIT, Listening, Toy, listening, read_all, request
from tests.nginx_world import nginx
from tests.served_world import Web
from tests.world import World

KEY = "a-key-that-nobody-has"
OF_THE_CONNECTION = {"connection", "date", "server"}


def environ_of(octets: bytes) -> dict[str, Any]:
    """A request as a server of WSGI hands it on."""
    head, _, body = octets.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
    }
    for each in fields:
        name, _, value = each.partition(": ")
        variable = name.upper().replace("-", "_")
        environ[variable if variable.startswith("CONTENT_") else f"HTTP_{variable}"] = value
    environ.pop("CONTENT_ENCODING", None)
    if "Content-Encoding" in head.decode("latin-1"):
        environ["HTTP_CONTENT_ENCODING"] = "gzip"
    return environ


def second(front: SecondFront, octets: bytes) -> tuple[int, dict[str, str], bytes]:
    said: list[Any] = []
    body = b"".join(front(environ_of(octets), lambda status, fields, *_: said.extend((status, fields))))  # type: ignore[arg-type]
    return int(said[0][:3]), {name.lower(): value for name, value in said[1]}, body


def first(front: Listening, octets: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = front.ask(octets).partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    named = dict(each.split(": ", 1) for each in fields)
    return (
        int(line[9:12]),
        {name.lower(): value for name, value in named.items() if name.lower() not in OF_THE_CONNECTION},
        body,
    )


def asked(world: World, web: Web, approval: str) -> Iterator[bytes]:
    """Requests of every kind about status, right ones and wrong ones."""
    key = f"Authorization: Bearer {web.api.keys['dcc']}\r\n".encode()
    certificate = world.record(approval).certificates[0]
    yield request("/v1/verify", fields=key, body=json.dumps({"approval": approval}).encode())
    yield request("/v1/verify", fields=key, body=json.dumps({"serial": certificate.serial}).encode())
    yield request("/v1/verify", fields=key, body=b'{"approval": 1}')
    yield request("/v1/verify", body=b"{}")
    yield request("/v1/verify", fields=b"Authorization: Bearer nobody\r\n", body=b"{}")
    yield request("/v1/verify", fields=key, body=b"x" * (LIMIT + 1))
    yield request("/v1/verify", fields=key + b"Content-Encoding: gzip\r\n", body=b"{}")
    yield request("/v1/verify", method="PUT", fields=key, body=b"{}")
    yield request("/v1/verify", method="BREW", fields=key)
    old = {"approval": approval, "at": "2020-01-01T00:00:00Z", "device_id": "00-11-22-33-44-55-66-77"}
    yield request("/v1/verify", fields=key, body=json.dumps(old).encode())
    for method in ("GET", "HEAD"):
        yield request(f"/v1/verify/{approval}", method=method, fields=key)
        yield request(f"/approvals/{approval}", method=method)
        yield request("/ca/root.cer", method=method)
        yield request("/ca/root.cer", method=method, fields=b"If-None-Match: *\r\n")
        yield request("/crl/ab.crl", method=method)
        yield request("/healthz", method=method)
    yield request("/ocsp", body=b"no request")
    yield request("/ocsp/aaaa", method="GET")
    yield request("//healthz", method="GET")
    yield request("/v1/authority", method="GET")
    yield request("/approvals/x", method="DELETE", body=b"")


def test_both_fronts_answer_alike(world: World) -> None:
    web = Web(world)
    approval = world.granted()
    web.api.mirror.follow()
    served = StatusServed(web.served._plane, web.lookout.ready, lambda *_: None)
    behind_second = SecondFront(served, waiting=1)
    statuses = set()
    with listening(served) as front:
        for octets in asked(world, web, approval):
            expected, found = first(front, octets), second(behind_second, octets)
            assert found == expected, octets
            statuses.add(found[0])
    assert statuses == {200, 304, 400, 401, 404, 405, 413, 415, 501}


def test_what_is_not_status_is_another_processs_and_the_other_way_round(world: World) -> None:
    web = Web(world)
    web.served._with_status = False
    with web.listening() as front:
        assert front.status(request("/v1/authority", method="GET")) == 200
        assert front.status(request("/healthz", method="GET")) == 200
        for path in ("/v1/verify/x", "/ca/root.cer", "/ocsp/aaaa", "/approvals/x"):
            assert front.status(request(path, method="GET")) == 404


def test_whoever_asks_the_register_is_one_of_few_and_holds_up_nobody() -> None:
    toy = Toy()
    front = SecondFront(toy, waiting=2)
    held = [threading.Thread(target=second, args=(front, request("/gate", body=b"1"))) for _ in range(2)]
    for each in held:
        each.start()
    deadline = time.monotonic() + 5
    while front._room._value and time.monotonic() < deadline:
        time.sleep(0.01)
    assert second(front, request("/gate", body=b"1"))[0] == 503
    assert second(front, request("/now", body=b"1"))[0] == 200
    toy.gate.set()
    for each in held:
        each.join(5)
    assert second(front, request("/gate", body=b"1"))[0] == 200
    assert second(front, request("/unforeseen/head", body=b"1"))[0] == 500


def test_fields_are_read_as_they_are_asked_for() -> None:
    environ = environ_of(request("/", fields=b"X-Forwarded-For: 192.0.2.1\r\nAuthorization: Bearer x\r\n", body=b"1"))
    fields = Fields(environ)
    assert fields["x-forwarded-for"] == fields.get("x-forwarded-for") == "192.0.2.1"
    assert (fields.get("authorization"), fields.get("if-none-match"), "cookie" in fields) == ("Bearer x", None, False)
    assert set(fields) == {"host", "connection", "x-forwarded-for", "authorization", "content-length"}
    assert len(fields) == 5


def test_it_is_a_path_or_an_address_and_nothing_between(tmp_path: Path) -> None:
    wrong: list[str] = []

    def listens(value: str) -> object:
        return read_listens(value, lambda path: tmp_path / path, wrong.append)

    assert listens("unix:run/s.sock") == tmp_path / "run" / "s.sock"
    assert listens("127.0.0.1:8471") == Address("127.0.0.1", 8471)
    assert listens("[::1]:8471") == Address("::1", 8471)
    assert read_proxy("", wrong.append) is None
    assert wrong == []
    for value in ("s.sock", "127.0.0.1", "somewhere:80", "127.0.0.1:0", "127.0.0.1:65536"):
        listens(value)
        assert len(wrong) == 1, value
        wrong.clear()
    read_proxy("here", wrong.append)
    assert wrong == ["status.proxy must be HOST:PORT."]


def test_a_place_where_no_socket_can_be_is_a_sentence(tmp_path: Path) -> None:
    taken, file, left = tmp_path / "taken", tmp_path / "file", tmp_path / "left"
    file.write_text("somebody's")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    too_long = tmp_path / ("x" * 108)
    with holding(taken):
        for path, words in ((taken, "listens there"), (file, "in use"), (too_long, "107 octets at most")):
            with pytest.raises(PlaceUnusable, match=words):
                make_room(path)
    make_room(left)
    assert (left.exists(), file.read_text()) == (False, "somebody's")


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """A socket that takes whatever connects, and says nothing."""
    with socket.socket(socket.AF_UNIX) as listens:
        listens.bind(str(path))
        listens.listen(100)
        yield


def test_the_place_of_a_process_that_takes_nobody_in_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with ExitStack() as stack:
        listens = stack.enter_context(socket.socket(socket.AF_UNIX))
        listens.bind(str(path))
        listens.listen(0)
        for _ in range(2):  # as many wait as there is room for, and one more is turned away
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)  # noqa: FBT003 - as it is called
            waiting.connect_ex(str(path))
        with pytest.raises(PlaceUnusable, match="another process listens there"):
            make_room(path)
        assert path.is_socket()
    make_room(path)
    assert not path.exists(), "nobody is behind it any more"
    path.write_text("somebody's")
    with pytest.raises(PlaceUnusable):
        make_room(path)
    assert path.read_text() == "somebody's"


@contextmanager
def passing_on(path: Path) -> Iterator[Address]:
    """A proxy that hands on each octet as it comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def run() -> None:
            with suppress(OSError):
                while True:
                    client = server.accept()[0]
                    behind = socket.socket(socket.AF_UNIX)
                    behind.connect(str(path))
                    held.append((client, behind))

        threading.Thread(target=run, daemon=True).start()
        try:
            yield Address("127.0.0.1", server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for pair in held:
                for each in pair:
                    each.close()


def test_a_proxy_that_hands_on_halves_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with holding(path), passing_on(path) as proxy:
        with pytest.raises(ProxyUnfit, match="half-sent requests come through"):
            require_whole(proxy, path)
        assert connections(path) == 0 or connections(path) >= HALVES
    with pytest.raises(ProxyUnfit, match="does not answer"):
        require_whole(proxy, path)


@contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "app.cli.main", "run", "status", "--home", str(home)]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def over_socket(path: Path, octets: bytes) -> bytes:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            try:
                client.connect(str(path))
            except OSError:
                time.sleep(0.05)
                continue
            client.sendall(octets)
            return read_all(client)
    raise AssertionError("nobody listens")


@pytest.mark.long
def test_the_process_answers_behind_the_shipped_proxy_and_ends_when_it_is_told(tmp_path: Path) -> None:
    house = made(tmp_path / "h", f"sqlite:///{tmp_path / 'h' / 'store.sqlite'}")
    house.store.close()
    home = house.settings.home
    path = home / "run" / "status.sock"
    alive = request("/healthz", method="GET")
    with running(home) as process:
        assert over_socket(path, alive).startswith(b"HTTP/1.1 200")
        deadline = time.monotonic() + 20
        while not over_socket(path, request("/ca/root.cer", method="GET")).startswith(b"HTTP/1.1 200"):
            assert time.monotonic() < deadline
        (tmp_path / "nginx").mkdir()
        with nginx(tmp_path / "nginx", 9, status=path) as (plain, _):
            require_whole(Address("127.0.0.1", plain), path)
            with socket.create_connection(("127.0.0.1", plain)) as client:
                client.sendall(alive)
                assert read_all(client).startswith(b"HTTP/1.1 200")
            with pytest.raises(ProxyUnfit), passing_on(path) as bare:
                require_whole(bare, path)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 5
        assert not path.exists()
    with running(home) as process:
        assert over_socket(path, alive).startswith(b"HTTP/1.1 200")
        worker = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        deadline = time.monotonic() + 10
        while any(is_running(int(each)) for each in worker):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with running(home):  # what it left behind is no obstacle
        assert over_socket(path, alive).startswith(b"HTTP/1.1 200")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.long
def test_it_is_alive_while_the_register_says_nothing(tmp_path: Path) -> None:
    house = made(tmp_path / "h", f"sqlite:///{tmp_path / 'h' / 'store.sqlite'}")
    house.store.close()
    (house.settings.home / "store.sqlite").rename(tmp_path / "elsewhere")
    (house.settings.home / "store.sqlite").mkdir()  # it cannot be opened
    with running(house.settings.home) as process:
        path = house.settings.home / "run" / "status.sock"
        assert over_socket(path, request("/healthz", method="GET")).startswith(b"HTTP/1.1 200")
        assert over_socket(path, request("/readyz", method="GET")).startswith(b"HTTP/1.1 503")
        assert over_socket(path, request("/ca/root.cer", method="GET")).startswith(b"HTTP/1.1 503")
        process.terminate()
        assert process.wait(10) == 0


def test_a_list_of_the_past_is_looked_up_by_a_thread_that_may_wait(world: World) -> None:
    web = Web(world)
    web.api.mirror.follow()
    served = StatusServed(web.served._plane, web.lookout.ready, lambda *_: None)
    assert served.at_once(Asked(method="GET", path="/crl/ab/7.crl")) is Turn.PAST
    assert second(SecondFront(served, waiting=1), request("/crl/ab/7.crl", method="GET"))[0] == 404
