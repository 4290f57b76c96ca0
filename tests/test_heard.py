"""Whoever follows the store hears of a commit at once, whoever made it, and of nothing that was not committed."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import StoreUnavailable
from core.kinds import ProcessRole
from store import hearing
from store.hearing import BLIND_SECONDS, Hearing
from store.sqlite_listening import Versions
from store.transactions import Store
from store.verbs import watching
from tests.status_world import NOON, SECOND

GO_ON = threading.Event()
"""Set by nobody: nothing is to stop."""

SOON, LONG = 2.0, 0.4
"""Seconds: in which what is told has come on the busiest machine, and in which nothing comes if nothing was done."""


@pytest.fixture
def store_url(store_kind: str, store_copy: Callable[[str], str]) -> str:
    return store_copy(store_kind)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store(store_url)
    yield opened
    opened.close()


@contextmanager
def followed(store: Store) -> Iterator[Hearing]:
    found = store.hearing()
    try:
        quiet(found)
        yield found
    finally:
        found.close()


def quiet(found: Hearing) -> None:
    """Wait until it hears, and has told of what was before."""
    until = time.monotonic() + 20
    while found.wait(LONG, GO_ON):
        assert time.monotonic() < until


COUNTED = count()


def write(store: Store) -> None:
    with store.begin("sign of life") as tx:
        watching.live(tx, ProcessRole.WEB, at=NOON + next(COUNTED) * SECOND)


def write_and_fail(store: Store) -> None:
    with store.begin("sign of life") as tx:
        watching.live(tx, ProcessRole.WEB, at=NOON + next(COUNTED) * SECOND)
        raise ZeroDivisionError


def test_a_commit_of_anybody_is_heard_and_nothing_else_is(store: Store, store_url: str) -> None:
    other = Store(store_url)
    with followed(store) as found:
        for writer in (store, other, other):
            write(writer)
            assert found.wait(SOON, GO_ON)
        quiet(found)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(other)
        with other.read() as tx:
            tx.connection.execute(text("SELECT 1"))
        assert not found.wait(LONG, GO_ON)
    other.close()


def test_many_commits_are_told_once_and_none_is_lost(store: Store) -> None:
    with followed(store) as found:
        for _ in range(20):
            write(store)
        assert found.wait(SOON, GO_ON)
        quiet(found)


def test_a_wait_ends_when_one_is_to_stop(store: Store) -> None:
    stopping = threading.Event()
    with followed(store) as found:
        threading.Timer(0.1, stopping.set).start()
        began = time.monotonic()
        assert not found.wait(30, stopping)
        assert time.monotonic() - began < SOON


class Deaf:
    """A connection that hears for as long as nobody cuts it."""

    def __init__(self, cut: threading.Event) -> None:
        self._cut = cut

    def heard(self) -> bool:
        if self._cut.wait(0.01):
            raise StoreUnavailable
        return False

    def close(self) -> None:
        pass


def test_who_hears_nothing_looks_often_and_listens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "_FIRST_PAUSE", 0.01)
    cut, tried = threading.Event(), list[float]()

    def listen() -> Deaf:
        tried.append(time.monotonic())
        if cut.is_set():
            raise StoreUnavailable
        return Deaf(cut)

    found = Hearing(listen)
    quiet(found)
    assert len(tried) == 1
    cut.set()
    assert found.wait(30, GO_ON)  # it may have missed something from here on
    began = time.monotonic()
    assert found.wait(30, GO_ON)
    assert time.monotonic() - began < BLIND_SECONDS + SOON
    while len(tried) < 5:
        found.wait(30, GO_ON)
    pauses = [later - earlier for earlier, later in pairwise(tried[1:])]
    assert pauses[-1] > pauses[0]  # a register that is gone is not asked without end
    cut.clear()
    quiet(found)
    found.close()


def test_a_register_that_is_gone_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreUnavailable):
        Versions(str(tmp_path / "none" / "register.db"))
    heard = Versions(str(tmp_path / "register.db"))
    monkeypatch.setattr(heard, "_connection", Broken())
    with pytest.raises(StoreUnavailable):
        heard.heard()


class Broken:
    def execute(self, _: str) -> None:
        raise sqlite3.OperationalError


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_a_session_that_the_server_ends_is_made_anew(store: Store) -> None:
    with followed(store) as found:
        with store.begin("sign of life") as tx:
            tx.connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            )
        quiet(found)
        write(store)
        assert found.wait(SOON, GO_ON)
    until = time.monotonic() + 20  # a server sees a moment later that a client has gone
    while listening(store):
        assert time.monotonic() < until


def listening(store: Store) -> int:
    with store.read() as tx:
        left = tx.connection.execute(
            text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
        )
        return int(left.scalar_one())
