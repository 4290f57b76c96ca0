"""What a database says that is out of service, and what that means: try again, read only, full, or a session of no use.

Everything else that one says is a fault of ours, and stays what it is.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError

from core.errors import StoreFull, StoreReadOnly, StoreUnavailable

# PostgreSQL: deadlock_detected, serialization_failure and lock_not_available may be tried again, nothing was written.
_RETRY_STATES = frozenset({"40P01", "40001", "55P03"})

# PostgreSQL, by SQLSTATE class. 25: the session cannot write (read only: a standby, or a setting that it was born
# under), or lay idle in a transaction for too long. 53: no disk, no memory, no connection left. The session goes, and
# the next one finds things as they are then.
READ_ONLY_OR_IDLE = "25"
_NO_RESOURCES = "53"

# SQLite: somebody else writes; the connection is as good as before. After anything else that it calls operational
# (read only, full, an error of the disk) it goes: it may have opened its file for reading only.
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_SQLITE_TROUBLES = {sqlite3.SQLITE_READONLY: StoreReadOnly, sqlite3.SQLITE_FULL: StoreFull}
_POSTGRESQL_TROUBLES = {"25006": StoreReadOnly, "53100": StoreFull}
"""What a database says of itself: read_only_sql_transaction, disk_full."""


def out_of_service(error: DBAPIError, *, writing: bool) -> bool:
    """Whether the database, and not what was asked of it, is what is wrong."""
    if isinstance(error, OperationalError) or error.connection_invalidated or sqlstate(error) in _RETRY_STATES:
        return True
    # Whoever writes in a transaction that we opened for reading is at fault, and not the database.
    return writing and sqlstate(error).startswith(READ_ONLY_OR_IDLE)


def trouble_of(error: DBAPIError) -> type[StoreUnavailable]:
    """Return what is wrong with the database, as far as it says."""
    if isinstance(error.orig, sqlite3.Error):
        return _SQLITE_TROUBLES.get(sqlite_code(error.orig), StoreUnavailable)
    return _POSTGRESQL_TROUBLES.get(sqlstate(error), StoreUnavailable)


def sqlite_code(error: BaseException) -> int:
    """Return the primary result code, the low octet (sqlite.org/rescode.html); SQLITE_BUSY where there is none."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY)) & 0xFF


def of_no_use(error: DBAPIError) -> bool:
    """Whether the session in which it happened is to be dropped."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return sqlite_code(error.orig) not in BUSY | {sqlite3.SQLITE_ERROR}
    return sqlstate(error).startswith((READ_ONLY_OR_IDLE, _NO_RESOURCES))


def sqlstate(error: DBAPIError) -> str:
    """Return what PostgreSQL calls an error; empty where it says nothing, and of SQLite."""
    return str(getattr(error.orig, "sqlstate", None) or "")
