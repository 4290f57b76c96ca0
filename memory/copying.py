"""A copy of the memory as it is at one moment, while the authority works: for a backup.

SQLite's own copy: it is whole, and needs neither the key that seals nor a lock that anybody waits for.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import MemoryMissing, MemoryUnusable
from core.kinds import HierarchyRole
from core.looked_at import reading_uri
from memory import beliefs
from memory.beliefs import Certified
from memory.book import BUSY_SECONDS, FILE_NAME
from memory.records import Begun, Head, record_of


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a copy ends with.

    Args:
        records: its newest record; 0 if it has none.
        seal: of that record.
    """

    records: int
    seal: bytes


_PAGES = 4_096
"""Copied before it is told that it goes on: 16 MB."""


def copy_memory(folder: Path, target: Path, going_on: Callable[[], None]) -> Copied:
    """Copy the memory of a folder into a file that is not there yet.

    Args:
        folder: of the keys.
        target: the copy.
        going_on: called now and then while it takes long.

    Raises:
        MemoryMissing, MemoryUnusable: there is none, or it cannot be read.
    """
    place = folder / FILE_NAME
    if not place.exists():
        raise MemoryMissing(path=place)
    try:
        with (
            closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as held,
            closing(sqlite3.connect(target)) as copy,
        ):
            # One state of it, though the authority writes meanwhile.
            held.execute("BEGIN")
            held.execute("SELECT 1 FROM record LIMIT 1").fetchone()
            held.backup(copy, pages=_PAGES, progress=lambda *_: going_on())
            # One file, without companions: what was copied is in it.
            copy.execute("PRAGMA journal_mode = DELETE")
            return ends_with(copy)
    except sqlite3.Error as error:
        raise MemoryUnusable(path=place, detail=str(error)) from error


def look_at_copy(path: Path) -> Copied:
    """Return what a copy ends with, without the key; MemoryUnusable if it is no whole database with records."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            (sound,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if sound != "ok":
                raise MemoryUnusable(path=path, detail=sound)
            return ends_with(copy)
    except sqlite3.Error as error:
        raise MemoryUnusable(path=path, detail=str(error)) from error


class CopyRead:
    """A memory as it is read without the key: what it says is believed where it lies, and proved with the key.

    Args:
        path: of the file.
        reading: it is opened for reading alone, and its companions are not made either.

    Raises:
        MemoryUnusable: each question, if the copy cannot be read.
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self._path = path
        with self._guarded():
            # A reader of a file with a log makes its index, if need be.
            uri = reading_uri(path) if reading else f"{path.absolute().as_uri()}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def begun(self) -> Begun:
        """Who the authority is."""
        with self._told() as cursor:
            row = cursor.execute("SELECT kind, body FROM record WHERE number = 1").fetchone()
            found = None if row is None else record_of(str(row[0]), bytes(row[1]))
        if not isinstance(found, Begun):
            raise MemoryUnusable(path=self._path, detail="it does not say whose it is")
        return found

    @property
    def head(self) -> Head:
        """The last row of the journal that a head was signed for; row 0 before the first."""
        with self._told() as cursor:
            return beliefs.head(cursor)

    @property
    def issued_under(self) -> frozenset[str]:
        """The key identifiers of the CAs that have signed certificates or lists."""
        with self._told() as cursor:
            return frozenset(beliefs.uses(cursor))

    def hierarchy(self, role: HierarchyRole) -> list[Certified]:
        """Return the certificates of the hierarchy of a role, oldest first."""
        with self._told() as cursor:
            return beliefs.hierarchy(cursor, role)

    def link_of(self, number: int) -> bytes | None:
        """Return the link of a sealed row as it was when it was sealed; None if that is not known."""
        with self._told() as cursor:
            return beliefs.link_of(cursor, number)

    def signed(self, head: Head) -> bool:
        """Return whether a head was ever signed."""
        with self._told() as cursor:
            return beliefs.signed(cursor, head)

    def has_record(self, number: int, kind: str, at: int, body: bytes, mac: bytes) -> bool:
        """Return whether there is a record of this number that says exactly this, `at` in seconds."""
        query = "SELECT 1 FROM record WHERE number = ? AND kind = ? AND at = ? AND body = ? AND mac = ?"
        with self._told() as cursor:
            return cursor.execute(query, (number, kind, at, body, mac)).fetchone() is not None

    @contextmanager
    def _told(self) -> Iterator[sqlite3.Cursor]:
        with self._guarded():
            yield self._connection.cursor()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise MemoryUnusable(path=self._path, detail=str(error)) from error


def ends_with(connection: sqlite3.Connection) -> Copied:
    """Return what the records of a connection end with."""
    row = connection.execute("SELECT number, mac FROM record ORDER BY number DESC LIMIT 1").fetchone()
    return Copied(records=0, seal=bytes(32)) if row is None else Copied(records=int(row[0]), seal=bytes(row[1]))
