"""What a copy's file holds, and that it is what was written there: a bit that a disk has changed is never a yes.

The documents were proved by the log when they came, and the log is not asked again each time that the file is opened.
So the file carries digests: of the documents, of those that lie aside, and of everything that says how far and how old
the copy is. Whoever may write into the file can write them anew, too; against chance they are enough.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from verify.kit.canonical import canonical
from verify.kit.stopped import Check, Stopped

SCHEMA = """
CREATE TABLE IF NOT EXISTS state (
    one INTEGER PRIMARY KEY CHECK (one = 1), log TEXT NOT NULL, size INTEGER NOT NULL, frontier BLOB NOT NULL,
    aside_size INTEGER NOT NULL, aside_frontier BLOB NOT NULL, note TEXT, proved_at INTEGER,
    kept BLOB, laid BLOB, seal BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS documents (
    approval TEXT PRIMARY KEY, document BLOB NOT NULL, number INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS aside (
    approval TEXT PRIMARY KEY, document BLOB NOT NULL, number INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS wrong (
    found_at INTEGER NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, note TEXT
) STRICT;
"""

_MODULUS = 1 << 256
_NONE = bytes(32)

Row = tuple[str, bytes, int]
"""An approval, its document in the canonical form, and the number of the row in which it came."""


@dataclass(frozen=True, kw_only=True)
class State:
    """How far and how old a copy is.

    Args:
        log: the key of the log of which it is.
        size: rows that are proved.
        frontier: of the tree of these.
        aside_size, aside_frontier: the same with the rows that lie aside.
        note: the checkpoint that proved it; None before there was one.
        proved_at: when it was the newest, seconds since 1970.
        kept: the sum of the documents; None of a copy by a release that wrote none, which is made anew.
        laid: the sum of those that lie aside.
    """

    log: str
    size: int
    frontier: bytes
    aside_size: int
    aside_frontier: bytes
    note: str | None
    proved_at: int | None
    kept: bytes | None
    laid: bytes | None

    @property
    def seal(self) -> bytes:
        """The digest of all of it."""
        said = {name: each.hex() if isinstance(each, bytes) else each for name, each in vars(self).items()}
        return hashlib.sha256(canonical(said)).digest()


_COLUMNS = tuple(State.__dataclass_fields__)


def made(database: sqlite3.Connection, log: str) -> None:
    """Make the tables if there are none; what an earlier release has kept is proved anew, from the first row on.

    Of such a copy the checkpoint stays: what the log has signed since has to go on from it.
    """
    database.executescript(SCHEMA)
    with database:
        columns = {each[1] for each in database.execute("PRAGMA table_info(state)")}
        if "seal" not in columns:
            for name in ("kept", "laid", "seal"):
                database.execute(f"ALTER TABLE state ADD COLUMN {name} BLOB")
            database.execute("DELETE FROM documents")
            database.execute("DELETE FROM aside")
            database.execute(
                "UPDATE state SET aside_size = 0, aside_frontier = x'', proved_at = NULL, laid = ?", (_NONE,)
            )
            sealed(database)
        if database.execute("SELECT count(*) FROM state").fetchone() == (0,):
            database.execute(
                "INSERT INTO state VALUES (1, ?, 0, x'', 0, x'', NULL, NULL, ?, ?, NULL)", (log, _NONE, _NONE)
            )
            sealed(database)


def state(database: sqlite3.Connection) -> State:
    """Return how far and how old the copy is; Stopped if that is not as it was written."""
    try:
        found, seal = _read(database)
        if seal == found.seal:
            return found
    except (TypeError, ValueError):  # a value of another kind
        pass
    raise _altered("how far and how old it is")


def sealed(database: sqlite3.Connection) -> None:
    """Write down the digest of the state; in the transaction that changed it."""
    database.execute("UPDATE state SET seal = ?", (_read(database)[0].seal,))


def documents(database: sqlite3.Connection) -> list[Row]:
    """Return all documents, in order of their rows in the file; Stopped if they are not those that were written."""
    with database:
        database.execute("BEGIN")  # state and documents are of one moment, whoever else writes
        kept = state(database).kept
        found = database.execute("SELECT approval, document, number FROM documents").fetchall()
    _require(found, _NONE if kept is None else kept, "a document")
    return found


def laid_aside(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Lay documents aside, over those of the same approvals; in a transaction, before it is `sealed`."""
    every = list(rows)
    (before,) = database.execute("SELECT laid FROM state").fetchone()
    laid = _replaced(database, "aside", before or _NONE, every)
    database.executemany("INSERT OR REPLACE INTO aside VALUES (?, ?, ?)", every)
    database.execute("UPDATE state SET laid = ?", (laid,))


def believed(database: sqlite3.Connection) -> list[Row]:
    """Take the documents that lie aside over those of before, and return them; in a transaction, as the others."""
    laid, before = database.execute("SELECT laid, kept FROM state").fetchone()
    found: list[Row] = database.execute("SELECT approval, document, number FROM aside").fetchall()
    _require(found, laid, "what was laid aside")
    kept = _replaced(database, "documents", before or _NONE, found)
    database.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", found)
    database.execute("DELETE FROM aside")
    database.execute("UPDATE state SET kept = ?, laid = ?", (kept, _NONE))
    return found


def thrown_away(database: sqlite3.Connection) -> None:
    """Throw away what lies aside; the copy is what it was. In a transaction."""
    database.execute("DELETE FROM aside")
    database.execute(
        "UPDATE state SET laid = ?, aside_size = CASE WHEN kept IS NULL THEN 0 ELSE size END,"
        " aside_frontier = CASE WHEN kept IS NULL THEN x'' ELSE frontier END",
        (_NONE,),
    )
    sealed(database)


def _read(database: sqlite3.Connection) -> tuple[State, object]:
    *values, seal = database.execute(f"SELECT {', '.join(_COLUMNS)}, seal FROM state").fetchone()  # noqa: S608 - columns
    return State(**dict(zip(_COLUMNS, values, strict=True))), seal


def _replaced(database: sqlite3.Connection, table: str, before: bytes, rows: Iterable[Row]) -> bytes:
    """Return the sum of a table in which rows are put in place of those of the same approvals."""
    total = int.from_bytes(before)
    for each in rows:
        held = f"SELECT approval, document, number FROM {table} WHERE approval = ?"  # noqa: S608 - a table of ours
        total += _digest(each) - sum(map(_digest, database.execute(held, each[:1])))
    return (total % _MODULUS).to_bytes(32)


def _digest(row: Row) -> int:
    approval, document, number = row
    return int.from_bytes(hashlib.sha256(f"{number} {approval}\n".encode() + document).digest())


def _require(found: list[Row], wanted: bytes, what: str) -> None:
    try:
        total = sum(map(_digest, found)) % _MODULUS
        if total.to_bytes(32) == wanted and len({approval for approval, _, _ in found}) == len(found):
            return
    except TypeError:  # a value of another kind
        pass
    raise _altered(what)


def _altered(what: str) -> Stopped:
    return Stopped(
        Check.ROOT,
        f"The file is not as it was written: {what} is another. Keep it, and have a copy made in another file.",
    )
