"""What is remembered of the public log: which there were, and of each the largest tree and register that were signed.

Each function takes a cursor of the book; what is asked and what is then written are one transaction of it.
"""

import sqlite3
from typing import TypeAlias

from core.errors import MemoryContradicted
from memory.records import LogBegun, Register, Tree, record_of

OfTheLog: TypeAlias = LogBegun | Tree | Register


def news(cursor: sqlite3.Cursor, record: OfTheLog) -> bool:
    """Return whether a record says something new.

    Raises:
        MemoryContradicted: a log that does not follow the newest, or a tree or register that shrinks or is another one.
    """
    match record:
        case LogBegun():
            return _log_is_new(cursor, record)
        case Tree():
            return _tree_is_new(cursor, record)
        case Register():
            return _register_is_new(cursor, record)


def take(cursor: sqlite3.Cursor, number: int, record: OfTheLog) -> None:
    """Let what follows from a record, which stands in the book as `number`, be known."""
    match record:
        case LogBegun():
            cursor.execute("INSERT INTO log VALUES (?, ?, 0, ?)", (record.generation, record.log, number))
        case Tree():
            cursor.execute(
                "INSERT OR REPLACE INTO tree VALUES (?, ?, ?, ?)", (record.log, record.size, record.root, number)
            )
        case Register():
            said = (record.log, record.size, record.root, record.sha256, number)
            cursor.execute("INSERT OR REPLACE INTO register VALUES (?, ?, ?, ?, ?)", said)


def end(cursor: sqlite3.Cursor) -> None:
    """Let the newest log be over: a restore was accepted that lost rows, and no tree goes on from what it has."""
    cursor.execute("UPDATE log SET ended = 1")


def newest(cursor: sqlite3.Cursor) -> tuple[LogBegun, bool] | None:
    """Return the newest log, and whether it is over; None before the first."""
    query = "SELECT body, ended FROM record JOIN log ON record = number ORDER BY generation DESC LIMIT 1"
    row = cursor.execute(query).fetchone()
    found = None if row is None else record_of(LogBegun.kind, row[0])
    return (found, bool(row[1])) if isinstance(found, LogBegun) else None


def tree(cursor: sqlite3.Cursor, log: str) -> Tree | None:
    """Return the largest tree of a log that a checkpoint was signed for, or was to be; None before the first."""
    row = cursor.execute("SELECT size, root FROM tree WHERE log = ?", (log,)).fetchone()
    return None if row is None else Tree(log=log, size=int(row[0]), root=bytes(row[1]))


def register(cursor: sqlite3.Cursor, log: str) -> Register | None:
    """Return the largest register of a log that was signed, or was to be; None before the first."""
    row = cursor.execute("SELECT size, root, sha256 FROM register WHERE log = ?", (log,)).fetchone()
    return None if row is None else Register(log=log, size=int(row[0]), root=bytes(row[1]), sha256=row[2])


def _log_is_new(cursor: sqlite3.Cursor, record: LogBegun) -> bool:
    before = newest(cursor)
    if before is not None and before[0] == record:
        return False
    last, over = (0, True) if before is None else (before[0].generation, before[1])
    subject = f"the log {record.log}"
    if not over:
        raise MemoryContradicted(what=subject, detail=f"log {last} is not over")
    if record.generation != last + 1:
        raise MemoryContradicted(what=subject, detail=f"log {last} is the newest")
    return True


def _tree_is_new(cursor: sqlite3.Cursor, record: Tree) -> bool:
    subject = f"the checkpoint of {record.log} at {record.size}"
    of = newest(cursor)
    if of is None or of[1] or of[0].log != record.log:
        raise MemoryContradicted(what=subject, detail="that log is over, or never began")
    before = tree(cursor, record.log)
    if before is None or before.size < record.size:
        return True
    if before.size > record.size:
        raise MemoryContradicted(what=subject, detail=f"one was signed at {before.size}")
    if before.root != record.root:
        raise MemoryContradicted(what=subject, detail="another root was signed for this size")
    return False


def _register_is_new(cursor: sqlite3.Cursor, record: Register) -> bool:
    subject = f"the register of {record.log} at {record.size}"
    of, above = newest(cursor), tree(cursor, record.log)
    if of is None or of[1] or of[0].log != record.log or above is None or above.size < record.size:
        raise MemoryContradicted(what=subject, detail="that log is over, or has no checkpoint there")
    if above.size == record.size and above.root != record.root:
        raise MemoryContradicted(what=subject, detail="the checkpoint there has another root")
    before = register(cursor, record.log)
    if before is None or before.size < record.size:
        return True
    if before.size > record.size:
        raise MemoryContradicted(what=subject, detail=f"one was signed at {before.size}")
    if before != record:
        raise MemoryContradicted(what=subject, detail="another one was signed for this size")
    return False
