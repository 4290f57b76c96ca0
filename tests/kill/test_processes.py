"""`trialcpa serve` as a user has it: three processes under a supervisor, each killed in the midst of its work."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.authority import open_authority
from app.house import open_house
from app.settings import load
from tests.demo_officers import DemoOfficers
from tests.kill.acknowledged import acknowledged_problems
from tests.kill.proof import problems
from tests.world import csr_pem

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0
GRANTS = 8


class Service:
    """`trialcpa serve` on a fresh home."""

    def __init__(self, home: Path, store_url: str, keys_file: Path | None = None) -> None:
        self.home = home
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = int(free.getsockname()[1])
        program = [sys.executable, "-m", "app.cli.main"]
        command = [*program, "serve", "--test", "--home", str(home)]
        if keys_file is not None:
            made = ["init", "--test", "--demo", "--home", str(home), "--port", str(self.port), "--store", store_url]
            subprocess.run([*program, *made, "--keys", str(keys_file)], cwd=ROOT, check=True, capture_output=True)
            command, store_url = [*program, "serve", "--home", str(home)], ""
        with (home.parent / "serve.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *(["--port", str(self.port), "--store", store_url] if store_url else [])],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: (home / "run" / "authority.pid").exists() and self.ready(), self.said)
        self.keys = json.loads((home / "demo" / "credentials.json").read_text())
        self.officers = DemoOfficers(home, self.ask)

    def said(self) -> str:
        return (self.home.parent / "serve.log").read_text()

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def pid(self, role: str) -> int:
        return int((self.home / "run" / f"{role}.pid").read_text())

    def kill(self, role: str) -> Callable[[], bool]:
        """Kill a process; return what says whether another one runs in its place."""
        killed = self.pid(role)
        os.kill(killed, signal.SIGKILL)
        path = self.home / "run" / f"{role}.pid"
        return lambda: path.exists() and path.read_text().strip() not in {"", str(killed)}

    def ask(self, who: str, method: str, path: str, body: Any = None, key: str = "") -> dict[str, Any]:
        """Ask until there is an answer: whoever is not answered asks again under the same Idempotency-Key."""
        headers = {"Authorization": f"Bearer {self.keys[who]['api_key']}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        deadline = time.monotonic() + PATIENCE
        while True:
            request = urllib.request.Request(url, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    return dict(json.load(reply))
            except urllib.error.HTTPError as error:
                said = error.read()
                if error.code != 503:
                    raise AssertionError(said) from error
            except (OSError, ValueError):
                pass  # nobody listens at the moment, or the answer broke off
            assert time.monotonic() < deadline, f"no answer to {method} {path}"
            time.sleep(0.1)


def until(reached: Callable[[], bool], why: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


@pytest.fixture
def service(store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path / "home", empty_store_url(store_kind))
    yield made
    made.process.kill()
    made.process.wait()
    for left in _living(made.home):
        os.kill(left, signal.SIGKILL)


def test_nothing_acknowledged_is_lost_when_each_process_is_killed_and_one_ctrl_c_stops_all(service: Service) -> None:
    acknowledged: list[tuple[str, dict[str, Any]]] = []

    def proposed(number: int) -> dict[str, Any]:
        applied = service.ask("manufacturer", "POST", "/v1/applications", _application(number), f"apply-{number}")
        wanted = {"kind": "grant", "application": applied["application"], "reasons": "It looks sound."}
        decided = service.ask("ssc-officer-1", "POST", "/v1/decisions", wanted, f"propose-{number}")
        path = f"/v1/decisions/{decided['decision']}"
        signed = service.officers.for_proposal("ssc-officer-1", service.ask("ssc-officer-1", "GET", path))
        service.ask("ssc-officer-1", "POST", f"{path}/authorisation", signed, f"authorise-{number}")
        acknowledged.extend([("apply", applied), ("propose", decided)])
        return decided

    def seconded(number: int, decision: dict[str, Any]) -> str:
        path = f"/v1/decisions/{decision['decision']}"
        shown: dict[str, Any] = {}

        def drafted() -> bool:
            shown.update(service.ask("ssc-officer-2", "GET", path))
            return bool(shown["state"] == "drafted")

        until(drafted, lambda: str(shown))
        signed = service.officers.for_seconding("ssc-officer-2", shown)
        done = service.ask("ssc-officer-2", "POST", f"{path}/second", signed, f"second-{number}")
        acknowledged.append(("second", done))
        return str(done["approval"])

    with ThreadPoolExecutor(2) as people:
        waiting = [people.submit(proposed, number) for number in range(GRANTS)]
        waiting[2].result()
        restarted = [service.kill("web")]
        decisions = [each.result() for each in waiting]
        accepting = [people.submit(seconded, number, each) for number, each in enumerate(decisions)]
        accepting[2].result()
        restarted += [service.kill("authority"), service.kill("courier")]
        approvals = [each.result() for each in accepting]
    for each in restarted:
        until(each, service.said)
    until(lambda: all(_issued(service, each) for each in approvals), service.said)
    left = {role: service.pid(role) for role in ("web", "authority", "courier")}
    os.kill(service.process.pid, signal.SIGINT)
    assert service.process.wait(PATIENCE) == 0, service.said()
    until(lambda: not _living(service.home), lambda: f"{_living(service.home)} live on, of {left}")
    socket.create_server(("127.0.0.1", service.port)).close()
    _prove(service.home, acknowledged)


def test_a_supervisor_that_is_killed_leaves_no_process_and_a_free_port(service: Service) -> None:
    draws = service.pid("renderer")  # it has nothing by which a home could be told
    service.process.kill()
    service.process.wait()
    until(lambda: not _living(service.home), lambda: f"{_living(service.home)} live on")
    until(lambda: not Path(f"/proc/{draws}").exists(), lambda: f"the renderer, {draws}, lives on")
    socket.create_server(("127.0.0.1", service.port)).close()


def _prove(home: Path, acknowledged: list[tuple[str, dict[str, Any]]]) -> None:
    house = open_house(load(home))
    authority = open_authority(house)
    authority.settle()
    assert problems(house.store, house.clock, [], authority.memory) == []
    assert acknowledged_problems(house.store, acknowledged) == []
    assert len(acknowledged) == 3 * GRANTS
    house.store.close()


def _issued(service: Service, approval: str) -> bool:
    return bool(service.ask("dcc", "GET", f"/v1/approvals/{approval}")["certificates"])


def _living(home: Path) -> list[int]:
    """Every process that serves this home: it is named in their command or in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in said:
            found.append(int(entry.name))
    return found


def _application(number: int) -> dict[str, Any]:
    start = datetime.now(UTC).date() + timedelta(days=1)
    return {
        "device": {"type": "ESME", "manufacturer": "AB01", "model": f"TRIAL-{number}", "hardware_version": "01"},
        "smets_version": "SMETS V1.58",
        "firmware": [{"version": "0002012F", "image_sha256": "ab" * 32}],
        "start": str(start),
        "expiry": str(start + timedelta(days=180)),
        "maximum_devices": 500,
        "purpose": "A field trial in Leeds.",
        "csr": _CSRS[number],
    }


_CSRS = [csr_pem().decode() for _ in range(GRANTS)]
