"""How soon verification, OCSP and the list tell a revocation in a register of many approvals, while many others ask.

A real service with its three processes. What is revoked was granted over HTTP; the approvals beside it are planted as
copies of it, between one start of the service and the next. Each revocation is a request of its own. Milliseconds count
from the instant that its receipt names, just before the act's commit, until whoever asks over HTTP is told: first by
verification, then by OCSP, then by the list.

Half of the revocations are of the first minute after a start. Beside all of them a process asks so many questions a
second, each about another approval.
"""

import json
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench import ceiling, register, snapshot
from bench.serving import Service, application, folder, serving
from bench.writing import Clients
from core.kinds import Told
from store.transactions import sqlite_url
from tests.world import csr_pem

A_SECOND = 2_000
"""Questions a second beside the revocations."""

FIRST_MINUTE = 60.0

_OFFICERS = 4
"""Who grant at once, beforehand."""

_CONNECTIONS = 8
_EVERY = 0.002
"""Seconds between two looks; a figure is too long by one of them at most."""

_PATIENCE_SECONDS = 60.0
_LEAST = 100
_CHANNELS = (Told.VERIFICATION, Told.OCSP, Told.LIST)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen.

    Args:
        approvals: of the register.
        started: seconds from the start of the service until it was ready.
        first, later: milliseconds of each revocation in the first minute after that, and after it; by channel.
        beside: questions that were asked beside them in a second; 0 if nothing was there that could ask.
    """

    approvals: int
    started: float
    first: Mapping[Told, Sequence[float]] = field(repr=False)
    later: Mapping[Told, Sequence[float]] = field(repr=False)
    beside: float


def measure(approvals: int, revocations: int) -> Seen:
    """Revoke so many, half of them in the first minute, in a register of so many."""
    with folder() as made:
        home = made / "home"
        with serving(home) as service:
            given = _granted(service, revocations)
        url = sqlite_url(home / "store.sqlite")
        others = snapshot.plant(url, given[0], max(1, approvals - revocations), 0, datetime.now(UTC))
        begun = time.monotonic()
        with serving(home) as service:
            started = time.monotonic() - begun
            minute_ends = time.monotonic() + FIRST_MINUTE
            with _asked_beside(made, service, others) as often:
                halves = []
                for place, half in enumerate((given[::2], given[1::2])):
                    if place:
                        time.sleep(max(0.0, minute_ends - time.monotonic()))
                    clients = Clients(service)  # anew: what rested too long is closed
                    halves.append([_Revoked(service, clients, each).seen() for each in half])
            rate = often()
        first, later = ([_from_receipts(url, each) for each in half] for half in halves)
        return Seen(
            approvals=len(others) + revocations,
            started=started,
            first=_by_channel(first),
            later=_by_channel(later),
            beside=rate,
        )


def _granted(service: Service, many: int) -> list[str]:
    clients = Clients(service)
    asked = [application(csr_pem().decode(), f"A{number:07X}") for number in range(many)]
    with ThreadPoolExecutor(_OFFICERS) as pool:
        return list(pool.map(clients.grant, asked))


def _by_channel(found: Sequence[Mapping[Told, float]]) -> Mapping[Told, Sequence[float]]:
    return {channel: [each[channel] for each in found] for channel in _CHANNELS}


def _from_receipts(url: str, seen: tuple[str, Mapping[Told, float]]) -> Mapping[Told, float]:
    """Milliseconds from the act on."""
    approval, instants = seen
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    ((began,),) = connection.execute("SELECT began FROM receipts WHERE approval = ?", (approval,)).fetchall()
    connection.close()
    return {channel: at - began for channel, at in instants.items()}


class _Revoked:
    """One that is revoked, and looked at until all have told it."""

    def __init__(self, service: Service, clients: Clients, approval: str) -> None:
        self._http = HTTPConnection("127.0.0.1", service.port, timeout=_PATIENCE_SECONDS)
        self._clients, self._approval, self._key = clients, approval, service.keys["dcc"]
        leaf = x509.load_pem_x509_certificate(self._got(f"/v1/approvals/{approval}/certificate"))
        issuing = x509.load_pem_x509_certificates(self._got("/ca/chain.pem"))[0]
        self._serial = leaf.serial_number
        self._request = (
            ocsp.OCSPRequestBuilder().add_certificate(leaf, issuing, SHA256()).build().public_bytes(Encoding.DER)
        )
        points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        names = next(iter(points)).full_name
        assert names is not None
        self._list = "/crl/" + str(names[0].value).partition("/crl/")[2]

    def seen(self) -> tuple[str, Mapping[Told, float]]:
        """Return which approval, and the instant at which each channel told it, milliseconds since 1970."""
        self._clients.revoke(self._approval, self._clients.revocation(self._approval))
        looks: Mapping[Told, Callable[[], bool]] = {
            Told.VERIFICATION: self._cancelled,
            Told.OCSP: self._answered,
            Told.LIST: self._listed,
        }
        instants = {}
        for channel, told in looks.items():
            until = time.monotonic() + _PATIENCE_SECONDS
            while not told():
                if time.monotonic() > until:
                    raise TimeoutError(f"{channel} did not tell it")
                time.sleep(_EVERY)
            instants[channel] = time.time() * 1000
        self._http.close()
        return self._approval, instants

    def _cancelled(self) -> bool:
        said = self._sent("POST", "/v1/verify", json.dumps({"approval": self._approval}).encode(), "application/json")
        return bool(json.loads(said)["state"] == "cancelled")

    def _answered(self) -> bool:
        answer = ocsp.load_der_ocsp_response(self._sent("POST", "/ocsp", self._request, "application/ocsp-request"))
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:  # until one is signed: try later
            return False
        return answer.certificate_status is ocsp.OCSPCertStatus.REVOKED

    def _listed(self) -> bool:
        listed = x509.load_der_x509_crl(self._got(self._list))
        return listed.get_revoked_certificate_by_serial_number(self._serial) is not None

    def _got(self, path: str) -> bytes:
        return self._sent("GET", path, b"", "")

    def _sent(self, method: str, path: str, body: bytes, kind: str) -> bytes:
        fields = {"Authorization": f"Bearer {self._key}", **({"Content-Type": kind} if kind else {})}
        self._http.request(method, path, body=body or None, headers=fields)
        answer = self._http.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {said!r}")
        return said


@contextmanager
def _asked_beside(made: Path, service: Service, approvals: Sequence[str]) -> Iterator[Callable[[], float]]:
    """Have a process ask until the block ends; what is yielded says then how often it did in a second."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield lambda: 0.0
        return
    key = f"Authorization: Bearer {service.keys['dcc']}\r\nContent-Type: application/json\r\n"
    asked = [register.post("/v1/verify", json.dumps({"approval": each}).encode(), key) for each in approvals]
    random.Random(1).shuffle(asked)
    file, over = made / "asked", made / "over"
    ceiling.ask_from(file, asked)
    words = [str(ceiling.compiled(compiler, made)), str(service.port), str(file), str(_CONNECTIONS)]
    words += ["86400", str(2**31 - 1), str(_LEAST), str(A_SECOND)]
    with over.open("w") as said, subprocess.Popen(words, stdout=said) as asker:
        try:
            yield lambda: _rate(over)
        finally:
            asker.terminate()


def _rate(over: Path) -> float:
    answers, bad, took, *_ = (float(each) for each in over.read_text().split())
    if bad:
        raise ValueError(f"{bad:.0f} of {answers:.0f} answers were not as they should be")
    return answers / took
