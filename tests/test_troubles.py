"""`trialcpa serve` in trouble: who writes is told to come again, no process ends, and all is right when it is over."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from app.settings import load
from store.postgresql import CONNECT_SECONDS, GRACE_SECONDS, STATEMENT_SECONDS
from tests.frozen import frozen
from tests.kill.test_processes import ROOT, Service, _application, _living, until

ROLES = ("web", "authority", "courier")
RECOVERED_SECONDS = 30.0
"""Within which everything works again when a trouble is over; a session that fell silent is given up before."""

TRACES = ("Traceback", "nobody foresaw", "a request failed", "a status request failed")


@pytest.fixture
def service(store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path / "home", empty_store_url(store_kind))
    yield made
    end(made.process, made.home)


def end(process: "subprocess.Popen[bytes]", home: Path) -> None:
    process.kill()
    process.wait()
    for left in _living(home):
        os.kill(left, signal.SIGKILL)


def applied(service: Service, number: int) -> tuple[int, str | None]:
    """Apply once; the status, and what Retry-After says."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/v1/applications",
        json.dumps(_application(number)).encode(),
        {"Authorization": f"Bearer {service.keys['manufacturer']['api_key']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status), None
    except urllib.error.HTTPError as error:
        with error:
            error.read()
        return error.code, error.headers["Retry-After"]


def said(service: Service) -> dict[str, str]:
    return {role: (service.home / "run" / f"{role}.log").read_text() for role in ROLES}


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """A database that became read-only, as a standby is, and whose sessions know."""
    with psycopg.connect(url, autocommit=True) as operator:
        found = operator.execute("SELECT quote_ident(current_database())").fetchone()
        assert found is not None
        operator.execute(f"ALTER DATABASE {found[0]} SET default_transaction_read_only = on")
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        try:
            yield
        finally:
            operator.execute("SET default_transaction_read_only = off")
            operator.execute(f"ALTER DATABASE {found[0]} RESET default_transaction_read_only")


@contextmanager
def locked(url: str) -> Iterator[None]:
    """An SQLite file that somebody writes to for a long time, and whose authority nobody remembers."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)) as other:
        other.execute("DELETE FROM lease")
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def require_waited_out(service: Service, trouble: Callable[[], None]) -> None:
    """What every trouble must leave as it was: nobody has ended, and the next write is taken."""
    pids = {role: service.pid(role) for role in ROLES}
    trouble()
    over = time.monotonic()
    until(lambda: applied(service, 1)[0] == 201, lambda: str(said(service)))
    until(service.ready, lambda: str(said(service)))
    shown = service.ask("manufacturer", "GET", "/v1/applications")
    assert shown
    assert time.monotonic() - over < RECOVERED_SECONDS
    assert {role: service.pid(role) for role in ROLES} == pids
    assert "is started again" not in service.said()
    for role, log in said(service).items():
        assert not [each for each in TRACES if each in log], f"{role}: {log}"
    until(lambda: "the authority works" in said(service)["authority"], lambda: str(said(service)))
    log = said(service)["authority"]
    assert log.count("Nothing is signed until it answers") == log.count("the authority works") == 1, log


def test_a_register_that_takes_no_writes_is_waited_for(service: Service, store_kind: str) -> None:
    url = load(service.home).store_url

    def trouble() -> None:
        with read_only(url) if store_kind == "postgresql" else locked(url):
            for _ in range(2):
                assert applied(service, 0) == (503, "5")
            until(lambda: "Nothing is signed" in said(service)["authority"])

    require_waited_out(service, trouble)


@pytest.mark.long
@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_a_database_that_is_frozen_for_a_minute_is_waited_for(service: Service, postgresql_server: str) -> None:
    def trouble() -> None:
        frozen_until = time.monotonic() + 60
        with frozen(postgresql_server):
            began = time.monotonic()
            assert applied(service, 0) == (503, "5")
            assert time.monotonic() - began < STATEMENT_SECONDS + GRACE_SECONDS + 2 * CONNECT_SECONDS
            with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/healthz", timeout=10) as reply:
                assert reply.status == 200
            time.sleep(max(0.0, frozen_until - time.monotonic()))

    require_waited_out(service, trouble)


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_service_that_is_not_ready_says_so_stays_and_says_when_it_is(
    store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path
) -> None:
    made = Service(tmp_path / "home", empty_store_url(store_kind))
    try:
        made.process.send_signal(signal.SIGINT)
        assert made.process.wait(60) == 0
    finally:
        end(made.process, made.home)
    log = tmp_path / "again.log"
    command = [sys.executable, "-m", "app.cli.main", "serve", "--home", str(made.home)]
    with locked(load(made.home).store_url), log.open("wb") as output:
        # Nobody has the lease, and nobody can take it.
        again = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
        try:
            until(lambda: "not ready" in log.read_text() or again.poll() is not None, log.read_text)
            assert "is ready on" not in log.read_text()
            assert again.poll() is None
        except BaseException:
            end(again, made.home)
            raise
    try:
        until(lambda: "is ready" in log.read_text(), log.read_text)
        assert again.poll() is None
    finally:
        end(again, made.home)
