"""Status answers while others half-send, say nothing, do not read, and hold every worker of the API."""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from api.incoming import BODY_LIMIT
from api.status.exchange import Asked, Reply
from front.limits import Limits
from front.service import Turn
from tests.front_world import Listening, request
from tests.served_world import Web
from tests.world import World

HALVES = 5
SILENT = 300
SLOW = 30


@pytest.fixture
def web(world: World) -> Web:
    return Web(world)


def answers(web: Web, front: Listening, approval: str) -> None:
    """Ask everything that is answered from memory."""
    bearer = f"Authorization: Bearer {web.api.keys['dcc']}\r\n".encode()
    verified = front.ask(request("/v1/verify", fields=bearer, body=json.dumps({"approval": approval}).encode()))
    assert json.loads(verified.partition(b"\r\n\r\n")[2])["approval"] == approval
    assert front.status(request(f"/v1/verify/{approval}", method="GET", fields=bearer)) == 200
    view = web.api.mirror.view()
    for crl in view.authority.crls.values():
        assert front.ask(request(f"/crl/{crl.key_id}.crl", method="GET")).endswith(crl.der)
    for path in ("/healthz", "/ca/root.cer", "/ca/chain.pem", f"/approvals/{approval}", "/ocsp/aaaa"):
        assert front.status(request(path, method="GET")) == 200
    assert front.ask(request("/ocsp", body=b"a")).endswith(bytes.fromhex("30030a0101"))


@contextmanager
def crowded(web: Web, front: Listening, approval: str) -> Iterator[None]:
    """Half-sent bodies on each address, connections that say nothing, and readers that do not read."""
    key = web.api.keys["dcc"]
    halves = [
        request(each.path, method=each.method, fields=each.fields(key) + b"Content-Length: 30\r\n") + b"{"
        for each in web.operations()
        for _ in range(HALVES)
    ]
    page = request(f"/approvals/{approval}", method="GET").replace(b"Connection: close\r\n", b"")
    with ExitStack() as stack:
        held: list[socket.socket] = []
        for octets in [*halves, *[b""] * SILENT, *[b"GET / HTTP/1.1\r\nHo"] * SILENT]:
            held.append(stack.enter_context(front.connect()))
            held[-1].sendall(octets)
        for _ in range(SLOW):
            held.append(stack.enter_context(front.connect(reads=2048)))
            held[-1].sendall(page * 200)
        until = time.monotonic() + 10
        while len(front.front.crowd) < len(held) and time.monotonic() < until:
            time.sleep(0.05)
        assert len(front.front.crowd) == len(held)
        yield
        assert len(front.front.crowd) >= len(held)  # and whoever asked last


def test_status_answers_in_a_crowd(web: Web) -> None:
    approval = web.world.granted()
    web.api.mirror.follow()
    with web.listening(Limits(head_seconds=60, rest_seconds=60, steady_seconds=60)) as front:
        answers(web, front, approval)
        with crowded(web, front, approval):
            answers(web, front, approval)
            assert front.status(request("/v1/authority", method="GET")) == 200
        answers(web, front, approval)


def test_status_answers_while_every_worker_of_the_api_is_held(web: Web) -> None:
    approval = web.world.granted()
    web.api.mirror.follow()
    gate = threading.Event()

    @web.api.flask.before_request
    def wait() -> None:
        gate.wait(30)

    with web.listening(Limits(of_one_peer=400, at_work_of_one_peer=100)) as front, ExitStack() as stack:
        waiting = [stack.enter_context(front.connect()) for _ in range(40)]
        for each in waiting:
            each.sendall(request("/v1/authority", method="GET"))
        answers(web, front, approval)
        # Four work, sixteen wait; the rest are told to come again, and so is whoever comes now.
        refused = front.ask(request("/v1/authority", method="GET"))
        assert int(refused[9:12]) == 503
        assert b"Retry-After: " in refused
        gate.set()


def test_status_answers_while_the_store_says_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = web.world.granted()
    web.api.mirror.follow()
    gate = threading.Event()
    monkeypatch.setattr(web.api.mirror, "_source", Silent(gate))
    bearer = f"Authorization: Bearer {web.api.keys['dcc']}\r\n".encode()
    unit = json.dumps({"approval": approval, "device_id": "00-DB-12-34-56-78-90-01"}).encode()
    limits = Limits(turn_seconds=60, look_seconds=0.1, at_work_of_one_peer=100)
    with web.listening(limits) as front, ExitStack() as stack:
        held = [stack.enter_context(front.connect()) for _ in range(21)]
        for each in held:
            each.sendall(request("/v1/verify", fields=bearer, body=unit))
        answers(web, front, approval)
        # Four ask about the past and sixteen wait, for the last there is no room; the API has workers of its own.
        assert any(b" 503 " in each.recv(100) for each in select.select(held, [], [], 5)[0])
        assert front.status(request("/v1/authority", method="GET")) == 200
        gate.set()


def test_a_file_that_takes_long_has_workers_of_its_own(web: Web) -> None:
    turns = {
        (each.method, each.path.partition("?")[0]): web.served.at_once(
            Asked(method=each.method, path=each.path.partition("?")[0])
        )
        for each in web.operations()
        if web.served._plane.body_limit(each.path) is None
    }
    # Of status the plane says itself what is long: a batch, and only of those who may ask.
    large = {
        (each.method, each.path.partition("?")[0])
        for each in web.operations()
        if each.limit > BODY_LIMIT and web.served._plane.body_limit(each.path) is None
    }
    assert {place for place, turn in turns.items() if turn is Turn.LONG} == large
    assert set(turns.values()) == {Turn.LONG, Turn.API}
    assert ("POST", "/v1/deployments") in large
    web.api.mirror.follow()
    batch = Asked("POST", "/v1/verify/batch", fields={"authorization": f"Bearer {web.api.keys['dcc']}"})
    assert web.served.at_once(batch) is Turn.LONG
    assert isinstance(web.served.at_once(batch._replace(fields={})), Reply)


def test_readiness_is_told_from_memory_and_says_when_the_register_was_last_heard(web: Web) -> None:
    web.world.granted()
    web.api.mirror.follow()

    def told() -> tuple[int, bool, str]:
        answered = front.ask(request("/readyz", method="GET"))
        store = json.loads(answered.partition(b"\r\n\r\n")[2])["checks"][0]
        assert front.status(request("/readyz?for=writing", method="GET")) == (503 if store["warning"] else 200)
        return int(answered[9:12]), store["warning"], store["detail"]

    with web.listening() as front:
        # Status is served meanwhile: that the register is silent takes it away from nobody.
        assert told() == (200, True, "The register has not answered yet.")
        web.api.look()
        assert told() == (200, False, "The register answers.")
        web.api.seconds = 5
        assert told() == (200, False, "The register answers.")
        web.api.seconds = 6
        assert told() == (200, True, "The register has not answered for 6 seconds.")
        web.api.look()
        assert told()[:2] == (200, False)
        web.api.mirror._max_age = -1  # what is held in memory is too old to be told
        assert front.status(request("/readyz", method="GET")) == 503
    assert web.reached == []


class Silent:
    """A store that does not answer until it is let."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def __getattr__(self, name: str) -> object:
        self._gate.wait(30)
        raise AttributeError(name)
