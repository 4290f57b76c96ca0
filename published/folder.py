"""The folder: each file in it is written whole, and nothing is replaced or removed but what was written here.

What was written is noted, with its digest, before a file gets its name; so a file under a name of ours that somebody
else put there is known, is left as it is, and is told. Notes and what is being written lie in a folder of their own.
"""

import fcntl
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.boundaries import boundary
from core.errors import PlaceUnusable
from core.instants import seconds

OURS = ".trialcpa"
"""The folder of notes; a server carries it to nobody (deploy/nginx.conf)."""

_UNREAD = 1
"""The second, from 1970, at which a file says that it was read last when nobody has read it."""

_TABLES = """
CREATE TABLE IF NOT EXISTS whose (authority TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS written (name TEXT, sha256 BLOB, at INTEGER, PRIMARY KEY (name, sha256)) STRICT;
"""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that is published.

    Args:
        name: its path in the folder, with slashes.
        octets: all of it.
        at: since when it says what it says: what a server tells as Last-Modified.
    """

    name: str
    octets: bytes
    at: datetime


class Folder:
    """A folder that one process at a time publishes in.

    Args:
        place: the folder; made if it is not there.
        authority: whose files it has: an identity, of which another one finds the folder taken.

    Raises:
        PlaceUnusable: another process publishes there, or another authority, or it cannot be written.
    """

    def __init__(self, place: Path, authority: str) -> None:
        self.place = place
        self._notes_in = place / OURS
        try:
            self._notes_in.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.chmod(place.stat().st_mode | 0o555)
            self._lock = os.open(self._notes_in / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlaceUnusable(path=place, detail="another process publishes there") from None
        except OSError as error:
            raise PlaceUnusable(path=place, detail=error.strerror or type(error).__name__) from None
        for each in self._notes_in.glob("*.new"):
            each.unlink()
        self._notes = sqlite3.connect(self._notes_in / "written.sqlite3", isolation_level=None)
        self._notes.execute("PRAGMA synchronous=FULL")
        self._notes.executescript(_TABLES)
        self._notes.execute("INSERT INTO whose SELECT ? WHERE NOT EXISTS (SELECT 1 FROM whose)", (authority,))
        if self._notes.execute("SELECT authority FROM whose").fetchone() != (authority,):
            self.close()
            raise PlaceUnusable(path=place, detail="it holds what another authority has published")
        self.foreign: set[str] = set()
        """Names under which somebody else has put a file: left as they are."""
        self.wrote, self.removed = 0, 0
        """Files, since this folder was opened: so that whoever publishes can say what was done."""
        self._reads_are_seen = self._tried_reading()

    def close(self) -> None:
        """Let another process have it."""
        self._notes.close()
        os.close(self._lock)

    @property
    def notes(self) -> Path:
        """Where whoever publishes may keep what it remembers."""
        return self._notes_in

    def names(self, begin: str) -> list[str]:
        """Return the names that begin so, of what was written and is there."""
        rows = self._notes.execute(
            "SELECT DISTINCT name FROM written WHERE name >= ? AND name < ?", (begin, f"{begin}\U0010ffff")
        )
        return [str(name) for (name,) in rows if (self.place / name).is_file()]

    def says(self, name: str) -> bytes | None:
        """Return what was written under a name; None if there is no file, or somebody else's."""
        found = self._read(name)
        return found if found is not None and self._is_ours(name, found) else None

    def written_at(self, name: str, octets: bytes) -> int | None:
        """Return the second since when a file of ours says what it says; None if it is not one."""
        row = self._noted(name, octets)
        return None if row is None else int(row[0])

    def was_read(self, name: str) -> bool:
        """Return whether anybody has read a file since it was written, or may have where that is not seen."""
        return not self._reads_are_seen or (self.place / name).stat().st_atime != _UNREAD

    def keep(self, files: Sequence[File]) -> None:
        """Write files, each in the place of the one before it.

        Once this returns they are durable. If we die before, each is there as it is to be or as it was.

        Raises:
            PlaceUnusable: one cannot be written.
        """
        wanted = [each for each in files if self._may_write(each)]
        if not wanted:
            return
        with boundary("note what is published"):
            self._notes.execute("BEGIN IMMEDIATE")
            self._notes.executemany(
                "INSERT OR REPLACE INTO written VALUES (?, ?, ?)",
                [(each.name, _digest(each.octets), seconds(each.at)) for each in wanted],
            )
            self._notes.execute("COMMIT")
        folders: set[Path] = set()
        for each in wanted:
            try:
                folders |= set(self._made(each.name))
                self._write(each)
                self.wrote += 1
            except OSError as error:
                raise PlaceUnusable(path=self.place / each.name, detail=error.strerror or "no file") from None
        # Of a folder that is new its own name, too, must be durable.
        for folder in sorted({*folders, *(each.parent for each in folders if each != self.place)}):
            _flush(folder)
        self._forget([(each.name, _digest(each.octets)) for each in wanted])

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of ours; of a name under which there is none, nothing."""
        gone = [each for each in names if self.says(each) is not None]
        for each in gone:
            with boundary("remove what was published"):
                (self.place / each).unlink()
                self.removed += 1
        for folder in sorted({(self.place / each).parent for each in gone}):
            _flush(folder)
        self._forget([(each, b"") for each in gone])

    def _may_write(self, file: File) -> bool:
        """Whether a file is to be written: not if it is there already, or if another's is there."""
        there = self._read(file.name)
        if there is None or there == file.octets:
            self.foreign.discard(file.name)
            return there is None or self.written_at(file.name, there) is None
        if self._is_ours(file.name, there):
            return True
        self.foreign.add(file.name)
        return False

    def _is_ours(self, name: str, octets: bytes) -> bool:
        return self._noted(name, octets) is not None

    def _noted(self, name: str, octets: bytes) -> tuple[int] | None:
        asked = (name, _digest(octets))
        row: tuple[int] | None = self._notes.execute(
            "SELECT at FROM written WHERE name = ? AND sha256 = ?", asked
        ).fetchone()
        return row

    def _forget(self, others: Sequence[tuple[str, bytes]]) -> None:
        """Forget what was written under names and is no longer there."""
        self._notes.execute("BEGIN IMMEDIATE")
        self._notes.executemany("DELETE FROM written WHERE name = ? AND sha256 <> ?", others)
        self._notes.execute("COMMIT")

    def _read(self, name: str) -> bytes | None:
        try:
            return _octets(self.place / name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise PlaceUnusable(path=self.place / name, detail=error.strerror or "no file") from None

    def _made(self, name: str) -> Iterator[Path]:
        """Make the folders of a name; yield each in which something is new."""
        folder = self.place
        for part in name.split("/")[:-1]:
            beneath = folder / part
            if not beneath.is_dir():
                beneath.mkdir(mode=0o755, exist_ok=True)
                yield folder
            folder = beneath
        yield folder

    def _write(self, file: File) -> None:
        beside = self._notes_in / f"{secrets.token_hex(8)}.new"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb") as written:
                written.write(file.octets)
                written.flush()
                os.fchmod(descriptor, 0o644)
                os.utime(descriptor, (_UNREAD, seconds(file.at)))
                os.fsync(descriptor)
            with boundary("name what is published"):
                beside.replace(self.place / file.name)
        finally:
            beside.unlink(missing_ok=True)

    def _tried_reading(self) -> bool:
        """Whether this file system notes when a file is read (relatime); where it does not, all count as read."""
        tried = self._notes_in / f"{secrets.token_hex(8)}.new"
        tried.write_bytes(b"read")
        try:
            os.utime(tried, (_UNREAD, int(tried.stat().st_mtime)))
            tried.read_bytes()
            return tried.stat().st_atime != _UNREAD
        finally:
            tried.unlink()


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def _octets(path: Path) -> bytes:
    """Return a file's octets, and leave no trace of having read it."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_NOATIME)
    except PermissionError:  # somebody else's: its traces are theirs
        descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
