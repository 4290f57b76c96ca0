"""What follows from the records follows from them again, beside what is believed: the look at the whole memory."""

import hashlib
import sqlite3
from dataclasses import dataclass

from core.errors import MemoryUnusable
from memory import taking
from memory.book import DERIVED, Book
from memory.records import Acceptance, Begun, Head, record_of


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What a look at the whole memory has found: records, certificates, ends, lists, and the row of the last head."""

    records: int
    certificates: int
    ends: int
    lists: int
    head: int


def prove(book: Book) -> Proved:
    """Compute every seal again, let everything follow anew beside what is believed, and compare.

    Raises:
        MemoryUnusable: a record is not as it was sealed, or what lies beside the records does not follow from them.
    """
    with book.deriving() as cursor:
        records = book.prove(cursor)
        head = follow(book, cursor)
        if digest(cursor) != digest(cursor, "main"):
            raise MemoryUnusable(path=book.path, detail="what it believes does not follow from its records")
        return Proved(
            records=records,
            certificates=_count(cursor, "certificate"),
            ends=_count(cursor, "ended"),
            lists=_count(cursor, "list"),
            head=head,
        )


def follow(book: Book, cursor: sqlite3.Cursor) -> int:
    """Let every record have its effect, in order; return the row of the head that is the last one then."""
    head = 0
    for entry in book.each(cursor, 0):
        record = record_of(entry.kind, entry.body)
        taking.take(cursor, entry.number, record)
        match record:
            case Head(number=number) | Begun(journal_number=number):
                head = number
            case Acceptance(after={"number": after}):
                head = int(after)
            case _:
                pass
    return head


def digest(cursor: sqlite3.Cursor, schema: str | None = None) -> str:
    """Return the SHA-256 (hex) over everything that is believed, as the tables of a schema have it."""
    said = hashlib.sha256()
    for table in DERIVED:
        named = table if schema is None else f"{schema}.{table}"
        for row in cursor.execute(f"SELECT * FROM {named} ORDER BY 1, 2"):  # noqa: S608 - names of ours
            said.update(repr(row).encode())
    return said.hexdigest()


def _count(cursor: sqlite3.Cursor, table: str) -> int:
    return int(cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of ours
