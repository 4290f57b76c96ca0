"""The memory: the book and what follows from it, as one thing that jobs ask and tell.

Several processes of one machine may have it open, and one of them works (the lease says which): whatever is asked
before something is written is asked in the transaction that writes it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.errors import MemoryContradicted, MemoryForked, MemoryFull, MemoryMissing
from core.sealed_record import SealedRecord
from memory import beliefs, proving, taking
from memory.believed import Believed
from memory.book import DERIVED, FILE_NAME, Book, Seals
from memory.records import (
    At,
    Begun,
    Consumed,
    Ended,
    Head,
    Listed,
    LogBegun,
    Record,
    Register,
    Tree,
    body_of,
    record_of,
)

AT_LEAST = timedelta(seconds=10)
"""Between two records of what the clocks say."""

PROVED_AT_START = 200
"""Records whose seals are computed again when the memory is opened; `check` computes all."""


@dataclass(frozen=True, kw_only=True)
class TakenOver:
    """What came of catching up.

    Args:
        taken: records that were taken over.
        foreign: the first entry that does not follow, or that another key sealed; None if there is none.
    """

    taken: int
    foreign: int | None


class Memory(Believed):
    """What this authority remembers by itself.

    Args:
        book: the records on disk.
        clocks: says what the clocks show; asked while something is written.
    """

    def __init__(self, book: Book, clocks: Callable[[], At]) -> None:
        super().__init__(book, clocks)
        self.doubted: timedelta | None = None
        """By how much the machine's clock is wrong, as far as it is known; None while nobody doubts it. What it shows
        while it is doubted is nothing to measure it by later."""

    @classmethod
    def begin(
        cls,
        folder: Path,
        key: Seals,
        begun: Begun,
        clocks: Callable[[], At],
        records: Sequence[Record] = (),
        links: Iterable[tuple[int, bytes]] = (),
    ) -> "Memory":
        """Begin to remember, or go on where a ceremony died.

        If we die before the commit there is a file that remembers nothing, and it is begun again.

        Args:
            folder: where the file lies.
            key: seals its records.
            begun: the first.
            clocks: as of the class.
            records: what is remembered from the start, of an authority that was there before its memory.
            links: of the journal's rows up to the head that is in `begun`.

        Raises:
            MemoryContradicted: there is a memory of another authority.
            MemoryUnusable, MemoryFull: it cannot be read, or written.
        """
        memory = cls(Book.make(folder / FILE_NAME, key), clocks)
        with memory._book.reading() as cursor:
            number, _ = memory._book.last(cursor)
        if not number:
            read = clocks()
            now = read.wall + timedelta(seconds=read.offset)
            memory.remember([begun, *records], now=now, links=links)
        elif memory.begun != begun:
            raise MemoryContradicted(what="the memory", detail=f"{folder} holds that of another authority")
        return memory

    @classmethod
    def open(cls, folder: Path, key: Seals, clocks: Callable[[], At]) -> "Memory":
        """Open the memory that lies in a folder.

        Raises:
            MemoryMissing: there is none.
            MemoryUnusable: it cannot be read, another key sealed it, or its newest records are not as they were sealed.
        """
        memory = cls(Book(folder / FILE_NAME, key), clocks)
        with memory._book.reading() as cursor:
            number, _ = memory._book.last(cursor)
            if not number:
                raise MemoryMissing(path=memory._book.path)
            memory._book.prove(cursor, max(0, number - PROVED_AT_START))
        assert memory.begun
        return memory

    def close(self) -> None:
        """Close its file."""
        self._book.close()

    # --- telling -------------------------------------------------------------------------------------------------

    def learn(self, links: Iterable[tuple[int, bytes]]) -> None:
        """Keep the links of rows that lie between two heads and lead from the one to the other."""
        given = list(links)
        try:
            self._keep(given)
        except MemoryFull:
            if not self._book.give_up_reserve():
                raise
            self._keep(given)

    def _keep(self, links: Sequence[tuple[int, bytes]]) -> None:
        with self._book.writing() as cursor:
            cursor.executemany("INSERT OR IGNORE INTO link VALUES (?, ?)", links)

    def remember(self, records: Sequence[Record], *, now: datetime, links: Iterable[tuple[int, bytes]] = ()) -> int:
        """Write a portion of records, before what they say is signed. What is known already is passed over.

        If we die before this returns, nothing of it may be signed, and nothing was. If we die after it, the same is
        signed again, from the same bytes.

        Args:
            records: in order.
            now: the authority's clock.
            links: number and link of journal rows under the head that is among the records.

        Returns:
            How many were new.

        Raises:
            MemoryContradicted: one of them contradicts what is remembered; none is written.
            MemoryFull: there is no room; for ends, for lists, and for the authorisations and heads that prove them a
                reserve was kept.
            MemoryUnusable: the file cannot be written.
        """
        given = list(links)
        try:
            return self._write(records, now, given)
        except MemoryFull:
            spared = all(isinstance(each, Ended | Listed | Head | Tree | Consumed) for each in records)
            if not spared or not self._book.give_up_reserve():
                raise
            return self._write(records, now, given)

    def _write(self, records: Sequence[Record], now: datetime, links: Sequence[tuple[int, bytes]]) -> int:
        reading = self._clocks()
        new, at = 0, reading.wall + (self.doubted or timedelta(0))
        with self._book.writing() as cursor:
            for record in records:
                if taking.news(cursor, record, now):
                    self._append(cursor, record, at)
                    new += 1
            # Behind the head that they are under: a link that is known makes a head for its row known.
            cursor.executemany("INSERT OR IGNORE INTO link VALUES (?, ?)", links)
            if new and self.doubted is None and _measures(beliefs.last_at(cursor), reading):
                self._append(cursor, reading, at)
        return new

    def _append(self, cursor: sqlite3.Cursor, record: Record, at: datetime) -> None:
        number = self._book.append(cursor, record.kind, body_of(record), at)
        taking.take(cursor, number, record)

    def keep_reserve(self) -> None:
        """Keep room for what must be remembered on a full disk."""
        self._book.keep_reserve()

    # --- the copy in the register --------------------------------------------------------------------------------

    def after(self, number: int, most: int) -> list[SealedRecord]:
        """Return records behind a number, in order: what the register lacks."""
        with self._book.reading() as cursor:
            return self._book.entries(cursor, number, most)

    @property
    def last(self) -> int:
        """The number of the newest record."""
        with self._book.reading() as cursor:
            return self._book.last(cursor)[0]

    def counted(self) -> dict[str, int]:
        """Return how many records there are of each kind."""
        with self._book.reading() as cursor:
            return dict(
                cursor.execute("SELECT kind, count(*) FROM record GROUP BY kind ORDER BY min(number)").fetchall()
            )

    def seal_of(self, number: int) -> bytes | None:
        """Return the seal of a record; None if there is none with this number."""
        with self._book.reading() as cursor:
            row = cursor.execute("SELECT mac FROM record WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def catch_up(self, entries: Iterable[SealedRecord], *, now: datetime) -> TakenOver:
        """Take over what another process of this authority remembered and this one lacks.

        What this one wrote and never got into the register comes behind it, unless it is known by then. What somebody
        else wrote takes nothing with it: every entry before the first that does not follow is kept, and one that is
        not what is remembered here under its number hides none behind it.

        Args:
            entries: the register's, in order, from one on that is known here or follows the newest one here.
            now: the authority's clock.

        Returns:
            How many were taken over, and whether somebody else wrote one of them.

        Raises:
            MemoryForked: what this process wrote contradicts what the other one did; people must look.
            MemoryFull, MemoryUnusable: the file cannot be written.
        """
        taken, own, foreign = 0, list[Record](), None
        with self._book.writing() as cursor:
            for entry in entries:
                row = cursor.execute("SELECT mac FROM record WHERE number = ?", (entry.number,)).fetchone()
                if row is not None and row[0] == entry.mac:
                    continue
                if not self._book.follows(cursor, entry):
                    foreign = foreign or entry.number
                    if row is not None:
                        continue
                    break
                if row is not None:
                    own = self._set_aside(cursor, entry.number)
                self._book.copy(cursor, entry)
                taking.take(cursor, entry.number, record_of(entry.kind, entry.body))
                taken += 1
            try:
                for record in own:
                    if isinstance(record, Listed | Consumed) and taking.refused(cursor, record, now):
                        # It never left: what is published, or was sealed, is in the register, and was taken over.
                        continue
                    if not isinstance(record, At | Head | LogBegun | Tree | Register) and taking.news(
                        cursor, record, now
                    ):
                        self._append(cursor, record, now)
            except MemoryContradicted as error:
                raise MemoryForked(detail=str(error)) from error
        return TakenOver(taken=taken, foreign=foreign)

    def _set_aside(self, cursor: sqlite3.Cursor, number: int) -> list[Record]:
        """Take out every record from a number on; return them."""
        aside = [record_of(each.kind, each.body) for each in self._book.entries(cursor, number - 1)]
        cursor.execute("DELETE FROM record WHERE number >= ?", (number,))
        self._acceptances, self._accepted_up_to, self._told = [], 0, (0, frozenset())
        self._derive(cursor)
        return aside

    def _derive(self, cursor: sqlite3.Cursor) -> None:
        """Let everything that follows from the records follow from them anew."""
        for table in DERIVED:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        cursor.execute("DELETE FROM link WHERE number > ?", (proving.follow(self._book, cursor),))

    # --- all of it -----------------------------------------------------------------------------------------------

    def prove(self) -> proving.Proved:
        """Compute every seal again, let everything follow anew beside what is believed, and compare.

        The authority works meanwhile: nothing is locked, and nothing but a portion is held at once.

        Raises:
            MemoryUnusable: a record is not as it was sealed, or what lies beside the records does not follow from them.
        """
        return proving.prove(self._book)

    def digest(self) -> str:
        """Return the SHA-256 (hex) over everything that is believed: two machines compare it."""
        with self._book.reading() as cursor:
            return proving.digest(cursor)


def _measures(last: At | None, reading: At) -> bool:
    """Return whether the clock is to be measured by this reading from now on: it never goes back by itself."""
    if last is None:
        return True
    later, other = reading.wall - last.wall, reading.boot_id != last.boot_id
    # A test authority's clock that was moved on is known to have been, whatever a row says afterwards.
    moved = reading.offset - last.offset > AT_LEAST.total_seconds()
    return later >= AT_LEAST or (later >= timedelta(0) and (other or moved))
