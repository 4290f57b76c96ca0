"""Does status answer while others try to silence it? A real service, asked over HTTP directly and through nginx.

Verification by approval and OCSP by POST are asked at a steady pace, each from addresses of their own, while somebody
else half-sends, says nothing, does not read, imports workbooks, locks the register or stops PostgreSQL. The figures
of a quiet run stand beside them.
"""

import io
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from openpyxl import Workbook

from bench.asking import Answers, Question, ask, get, post
from bench.attackers import Attack, attacking
from bench.serving import Service, application, folder, granted, serving
from intake.workbook import MOST_ROWS
from tests.frozen import frozen
from tests.nginx_world import nginx
from tests.postgresql import kept_server
from tests.world import csr_pem

HALVES, SILENT, SLOW = 50, 2_000, 200
ROWS = 60_000
EACH_SECOND = 50.0
"""How often each question is asked; four of them at once."""

WRITERS = 16
MAX_AGE_SECONDS = 20
"""In one run, how old the snapshot may be that is answered from; 600 if nobody says otherwise."""

_BURST_SECONDS = 1.0
"""A thousand connections at one instant are let in one after the other, and whoever is new waits behind them: up to
0.3 s. It is not counted; that they come again whenever they are let go, each 10 s, is."""

_PEOPLE = "127.0.0.1"


@dataclass(frozen=True)
class Row:
    """One trouble: what it was, what status answered meanwhile, and what those saw who made it."""

    trouble: str
    answers: Sequence[Answers]
    besides: str = ""

    def said(self) -> str:
        """Return the figures in words."""
        return "; ".join([*(each.figures() for each in self.answers), *([self.besides] if self.besides else [])])


def measure(share: int) -> Iterator[Row]:
    """Ask in peace and in each kind of trouble; one part in `share` of the time."""
    with folder() as made:
        (made / "s").mkdir()
        with _house(made / "s", "") as (service, questions, doors):
            yield from _crowded(service, questions, doors, 20 / share)
            yield _writing(service, questions, "a write lock on SQLite", lambda: _locked(service.home), 60 / share)
    with folder() as made, kept_server() as server:
        for name in ("p", "q"):
            (made / name).mkdir()
            with psycopg.connect(server.format("postgres"), autocommit=True) as operator:
                operator.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with _house(made / "p", server.format("p")) as (service, questions, _):
            yield Row("nobody else, on PostgreSQL", ask(questions, 20 / share, EACH_SECOND))
            lock = "LOCK TABLE journal, approvals IN ACCESS EXCLUSIVE MODE"
            trouble = "a lock on PostgreSQL's journal and approvals, for readers too"
            yield _writing(service, questions, trouble, lambda: _held(server.format("p"), lock), 60 / share)
            yield _writing(service, questions, "PostgreSQL stopped", lambda: frozen(server), 60 / share)
        with _house(made / "q", server.format("q"), MAX_AGE_SECONDS) as (service, questions, _):
            trouble = f"PostgreSQL stopped, and a snapshot may be {MAX_AGE_SECONDS} s old"
            yield _writing(service, questions, trouble, lambda: frozen(server), 2 * MAX_AGE_SECONDS)
            time.sleep(3)
            yield Row("afterwards", ask(questions, 5, EACH_SECOND))


@contextmanager
def _house(
    home: Path, store_url: str, max_age: int = 600
) -> Iterator[tuple[Service, list[Question], dict[str, tuple[int, bool]]]]:
    """A service behind nginx and open beside it; what is asked of it; and its doors: port, and whether it is TLS."""
    settings = {"web": {"proxies": f'["{_PEOPLE}"]', "status_max_age_seconds": str(max_age)}}
    (home / "nginx").mkdir()
    with (
        serving(home / "home", store_url=store_url, settings=settings) as service,
        nginx(home / "nginx", service.port) as (plain, secure),
    ):
        approval, request = granted(service)
        key = f"Authorization: Bearer {service.keys['dcc']}\r\nContent-Type: application/json\r\n"
        verifying = post("/v1/verify", json.dumps({"approval": approval}).encode(), key)
        ocsp = post("/ocsp", request, "Content-Type: application/ocsp-request\r\n")
        questions = [
            Question("directly: verification", service.port, verifying, source="127.0.2.1"),
            Question("OCSP", service.port, ocsp, source="127.0.2.2"),
            Question("through nginx: verification", secure, verifying, tls=True, source="127.0.2.3"),
            Question("OCSP", plain, ocsp, source="127.0.2.4"),
        ]
        yield service, questions, {"web": (service.port, False), "nginx": (secure, True)}


def _crowded(
    service: Service, questions: list[Question], doors: Mapping[str, tuple[int, bool]], seconds: float
) -> Iterator[Row]:
    yield Row("nobody else, on SQLite", ask(questions, seconds, EACH_SECOND))
    halves = _halves(service)
    for door, (port, tls) in doors.items():
        for name, sent in (
            (f"{HALVES} half-sent bodies on each of {len(halves)} addresses", halves * HALVES),
            (f"{SILENT} silent connections", [""] * SILENT),
            (f"{SLOW} readers that do not read", [get("/openapi.json").decode() * 8] * SLOW),
        ):
            with attacking(Attack(port, tls, sent)) as held:
                time.sleep(_BURST_SECONDS)
                yield Row(f"{name}, at {door}", ask(questions, seconds, EACH_SECOND), f"{held} held at first")
    besides: Counter[str] = Counter()
    with _workbooks(service, besides):
        answers = ask(questions, 2 * seconds, EACH_SECOND)
    yield Row(f"workbooks of {ROWS} and {MOST_ROWS - 1} rows imported", answers, _counted(besides))


def _halves(service: Service) -> list[str]:
    described = service.call("dcc", "GET", "/openapi.json").json()
    found = []
    for path, operations in described["paths"].items():
        filled = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        for method, operation in operations.items():
            if "requestBody" in operation:
                kind = next(iter(operation["requestBody"]["content"]))
                fields = f"Content-Type: {kind}\r\nAuthorization: Bearer {service.keys['dcc']}\r\n"
                whole = post(filled, b"{", fields, length=30).decode()
                found.append(whole.replace("POST", method.upper(), 1))
    return found


def _writing(
    service: Service,
    questions: list[Question],
    trouble: str,
    begin: Callable[[], AbstractContextManager[None]],
    seconds: float,
) -> Row:
    """Ask while there is a trouble, and more people write than there are workers."""
    besides: Counter[str] = Counter()
    csr = csr_pem().decode()
    with begin(), _busy(WRITERS, lambda: _applied(service, csr, besides)):
        answers = ask(questions, seconds, EACH_SECOND)
    return Row(f"{trouble}, {seconds:.0f} s, {WRITERS} writers", answers, _counted(besides))


def _counted(besides: Counter[str]) -> str:
    return "beside them " + ", ".join(f"{count} × {said}" for said, count in sorted(besides.items()))


def _applied(service: Service, csr: str, besides: Counter[str]) -> None:
    begun = time.perf_counter()
    try:
        status = str(service.call("manufacturer", "POST", "/v1/applications", application(csr, "BENCH")).status_code)
    except httpx.HTTPError:
        status = "silence"
    besides[f"{status} within {max(1, round(time.perf_counter() - begun))} s"] += 1
    time.sleep(0.2)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with closing(sqlite3.connect(home / "store.sqlite", isolation_level=None, timeout=30)) as holding:
        holding.execute("BEGIN IMMEDIATE")
        yield
        holding.execute("ROLLBACK")


@contextmanager
def _held(url: str, lock: str) -> Iterator[None]:
    with psycopg.connect(url) as holding:
        holding.execute(lock)
        yield
        holding.rollback()


@contextmanager
def _workbooks(service: Service, besides: Counter[str]) -> Iterator[None]:
    """Somebody who has lists compared, one after the other: one as long as may be, and one that is too long."""
    books = [_book(ROWS), _book(MOST_ROWS - 1)]
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    fields = {"Authorization": f"Bearer {service.keys['panel']}", "Content-Type": kind}
    address = f"http://127.0.0.1:{service.port}/v1/cpl/reconciliations"

    def compare() -> None:
        for book in books:
            begun = time.perf_counter()
            sent = httpx.post(address, content=book, headers=fields, timeout=300, trust_env=False)
            besides[f"{sent.status_code} within {time.perf_counter() - begun:.0f} s"] += 1

    with _busy(1, compare):
        yield


def _book(rows: int) -> bytes:
    """A list of trials that nobody has heard of: every line of it is told back."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Approval", "Trial", "Expiry", "Manufacturer", "Model", "Firmware Version"])
    for number in range(rows):
        sheet.append([f"TRIAL-{number}", "TRIAL", "2030-01-01", "AB01", f"{number:08X}", "0002012F"])
    octets = io.BytesIO()
    book.save(octets)
    return octets.getvalue()


@contextmanager
def _busy(count: int, act: Callable[[], object]) -> Iterator[None]:
    """People who do it over and over meanwhile."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            act()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            each.join()
