"""How many grants and revocations a second over HTTP, by 1, 2, 4 and 8 clients, and what each costs the processes.

The seconds say little on a machine that does other work; processor time for each, by the process, says more.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.officer import to_revoke
from bench.asking import percentile
from bench.serving import Service, folder, granted, serving

CLIENTS = (1, 2, 4, 8)
_OFFICER = "ssc-officer-1"
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 13)
"""utime and stime among the fields of /proc/PID/stat after the process's name (proc(5))."""


@dataclass(frozen=True)
class Written:
    """What was seen.

    Args:
        clients: how many wrote at once.
        rate: acts a second.
        milliseconds: of each act, as its client saw it.
        processor: milliseconds of a processor for each act, by role.
    """

    clients: int
    rate: float
    milliseconds: Sequence[float] = field(repr=False)
    processor: Mapping[str, float]

    def __str__(self) -> str:
        costs = ", ".join(f"{role} {cost:.0f}" for role, cost in self.processor.items())
        seen = f"median {percentile(self.milliseconds, 50):.0f} ms, 99th {percentile(self.milliseconds, 99):.0f} ms"
        return f"{self.rate:.1f} a second, {seen}; ms of a processor each: {costs}"


@dataclass(frozen=True)
class Seen:
    """Grants by the most clients, and revocations by each number of them."""

    granted: Written
    revoked: Sequence[Written]


def measure(each: int, *, store_url: str = "") -> Seen:
    """Grant, and revoke what was granted: so many for each number of clients."""
    with folder() as made, serving(made / "home", store_url=store_url) as service:
        approvals: list[str] = []

        def grant(number: int) -> None:
            approvals.append(granted(service, f"{number:08X}")[0])

        most = CLIENTS[-1]
        grants = _written(service, grant, range(each * len(CLIENTS)), most)
        revoked = []
        for place, clients in enumerate(CLIENTS):
            some = [(one, _signed(service, one)) for one in approvals[place * each : (place + 1) * each]]
            with httpx.Client(
                base_url=f"http://127.0.0.1:{service.port}", timeout=60, trust_env=False, headers=_officer(service)
            ) as http:
                revoked.append(_written(service, lambda one: _revoke(http, *one), some, clients))
        return Seen(grants, revoked)


def _officer(service: Service) -> dict[str, str]:
    return {"Authorization": f"Bearer {service.keys[_OFFICER]}"}


def _signed(service: Service, approval: str) -> dict[str, Any]:
    claim = to_revoke(approval, cause="ssc", invalidity_date=None, breach=None)
    return {"cause": "ssc", "reasons": "A bench.", **service.officers.for_claim(_OFFICER, claim)}


def _revoke(http: httpx.Client, approval: str, body: dict[str, Any]) -> None:
    http.post(f"/v1/approvals/{approval}/revocation", json=body).raise_for_status()


def _written(service: Service, act: Callable[[Any], None], about: Sequence[Any], clients: int) -> Written:
    def timed(one: object) -> float:
        began = time.perf_counter()
        act(one)
        return (time.perf_counter() - began) * 1000

    before, began = _processor(service), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seen = list(pool.map(timed, about))
    took = time.perf_counter() - began
    time.sleep(1)  # what the other processes still do about it is part of its price
    after = _processor(service)
    costs = {role: (after[role] - before[role]) / len(about) for role in after}
    return Written(clients=clients, rate=len(about) / took, milliseconds=seen, processor=costs)


def _processor(service: Service) -> dict[str, float]:
    """Return the milliseconds of a processor that each process has had."""
    spent = {}
    for role, pid in service.pids().items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent[role] = sum(map(int, fields[_CPU_FIELDS])) / _TICKS * 1000
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("each", type=int, nargs="?", default=48, help="revocations by each number of clients")
    parser.add_argument("--store", default="", help="PostgreSQL instead of SQLite")
    chosen = parser.parse_args()
    seen = measure(chosen.each, store_url=chosen.store)
    print(f"grant, {seen.granted.clients} clients: {seen.granted}")
    for one in seen.revoked:
        print(f"revoke, {one.clients} clients: {one}")


if __name__ == "__main__":
    main()
