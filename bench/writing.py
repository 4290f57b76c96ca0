"""How many grants and revocations a second over HTTP, by 1, 2, 4 and 8 clients, and what each costs the processes.

A grant is what four requests make of it and the wait between: apply, propose, second when the draft is there, fetch
the certificate when it is there; the proposer's signature is a request of its own, and each look whether something is
there is one, too, which prefers to wait. Clients keep their connections, and sign with keys that are in their hands.

The seconds say little on a machine that does other work; processor time for each, by the process, says more.
"""

import argparse
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from typing import Any

import psutil  # type: ignore[import-untyped]

from app.officer import to_revoke
from bench.asking import percentile
from bench.serving import ROLES, Service, application, folder, serving, until
from tests.demo_officers import DemoOfficers
from tests.world import csr_pem

CLIENTS = (1, 2, 4, 8)
_APPLICANT, _PROPOSER, _SECONDER = "manufacturer", "ssc-officer-1", "ssc-officer-2"
_PREFERS = {"Prefer": "wait=10"}
"""With which a client waits until the authority has drafted, or signed."""

_AGAIN = 0.02
"""Seconds after which it asks again, where too many others wait."""

_PATIENCE = 120.0


@dataclass(frozen=True)
class Written:
    """What was seen.

    Args:
        what: was done.
        clients: how many wrote at once.
        rate: acts a second.
        milliseconds: of each act, as its client saw it.
        processor: milliseconds of a processor for each act, by role.
        looks: how often each looked whether something was there, on average.
    """

    what: str
    clients: int
    rate: float
    milliseconds: Sequence[float] = field(repr=False)
    processor: Mapping[str, float]
    looks: float

    def __str__(self) -> str:
        costs = ", ".join(f"{role} {cost:.1f}" for role, cost in self.processor.items())
        seen = f"median {percentile(self.milliseconds, 50):.0f} ms, 99th {percentile(self.milliseconds, 99):.0f} ms"
        looked = f"; {self.looks:.1f} looks each" if self.looks else ""
        said = f"{self.what}, {self.clients} client{'s' if self.clients > 1 else ''}: {self.rate:.1f} a second"
        return f"{said}, {seen}; ms of a processor each: {costs}{looked}"


class Clients:
    """Whoever asks a service, each thread over a connection of its own that is kept.

    Args:
        service: that is asked.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._mine = threading.local()
        self._known = cache(self._asked)
        self.officers = DemoOfficers(service.home, self._known)
        self.looks: Counter[str] = Counter()

    def ask(self, who: str, method: str, path: str, body: object = None, *, patient: bool = False) -> tuple[int, bytes]:
        """Ask once, and wait for what the authority is about to do if one is patient; the status, and what came."""
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        fields = {"Authorization": f"Bearer {self._service.keys[who]}", **(_PREFERS if patient else {})}
        sent = None if body is None else json.dumps(body).encode()
        connection.request(
            method, path, body=sent, headers=fields | ({} if sent is None else {"Content-Type": "application/json"})
        )
        answer = connection.getresponse()
        return answer.status, answer.read()

    def done(self, who: str, method: str, path: str, body: object = None, *, patient: bool = False) -> dict[str, Any]:
        """Ask for what must be done."""
        status, said = self.ask(who, method, path, body, patient=patient)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {said.decode(errors='replace')}")
        return dict(json.loads(said))

    def grant(self, asked: Mapping[str, Any]) -> str:
        """Have an approval granted, and fetch its certificate."""
        applied = self.done(_APPLICANT, "POST", "/v1/applications", asked)["application"]
        wanted = {"kind": "grant", "application": applied, "reasons": "A bench."}
        proposed = self.done(_PROPOSER, "POST", "/v1/decisions", wanted)
        path = f"/v1/decisions/{proposed['decision']}"
        shown = self.done(_PROPOSER, "GET", path)
        self.done(_PROPOSER, "POST", f"{path}/authorisation", self.officers.for_proposal(_PROPOSER, shown))
        until(lambda: self._drafted(path, shown), _PATIENCE, every=_AGAIN)
        signed = self.officers.for_seconding(_SECONDER, shown)
        approval = str(self.done(_SECONDER, "POST", f"{path}/second", signed)["approval"])
        until(lambda: self._fetched(approval), _PATIENCE, every=_AGAIN)
        return approval

    def revocation(self, approval: str) -> dict[str, Any]:
        """What an officer sends who revokes."""
        claim = to_revoke(approval, cause="ssc", invalidity_date=None, breach=None)
        return {"cause": "ssc", "reasons": "A bench.", **self.officers.for_claim(_PROPOSER, claim)}

    def revoke(self, approval: str, body: Mapping[str, Any]) -> None:
        """Revoke an approval."""
        self.done(_PROPOSER, "POST", f"/v1/approvals/{approval}/revocation", body)

    def _drafted(self, path: str, shown: dict[str, Any]) -> bool:
        self.looks["draft"] += 1
        shown.update(self.done(_SECONDER, "GET", path, patient=True))
        return bool(shown["state"] == "drafted")

    def _fetched(self, approval: str) -> bool:
        self.looks["certificate"] += 1
        path = f"/v1/approvals/{approval}/certificate"
        return self.ask(_APPLICANT, "GET", path, patient=True)[0] == 200

    def _asked(self, who: str, method: str, path: str) -> dict[str, Any]:
        return dict(self._service.call(who, method, path).json())


def measure(each: int, *, store_url: str = "", by: Sequence[int] = CLIENTS) -> Sequence[Written]:
    """Grant, and revoke what was granted: so many for each number of clients."""
    with folder() as made, serving(made / "home", store_url=store_url) as service:
        clients = Clients(service)
        some = [application(csr_pem().decode(), f"{number:08X}") for number in range(each * len(by))]
        approvals: list[str] = []

        def grant(asked: Mapping[str, Any]) -> None:
            approvals.append(clients.grant(asked))

        seen = []
        for place, number in enumerate(by):
            seen.append(_written(clients, "grant", service, grant, some[place * each :][:each], number))
        for place, number in enumerate(by):
            signed = [(one, clients.revocation(one)) for one in approvals[place * each :][:each]]
            seen.append(_written(clients, "revoke", service, lambda one: clients.revoke(*one), signed, number))
        return seen


def _written(
    clients: Clients,
    what: str,
    service: Service,
    act: Callable[[Any], None],
    about: Sequence[Any],
    number: int,
) -> Written:
    def timed(one: object) -> float:
        began = time.perf_counter()
        act(one)
        return (time.perf_counter() - began) * 1000

    looks, before, began = clients.looks.total(), _processor(service), time.perf_counter()
    with ThreadPoolExecutor(number) as pool:
        seen = list(pool.map(timed, about))
    took = time.perf_counter() - began
    time.sleep(1)  # what the other processes still do about it is part of its price
    after = _processor(service)
    return Written(
        what=what,
        clients=number,
        rate=len(about) / took,
        milliseconds=seen,
        processor={role: (after[role] - before[role]) / len(about) for role in ROLES},
        looks=(clients.looks.total() - looks) / len(about),
    )


def _processor(service: Service) -> dict[str, float]:
    """Return the milliseconds of a processor that each process has had."""
    spent = {}
    for role, pid in service.pids().items():
        times = psutil.Process(pid).cpu_times()
        spent[role] = (times.user + times.system) * 1000
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "each", type=int, nargs="?", default=48, help="grants and revocations by each number of clients"
    )
    parser.add_argument("--store", default="", help="PostgreSQL instead of SQLite")
    chosen = parser.parse_args()
    for one in measure(chosen.each, store_url=chosen.store):
        print(one)


if __name__ == "__main__":
    main()
