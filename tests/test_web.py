"""The web process listens before its register answers, and ends when what runs beside it does."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.refusals import RefusalLog
from app.cli import serving
from app.processes import answers, told_ready, what_is_not_ready
from app.settings import FILE_NAME, Settings, load
from app.web import Inside, serve_web
from core.errors import HomeMissing, StoreUnavailable
from front.server import Front
from tests.front_world import Toy


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / FILE_NAME).write_text("")
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return replace(load(tmp_path), port=tried.getsockname()[1])


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A register that does not answer until it is let; then a toy is behind the front."""
    answers_now = threading.Event()

    def make(_: Settings) -> Inside:
        if not answers_now.is_set():
            raise StoreUnavailable
        return Inside(Toy(), (RefusalLog(),))

    monkeypatch.setattr("app.web.make_inside", make)
    monkeypatch.setattr("app.web.garbage.only_young", lambda: None)
    monkeypatch.setattr(serving, "_WAITING_SECONDS", 0.02)
    yield answers_now
    answers_now.set()


def meanwhile(does: Callable[[], Any]) -> list[Any]:
    """Have something done by a thread, and then a signal come; what it returned is in the list afterwards."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(does())
        except AssertionError as error:
            done.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=run).start()
    return done


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true()


def test_it_is_alive_and_says_why_it_is_not_ready_before_the_register_answers(
    settings: Settings, silent: threading.Event
) -> None:
    at = (settings.host, settings.port)

    def ask() -> list[Any]:
        until(lambda: answers(*at, "/healthz"))
        told = [what_is_not_ready(*at), answers(*at, "/now"), told_ready(*at, "")]
        silent.set()
        until(lambda: answers(*at, "/now"))
        return told

    done = meanwhile(ask)
    serve_web(settings, serving._opened)
    ((left, answered, ready),) = done
    assert left == ["The register has not answered since this process began."]
    assert not answered
    assert ready is not None
    assert not ready.ready


def test_it_stops_while_the_register_is_silent(settings: Settings, silent: threading.Event) -> None:
    done = meanwhile(lambda: until(lambda: answers(settings.host, settings.port, "/healthz")))
    serve_web(settings, serving._opened)
    assert done == [None]
    assert not silent.is_set()


def test_what_is_wrong_with_its_home_ends_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Settings) -> Inside:
        raise HomeMissing(path=settings.home)

    monkeypatch.setattr("app.web.make_inside", missing)
    with pytest.raises(HomeMissing):
        serve_web(settings, serving._opened)


def test_nothing_that_runs_beside_ends_unnoticed(
    settings: Settings, silent: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def watch(_: Front) -> None:
        await asyncio.sleep(0.05)
        raise KeyError("this")

    silent.set()
    monkeypatch.setattr(Front, "watch", watch)
    with pytest.raises(KeyError, match="this"):
        serve_web(settings, serving._opened)


def test_its_supervisor_can_end_it_before_anything_else(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(serving, "end_with_supervisor", lambda _: order.append("supervisor"))
    monkeypatch.setattr("app.web.serve_web", lambda *_: order.append("serve"))
    serving._run_web(settings, supervised=True)
    assert order == ["supervisor", "serve"]
