"""How long from a revocation until verification says cancelled and OCSP says revoked, as a caller over HTTP sees it.

A real server with its three processes. Each revocation is a request of its own; from the instant it is sent, both
channels are asked until they have changed.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from app.house import open_house
from app.processes import answers
from app.settings import load
from core.actors import CONSOLE, Actor, Role
from ra.access import grant_access
from ra.applying.apply import apply
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.propose import propose
from ra.deciding.second import second
from ra.desk import Desk
from store.reading import requests
from tests.world import DEVICE, application
from verify.client import AuthorityClient

PORT = 8497
_PATIENCE_SECONDS = 30.0


@dataclass
class Seen:
    """Milliseconds from the sending of the revocation on, one of each for each revocation."""

    answered: list[float] = field(default_factory=list)
    verification: list[float] = field(default_factory=list)
    ocsp: list[float] = field(default_factory=list)


def measure(revocations: int) -> Seen:
    """Issue certificates, revoke them one after the other, and watch."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "app.cli.main", "serve", "--test", "--home", str(home), "--port", str(PORT)]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                _until(lambda: answers("127.0.0.1", PORT, "/readyz"))
                return _measure(home, revocations)
            finally:
                server.terminate()


def _measure(home: Path, revocations: int) -> Seen:
    house = open_house(load(home))
    year = timedelta(days=365)
    key = grant_access(house.desk, CONSOLE, name="bench", role=Role.SSC_OFFICER, organisation=None, life=year).api_key
    approvals = _issued(house.desk, revocations)
    seen = Seen()
    base = f"http://127.0.0.1:{PORT}"
    with AuthorityClient(base, key) as client, httpx.Client(base_url=base, trust_env=False) as http:
        issuing = x509.load_pem_x509_certificates(client.chain())[0]
        for approval in approvals:
            leaf = x509.load_pem_x509_certificates(client.certificate(approval))[0]
            request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuing, SHA256()).build()
            _revoke(client, http, key, approval, request.public_bytes(Encoding.DER), seen)
    house.store.close()
    return seen


def _revoke(client: AuthorityClient, http: httpx.Client, key: str, approval: str, request: bytes, seen: Seen) -> None:
    begun = time.perf_counter()
    sent = http.post(
        f"/v1/approvals/{approval}/revocation",
        json={"cause": "ssc", "reasons": "A bench."},
        headers={"Authorization": f"Bearer {key}"},
    )
    sent.raise_for_status()
    seen.answered.append(_since(begun))
    _until(lambda: client.verify_approval(approval).document["state"] == "cancelled")
    seen.verification.append(_since(begun))
    _until(lambda: _revoked(http, request))
    seen.ocsp.append(_since(begun))


def _revoked(http: httpx.Client, request: bytes) -> bool:
    sent = http.post("/ocsp", content=request, headers={"Content-Type": "application/ocsp-request"})
    answer = ocsp.load_der_ocsp_response(sent.content)
    return (
        answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
        and answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
    )


def _issued(desk: Desk, count: int) -> list[str]:
    """Have certificates issued by the running authority process."""
    with desk.store.read() as tx:
        maker = next(each for each in requests.credential_list(tx) if each.role == Role.MANUFACTURER)
    manufacturer = Actor(maker.name, Role.MANUFACTURER, maker.organisation_id)
    for name in ("one", "two"):
        grant_access(desk, CONSOLE, name=name, role=Role.SSC_OFFICER, organisation=None, life=timedelta(days=1))
    one, two = Actor("one", Role.SSC_OFFICER), Actor("two", Role.SSC_OFFICER)
    today = desk.clock.now().date()
    decisions = []
    for number in range(count):
        device = replace(DEVICE, model=f"{number:08X}")
        wanted = application(device=device, start=today, expiry=today + timedelta(days=30))
        asked = apply(desk, manufacturer, wanted).application
        decisions.append(propose(desk, one, ProposeGrant(asked, "A bench.")).decision)
    for identifier in decisions:
        _until(partial(_is, desk, identifier, "drafted"))
        with desk.store.read() as tx:
            found, draft = requests.decision(tx, identifier), requests.draft_of(tx, identifier)
        assert draft is not None
        second(desk, two, identifier, proposal_sha256=found.proposal_sha256, tbs_sha256=draft.tbs_sha256)
    for identifier in decisions:
        _until(partial(_is, desk, identifier, "done"))
    with desk.store.read() as tx:
        return [str(requests.decision(tx, each).approval) for each in decisions]


def _is(desk: Desk, decision: str, state: str) -> bool:
    with desk.store.read() as tx:
        return requests.decision(tx, decision).state == state


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if so():
                return
        time.sleep(0.002)
    raise TimeoutError("it did not come to pass")
