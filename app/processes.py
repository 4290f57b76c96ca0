"""The processes of one machine: web, authority, courier and renderer under one supervisor.

They share nothing but the store, and the renderer not even that. In production each is a service of its own under its
own user; here one command starts all of them, starts again what dies, and one Ctrl-C stops everything.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.readiness import Purpose, Readiness
from app.settings import Settings
from app.stopping import stopped_by_signal
from app.unix_socket import fits
from core.errors import PortTaken
from core.kinds import Apart, ProcessRole
from ra.views import view_of

if TYPE_CHECKING:
    from api.authority import AuthorityAnswer

EXIT_PIN = 77
"""Of a process that a token did not let in (EX_NOPERM of sysexits.h): it is not started again by itself, since each
start may be a wrong PIN more. deploy/systemd says the same in RestartPreventExitStatus=."""

_STOP_SECONDS = 5.0
_RESTART_SECONDS = 0.5
_APART_SECONDS = 10.0
"""Between two starts of a process that others can do without: what keeps it from starting may stay."""

_ALIVE_SECONDS = 30.0
_ASKED_SECONDS = 2.0
_READY_SECONDS = 10.0
"""How long after a start nothing is said of what is not ready yet: the authority needs a few seconds for its lists."""


@dataclass
class Supervisor:
    """Keeps the processes running until it is told to stop.

    Args:
        settings: whose home they serve.
        report: told in a sentence what happens to a process.
    """

    settings: Settings
    report: Callable[[str], None]
    _children: dict[ProcessRole | Apart, "subprocess.Popen[bytes]"] = field(default_factory=dict, init=False)
    _began: dict[ProcessRole | Apart, float] = field(default_factory=dict, init=False)
    _left: set[ProcessRole | Apart] = field(default_factory=set, init=False)
    """What ended and is not started again."""
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start everything, call `on_ready` once it is ready, and keep it running until SIGINT or SIGTERM.

        What is alive and not ready is told and left running: it may be what people need to make it ready.

        Returns:
            0 after an orderly stop; if a process ended by itself before the service was ever ready EXIT_PIN where that
            is why, else 1.
        """
        self._stopping = stopped_by_signal()
        try:
            for role in (*ProcessRole, *(Apart if self._draws() else ())):
                self._start(role)
            if not self._wait_alive():
                return 0 if self._stopping.is_set() else self._status()
            told: list[str] | None = []
            quiet_until = time.monotonic() + _READY_SECONDS
            while not self._stopping.wait(0.2):
                if told is None:
                    self._restart_dead()
                    continue
                if self._one_did_not_start():
                    return self._status()
                self._restart_dead()
                left = what_is_not_ready(self.settings.host, self.settings.port)
                if not left:
                    told = None
                    on_ready()
                elif left != told and time.monotonic() > quiet_until:
                    told = left
                    self.report(f"it runs and is not ready: {' '.join(left)}")
            return 0
        finally:
            self._end_children()

    def _draws(self) -> bool:
        from app.renderer import can_draw  # noqa: PLC0415 - who is supervised does without

        path = self.settings.renderer
        if path is not None and not fits(path):
            # It would be started again and again, for a path that stays as long as it is.
            self.report(f"nobody draws evidence: {path} is too long for a socket; set [renderer] listens shorter")
            return False
        return path is not None and can_draw()

    def _start(self, role: ProcessRole | Apart) -> None:
        command = [sys.executable, "-m", "app.cli.main", "run", role, "--supervised", "--home", str(self.settings.home)]
        log = self.settings.home / "run" / f"{role}.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        with log.open("ab") as output:
            # Its standard input ends when we do, even by kill -9: that is how it knows to stop.
            self._children[role] = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        self._began[role] = time.monotonic()
        with suppress(OSError):  # a full disk: the file is for people, the process runs
            (self.settings.home / "run" / f"{role}.pid").write_text(f"{self._children[role].pid}\n")

    def _restart_dead(self) -> None:
        for role, child in list(self._children.items()):
            again = not isinstance(role, Apart) or time.monotonic() - self._began[role] > _APART_SECONDS
            if child.poll() is None or role in self._left:
                continue
            if child.returncode == EXIT_PIN:
                self._left.add(role)
                told = f"{role} was not let into a token and is not started again, lest that locks itself"
                self.report(f"{told}; see {self._log(role)}")
            elif again and not self._stopping.is_set():
                self.report(f"{role} ended with {child.returncode} and is started again; see {self._log(role)}")
                time.sleep(_RESTART_SECONDS)
                self._close(child)
                self._start(role)

    def _wait_alive(self) -> bool:
        told, deadline = False, time.monotonic() + _ALIVE_SECONDS
        while not self._stopping.is_set():
            if self._one_did_not_start():
                return False
            if answers(self.settings.host, self.settings.port, "/healthz"):
                return True
            if not told and time.monotonic() > deadline:
                told = True
                self.report(f"it does not answer yet; see {self._log(ProcessRole.WEB)}")
            time.sleep(0.05)
        return False

    def _one_did_not_start(self) -> bool:
        """Whether a process ended by itself before the service was ever ready: what it says is wrong stays wrong."""
        for role, child in self._children.items():
            if not isinstance(role, Apart) and (child.poll() or 0) > 0:
                self.report(f"{role} did not start: {self._last_words(role)}")
                return True
        return False

    def _status(self) -> int:
        return EXIT_PIN if any(child.poll() == EXIT_PIN for child in self._children.values()) else 1

    def _end_children(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            self._close(child)
        for role in self._children:
            (self.settings.home / "run" / f"{role}.pid").unlink(missing_ok=True)

    @staticmethod
    def _close(child: "subprocess.Popen[bytes]") -> None:
        if child.stdin is not None:
            child.stdin.close()

    def _log(self, role: ProcessRole | Apart) -> Path:
        return self.settings.home / "run" / f"{role}.log"

    def _last_words(self, role: ProcessRole | Apart) -> str:
        lines = self._log(role).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def answers(host: str, port: int, path: str) -> bool:
    """Return whether a service answers 200 at `path`."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def what_is_not_ready(host: str, port: int) -> list[str]:
    """Return a sentence for each check that is red for writing; none if people can begin."""
    found = told_ready(host, port, f"for={Purpose.WRITING.value}")
    if found is None:
        return ["It does not say whether it is ready."]
    return [each.detail for each in found.checks if not each.ok]


def told_ready(host: str, port: int, query: str) -> Readiness | None:
    """Return what /readyz answers, fit or not; None if nobody answers there, or not as we would."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz?{query}", timeout=_ASKED_SECONDS) as reply:
            said = reply.read()
    except urllib.error.HTTPError as error:
        with error:
            said = error.read()
    except (urllib.error.URLError, OSError):
        return None
    try:
        return view_of(Readiness, said)
    except ValueError:
        return None


def told_authority(host: str, port: int) -> "AuthorityAnswer | None":
    """Return whose service answers there; None if nobody does, or not as we would."""
    from api.authority import AuthorityAnswer  # noqa: PLC0415 - who starts processes need not load what they answer with

    try:
        with urllib.request.urlopen(f"http://{host}:{port}/v1/authority", timeout=_ASKED_SECONDS) as reply:
            return view_of(AuthorityAnswer, reply.read())
    except (urllib.error.URLError, OSError, ValueError):
        return None


def require_free(host: str, port: int) -> None:
    """Raise PortTaken if somebody listens there: the server would share the port, and answer for two authorities."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what the last server left behind is no listener
        try:
            tried.bind((host, port))
        except OSError as error:
            raise PortTaken(host=host, port=port) from error


def end_with_supervisor(stopping: Callable[[], None]) -> None:
    """Call `stopping` when the supervisor is gone: our standard input ends with it."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        stopping()

    threading.Thread(target=watch, name="supervisor", daemon=True).start()
