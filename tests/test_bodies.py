"""Every address that takes a body, as /openapi.json lists them: half of one, or too much of one, changes nothing."""

import json
import re
from collections.abc import Callable

import pytest

from ra.applying.evidence import LARGEST_FILE
from ra.reporting.record import LARGEST_REPORT
from ra.telling.reconcile import LARGEST_LIST
from tests.deployments_world import LATER, VERSION, eui
from tests.front_world import chunked, fin, quick, request, rst
from tests.served_world import Operation, Web
from tests.world import World

PATIENT = quick(rest_seconds=5, steady_seconds=20, head_seconds=5, turn_seconds=5)
STATUS = ("/v1/verify", "/ocsp")


@pytest.fixture
def web(world: World) -> Web:
    return Web(world)


def test_the_description_says_how_long_each_body_may_be(web: Web) -> None:
    limits = {(each.method, each.path): each.limit for each in web.operations()}
    assert len(limits) > 25
    assert limits["POST", "/v1/deployments"] == LARGEST_REPORT
    assert limits["POST", "/v1/cpl/reconciliations"] == LARGEST_LIST
    assert limits["POST", "/v1/applications/x1/evidence?name=a.pdf"] == LARGEST_FILE
    assert len([each for each in limits.values() if each == LARGEST_FILE]) >= 4


Sent = Callable[[Operation, bytes], bytes]


def _head(operation: Operation, fields: bytes, **more: bytes) -> bytes:
    return request(operation.path, method=operation.method, fields=fields, **more)


def _in_chunks(operation: Operation, fields: bytes, count: int, end: bytes = b"0\r\n\r\n") -> bytes:
    return chunked(operation.path, b" " * count, method=operation.method, fields=fields, end=end)


UNFIT: dict[str, tuple[Sent, Callable[..., None] | None, int]] = {
    "limit + 1 announced": (
        lambda op, fields: _head(op, fields + b"Content-Length: %d\r\n" % (op.limit + 1)),
        None,
        413,
    ),
    "limit + 1 sent": (lambda op, fields: _head(op, fields, body=b" " * (op.limit + 1)), None, 413),
    "limit + 1 in chunks": (lambda op, fields: _in_chunks(op, fields, op.limit + 1), None, 413),
    "cut by FIN": (lambda op, fields: _head(op, fields + b"Content-Length: 30\r\n") + b"{}", fin, 400),
    "cut by RST": (lambda op, fields: _head(op, fields + b"Content-Length: 30\r\n") + b"{}", rst, 0),
    "chunks cut by FIN": (lambda op, fields: _in_chunks(op, fields, 20, b""), fin, 400),
    "chunks cut by RST": (lambda op, fields: _in_chunks(op, fields, 20, b""), rst, 0),
    "last chunk missing": (lambda op, fields: _in_chunks(op, fields, 20, b"0\r\n"), fin, 400),
    "encoded": (lambda op, fields: _head(op, fields + b"Content-Encoding: gzip\r\n", body=b"{}"), None, 415),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_unfit_body_reaches_nobody_and_records_nothing(web: Web, kind: str) -> None:
    sent, end, status = UNFIT[kind]
    key = web.api.keys["dcc"]
    before = web.counted()
    with web.listening(PATIENT) as front:
        for operation in web.operations():
            assert front.status(sent(operation, operation.fields(key)), then=end) == status, operation
        assert front.front.spool.held == 0
    assert web.reached == []
    assert web.counted() == before


def test_a_body_at_its_limit_reaches_whoever_it_is_for_whole_and_blanks_are_recorded_by_nobody(web: Web) -> None:
    key = web.api.keys["dcc"]
    before = web.counted()
    with web.listening(PATIENT) as front:
        for operation in web.operations():
            for octets in (
                _head(operation, operation.fields(key), body=b" " * operation.limit),
                _in_chunks(operation, operation.fields(key), operation.limit),
            ):
                web.reached.clear()
                assert front.status(octets) not in {0, 413}, operation
                if not operation.path.startswith(STATUS):
                    assert web.reached == [(operation.path.partition("?")[0], operation.limit)]
    assert web.counted() == before


def test_a_file_is_collected_from_nobody_without_a_credential(web: Web) -> None:
    with web.listening(PATIENT) as front:
        for operation in web.operations():
            if operation.limit > 1_000_000:
                large = b" " * 2_000_000
                assert front.status(_head(operation, operation.fields("stranger"), body=large)) == 401
                assert front.status(_head(operation, b"Content-Type: text/csv\r\n", body=large)) == 401
                told = [(asked.peer, one.code, re.sub(r"<\w+>", "x1", one.place)) for asked, one in web.refused[-2:]]
                path = operation.path.partition("?")[0]
                assert told == [("127.0.0.1", code, path) for code in ("credential-invalid", "credential-missing")]
    assert web.reached == []


def test_a_report_of_which_the_half_would_be_a_report_is_taken_whole_or_not_at_all(web: Web) -> None:
    approval = web.world.granted(start=LATER.date().replace(month=1, day=4))
    web.world.at(LATER)
    web.api.mirror.follow()
    line = f"deployed,{{}},2027-01-20,{approval},{VERSION}{' ' * 120_000}\r\n"
    text = "event,device_id,on,approval,firmware_version\r\n" + "".join(line.format(eui(each)) for each in range(300))
    fields = f"Content-Type: text/csv\r\nAuthorization: Bearer {web.api.keys['dcc']}\r\n".encode()
    octets = text.encode()
    before = web.counted()
    with web.listening(PATIENT) as front:
        pieces = [octets[place : place + 65_536] for place in range(0, len(octets), 65_536)]
        assert front.status(request("/v1/deployments", fields=fields, body=octets)) == 413
        assert front.status(chunked("/v1/deployments", *pieces, fields=fields)) == 413
        assert web.counted() == before
        taken = front.ask(chunked("/v1/deployments", *pieces[:20], fields=fields))
        assert json.loads(taken.partition(b"\r\n\r\n")[2])["recorded"] > 1


def test_two_slashes_are_not_one(web: Web) -> None:
    with web.listening(PATIENT) as front:
        for path in ("//healthz", "//v1/authority", "//readyz"):
            answered = front.ask(request(path, method="GET"))
            assert (int(answered[9:12]), b'"unknown-address"' in answered) == (404, True)
        assert front.status(request("/v1/authority", method="GET")) == 200
    assert web.reached == [("/v1/authority", 0)]
