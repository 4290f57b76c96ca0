"""Several web processes on one port: each listens for itself, and the kernel shares out who comes (SO_REUSEPORT).

They share nothing but the register. All but the first, and whatever is started again, listen when they can answer:
until then the others take whoever comes. The process that starts them answers nobody; it starts again what dies, alone,
and stops all of them together.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.kinds import ProcessRole

LOOK_SECONDS = 0.2
RESTART_SECONDS = 0.5
STOP_SECONDS = 4.0
"""How long they may take to stop; whoever supervises this process gives it five seconds (app/processes.py)."""

SETTLED_SECONDS = 5.0
"""After which a process has begun well; one that ends sooner, before any has, says what is wrong with all of them."""


def keep_several(home: Path, count: int, stopping: threading.Event, report: Callable[[str], None]) -> int:
    """Keep web processes running until it is told to stop.

    Args:
        home: whose they are.
        count: how many.
        stopping: set when they are to stop.
        report: told in a sentence what happens to one.

    Returns:
        0 after an orderly stop; what the first one ended with if it ended by itself before any had begun well.
    """
    began = time.monotonic()
    children = {number: _started(home, number, late=number > 1) for number in range(1, count + 1)}
    try:
        while not stopping.wait(LOOK_SECONDS):
            for number, child in children.items():
                if child.poll() is None:
                    continue
                if time.monotonic() - began < SETTLED_SECONDS:
                    return child.returncode or 1
                report(f"web process {number} of {count} ended with {child.returncode} and is started again")
                stopping.wait(RESTART_SECONDS)
                _close(child)
                children[number] = _started(home, number, late=True)
        return 0
    finally:
        _end(list(children.values()))


def _started(home: Path, number: int, *, late: bool) -> "subprocess.Popen[bytes]":
    role = ProcessRole.WEB
    command = [sys.executable, "-m", "app.cli.main", "run", role, "--supervised", "--worker", str(number)]
    command += ["--late"] if late else []
    # Its standard input ends when we do, even by kill -9: that is how it knows to stop.
    return subprocess.Popen([*command, "--home", str(home)], stdin=subprocess.PIPE)  # noqa: S603 - our own program


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    for each in children:
        if each.poll() is None:
            each.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for each in children:
        try:
            each.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()
        _close(each)


def _close(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:
        child.stdin.close()
