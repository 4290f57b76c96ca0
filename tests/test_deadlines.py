"""Every use of the store ends in time; a database that is frozen, read-only or full is told so, and forgiven."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from api import problems
from core.errors import OutcomeUnknown, StoreUnavailable
from store import postgresql
from store.postgresql import CONNECT_SECONDS, GRACE_SECONDS, IDLE_SECONDS, STATEMENT_SECONDS, Deadlined
from store.tables import organisations
from store.transactions import WHOLE_SECONDS, Store, sqlite_url
from tests.frozen import frozen
from tests.world import NOW, World

SLACK = 5.0
"""Seconds: a busy machine is no fault of the code."""

postgresql_only = pytest.mark.parametrize("store_kind", ["postgresql"])
sqlite_only = pytest.mark.parametrize("store_kind", ["sqlite"])


def add(store: Store, name: str) -> None:
    with store.begin("add") as tx:
        tx.connection.execute(insert(organisations).values(id=name, name=name, created_at=NOW))


def names(store: Store) -> set[str]:
    with store.read() as tx:
        return set(tx.connection.execute(select(organisations.c.id)).scalars())


@contextmanager
def refused_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as told:
        yield
    assert time.monotonic() - began < seconds + SLACK
    status, _ = problems.problem(told.value)
    assert status == 503
    assert "Retry-After" in dict(problems.headers(status))


# --- frozen -------------------------------------------------------------------------------------------------------


@postgresql_only
@pytest.mark.parametrize("patience", [1.0, pytest.param(None, marks=pytest.mark.long)])
def test_a_frozen_server_is_waited_for_no_longer_than_said_and_used_again_when_it_wakes(
    world: World, postgresql_server: str, patience: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if patience is not None:
        monkeypatch.setattr(Deadlined, "patience", patience)
    assert Deadlined.patience is not None
    before = names(world.store)  # there is a connection, which looks alive
    with frozen(postgresql_server):
        with refused_within(Deadlined.patience + CONNECT_SECONDS):
            names(world.store)
        with refused_within(CONNECT_SECONDS):  # nobody waits for a connection of which another has found out
            add(world.store, "org-frozen")
    assert names(world.store) == before
    add(world.store, "org-woken")
    assert names(world.store) == before | {"org-woken"}


@postgresql_only
def test_a_commit_that_a_frozen_server_does_not_answer_is_not_said_to_have_failed(
    world: World, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deadlined, "patience", 1.0)

    def commit(freezing: ExitStack) -> None:
        with world.store.begin("half") as tx:
            tx.connection.execute(insert(organisations).values(id="org-half", name="Half", created_at=NOW))
            freezing.enter_context(frozen(postgresql_server))

    with ExitStack() as freezing, pytest.raises(OutcomeUnknown):
        commit(freezing)
    until = time.monotonic() + SLACK
    while "org-half" not in names(world.store):  # the question was with the server, which has answered it since
        assert time.monotonic() < until
        time.sleep(0.05)


@postgresql_only
def test_whoever_rests_in_a_writing_transaction_loses_it_and_its_locks(world: World) -> None:
    change = text("UPDATE organisations SET name = :name WHERE id = 'org-acme'")
    other = Store(world.url)
    began = time.monotonic()

    def rest() -> None:
        with world.store.begin("rests") as tx:
            tx.connection.execute(change, {"name": "Too late"})
            with other.begin("waits") as waiting:
                waiting.connection.execute(change, {"name": "In time"})

    with pytest.raises(StoreUnavailable) as told:
        rest()
    assert IDLE_SECONDS - 1 < time.monotonic() - began < IDLE_SECONDS + SLACK
    assert not isinstance(told.value, OutcomeUnknown)
    with other.read() as tx:
        assert tx.connection.execute(text("SELECT name FROM organisations WHERE id = 'org-acme'")).scalar() == "In time"
    other.close()
    add(world.store, "org-after")


@postgresql_only
def test_each_kind_of_use_has_its_deadlines(world: World) -> None:
    def told(connection: object, name: str) -> str:
        return str(connection.execute(text(f"SHOW {name}")).scalar())  # type: ignore[attr-defined]

    idle, statement = "idle_in_transaction_session_timeout", "statement_timeout"
    with world.store.begin("looks") as tx:
        assert told(tx.connection, idle) == f"{IDLE_SECONDS}s"
        assert told(tx.connection, statement) == f"{STATEMENT_SECONDS}s"
        assert told(tx.connection, "lock_timeout") == f"{postgresql.LOCK_SECONDS}s"
    with world.store.read(whole=True) as tx:
        assert told(tx.connection, statement) == f"{WHOLE_SECONDS // 60}min"
        assert postgresql._driver(tx.connection).patience == WHOLE_SECONDS + GRACE_SECONDS
    with world.store.read() as tx:
        assert told(tx.connection, statement) == f"{STATEMENT_SECONDS}s"
        assert told(tx.connection, idle) == f"{postgresql.READING_IDLE_SECONDS // 60}min"
        assert postgresql._driver(tx.connection).patience == STATEMENT_SECONDS + GRACE_SECONDS
        # Over a socket of this machine the server has no keepalive, and says 0.
        assert psycopg.conninfo.conninfo_to_dict(postgresql._driver(tx.connection).info.dsn)["tcp_user_timeout"]
    with world.store.migration_connection() as connection:
        assert told(connection, statement) == told(connection, idle) == "0"
        assert postgresql._driver(connection).patience is None


@postgresql_only
@pytest.mark.long
def test_a_statement_and_a_lock_end_in_time(world: World) -> None:
    with refused_within(STATEMENT_SECONDS), world.store.read() as tx:
        tx.connection.execute(text("SELECT pg_sleep(60)"))
    other = Store(world.url)
    with world.store.begin("holds") as tx:
        tx.connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        tx.connection.execute(text("LOCK organisations"))
        with refused_within(postgresql.LOCK_SECONDS):
            names(other)
    other.close()


# --- read-only ----------------------------------------------------------------------------------------------------


@postgresql_only
def test_a_session_born_read_only_is_dropped_and_the_next_one_writes(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as operator:
        found = operator.execute("SELECT quote_ident(current_database())").fetchone()
        assert found is not None
        operator.execute(f"ALTER DATABASE {found[0]} SET default_transaction_read_only = on")
        store = Store(world.url)
        before = names(store)
        with refused_within(0):
            add(store, "org-refused")
        operator.execute(f"ALTER DATABASE {found[0]} RESET default_transaction_read_only")
        add(store, "org-taken")
        assert names(store) == before | {"org-taken"}
        store.close()


@postgresql_only
def test_whoever_writes_where_it_may_only_read_is_at_fault_and_not_the_database(world: World) -> None:
    with pytest.raises(DBAPIError), world.store.read() as tx:
        tx.connection.execute(insert(organisations).values(id="org-x", name="X", created_at=NOW))


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody whom a file's mode binds."""
    us = os.geteuid()
    if us == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(us)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may walk to and write in; pytest's own are for one user."""
    folder = Path(tempfile.mkdtemp(prefix="open-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@sqlite_only
def test_a_file_opened_read_only_is_opened_again(world: World, open_folder: Path) -> None:
    path = open_folder / "store.sqlite"
    shutil.copy(world.url.removeprefix("sqlite:///"), path)
    path.chmod(0o444)
    store = Store(sqlite_url(path))
    with nobody():
        before = names(store)  # by a connection that fell back to reading only
        with refused_within(0):
            add(store, "org-refused")
    for each in open_folder.iterdir():
        each.chmod(0o666)
    with nobody():
        add(store, "org-taken")
        assert names(store) == before | {"org-taken"}
        store.close()


# --- full ---------------------------------------------------------------------------------------------------------


def fill(store: Store, rows: int) -> None:
    with store.begin("fill") as tx:
        for number in range(rows):
            filler = {"id": f"org-{number:090}", "name": f"{number:090}", "created_at": NOW}
            tx.connection.execute(insert(organisations).values(**filler))


@sqlite_only
def test_a_full_file_is_told_and_written_again_when_there_is_room(world: World) -> None:
    before = names(world.store)
    with world.store.read() as tx:  # the connection that the next one to write will have
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with refused_within(0):
        fill(world.store, 2_000)
    assert names(world.store) == before
    fill(world.store, 2_000)  # by a connection that knows of no such limit


DISK_OCTETS = 24 << 20


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Path]:
    """A real file system with little room."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_OCTETS},mode=777", "tmpfs", open_folder], check=True)
    yield open_folder
    subprocess.run(["umount", "--lazy", open_folder], check=True)


@contextmanager
def no_room(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert shutil.disk_usage(disk).free == 0
    yield
    filler.unlink()


@sqlite_only
def test_a_file_on_a_full_disk_is_told_and_written_again(world: World, small_disk: Path) -> None:
    shutil.copy(world.url.removeprefix("sqlite:///"), small_disk / "store.sqlite")
    store = Store(sqlite_url(small_disk / "store.sqlite"))
    before = names(store)
    with no_room(small_disk):
        for _ in range(2):
            with refused_within(0):
                fill(store, 2_000)
        assert names(store) == before
    fill(store, 2_000)
    store.close()


@postgresql_only
def test_a_table_on_a_full_disk_is_told_and_written_again(
    world: World, postgresql_server: str, small_disk: Path
) -> None:
    server = Path(postgresql_server.split("host=")[1])
    os.chown(small_disk, server.stat().st_uid, server.stat().st_gid)
    space = f"small_{secrets.token_hex(4)}"
    with psycopg.connect(world.url, autocommit=True) as operator:
        operator.execute(f"CREATE TABLESPACE {space} LOCATION '{small_disk}'")
        operator.execute(f"ALTER TABLE organisations SET TABLESPACE {space}")
        before = names(world.store)
        with no_room(small_disk), refused_within(0):
            fill(world.store, 5_000)
        assert names(world.store) == before
        fill(world.store, 5_000)
        operator.execute("ALTER TABLE organisations SET TABLESPACE pg_default")
        operator.execute(f"DROP TABLESPACE {space}")


@postgresql_only
def test_a_server_without_room_for_its_own_files_is_told_and_its_session_dropped(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as operator:
        found = operator.execute("SELECT quote_ident(current_database())").fetchone()
        assert found is not None
        operator.execute(f"ALTER DATABASE {found[0]} SET temp_file_limit = '64kB'")
        store = Store(world.url)
        sorts = text("SELECT count(*) FROM (SELECT g FROM generate_series(1, 300000) AS g ORDER BY -g) AS sorted")
        small = text("SET LOCAL work_mem = '64kB'")
        with refused_within(0), store.begin("sorts") as tx:
            tx.connection.execute(small)
            tx.connection.execute(sorts)
        operator.execute(f"ALTER DATABASE {found[0]} RESET temp_file_limit")
        with store.begin("sorts") as tx:
            tx.connection.execute(small)
            assert tx.connection.execute(sorts).scalar() == 300_000
        store.close()
