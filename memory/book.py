"""The book: records on disk, in order, each sealed over the one before it.

An SQLite file in the folder of the keys, opened by whoever may read that folder. A portion of records is one
transaction and one fsync. What follows from the records lies beside them (memory/beliefs.py) and is written in the
same transaction, so that a start reads nothing but what it asks for.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.boundaries import boundary
from core.errors import MemoryFull, MemoryMissing, MemoryUnusable
from core.instants import from_seconds, seconds
from core.sealed_record import SealedRecord

FILE_NAME = "memory.sqlite"
RESERVE_NAME = "memory.reserve"

RESERVE_OCTETS = 4 * 1024 * 1024
"""Given up when the disk is full, for ends and lists: some thousand of them."""

BUSY_SECONDS = 5
"""How long one process waits for another that is writing; each portion takes milliseconds."""

_FORM = 4
_NOTHING_BEFORE = bytes(32)

_TABLES = """
CREATE TABLE record (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
    mac BLOB NOT NULL) STRICT;
CREATE TABLE hierarchy (serial TEXT PRIMARY KEY, role TEXT NOT NULL, key_id TEXT NOT NULL, key_sha256 TEXT NOT NULL,
    not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, tbs_sha256 TEXT NOT NULL, record INTEGER NOT NULL) STRICT;
CREATE TABLE certificate (serial TEXT PRIMARY KEY, approval TEXT NOT NULL, issue INTEGER NOT NULL, device TEXT NOT NULL,
    key_sha256 TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, issuer TEXT NOT NULL,
    tbs_sha256 TEXT NOT NULL, record INTEGER NOT NULL, UNIQUE (approval, issue)) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_key ON certificate (key_sha256);
CREATE INDEX certificate_expiry ON certificate (issuer, not_after);
CREATE TABLE ended (serial TEXT PRIMARY KEY, at INTEGER NOT NULL, reason INTEGER NOT NULL, invalidity_date INTEGER,
    record INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX ended_record ON ended (record);
CREATE INDEX ended_at ON ended (at);
CREATE TABLE list (key_id TEXT NOT NULL, number INTEGER NOT NULL, this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL, count INTEGER NOT NULL, tbs_sha256 TEXT NOT NULL, record INTEGER NOT NULL,
    PRIMARY KEY (key_id, number))
    STRICT, WITHOUT ROWID;
CREATE TABLE link (number INTEGER PRIMARY KEY, link BLOB NOT NULL) STRICT;
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), wall INTEGER NOT NULL, boot INTEGER NOT NULL,
    boot_id TEXT NOT NULL, ahead INTEGER NOT NULL) STRICT;
"""
_OFFICERS = """
CREATE TABLE roster (number INTEGER PRIMARY KEY, effective_at INTEGER NOT NULL, record INTEGER NOT NULL) STRICT;
CREATE TABLE consumed (statement_sha256 TEXT NOT NULL, subject TEXT NOT NULL, act TEXT NOT NULL, officer TEXT NOT NULL,
    fact_sha256 TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (statement_sha256, subject)) STRICT, WITHOUT ROWID;
CREATE INDEX consumed_subject ON consumed (subject, act, officer);
CREATE TABLE issuing (one INTEGER PRIMARY KEY CHECK (one = 1), stopped INTEGER NOT NULL, record INTEGER NOT NULL)
    STRICT;
CREATE INDEX consumed_order ON consumed (subject) WHERE act IN ('stop-issuing', 'start-issuing', 'change-roster');
CREATE INDEX record_accepted ON record (number) WHERE kind = 'accepted';
"""
"""What a book of form 1 lacks; it holds no record that these would follow from."""

_LOG = """
CREATE TABLE log (generation INTEGER PRIMARY KEY, log TEXT NOT NULL, ended INTEGER NOT NULL, record INTEGER NOT NULL)
    STRICT;
CREATE TABLE tree (log TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, record INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
"""
"""What one of form 2 lacks."""

_REGISTER = """
CREATE TABLE register (log TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, sha256 TEXT NOT NULL,
    record INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
"""What one of form 3 lacks."""

_FORMS = {1: _TABLES, 2: _OFFICERS, 3: _LOG, 4: _REGISTER}
"""By form, the tables that came with it: `record` is the memory; every other one follows from it, but `link`, of whose
rows the newest head is the digest."""

DERIVED = (
    "hierarchy",
    "certificate",
    "ended",
    "list",
    "clock",
    "roster",
    "consumed",
    "issuing",
    "log",
    "tree",
    "register",
)


class Seals(Protocol):
    """Whoever holds the record key."""

    def seal(self, octets: bytes) -> bytes:
        """Return the HMAC-SHA-256 of `octets`."""
        ...


class Book:
    """The file.

    Args:
        path: of the file.
        key: seals each record.
    """

    def __init__(self, path: Path, key: Seals) -> None:
        self.path = path
        self._key = key
        self._connection = self._opened()

    @classmethod
    def make(cls, path: Path, key: Seals) -> "Book":
        """Make an empty book, or open the one that is there.

        If we die before the commit there is a file without tables, which is made again; after it there is a book.
        """
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.close(descriptor)
        with (
            closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection,
            suppress(sqlite3.DatabaseError),  # whatever it is, it is no book of ours: that is said when it is opened
        ):
            if _is_blank(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(f"BEGIN IMMEDIATE; {''.join(_FORMS.values())} PRAGMA user_version = {_FORM};")
                with boundary("make memory"):
                    connection.commit()
        return cls(path, key)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """One transaction: durable when the block has ended, and nothing of it if it raises.

        If we die before the commit nothing is remembered, and nothing was signed; after it all of it is.

        Raises:
            MemoryFull: there is no room on its disk.
            MemoryUnusable: the file cannot be written.
        """
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                with boundary("commit memory"):
                    self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise
        except sqlite3.Error as error:
            raise self._told(error) from error
        finally:
            cursor.close()

    def state(self) -> tuple[int, int] | None:
        """Return what is another one after each change of the book, by whichever process; None amid one of our own.

        Raises:
            MemoryUnusable: it cannot be read.
        """
        if self._connection.in_transaction:
            return None
        try:
            (others,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise self._told(error) from error
        return others, self._connection.total_changes

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """Ask of one state of the book; MemoryUnusable if it cannot be read."""
        cursor = self._connection.cursor()
        try:
            yield cursor
        except sqlite3.Error as error:
            raise self._told(error) from error
        finally:
            cursor.close()

    @contextmanager
    def deriving(self) -> Iterator[sqlite3.Cursor]:
        """Ask of one state of the book, with empty tables beside it for what follows from its records.

        They hide those of the book, which are called main.… then. Whoever writes is not kept waiting.
        """
        connection = self._opened()
        try:
            connection.execute("BEGIN")
            (sound,) = connection.execute("PRAGMA main.integrity_check(1)").fetchone()  # its indexes, too
            if sound != "ok":
                raise MemoryUnusable(path=self.path, detail=sound)
            for statement in "".join(_FORMS.values()).split(";"):
                if statement.split()[:2] == ["CREATE", "TABLE"] and statement.split()[2] in {*DERIVED, "link"}:
                    connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))
            yield connection.cursor()
        except sqlite3.Error as error:
            raise self._told(error) from error
        finally:
            connection.close()

    def last(self, cursor: sqlite3.Cursor) -> tuple[int, bytes]:
        """Return number and seal of the newest record; 0 and zero octets before the first."""
        row = cursor.execute("SELECT number, mac FROM record ORDER BY number DESC LIMIT 1").fetchone()
        return (0, _NOTHING_BEFORE) if row is None else (int(row[0]), bytes(row[1]))

    def append(self, cursor: sqlite3.Cursor, kind: str, body: bytes, at: datetime) -> int:
        """Write one record; return its number."""
        number, before = self.last(cursor)
        mac = self._mac(before, number + 1, kind, seconds(at), body)
        cursor.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", (number + 1, kind, seconds(at), body, mac))
        return number + 1

    def follows(self, cursor: sqlite3.Cursor, entry: SealedRecord) -> bool:
        """Return whether our key sealed a record over the one that is here before it."""
        before = _NOTHING_BEFORE
        if entry.number != 1:
            row = cursor.execute("SELECT mac FROM record WHERE number = ?", (entry.number - 1,)).fetchone()
            if row is None:
                return False
            before = bytes(row[0])
        return entry.mac == self._mac(before, entry.number, entry.kind, seconds(entry.at), entry.body)

    def copy(self, cursor: sqlite3.Cursor, entry: SealedRecord) -> None:
        """Write a record that another process sealed, and that follows the newest one here."""
        cursor.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?)",
            (entry.number, entry.kind, seconds(entry.at), entry.body, entry.mac),
        )

    def entries(self, cursor: sqlite3.Cursor, after: int, most: int = -1) -> list[SealedRecord]:
        """Return records behind a number, in order."""
        return list(self.each(cursor, after, most))

    def each(self, cursor: sqlite3.Cursor, after: int, most: int = -1) -> Iterator[SealedRecord]:
        """Yield the same one by one: there may be more of them than fit into the machine."""
        rows = cursor.connection.execute("SELECT * FROM record WHERE number > ? ORDER BY number LIMIT ?", (after, most))
        for number, kind, at, body, mac in rows:
            yield SealedRecord(number=number, kind=kind, at=from_seconds(at), body=bytes(body), mac=bytes(mac))

    def prove(self, cursor: sqlite3.Cursor, after: int = 0) -> int:
        """Compute every seal behind a number again; return how many records there are behind it.

        Raises:
            MemoryUnusable: a record is missing or is not as it was sealed, or another key sealed it.
        """
        before = _NOTHING_BEFORE
        if after:
            (before,) = cursor.execute("SELECT mac FROM record WHERE number = ?", (after,)).fetchone()
        expected = after
        for number, kind, at, body, mac in cursor.execute(
            "SELECT * FROM record WHERE number > ? ORDER BY number", (after,)
        ):
            expected += 1
            if number != expected:
                raise MemoryUnusable(path=self.path, detail=f"record {expected} is missing")
            if self._mac(before, number, kind, at, body) != mac:
                raise MemoryUnusable(path=self.path, detail=f"record {number} is not as this authority sealed it")
            before = mac
        return expected - after

    def _mac(self, before: bytes, number: int, kind: str, at: int, body: bytes) -> bytes:
        head = b"".join((before, number.to_bytes(8, "big"), at.to_bytes(8, "big", signed=True)))
        return self._key.seal(head + kind.encode() + b"\0" + body)

    # --- the disk ------------------------------------------------------------------------------------------------

    def keep_reserve(self) -> None:
        """Keep some room for what must be remembered on a full disk; without it, nothing is lost but that room."""
        place = self.path.with_name(RESERVE_NAME)
        if place.exists() and place.stat().st_size == RESERVE_OCTETS:
            return
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_OCTETS)
            finally:
                os.close(descriptor)
        except OSError:
            place.unlink(missing_ok=True)

    def give_up_reserve(self) -> bool:
        """Free the room that was kept; False if there is none."""
        place = self.path.with_name(RESERVE_NAME)
        held = place.exists()
        place.unlink(missing_ok=True)
        return held

    def _opened(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise MemoryMissing(path=self.path)
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA synchronous = FULL")
            form = _brought_to_form(connection)
        except sqlite3.Error as error:
            raise self._told(error) from error
        if form != _FORM:
            connection.close()
            raise MemoryUnusable(path=self.path, detail=f"it has form {form}; this release knows form {_FORM}")
        return connection

    def _told(self, error: sqlite3.Error) -> MemoryFull | MemoryUnusable:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return MemoryFull(path=self.path)
        return MemoryUnusable(path=self.path, detail=str(error))


def _brought_to_form(connection: sqlite3.Connection) -> int:
    """Give a book of an earlier form the tables that it lacks; return the form it has then.

    If we die before the commit it has its earlier form, and the next start does it.
    """
    (form,) = connection.execute("PRAGMA user_version").fetchone()
    if 0 < form < _FORM:
        connection.execute("BEGIN IMMEDIATE")
        (form,) = connection.execute("PRAGMA user_version").fetchone()  # another process may have been first
        missing = "".join(tables for number, tables in _FORMS.items() if number > form)
        for statement in (*missing.split(";"), f"PRAGMA user_version = {_FORM}"):
            connection.execute(statement)
        with boundary("bring memory to form"):
            connection.execute("COMMIT")
        form = _FORM
    return int(form)


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Return whether a file is one that whoever was to make a book has left behind when it died."""
    (form,) = connection.execute("PRAGMA user_version").fetchone()
    return form == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
