"""`trialcpa serve` with keys in a token: it is frozen and killed while certificates are issued, and comes back."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from app.processes import EXIT_PIN
from tests.kill.test_processes import ROOT, Service, _application, _issued, until
from tests.test_troubles import end
from tests.token_keys import set_pin
from tests.token_said import MODULE
from tests.token_world import AUTHORITY, PIN, authority_token

UNIT = ROOT / "deploy" / "systemd" / "trialcpa-authority.service"

GRANTS = 6
TOLD_SECONDS, BACK_SECONDS = 2.0, 10.0
"""What is promised. A machine on which others work as well is given more: bench/token.py measures."""

BUSY = 8


@pytest.fixture
def service(tmp_path: Path, empty_store_url: Callable[[str], str]) -> Iterator[Service]:
    with authority_token(tmp_path / "token") as token:
        keys = tmp_path / "keys.toml"
        named = f"pkcs11:token={AUTHORITY.replace(' ', '%20')}?module-path={MODULE}"
        table = f'token = "{named}"\npin = "file:{token.folder / "pin"}"\n'
        keys.write_text(f"[keys]\n{table}[root]\n{table}")
        made = Service(tmp_path / "home", empty_store_url("sqlite"), keys)
        yield made
        end(made.process, made.home)


def answered(service: Service, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}", timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def reached(service: Service, status: int) -> float:
    """Seconds until the service says that it is fit, or unfit, to be written to; status is fit all the time."""
    began = time.monotonic()
    while answered(service, "/readyz?for=writing") != status:
        assert answered(service, "/readyz") == 200
        assert time.monotonic() - began < BUSY * BACK_SECONDS, service.said()
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_pin_that_is_refused_ends_the_authority_and_is_tried_by_no_start_after_it(service: Service) -> None:
    reached(service, 200)
    transcript = (service.home / "ceremony" / "transcript.txt").read_text()
    assert (transcript.count("  in a token  pkcs11:token="), "in files" in transcript) == (7, False)
    set_pin(AUTHORITY, PIN, "13572468")
    # Neither is the one that is killed tried again by who supervises it, nor the one that a service manager starts.
    service.kill("authority")
    log = service.home / "run" / "authority.log"
    until(lambda: "is not started again" in service.said(), service.said)
    assert log.read_text().count("[token-pin-wrong]") == 1
    command = [sys.executable, "-m", "app.cli.main", "run", "authority", "--home", str(service.home)]
    for _ in range(2):
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert (ended.returncode, "[token-pin-at-risk]" in ended.stderr) == (EXIT_PIN, True), ended.stderr
    (line,) = [each for each in UNIT.read_text().splitlines() if each.startswith("RestartPreventExitStatus=")]
    assert line.partition("=")[2] == str(EXIT_PIN)
    assert answered(service, "/readyz") == 200, "status goes on"
    end(service.process, service.home)
    again = subprocess.run([*command[:3], "serve", "--home", str(service.home)], cwd=ROOT, capture_output=True,
                           text=True, timeout=120, check=False)  # fmt: skip
    assert again.returncode == EXIT_PIN, again.stdout


def token_process(service: Service) -> int:
    (found,) = (
        each.pid
        for each in psutil.Process(service.pid("authority")).children(recursive=True)
        if "keys.token_process" in each.cmdline()
    )
    return int(found)


def another(service: Service, before: int) -> bool:
    try:
        return token_process(service) != before
    except (ValueError, psutil.NoSuchProcess):
        return False  # there is none at this moment


def seconded(service: Service, number: int) -> str:
    applied = service.ask("manufacturer", "POST", "/v1/applications", _application(number), f"apply-{number}")
    wanted = {"kind": "grant", "application": applied["application"], "reasons": "It looks sound."}
    decided = service.ask("ssc-officer-1", "POST", "/v1/decisions", wanted, f"propose-{number}")
    path = f"/v1/decisions/{decided['decision']}"
    signed = service.officers.for_proposal("ssc-officer-1", service.ask("ssc-officer-1", "GET", path))
    service.ask("ssc-officer-1", "POST", f"{path}/authorisation", signed, f"authorise-{number}")
    shown: dict[str, Any] = {}

    def drafted() -> bool:
        shown.update(service.ask("ssc-officer-2", "GET", path))
        return bool(shown["state"] == "drafted")

    until(drafted, lambda: str(shown))
    signed = service.officers.for_seconding("ssc-officer-2", shown)
    return str(service.ask("ssc-officer-2", "POST", f"{path}/second", signed, f"second-{number}")["approval"])


def test_a_token_that_is_frozen_or_killed_while_issuing_is_told_and_comes_back(service: Service) -> None:
    reached(service, 200)
    authority = service.pid("authority")
    with ThreadPoolExecutor(2) as people:
        waiting = [people.submit(seconded, service, number) for number in range(GRANTS)]
        waiting[0].result()
        frozen = token_process(service)
        os.kill(frozen, signal.SIGSTOP)
        told = reached(service, 503)
        back = reached(service, 200)
        # One that is killed is found at once, and may be back before anybody has asked.
        killed = token_process(service)
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        until(lambda: psutil.Process(authority).is_running() and another(service, killed), service.said)
        again = time.monotonic() - began
        reached(service, 200)
        approvals = [each.result() for each in waiting]
    assert told < BUSY * TOLD_SECONDS
    assert max(back, again) < BUSY * BACK_SECONDS
    until(lambda: all(_issued(service, each) for each in approvals), service.said)
    for each in approvals:
        assert len(service.ask("dcc", "GET", f"/v1/approvals/{each}")["certificates"]) == 1
    assert service.pid("authority") == authority, "nothing was started again"
