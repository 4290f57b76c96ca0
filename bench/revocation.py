"""How long from a revocation until verification says cancelled and OCSP says revoked, as a caller over HTTP sees it.

A real server with its three processes. Each revocation is a request of its own; from the instant it is sent, both
channels are asked until they have changed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from cryptography.x509 import ocsp

from app.officer import to_revoke
from bench.serving import Service, folder, granted, serving
from verify.client import AuthorityClient

_OFFICER = "ssc-officer-1"
_PATIENCE_SECONDS = 30.0


@dataclass
class Seen:
    """Milliseconds from the sending of the revocation on, one of each for each revocation."""

    answered: list[float] = field(default_factory=list)
    verification: list[float] = field(default_factory=list)
    ocsp: list[float] = field(default_factory=list)


def measure(revocations: int) -> Seen:
    """Issue certificates, revoke them one after the other, and watch."""
    seen = Seen()
    with folder() as made, serving(made / "home") as service:
        approvals = [granted(service, f"{number:08X}") for number in range(revocations)]
        base = f"http://127.0.0.1:{service.port}"
        with (
            AuthorityClient(base, service.keys[_OFFICER]) as client,
            httpx.Client(base_url=base, trust_env=False) as http,
        ):
            for approval, request in approvals:
                _revoke(service, client, http, approval, request, seen)
    return seen


def _revoke(
    service: Service, client: AuthorityClient, http: httpx.Client, approval: str, request: bytes, seen: Seen
) -> None:
    claim = to_revoke(approval, cause="ssc", invalidity_date=None, breach=None)
    body = {"cause": "ssc", "reasons": "A bench.", **service.officers.for_claim(_OFFICER, claim)}
    begun = time.perf_counter()
    sent = http.post(
        f"/v1/approvals/{approval}/revocation",
        json=body,
        headers={"Authorization": f"Bearer {service.keys[_OFFICER]}"},
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
