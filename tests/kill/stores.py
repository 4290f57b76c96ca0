"""A store that is set back to an earlier state between two deaths: quicker than a new database for each.

What the authority remembers is set back with it.
"""

import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from store.tables import metadata
from store.transactions import sqlite_url

Back = Callable[[], None]
"""Sets a store back to the state that was saved."""

_TABLES = [table.name for table in metadata.sorted_tables]


class RememberedStore:
    """A store with the memory of the authority that works on it; nobody may have it open when it is set back.

    Args:
        store: the store.
        memory: the folder of the memory.
        folder: where states of the memory are kept.
    """

    def __init__(self, store: "SqliteStore | PostgresqlStore", memory: Path, folder: Path) -> None:
        self.store, self.memory, self.url = store, memory, store.url
        self._folder = folder
        self._states = 0

    def save(self) -> Back:
        self._states += 1
        kept = self._folder / f"memory-{self._states}"
        shutil.copytree(self.memory, kept)
        back = self.store.save()

        def restore() -> None:
            back()
            shutil.rmtree(self.memory)  # with what the dead process left beside the file
            shutil.copytree(kept, self.memory)

        return restore


class SqliteStore:
    """An SQLite file; a state of it is a copy of the file."""

    kind = "sqlite"

    def __init__(self, url: str, folder: Path) -> None:
        self.path = folder / "swept.sqlite"
        self.url = sqlite_url(self.path)
        self._folder = folder
        self._states = 0
        shutil.copy(url.removeprefix("sqlite:///"), self.path)

    def save(self) -> Back:
        self._states += 1
        kept = self._folder / f"state-{self._states}.sqlite"
        source, copy = sqlite3.connect(self.path), sqlite3.connect(kept)
        source.backup(copy)
        source.close()
        copy.close()
        return partial(self._restore, kept)

    def _restore(self, state: Path) -> None:
        for companion in ("-wal", "-shm"):  # the dead process left them
            self.path.with_name(self.path.name + companion).unlink(missing_ok=True)
        shutil.copy(state, self.path)


class PostgresqlStore:
    """A PostgreSQL database; a state of it is what its tables hold."""

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:
            # We kill processes, not the machine: no commit need wait for the disk. The fixture keeps its own setting.
            name = connection.execute("SELECT quote_ident(current_database())").fetchone()
            assert name is not None
            connection.execute(f"ALTER DATABASE {name[0]} SET synchronous_commit = off")

    def save(self) -> Back:
        with psycopg.connect(self.url) as connection:
            return partial(self._restore, {table: _read(connection, table) for table in _TABLES})

    def _restore(self, state: dict[str, bytes]) -> None:
        with psycopg.connect(self.url) as connection:
            # Whoever died in a transaction may not have been noticed yet; its locks go with it.
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET session_replication_role = replica")  # the rows agreed with each other before
            connection.execute(";".join(f'DELETE FROM "{table}"' for table in _TABLES))  # one journey for all
            for table, rows in state.items():
                if not rows:
                    continue
                with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(rows)


def _read(connection: "psycopg.Connection[tuple[object, ...]]", table: str) -> bytes:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)
