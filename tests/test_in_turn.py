"""Writers wait in turn: first come, first served, and nobody for longer than is promised."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from store import transactions
from store.in_turn import Line
from store.transactions import Store, sqlite_url

PATIENCE = 20.0


def _waiting(line: Line, number: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(line._waiting) != number:
        assert time.monotonic() < until, "nobody came"
        time.sleep(0.001)


def _started(run: object, *given: object) -> threading.Thread:
    thread = threading.Thread(target=run, args=given)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_who_came_first_is_first() -> None:
    line, came = Line(), list[int]()

    def come(number: int) -> None:
        with line.turn(PATIENCE) as turn:
            assert turn is not None
            came.append(number)

    with line.turn(PATIENCE):
        threads = []
        for number in range(8):
            threads.append(_started(come, number))
            _waiting(line, number + 1)
        assert came == []
    for thread in threads:
        thread.join(PATIENCE)
    assert came == list(range(8))


def test_whoever_waited_too_long_goes_and_is_not_waited_for() -> None:
    line, came = Line(), list[str]()

    def come(name: str, seconds: float) -> None:
        with line.turn(seconds) as turn:
            came.append(name if turn is not None else f"{name} went")

    with line.turn(PATIENCE):
        hasty = _started(come, "hasty", 0.02)
        _waiting(line, 1)
        patient = _started(come, "patient", PATIENCE)
        hasty.join(PATIENCE)
        assert came == ["hasty went"]
    patient.join(PATIENCE)
    with line.turn(0.0) as turn:
        assert turn is not None
        assert turn.left == 0.0
    assert came == ["hasty went", "patient"]


def test_a_turn_is_passed_on_whatever_happens_in_it() -> None:
    line = Line()
    with pytest.raises(KeyError), line.turn(PATIENCE):
        raise KeyError
    with line.turn(0.0) as turn:
        assert turn is not None
        turn.over()
        with line.turn(0.0) as next_one:
            assert next_one is not None
            turn.over()
            with line.turn(0.0) as nobody:  # a turn ends its own only, and once
                assert nobody is None


def _store(folder: Path) -> Store:
    store = Store(sqlite_url(folder / "store.sqlite"))
    with store.begin("table") as tx:
        tx.connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS written (who INTEGER)")
    return store


def test_many_writers_of_a_process_write_evenly(tmp_path: Path) -> None:
    """As often as the others, but for one turn: without a line one of them wrote as often as all others together."""
    store, each = _store(tmp_path), 25
    ready, seen = threading.Barrier(4), list[int]()

    def write(who: int) -> None:
        ready.wait(PATIENCE)
        for _ in range(each):
            with store.begin("write") as tx:
                tx.connection.exec_driver_sql(f"INSERT INTO written VALUES ({who})")
                seen.append(who)
                until = time.monotonic() + PATIENCE
                while len(store._line._waiting) < 3 - done.count(True) and time.monotonic() < until:
                    time.sleep(0.0005)
        done.append(True)

    done = list[bool]()
    for thread in [_started(write, who) for who in range(4)]:
        thread.join(PATIENCE)
    store.close()
    rounds = [set(seen[place : place + 4]) for place in range(0, len(seen), 4)]
    assert rounds == [{0, 1, 2, 3}] * each


def test_what_another_process_writes_is_waited_for_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _store(tmp_path)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ends = threading.Timer(0.05, other.execute, ["ROLLBACK"])
    ends.start()
    with store.begin("waits"):
        assert not other.in_transaction
    monkeypatch.setattr(transactions, "BUSY_TIMEOUT_SECONDS", 0.05)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable), store.begin("gives up"):
        pass
    assert time.monotonic() - began < PATIENCE / 2
    other.close()
    with store.begin("goes on") as tx:  # the line is open, and the connection as patient as before
        assert tx.connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 50
    store.close()


def test_a_writer_that_others_keep_waiting_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, told = _store(tmp_path), list[StoreUnavailable]()

    def write() -> None:
        with pytest.raises(StoreUnavailable) as error, store.begin("gives up"):
            pass
        told.append(error.value)

    monkeypatch.setattr(transactions, "BUSY_TIMEOUT_SECONDS", 0.05)
    with store.begin("long"):
        _started(write).join(PATIENCE)
    assert len(told) == 1
    store.close()
