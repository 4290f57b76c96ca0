"""What clients see while a database is read-only, full, stopped, killed or has no connection left; and how long after.

A whole service, its three processes under their supervisor, asked over HTTP without pause: status, lists, health, a
read and a write of the API. A silence, a 500 and a process that ended for good are what must not be.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg

from app.settings import load
from bench.serving import ROLES, Service, application, folder, granted, serving, until
from tests.frozen import frozen
from tests.postgresql import kept_server
from tests.test_troubles import read_only
from tests.world import csr_pem

SECONDS = 20.0
"""How long each trouble lasts."""

_BOUNDS = {"bounds": {"open_applications": "100000", "acts_per_day": "100000"}}
"""The writes of a run are one organisation's: they are not to meet what it may keep open."""

_ALL_WELL_SECONDS = 3.0
_PATIENCE_SECONDS = 90.0
_SILENT_SECONDS = 30.0
_PAUSE_SECONDS = 0.2

Trouble: TypeAlias = Callable[[], AbstractContextManager[None]]
_TRACES = re.compile(r"Traceback|nobody foresaw|a request failed|a status request failed")


@dataclass
class Seen:
    """What one kind of question got.

    Args:
        right: the status when all is well.
        said: how often what was answered meanwhile.
        longest: seconds.
        wrong_at: when something else than `right` came last, monotonic seconds.
        right_since: since when it has been right.
    """

    right: str
    said: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    wrong_at: float = 0.0

    def add(self, said: str, began: float) -> None:
        """Note an answer."""
        now = time.monotonic()
        self.said[said] += 1
        self.longest = max(self.longest, now - began)
        if said != self.right:
            self.wrong_at = now


@dataclass(frozen=True)
class Told:
    """What came of one trouble."""

    trouble: str
    seen: Mapping[str, Seen]
    right_after: float
    ended: tuple[str, ...]
    traces: int

    def said(self) -> str:
        """Return it in words."""
        parts = [
            f"{name} "
            + ", ".join(f"{count} × {said}" for said, count in sorted(seen.said.items()))
            + f" (longest {seen.longest:.1f} s)"
            for name, seen in self.seen.items()
        ]
        parts.append(f"all right {self.right_after:.1f} s after its end")
        parts.append(f"started again: {', '.join(self.ended)}" if self.ended else "no process ended")
        if self.traces:
            parts.append(f"{self.traces} traces in the logs")
        return "; ".join(parts)


def measure(seconds: float = SECONDS) -> Iterator[Told]:
    """Put a service on each database through each trouble."""
    with folder() as made, serving(made / "home", settings=_BOUNDS) as service:
        store = Path(load(service.home).store_url.removeprefix("sqlite:///"))
        troubles: dict[str, Trouble] = {"a write lock": partial(_locked, store), **_killed(service)}
        if os.geteuid() == 0:
            troubles["read-only (an immutable file)"] = partial(_immutable, store)
        yield from _through(service, "SQLite", troubles, seconds)
    with folder() as made, _small(made / "disk", 64) as disk:
        if disk:
            with serving(disk / "home", settings=_BOUNDS) as service:
                full: dict[str, Trouble] = {"a full disk (a small tmpfs)": partial(_full, disk)}
                yield from _through(service, "SQLite", full, seconds)
    with folder() as made, _small(made / "disk", 220) as disk, _server(disk) as server:
        (made / "p").mkdir()
        with psycopg.connect(server.format("postgres"), autocommit=True) as operator:
            operator.execute("CREATE DATABASE bench TEMPLATE template0")
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                # Tests do without. Here the server is killed, and what it has said is written must be.
                operator.execute(f"ALTER SYSTEM RESET {setting}")
            operator.execute("SELECT pg_reload_conf()")
        url = server.format("bench")
        with serving(made / "p" / "home", store_url=url, settings=_BOUNDS) as service:
            troubles = {
                "read-only": partial(read_only, url),
                "stopped": partial(frozen, server),
                "all connections taken": partial(_taken, url),
                "crashing twice a second": partial(_crashing, server),
                **_killed(service),
            }
            if disk:
                troubles["a full disk (a small tmpfs)"] = partial(_full, disk)
            yield from _through(service, "PostgreSQL", troubles, seconds)


def _through(service: Service, database: str, troubles: Mapping[str, Trouble], seconds: float) -> Iterator[Told]:
    approval, request = granted(service)
    for name, begin in troubles.items():
        lasts = 0.0 if name.endswith("killed") else seconds
        yield _put(service, f"{database}: {name}", begin, approval, request, lasts)


def _put(service: Service, trouble: str, begin: Trouble, approval: str, ocsp: bytes, seconds: float) -> Told:
    base, keys, csr = f"http://127.0.0.1:{service.port}", service.keys, csr_pem().decode()
    asked: dict[str, tuple[str, str, str, object, str]] = {
        "verification": ("200", "POST", "/v1/verify", {"approval": approval}, "dcc"),
        "OCSP": ("200", "POST", "/ocsp", ocsp, "dcc"),
        "healthz": ("200", "GET", "/healthz", None, "dcc"),
        "readyz": ("200", "GET", "/readyz", None, "dcc"),
        "a read": ("200", "GET", "/v1/applications", None, "manufacturer"),
        "a write": ("201", "POST", "/v1/applications", application(csr, "BENCH"), "manufacturer"),
    }
    seen = {name: Seen(right) for name, (right, *_) in asked.items()}
    before, logged = service.pids(), {role: len(log) for role, log in service.logs().items()}
    over = threading.Event()

    def run(name: str) -> None:
        _, method, path, body, who = asked[name]
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        fields = {"Authorization": f"Bearer {keys[who]}"}
        with httpx.Client(base_url=base, headers=fields, timeout=_SILENT_SECONDS, trust_env=False) as client:
            while not over.wait(_PAUSE_SECONDS):
                began = time.monotonic()
                try:
                    said = str(client.request(method, path, **sent).status_code)
                except httpx.ConnectError:
                    said = "nobody listens"
                except httpx.HTTPError:
                    said = "cut off" if time.monotonic() - began < _SILENT_SECONDS else "silence"
                seen[name].add(said, began)

    threads = [threading.Thread(target=run, args=(name,)) for name in asked]
    for each in threads:
        each.start()
    try:
        with begin():
            time.sleep(seconds)
        ended_at = time.monotonic()
        with suppress(TimeoutError):
            until(lambda: time.monotonic() > _right_since(seen, ended_at) + _ALL_WELL_SECONDS, _PATIENCE_SECONDS)
    finally:
        over.set()
        for each in threads:
            each.join()
    now = service.pids()
    new = (log[logged[role] :] for role, log in service.logs().items())
    return Told(
        trouble,
        seen,
        _right_since(seen, ended_at) - ended_at,
        tuple(role for role in ROLES if now[role] != before[role]),
        sum(len(_TRACES.findall(log)) for log in new),
    )


def _right_since(seen: Mapping[str, Seen], ended_at: float) -> float:
    return max(ended_at, *(each.wrong_at for each in seen.values()))


# --- troubles ----------------------------------------------------------------------------------------------------


def _killed(service: Service) -> dict[str, Trouble]:
    ways = {"killed": _kill, "stopped for its time": _stop}
    stopped = [("authority", "stopped for its time")]
    return {
        f"{role} {way}": partial(ways[way], service, role)
        for role, way in [*((role, "killed") for role in ROLES), *stopped]
    }


@contextmanager
def _kill(service: Service, role: str) -> Iterator[None]:
    os.kill(service.pids()[role], signal.SIGKILL)
    yield


@contextmanager
def _stop(service: Service, role: str) -> Iterator[None]:
    stopped = service.pids()[role]
    os.kill(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stopped, signal.SIGCONT)


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    with closing(sqlite3.connect(store, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _immutable(store: Path) -> Iterator[None]:
    """A file that nobody may write to, not even whoever has it open (chattr, ext4)."""
    files = [str(each) for each in (store, store.with_name(store.name + "-wal")) if each.exists()]
    subprocess.run(["chattr", "+i", *files], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=True)


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    """Whatever room there is and comes is taken."""
    over = threading.Event()

    def fill() -> None:
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            while not over.is_set():
                try:
                    ballast.write(b"x" * 4096)
                except OSError:
                    time.sleep(0.01)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        yield
    finally:
        over.set()
        filling.join()
        (disk / "ballast").unlink()


@contextmanager
def _taken(url: str) -> Iterator[None]:
    """Every connection that the server has is somebody else's (SQLSTATE 53300)."""
    over = threading.Event()
    others = (
        "FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND application_name <> 'taker' AND pid <> pg_backend_pid()"
    )
    with ExitStack() as stack:
        first = stack.enter_context(psycopg.connect(url, autocommit=True))

        def take() -> None:
            while not over.is_set():
                with suppress(psycopg.OperationalError):
                    stack.enter_context(psycopg.connect(url, application_name="taker"))

        taking = threading.Thread(target=take)
        taking.start()
        try:
            while first.execute(f"SELECT count(pg_terminate_backend(pid)) {others}").fetchone() != (0,):
                time.sleep(0.2)  # whoever is quicker has it: again, until it is always somebody else
            yield
        finally:
            over.set()
            taking.join()


@contextmanager
def _crashing(server: str) -> Iterator[None]:
    """A backend is killed again and again, and with each the server ends all sessions and recovers."""
    over = threading.Event()
    postmaster = int((Path(server.split("host=")[1]) / "postmaster.pid").read_text().splitlines()[0])

    def crash() -> None:
        while not over.wait(0.5):
            with suppress(psutil.Error, ProcessLookupError):
                for child in psutil.Process(postmaster).children():
                    if "walwriter" in " ".join(child.cmdline()):
                        os.kill(child.pid, signal.SIGKILL)

    crashing = threading.Thread(target=crash)
    crashing.start()
    try:
        yield
    finally:
        over.set()
        crashing.join()


# --- where it happens --------------------------------------------------------------------------------------------


@contextmanager
def _small(place: Path, megabytes: int) -> Iterator[Path | None]:
    """A disk that is soon full; None where none may be mounted."""
    place.mkdir()
    mount = shutil.which("mount")
    words = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(place)]
    mounted = mount is not None and not subprocess.run([mount, *words], check=False, capture_output=True).returncode
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def _server(disk: Path | None) -> Iterator[str]:
    """PostgreSQL, its data on that disk."""
    usual = os.environ.get("TMPDIR")
    if disk is not None:
        os.environ["TMPDIR"] = str(disk)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(kept_server())
        finally:
            if usual is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = usual
        yield server


if __name__ == "__main__":
    for told in measure():
        print(f"{told.trouble}: {told.said()}", flush=True)
