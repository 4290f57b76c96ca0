"""A run of the tests that is cut off leaves no PostgreSQL behind: no process and no folder, whoever is killed how."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
"""Seconds: a busy machine is no fault of the code."""

WAITS = """
import json, os, time
from pathlib import Path

def test_that_waits(postgresql_server):
    folder = Path(postgresql_server.split("host=")[1])
    server = int((folder / "postmaster.pid").read_text().splitlines()[0])
    told = {"folder": str(folder.parent), "server": server, "tester": os.getpid()}
    Path("FILE.new").write_text(json.dumps(told))
    Path("FILE.new").rename("FILE")
    time.sleep(600)
"""


@dataclass(frozen=True)
class Run:
    """A run of pytest that stands in the middle of a test which has a server."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    server: int
    tester: int  # the process that runs the test: a worker, if there are any


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[subprocess.Popen[bytes]] = []

    def started_with(*words: str) -> Run:
        told = tmp_path / "told.json"
        (tmp_path / "test_waits.py").write_text(WAITS.replace("FILE", str(told)))
        command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q", *words]
        heard = ["env", "--default-signal=INT"]  # a run that a shell has put aside is shielded from Ctrl-C
        process = subprocess.Popen(
            [*heard, *command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        until(told.exists)
        said = json.loads(told.read_text())
        return Run(process, Path(said["folder"]), said["server"], said["tester"])

    yield started_with
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether the process is there; one that nobody has waited for is not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "way", [signal.SIGKILL, *(pytest.param(way, marks=pytest.mark.long) for way in (signal.SIGINT, signal.SIGTERM))]
)
def test_a_run_that_is_cut_off_leaves_no_server(start: Callable[..., Run], way: signal.Signals) -> None:
    run = start()
    assert runs(run.server)
    os.killpg(run.process.pid, way)  # as a terminal does it, or whoever has lost patience with the run
    until(lambda: not runs(run.server) and not run.folder.exists())


@pytest.mark.parametrize("killed", [pytest.param("the worker", marks=pytest.mark.long), "who leads it"])
def test_no_worker_that_is_killed_leaves_a_server(start: Callable[..., Run], killed: str) -> None:
    run = start("--numprocesses", "1", "--max-worker-restart", "0")
    assert runs(run.server)
    assert run.tester != run.process.pid
    os.kill(run.tester if killed == "the worker" else run.process.pid, signal.SIGKILL)
    until(lambda: not runs(run.server) and not run.folder.exists())
