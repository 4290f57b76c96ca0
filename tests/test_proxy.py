"""deploy/nginx.conf in a real nginx, in front of a web process: what it buffers, bounds, keeps and lets through."""

import base64
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from api.status.exchange import Asked, Reply
from front.service import Later, Stream, Turn
from tests.front_world import Listening, fin, listening, read_all, request, rst
from tests.nginx_world import nginx
from tests.served_world import Web
from tests.test_bodies import PATIENT
from tests.test_front_waiting import waiting
from tests.test_log import with_log
from tests.world import World

pytestmark = pytest.mark.long


class Noting:
    """What is behind the front, noting what it is asked."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.asked: list[Asked] = []
        self.admit, self.work = web.served.admit, web.served.work

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        self.asked.append(asked)
        return self.web.served.at_once(asked)


class Proxied:
    """A web process, an nginx in front of it, and clients of that."""

    def __init__(self, web: Web, service: Noting, front: Listening, ports: tuple[int, int]) -> None:
        self.web, self.service, self.front = web, service, front
        self.plain, self.secure = ports

    def connect(self, *, tls: bool) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.secure if tls else self.plain), timeout=10)
        if not tls:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain)

    def ask(self, octets: bytes, *, tls: bool = True) -> bytes:
        with self.connect(tls=tls) as client:
            client.sendall(octets)
            return read_all(client)

    def status(self, octets: bytes, *, tls: bool = True) -> int:
        return int(self.ask(octets, tls=tls)[9:12])


@contextmanager
def behind_nginx(world: World, tmp_path: Path, changes: Mapping[str, str]) -> Iterator[Proxied]:
    web = Web(world)
    service = Noting(web)
    with (
        listening(service, limits=PATIENT, proxies=frozenset({"127.0.0.1"}), workers=(4, 16)) as front,
        nginx(tmp_path, front.port, changes) as ports,
    ):
        yield Proxied(web, service, front, ports)


@pytest.fixture
def proxied(world: World, tmp_path: Path) -> Iterator[Proxied]:
    changes = {
        "client_body_timeout 10s": "client_body_timeout 1s",
        "trialcpa_connections 64": "trialcpa_connections 640",
        "keepalive_timeout 5s": "keepalive_timeout 1s",
    }
    with behind_nginx(world, tmp_path, changes) as made:
        yield made


def test_half_a_body_never_comes_through_and_status_answers_meanwhile(proxied: Proxied) -> None:
    web = proxied.web
    approval = web.world.granted()
    web.api.mirror.follow()
    before, key = web.counted(), web.api.keys["dcc"]
    connected = len(proxied.front.front.crowd)
    bearer = f"Authorization: Bearer {key}\r\n".encode()
    verifying = request("/v1/verify", fields=bearer, body=json.dumps({"approval": approval}).encode())
    with ExitStack() as stack:
        for operation in web.operations():
            for end in (None, fin, rst):
                fields = operation.fields(key) + b"Content-Length: 30\r\n"
                # In the clear most addresses are refused by their head alone.
                client = stack.enter_context(proxied.connect(tls=True))
                client.sendall(request(operation.path, method=operation.method, fields=fields) + b"{")
                if end is not None:
                    end(client)
        silent = [stack.enter_context(proxied.connect(tls=False)) for _ in range(100)]
        assert proxied.status(verifying) == 200
        assert proxied.status(request("/healthz", method="GET"), tls=False) == 200
        time.sleep(1.5)
        assert len(silent) == 100  # with nginx; web has the two that asked
        assert len(proxied.front.front.crowd) <= connected + 2
    assert {each.path for each in proxied.service.asked} == {"/v1/verify", "/healthz"}
    assert web.reached == []
    assert web.counted() == before


def test_lists_and_answers_are_kept_for_a_second_and_refusals_not_at_all(proxied: Proxied) -> None:
    web = proxied.web
    approval = web.world.granted()
    web.api.mirror.follow()
    view = web.api.mirror.view()
    certificate = view.approvals[approval].record.certificates[0]
    issuer = next(each for each in view.authority.certificates if each.role == "issuing")
    loaded = x509.load_der_x509_certificate(issuer.der)
    asked = x509.ocsp.OCSPRequestBuilder().add_certificate_by_hash
    subject = hashes.Hash(hashes.SHA1())
    subject.update(loaded.subject.public_bytes())
    key_hash = x509.SubjectKeyIdentifier.from_public_key(loaded.public_key()).digest
    built = asked(subject.finalize(), key_hash, int(certificate.serial, 16), hashes.SHA1()).build()
    number = view.authority.crls[issuer.key_id].number
    encoded = base64.b64encode(built.public_bytes(Encoding.DER)).decode().replace("/", "%2F").replace("+", "%2B")
    kept = [f"/ocsp/{encoded}", f"/crl/{issuer.key_id}.crl", "/ca/root.cer", f"/crl/{issuer.key_id}/{number}.crl"]
    for path in kept:
        answered = {proxied.ask(request(path, method="GET"), tls=False).partition(b"\r\n\r\n")[2] for _ in range(5)}
        assert len(answered) == 1
        assert len(answered.pop()) > 200
    paths = [each.path for each in proxied.service.asked]
    assert len(paths) == len(kept)
    time.sleep(1.6)
    for path in kept:
        proxied.ask(request(path, method="GET"), tls=False)
    assert len(proxied.service.asked) == len(kept) + 2
    # What is unsigned, or a problem, is asked for each time.
    proxied.service.asked.clear()
    for path in ("/ocsp/aaaa", "/crl/ab.crl", "/healthz"):
        for _ in range(3):
            proxied.ask(request(path, method="GET"), tls=False)
    assert len(proxied.service.asked) == 9


def test_who_asks_is_what_the_proxy_says_and_a_key_in_the_clear_is_not_taken(proxied: Proxied) -> None:
    spoofed = request("/v1/authority", method="GET", fields=b"X-Forwarded-For: 192.0.2.1\r\n")
    assert proxied.status(spoofed) == 200
    assert proxied.service.asked[0].fields["x-forwarded-for"] == "127.0.0.1"
    assert proxied.status(spoofed, tls=False) == 403
    assert proxied.status(request("//healthz", method="GET")) == 404
    assert proxied.status(request("/v1/verify", fields=b"Content-Encoding: gzip\r\n", body=b"{}")) == 415
    assert len(proxied.service.asked) == 2
    large = request("/v1/deployments", fields=b"Content-Length: 40000000\r\n")
    assert proxied.status(large) == 413


def test_the_proxy_closes_what_rests_before_web_does(proxied: Proxied) -> None:
    alive = request("/healthz", method="GET")
    assert [proxied.status(alive) for _ in range(3)] == [200] * 3
    assert len(proxied.front.front.crowd) == 1  # it was used again
    time.sleep(2)
    assert len(proxied.front.front.crowd) == 0  # web would have waited for longer
    time.sleep(PATIENT.head_seconds)
    assert proxied.status(alive) == 200


def test_one_address_has_so_many_connections_and_so_many_requests_a_second(world: World, tmp_path: Path) -> None:
    few = {"trialcpa_connections 64": "trialcpa_connections 2", "rate=500r/s": "rate=1r/s", "burst=1000": "burst=9"}
    alive = request("/healthz", method="GET")
    with behind_nginx(world, tmp_path, few) as proxied, ExitStack() as stack:
        for _ in range(2):
            half = stack.enter_context(proxied.connect(tls=True))
            half.sendall(request("/v1/verify", fields=b"Content-Length: 30\r\n") + b"{")
        time.sleep(0.2)
        assert proxied.status(alive) == 429
        stack.close()
        time.sleep(0.2)
        told = [proxied.status(alive) for _ in range(20)]
        assert set(told) == {200, 429}
        assert len(proxied.service.asked) == told.count(200) <= 10


def test_who_waits_at_the_feed_is_told_through_it_and_let_go_when_they_leave(proxied: Proxied) -> None:
    web, front = proxied.web, proxied.front
    with_log(web.world).settle()
    web.tip.tells(front.front.waiters.tell)
    web.tip.look()
    size = web.tip.end()
    with proxied.connect(tls=True) as waits, proxied.connect(tls=True) as follows:
        waits.sendall(request(f"/v1/feed?after={size}&wait=30", method="GET"))
        follows.sendall(request(f"/v1/feed?after={size}", method="GET", fields=b"Accept: text/event-stream\r\n"))
        octets = b""
        while b"data: " not in octets:  # at once: nothing of it is kept back
            octets += follows.recv(65536)
        waiting(front, 2)
        web.world.granted()
        web.tip.look()
        while f"id: {web.tip.end()}\n".encode() not in octets:
            octets += follows.recv(65536)
        assert b'"rows":[{' in read_all(waits)
        waiting(front, 1)
    waiting(front, 0)
