"""Several web processes on one port: one that dies is started again alone, and all stop together."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import several
from app.settings import FILE_NAME, changed, load, template
from app.web import memory_place
from core.clock import SystemClock
from front.server import Front


class Started:
    """Processes that do nothing, in place of web's."""

    def __init__(self, code: str = "import sys; sys.stdin.read()") -> None:
        self.code = code
        self.all: list[tuple[int, subprocess.Popen[bytes]]] = []
        self.late: list[bool] = []

    def __call__(self, _home: Path, number: int, *, late: bool) -> "subprocess.Popen[bytes]":
        self.late.append(late)
        child = subprocess.Popen([sys.executable, "-c", self.code], stdin=subprocess.PIPE)
        self.all.append((number, child))
        return child


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_dies_is_started_again_alone_and_all_stop_together(monkeypatch: pytest.MonkeyPatch) -> None:
    started, stopping, told, ended = Started(), threading.Event(), list[str](), list[int]()
    monkeypatch.setattr(several, "_started", started)
    monkeypatch.setattr(several, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(several, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(several, "RESTART_SECONDS", 0.01)
    keeping = threading.Thread(
        target=lambda: ended.append(several.keep_several(Path("/nowhere"), 3, stopping, told.append))
    )
    keeping.start()
    until(lambda: len(started.all) == 3)
    os.kill(started.all[1][1].pid, signal.SIGKILL)
    until(lambda: len(started.all) == 4)
    assert [number for number, _ in started.all] == [1, 2, 3, 2]
    assert started.late == [False, True, True, True], "nobody comes to one that cannot answer while others can"
    assert told == ["web process 2 of 3 ended with -9 and is started again"]
    assert [child.poll() for _, child in started.all] == [None, -9, None, None]
    stopping.set()
    keeping.join(20)
    assert ended == [0]
    assert all(child.poll() is not None for _, child in started.all)


def test_what_is_wrong_from_the_beginning_stays_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started("raise SystemExit(3)")
    monkeypatch.setattr(several, "_started", started)
    assert several.keep_several(Path("/nowhere"), 2, threading.Event(), list[str]().append) == 3
    assert len(started.all) == 2
    assert all(child.poll() is not None for _, child in started.all)


def test_each_listens_for_itself_where_all_do() -> None:
    async def both() -> None:
        fronts = [Front(object(), {}, SystemClock()) for _ in range(2)]  # type: ignore[arg-type]
        first = await fronts[0].listen("127.0.0.1", 0, shared=True)
        port = first.sockets[0].getsockname()[1]
        second = await fronts[1].listen("127.0.0.1", port, shared=True)
        for each in (first, second):
            each.close()

    asyncio.run(both())


def test_each_has_files_of_its_own(tmp_path: Path) -> None:
    text = template(store_url="sqlite:///x", port=8470, passphrase="prompt", longest_trial_days=731)
    (tmp_path / FILE_NAME).write_text(changed(text, "web", "workers", "3"))
    settings = load(tmp_path)
    assert (settings.web_workers, settings.web_worker) == (3, 0)
    places = [memory_place(replace(settings, web_worker=number)) for number in (1, 2, 3)]
    assert len(set(places)) == 3
    assert places[0] == memory_place(settings), "the first goes on with the files of one that was alone"
