"""Transactions: `with store.begin("why") as tx` writes, `with store.read() as tx` reads; nothing else opens one.

The transaction is visible and belongs to the use case. No signature and no network call happens inside it.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from core.boundaries import boundary
from core.errors import SchemaMismatch, StoreUnavailable

BUSY_TIMEOUT_SECONDS = 10
"""How long a writer waits for another (SQLite) or for a connection before it gives up with StoreUnavailable."""

# A process has a fixed number of threads, each with one connection or, for an instant, two; a pool that made them wait
# for each other could make them wait for ever.
_AS_MANY_AS_ASK = -1

# PostgreSQL: deadlock_detected and serialization_failure may be tried again, nothing was written.
_RETRY_STATES = frozenset({"40P01", "40001"})


class Transaction:
    """One open transaction. Verbs and read models take it as their first argument.

    Args:
        connection: SQLAlchemy's; only store/ touches it.
        dialect: `sqlite` or `postgresql`.
    """

    def __init__(self, connection: Connection, dialect: str) -> None:
        self.connection = connection
        self.dialect = dialect


class Store:
    """The register: an SQLite file or a PostgreSQL database.

    Args:
        url: `sqlite:///path` or `postgresql://…`; the driver is chosen here.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self.dialect = self._engine.dialect.name

    @contextmanager
    def begin(self, label: str) -> Iterator[Transaction]:
        """Open a writing transaction; it commits when the block ends and leaves nothing behind when it raises.

        Args:
            label: what it is for; names the commit's boundary for the kill sweep.

        Raises:
            StoreUnavailable: the database does not answer or is busy for too long; nothing was written.
        """
        with _translated(), self._engine.connect() as connection:
            try:
                if self.dialect == "sqlite":
                    # A writer that begins as a reader can find, when it writes, that it has read too early.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield Transaction(connection, self.dialect)
                # If we die before the commit nothing of this happened; after it, all of it did.
                with boundary(f"commit {label}"):
                    connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a reading transaction that sees one state of the store (a snapshot) from its first statement on."""
        with _translated(), self._engine.connect() as connection:
            try:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("BEGIN")
                else:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield Transaction(connection, self.dialect)
            finally:
                connection.rollback()

    def migration_connection(self) -> Connection:
        """Return a connection for Alembic, which manages its own transaction."""
        return self._engine.connect()

    def revision(self) -> str | None:
        """Return the schema revision of the store; None if it holds no authority yet."""
        with _translated(), self._engine.connect() as connection:
            if not self._engine.dialect.has_table(connection, "alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return None if found is None else str(found)

    def require_revision(self, needed: str) -> None:
        """Raise SchemaMismatch unless the store is at the revision that this release works with."""
        found = self.revision()
        if found != needed:
            raise SchemaMismatch(found=found or "none", needed=needed)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite store in a file."""
    return f"sqlite:///{path}"


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        # One statement that waits for ever would hold a web thread for ever.
        options = {"connect_timeout": str(BUSY_TIMEOUT_SECONDS), "options": "-c lock_timeout=10s"}
        parsed = parsed.update_query_dict(options, append=False)
        return create_engine(parsed, pool_pre_ping=True, max_overflow=_AS_MANY_AS_ASK, hide_parameters=True)
    waits = {"timeout": BUSY_TIMEOUT_SECONDS}
    # What a refused statement would have written may be withheld from whoever reads the log (F2.22).
    engine = create_engine(parsed, connect_args=waits, max_overflow=_AS_MANY_AS_ASK, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DBAPI connection
    # We begin transactions ourselves; the driver's own habit of opening them late would hide BEGIN IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    # A second process may hold the lock that changing to WAL needs, for an instant, at the very first start.
    for attempt in range(50):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if attempt == 49:
                raise
            time.sleep(0.02)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what a database says when it cannot be reached into our own word; everything else is a fault and stays."""
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailable(detail=type(error.orig).__name__) from error
    except DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None)
        if error.connection_invalidated or sqlstate in _RETRY_STATES or sqlstate == "55P03":
            raise StoreUnavailable(detail=type(error.orig).__name__) from error
        raise


def violated(error: DBAPIError) -> str:
    """Return the name of the constraint that a refused write broke, as far as the database tells it.

    SQLite names the columns of a broken UNIQUE instead of the constraint: `table.column, table.column`.
    """
    diagnostic = getattr(error.orig, "diag", None)
    name = getattr(diagnostic, "constraint_name", None)
    return str(name) if name else str(error.orig)
