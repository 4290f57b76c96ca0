"""How long from an officer's order to stop until nothing is issued any more, as a caller over HTTP sees it.

A real server with its three processes. From the instant at which the order is written down it is asked whether the
authority has stopped and web refuses what ends in a certificate; then two officers start it again.
"""

import time
from collections.abc import Sequence
from typing import Any

from app.cli.demo import open_demo_key
from bench.serving import Service, application, folder, serving, until
from core.instants import parse
from core.kinds import AuthorisedAct
from officers.claims import to_order
from officers.proof import sign
from officers.roster import thumbprint
from officers.statement import Authority, new_statement
from tests.world import csr_pem

REFUSED = 503


def measure(stops: int) -> Sequence[float]:
    """Stop and start again; return the milliseconds from each order until issuing stood."""
    with folder() as made, serving(made / "home") as service:
        body = application(csr_pem().decode(), "010A030B")
        asked = service.call("manufacturer", "POST", "/v1/applications", body).json()["application"]
        wanted = {"kind": "grant", "application": asked, "reasons": "Sound."}
        seen = []
        for _ in range(stops):
            began = time.monotonic()
            _order(service, "stop-issuing", "ssc-officer-1")
            until(lambda: service.call("ssc-officer-1", "POST", "/v1/decisions", wanted).status_code == REFUSED)
            seen.append(1000 * (time.monotonic() - began))
            _order(service, "start-issuing", "ssc-officer-1", "ssc-officer-2")
            until(lambda: service.call("ssc-officer-1", "POST", "/v1/decisions", wanted).status_code != REFUSED)
        return seen


def _order(service: Service, kind: str, *by: str) -> None:
    answer = service.call(by[0], "POST", "/v1/orders", {"kind": kind, "why": "It is measured."})
    made = answer.raise_for_status().json()
    for officer in by:
        signed = _signed(service, officer, made)
        service.call(officer, "POST", f"/v1/orders/{made['order']}/authorisation", signed).raise_for_status()


def _signed(service: Service, officer: str, made: dict[str, Any]) -> dict[str, Any]:
    roster = service.call(officer, "GET", "/v1/roster").json()["authority"]
    now = parse(service.call(officer, "GET", "/v1/authority").json()["now"])
    key = open_demo_key(service.home, officer)
    claim = to_order(AuthorisedAct(made["kind"]), made["order"], made["body_sha256"])
    authority = Authority(name=roster["name"], root_key_sha256=roster["root_key_sha256"])
    statement = new_statement(authority, claim, officer=officer, key=thumbprint(key.public_key), at=now)
    return {"authorisation": sign(statement, key).document()}
