"""What following the register costs while nothing is written, and how soon a commit of another process is seen.

A service on each database rests, and its processes' time is read. Then a bench that is another process revokes API
keys in the register, one after the other; from each commit on, verification is asked until it refuses the key. With
`--beside CHECKOUT` an earlier checkout goes through the same, in turns.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg

from app.house import House, open_house
from app.settings import load
from bench.asking import percentile
from bench.serving import ROLES, ROOT, Service, folder, serving
from core.actors import CONSOLE, Role
from ra.access import grant_access, revoke_access
from tests.postgresql import kept_server

REST_SECONDS = 20.0
ROUNDS = 3
COMMITS = 60
_PATIENCE_SECONDS = 10.0
_AT_ONCE = 0.0005


def measure(
    checkouts: Mapping[str, Path], *, rest: float = REST_SECONDS, commits: int = COMMITS
) -> Iterator[tuple[str, str]]:
    """Measure each checkout on each database; yield what, and the figures in words."""
    with folder() as made, kept_server() as server, ExitStack() as stack:
        services: dict[tuple[str, str], Service] = {}
        for number, (name, checkout) in enumerate(checkouts.items()):
            with psycopg.connect(server.format("postgres"), autocommit=True) as operator:
                operator.execute(f"CREATE DATABASE hearing{number} TEMPLATE template0")
            for database, url in (("SQLite", ""), ("PostgreSQL", server.format(f"hearing{number}"))):
                home = made / f"{database}-{number}"
                services[database, name] = stack.enter_context(serving(home, store_url=url, checkout=checkout))
        time.sleep(rest / 2)  # what a start brings with it is done by then
        spent: dict[tuple[str, str], list[dict[str, float]]] = {each: [] for each in services}
        for _ in range(ROUNDS):
            for each, service in services.items():
                spent[each].append(_resting(service, rest / ROUNDS))
        for (database, name), rounds in spent.items():
            medians = {role: statistics.median(one[role] for one in rounds) for role in ROLES}
            said = ", ".join(f"{role} {medians[role]:.1f}" for role in ROLES)
            yield f"Milliseconds of processor in a second of rest on {database}, {name}", said
        for (database, name), service in services.items():
            seen = _seen(service, commits)
            said = f"median {percentile(seen, 50):.0f} ms, 99th {percentile(seen, 99):.0f} ms"
            yield f"From a commit of another process to verification on {database}, {name}", said


def _resting(service: Service, seconds: float) -> dict[str, float]:
    before = {role: _busy(pid) for role, pid in service.pids().items()}
    began = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - began
    return {role: (_busy(pid) - before[role]) / lasted * 1000 for role, pid in service.pids().items()}


def _busy(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _seen(service: Service, commits: int) -> list[float]:
    """Milliseconds from each commit until verification refuses the key."""
    house = open_house(load(service.home))
    found: list[float] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as http:
        for number in range(commits):
            granted = grant_access(
                house.desk, CONSOLE, name=f"bench-{number}", role=Role.DCC, organisation="DCC", life=timedelta(days=1)
            )
            _until(http, granted.api_key, refused=False)
            found.append(_revoked(house, http, granted.credential.id, granted.api_key))
    return found


def _revoked(house: House, http: httpx.Client, identifier: str, key: str) -> float:
    revoke_access(house.desk, CONSOLE, identifier)
    began = time.perf_counter()
    _until(http, key, refused=True)
    return (time.perf_counter() - began) * 1000


def _until(http: httpx.Client, key: str, *, refused: bool) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        said = http.post("/v1/verify", content=b"{}", headers={"Authorization": f"Bearer {key}"}).status_code
        if (said == httpx.codes.UNAUTHORIZED) is refused:
            return
        time.sleep(_AT_ONCE)
    raise TimeoutError("it was not seen")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="an earlier checkout")
    chosen = parser.parse_args().beside
    both = {"now": ROOT, **({chosen.name: chosen.resolve()} if chosen else {})}
    for what, figures in measure(both):
        print(f"{what}: {figures}", flush=True)
