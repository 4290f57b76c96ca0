"""Transactions: `with store.begin("why") as tx` writes, `with store.read() as tx` reads; nothing else opens one.

The transaction is visible and belongs to the use case. No signature and no network call happens inside it.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from core.approval import ApprovalRecord
from core.boundaries import boundary
from core.errors import OutcomeUnknown, SchemaMismatch, StoreFull, StoreReadOnly, StoreUnavailable, StoreUrlUnusable
from core.looked_at import reading_uri
from store.hearing import Hearing
from store.in_turn import Line, Turn
from store.sqlite_listening import LOOK_SECONDS, Versions

BUSY_TIMEOUT_SECONDS = 10
"""How long a writer waits for others, from its coming on, before it gives up with StoreUnavailable. What the waits on
PostgreSQL are is in store/postgresql.py."""

_ASKED_AGAIN_SECONDS = 0.002
"""After which a writer asks again whether another process has done writing: a commit takes about as long."""

_KEPT_STATEMENTS = 400
"""Of which a connection keeps what SQLite made of them: of the usual 128 one act pushes out what the next one asks."""

WHOLE_SECONDS = 120
"""How long one statement that reads the whole register may take: a million certificates are two gigabytes."""

P = ParamSpec("P")
V = TypeVar("V")

_SQLITE = "sqlite:///"
_DATABASES = ("sqlite", "postgresql")

# A process has a fixed number of threads, each with one connection or, for an instant, two; a pool that made them wait
# for each other could make them wait for ever.
_AS_MANY_AS_ASK = -1

# PostgreSQL: deadlock_detected, serialization_failure and lock_not_available may be tried again, nothing was written.
_RETRY_STATES = frozenset({"40P01", "40001", "55P03"})

# PostgreSQL, by SQLSTATE class. 25: the session cannot write (read only: a standby, or a setting that it was born
# under), or lay idle in a transaction for too long. 53: no disk, no memory, no connection left. The session goes, and
# the next one finds things as they are then.
_READ_ONLY_OR_IDLE = "25"
_NO_RESOURCES = "53"

# SQLite: somebody else writes; the connection is as good as before. After anything else that it calls operational
# (read only, full, an error of the disk) it goes: it may have opened its file for reading only.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_SQLITE_TROUBLES = {sqlite3.SQLITE_READONLY: StoreReadOnly, sqlite3.SQLITE_FULL: StoreFull}
_POSTGRESQL_TROUBLES = {"25006": StoreReadOnly, "53100": StoreFull}
"""What a database says of itself: read_only_sql_transaction, disk_full."""


class Transaction:
    """One open transaction. Verbs and read models take it as their first argument.

    Args:
        connection: SQLAlchemy's; only store/ touches it.
        dialect: `sqlite` or `postgresql`.
        writing: whether it may change what it reads; one that does not sees the same state from first to last.
        ahead: approvals that were read ahead, by identifier (store/reading/approvals.py); only of one that reads.
        known: what `read_once` has read; only of one that reads.
    """

    def __init__(self, connection: Connection, dialect: str, *, writing: bool = True) -> None:
        self.connection = connection
        self.dialect = dialect
        self.writing = writing
        self.ahead: dict[str, ApprovalRecord] = {}
        self.known: dict[object, object] = {}


_MOST_KNOWN = 64
"""Things that a transaction remembers to have read: those about one decision are ten or so, and one that goes through
the whole register must not hold it."""


def read_once(read: Callable[Concatenate[Transaction, P], V]) -> Callable[Concatenate[Transaction, P], V]:
    """Have the same thing read once only in a transaction that does nothing but read: it sees one state throughout.

    Args:
        read: returns what nobody changes, and takes by place what says which.
    """

    @wraps(read)
    def known(tx: Transaction, /, *which: P.args, **named: P.kwargs) -> V:
        if tx.writing:
            return read(tx, *which, **named)
        key = (read, which)
        if key not in tx.known:
            if len(tx.known) >= _MOST_KNOWN:
                tx.known.clear()
            tx.known[key] = read(tx, *which, **named)
        return cast("V", tx.known[key])

    return known


class Store:
    """The register: an SQLite file or a PostgreSQL database.

    Args:
        url: `sqlite:///path` or `postgresql://…`; the driver is chosen here.
        reading: a file is opened for reading alone.
    """

    def __init__(self, url: str, *, reading: bool = False) -> None:
        file = sqlite_file(url) if reading else None
        self._engine = _engine(url, None if file is None else reading_uri(file))
        self.dialect = self._engine.dialect.name
        self._line = Line()

    @contextmanager
    def begin(self, label: str) -> Iterator[Transaction]:
        """Open a writing transaction; it commits when the block ends and leaves nothing behind when it raises.

        Args:
            label: what it is for; names the commit's boundary for the kill sweep.

        Raises:
            StoreUnavailable: the database does not answer or is busy for too long; nothing was written.
        """
        with self._written() as (connection, turn):
            yield Transaction(connection, self.dialect)
            # If we die before the commit nothing of this happened; after it, all of it did.
            with boundary(f"commit {label}"):
                _commit(connection)
                turn.over()

    @contextmanager
    def rehearse(self) -> Iterator[Transaction]:
        """Open a writing transaction that leaves nothing behind in any case: what an act would lead to is seen in it.

        Raises:
            StoreUnavailable: the database does not answer or is busy for too long.
        """
        with self._written() as (connection, _):
            yield Transaction(connection, self.dialect)
            connection.rollback()

    @contextmanager
    def _written(self) -> Iterator[tuple[Connection, Turn]]:
        """Lend a connection in a transaction that writes, in turn; what raises undoes all of it."""
        with self._in_turn() as turn, self._connected(writing=True) as connection:
            try:
                if self.dialect == "sqlite":
                    _begin_immediate(connection, turn.left)
                else:
                    connection.exec_driver_sql(_postgresql().WRITING)
                yield connection, turn
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def read(self, *, whole: bool = False) -> Iterator[Transaction]:
        """Open a reading transaction that sees one state of the store (a snapshot) from its first statement on.

        Args:
            whole: it reads the whole register, which may take its time (WHOLE_SECONDS for each statement).

        Raises:
            StoreUnavailable: the database does not answer in time.
        """
        with self._connected() as connection:
            try:
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("BEGIN")
                else:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    if whole:
                        _postgresql().allow(connection, WHOLE_SECONDS)
                yield Transaction(connection, self.dialect, writing=False)
            finally:
                connection.rollback()
                if whole and self.dialect != "sqlite":
                    _postgresql().allow_no_more(connection)

    @contextmanager
    def snapshot(self) -> Iterator["Store"]:
        """Lend this store as it is at one moment: whoever reads it until the block ends reads in one transaction.

        For what is put together of parts that others read, none of which may contradict another.
        """
        with self.read() as tx:
            yield _Snapshot(self, tx)

    @contextmanager
    def migration_connection(self) -> Iterator[Connection]:
        """Lend a connection to Alembic, which manages its own transaction. It does not go back to the pool."""
        with self._engine.connect() as connection:
            connection.detach()
            if self.dialect == "postgresql":
                _postgresql().allow(connection, None)
            yield connection

    def revision(self) -> str | None:
        """Return the schema revision of the store; None if it holds no authority yet."""
        with self._connected() as connection:
            if not self._engine.dialect.has_table(connection, "alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return None if found is None else str(found)

    def require_revision(self, needed: str) -> None:
        """Raise SchemaMismatch unless the store is at the revision that this release works with."""
        found = self.revision()
        if found != needed:
            raise SchemaMismatch(found=found or "none", needed=needed)

    @property
    def writers_waiting(self) -> int:
        """How many of this process wait for their turn to write; where many may write at once, none."""
        return self._line.waiting

    def hearing(self, look: float = LOOK_SECONDS) -> Hearing:
        """Return what tells that something was committed, on a connection of its own; whoever asks closes it.

        Args:
            look: seconds after which it is told at the latest, where it has to be looked for.
        """
        if self.dialect == "sqlite":
            return Hearing(partial(Versions, str(self._engine.url.database), look))
        words, named = self._engine.dialect.create_connect_args(self._engine.url)
        return Hearing(partial(_postgresql().Notices, words, named))

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[Turn]:
        """Wait until it is this writer's turn, where one at a time may write.

        PostgreSQL lets many write at once, and has a line of its own, in the order of their coming, before each lock.
        """
        if self.dialect != "sqlite":
            yield Turn(0.0, lambda: None)
            return
        with self._line.turn(BUSY_TIMEOUT_SECONDS) as turn:
            if turn is None:
                raise StoreUnavailable(detail="others write")
            yield turn

    @contextmanager
    def _connected(self, *, writing: bool = False) -> Iterator[Connection]:
        """Lend a connection; what a database says when it is out of service becomes our own word.

        Everything else that it says is a fault, and stays. A connection whose session is of no use any more is dropped.
        """
        try:
            with self._engine.connect() as connection:
                try:
                    yield connection
                except DBAPIError as error:
                    if _of_no_use(error):
                        connection.invalidate(error)
                    raise
        except DBAPIError as error:
            if _out_of_service(error, writing=writing):
                trouble = _trouble(error)
                if trouble is StoreReadOnly:
                    # Readers' sessions were born under it as well; each would refuse one more write when it is over.
                    self._engine.dispose()
                raise trouble(detail=type(error.orig).__name__) from error
            raise


class _Snapshot(Store):
    """A store at one moment: it is read, and nothing else.

    Args:
        store: whose.
        tx: open while it lasts.
    """

    def __init__(self, store: Store, tx: Transaction) -> None:
        self.dialect = store.dialect
        self._tx = tx

    def begin(self, label: str) -> NoReturn:
        """Nothing is written to what was."""
        raise AssertionError(f"{label} would write to a snapshot")

    def rehearse(self) -> NoReturn:
        """Nothing is tried out on what was."""
        raise AssertionError("nothing is tried out on a snapshot")

    @contextmanager
    def read(self, *, whole: bool = False) -> Iterator[Transaction]:  # noqa: ARG002 - each statement has the time that the snapshot has
        """Return the one transaction; it goes on when the block ends."""
        yield self._tx


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite store in a file."""
    return f"{_SQLITE}{path}"


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite store; None for a database elsewhere."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def _parsed(url: str) -> URL:
    """Return the URL of a register; StoreUrlUnusable if it is none that we work with."""
    if url.startswith(_SQLITE):
        # All that follows is the path as it is: a folder may have a percent or a question mark in its name.
        return URL.create("sqlite", database=url.removeprefix(_SQLITE))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # it may hold a password, and is not repeated
        raise StoreUrlUnusable(detail="its address is no URL") from None
    if parsed.get_backend_name() not in _DATABASES:
        raise StoreUrlUnusable(detail=f"{parsed.get_backend_name()} is none of {' and '.join(_DATABASES)}")
    return parsed


def _engine(url: str, file_uri: str | None) -> Engine:
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        ours = _postgresql()
        options = {"pool_pre_ping": True, "max_overflow": _AS_MANY_AS_ASK, "hide_parameters": True}
        engine = create_engine(ours.with_deadlines(parsed), **options)
        event.listen(engine, "do_connect", ours.connect)
        return engine
    waits = {"timeout": BUSY_TIMEOUT_SECONDS, "cached_statements": _KEPT_STATEMENTS}
    if file_uri is not None:
        parsed = make_url(f"{_SQLITE}{file_uri}&uri=true")
    # What a refused statement would have written may be withheld from whoever reads the log (F2.22).
    engine = create_engine(parsed, connect_args=waits, max_overflow=_AS_MANY_AS_ASK, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - a DBAPI connection
    # We begin transactions ourselves; the driver's own habit of opening them late would hide BEGIN IMMEDIATE.
    connection.isolation_level = None
    # Octets that are no text, in a row that somebody else wrote, are not a database that does not answer.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
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


def _begin_immediate(connection: Connection, seconds: float) -> None:
    """Begin as a writer: one that begins as a reader can find, when it writes, that it has read too early.

    Other processes write, too. SQLite's own pauses grow to a tenth of a second, and who pauses sees nobody's end.
    """
    raw = connection.connection
    until = time.monotonic() + seconds
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if _sqlite_code(error.orig or error) not in _BUSY or time.monotonic() >= until:
                    raise
                time.sleep(_ASKED_AGAIN_SECONDS)
            else:
                return
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_SECONDS * 1000)}")


def _postgresql() -> ModuleType:
    """Return what is particular to PostgreSQL, whose driver an authority on SQLite need not have."""
    try:
        from store import postgresql  # noqa: PLC0415 - see above
    except ImportError as error:
        raise StoreUrlUnusable(detail=f"PostgreSQL's driver is missing ({error.name})") from error
    return postgresql


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as error:
        # The question is with the server and may be answered yes when it wakes, unless it has said no already.
        if error.connection_invalidated and not _sqlstate(error).startswith(_READ_ONLY_OR_IDLE):
            raise OutcomeUnknown(detail=type(error.orig).__name__) from error
        raise


def _out_of_service(error: DBAPIError, *, writing: bool) -> bool:
    """Whether the database, and not what was asked of it, is what is wrong."""
    if isinstance(error, OperationalError) or error.connection_invalidated or _sqlstate(error) in _RETRY_STATES:
        return True
    # Whoever writes in a transaction that we opened for reading is at fault, and not the database.
    return writing and _sqlstate(error).startswith(_READ_ONLY_OR_IDLE)


def _trouble(error: DBAPIError) -> type[StoreUnavailable]:
    """Return what is wrong with the database, as far as it says."""
    if isinstance(error.orig, sqlite3.Error):
        return _SQLITE_TROUBLES.get(_sqlite_code(error.orig), StoreUnavailable)
    return _POSTGRESQL_TROUBLES.get(_sqlstate(error), StoreUnavailable)


def _sqlite_code(error: BaseException) -> int:
    """Return the primary result code, the low octet (sqlite.org/rescode.html); SQLITE_BUSY where there is none."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY)) & 0xFF


def _of_no_use(error: DBAPIError) -> bool:
    """Whether the session in which it happened is to be dropped."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return _sqlite_code(error.orig) not in _BUSY | {sqlite3.SQLITE_ERROR}
    return _sqlstate(error).startswith((_READ_ONLY_OR_IDLE, _NO_RESOURCES))


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def violated(error: DBAPIError) -> str:
    """Return the name of the constraint that a refused write broke, as far as the database tells it.

    SQLite names the columns of a broken UNIQUE instead of the constraint: `table.column, table.column`.
    """
    diagnostic = getattr(error.orig, "diag", None)
    name = getattr(diagnostic, "constraint_name", None)
    return str(name) if name else str(error.orig)
