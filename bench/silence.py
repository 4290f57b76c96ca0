"""Does status answer while others try to silence it? A real server, asked over HTTP by another process, this one.

Each figure stands beside that of a constant answer on the same interface in the same run: ratios count, absolute
figures are of the machine.
"""

import io
import json
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from openpyxl import Workbook

from app.processes import answers
from bench.revocation import percentile

PORT = 8496
HALVES, SILENT, SLOW = 50, 2_000, 200
ROWS = 60_000
CLIENTS = 4
_PATIENCE_SECONDS = 60.0
_READS = 2_048


@dataclass
class Asked:
    """What came of one question, asked again and again.

    Args:
        name: what was asked.
        seconds: for how long.
        times: milliseconds of each answer.
        failures: how often there was none.
    """

    name: str
    seconds: float
    times: list[float] = field(default_factory=list)
    failures: int = 0

    def said(self) -> str:
        """Return the figures in words."""
        if not self.times:
            return f"{self.name} silent"
        failed = f", {self.failures} failed" if self.failures else ""
        rate = len(self.times) / self.seconds
        return f"{self.name} {rate:.0f} a second, 99th {percentile(self.times, 99):.1f} ms{failed}"


@contextmanager
def served() -> Iterator[tuple[Path, dict[str, str]]]:
    """A TEST authority of its own; its home, and the API keys of its people."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "app.cli.main", "serve", "--test", "--home", str(home), "--port", str(PORT)]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                deadline = time.monotonic() + _PATIENCE_SECONDS
                while not answers("127.0.0.1", PORT, "/readyz"):
                    if time.monotonic() > deadline:
                        raise TimeoutError("it did not become ready")
                    time.sleep(0.1)
                yield home, {each: (home / "demo" / f"{each}.key").read_text().strip() for each in ("dcc", "panel")}
            finally:
                server.terminate()


def measure(seconds: float) -> Iterator[tuple[str, list[Asked]]]:
    """Ask in peace, and then in each kind of trouble; yield what the trouble was and what was answered."""
    with served() as (home, keys):
        questions = _questions(keys["dcc"])
        yield "nobody else", ask(questions, seconds)
        troubles: tuple[tuple[str, Callable[[], AbstractContextManager[None]]], ...] = (
            (f"{HALVES} half-sent bodies on each address", lambda: _held(_halves(keys["dcc"]))),
            (f"{SILENT} silent connections", lambda: _held([b""] * SILENT)),
            (f"{SLOW} readers that do not read", lambda: _held([_get("/openapi.json") * 8] * SLOW)),
            ("a write lock on the store", lambda: _locked(home)),
            (f"a workbook of {ROWS} rows", lambda: _workbook(keys["panel"])),
        )
        for name, trouble in troubles:
            with trouble():
                yield name, ask(questions, seconds)


def ask(questions: dict[str, bytes], seconds: float) -> list[Asked]:
    """Ask each question for so many seconds, from several clients at once."""
    return [_ask(name, octets, seconds) for name, octets in questions.items()]


def _ask(name: str, octets: bytes, seconds: float) -> Asked:
    asked = Asked(name, seconds)
    until = time.perf_counter() + seconds

    def run() -> None:
        client: socket.socket | None = None
        while time.perf_counter() < until:
            begun = time.perf_counter()
            try:
                client = client or socket.create_connection(("127.0.0.1", PORT), timeout=2)
                client.sendall(octets)
                _answer(client)
            except OSError:
                asked.failures += 1
                if client is not None:
                    client.close()
                client = None
            else:
                asked.times.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return asked


def _answer(client: socket.socket) -> None:
    read = b""
    while b"\r\n\r\n" not in read:
        octets = client.recv(65_536)
        if not octets:
            raise ConnectionError
        read += octets
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        octets = client.recv(65_536)
        if not octets:
            raise ConnectionError
        body += octets
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError


def _questions(key: str) -> dict[str, bytes]:
    verifying = json.dumps({"serial": "5F3A"}).encode()
    return {
        "constant": _get("/healthz"),
        "verification": _post("/v1/verify", verifying, f"Authorization: Bearer {key}\r\n"),
        "OCSP": _post("/ocsp", bytes.fromhex("3000")),
    }


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def _post(path: str, body: bytes, fields: str = "", *, length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {announced}\r\n\r\n"
    return head.encode() + body


def _halves(key: str) -> list[bytes]:
    described = httpx.get(f"http://127.0.0.1:{PORT}/openapi.json", trust_env=False).json()
    fields = f"Content-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
    return [
        _post("/".join("x" if part.startswith("{") else part for part in path.split("/")), b"{", fields, length=30)
        for path, operations in described["paths"].items()
        if "requestBody" in operations.get("post", {})
        for _ in range(HALVES)
    ]


@contextmanager
def _held(each: list[bytes]) -> Iterator[None]:
    """Connections that have sent so much and neither send nor read more."""
    with ExitStack() as stack:
        for octets in each:
            client = stack.enter_context(socket.socket())
            client.settimeout(2)
            try:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _READS)
                client.connect(("127.0.0.1", PORT))
                client.sendall(octets)
            except OSError:
                continue  # who is not let in holds nothing
        yield


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    holding = sqlite3.connect(home / "store.sqlite", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    with _busy(lambda: httpx.get(f"http://127.0.0.1:{PORT}/readyz", timeout=1, trust_env=False)):
        yield
    holding.execute("ROLLBACK")
    holding.close()


@contextmanager
def _workbook(key: str) -> Iterator[None]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Device Model", "Manufacturer", "Firmware Version", "CPA Certificate"])
    for number in range(ROWS):
        sheet.append([f"{number:08X}", "AB01", "0002012F", f"C{number}"])
    octets = io.BytesIO()
    book.save(octets)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    fields = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    address = f"http://127.0.0.1:{PORT}/v1/cpl/reconciliations"
    with _busy(lambda: httpx.post(address, content=octets.getvalue(), headers=fields, timeout=300, trust_env=False)):
        time.sleep(0.5)
        yield


@contextmanager
def _busy(act: Callable[[], object]) -> Iterator[None]:
    """Somebody who does it over and over meanwhile."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                act()
            except httpx.HTTPError:
                continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    over.set()
