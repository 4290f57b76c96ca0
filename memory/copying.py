"""A copy of the memory as it is at one moment, while the authority works: for a backup.

SQLite's own copy: it is whole, and needs neither the key that seals nor a lock that anybody waits for.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.errors import MemoryMissing, MemoryUnusable
from memory.book import BUSY_SECONDS, FILE_NAME


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


def ends_with(connection: sqlite3.Connection) -> Copied:
    """Return what the records of a connection end with."""
    row = connection.execute("SELECT number, mac FROM record ORDER BY number DESC LIMIT 1").fetchone()
    return Copied(records=0, seal=bytes(32)) if row is None else Copied(records=int(row[0]), seal=bytes(row[1]))
