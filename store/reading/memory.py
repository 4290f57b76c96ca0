"""The copy of the authority's memory, for a successor on another machine."""

from datetime import datetime

from sqlalchemy import func, select

from core.sealed_record import SealedRecord
from store.tables import memory_records
from store.transactions import Transaction

_LAST = select(func.max(memory_records.c.number))
_NEWEST = select(memory_records.c.number, memory_records.c.mac).order_by(memory_records.c.number.desc()).limit(1)
_REMEMBERED = select(memory_records.c.at).where(memory_records.c.number == _LAST.scalar_subquery())


def last_record(tx: Transaction) -> int:
    """Return the number of the newest record; 0 if there is none."""
    return int(tx.connection.execute(_LAST).scalar() or 0)


def newest(tx: Transaction) -> tuple[int, bytes | None]:
    """Return number and seal of the newest record; 0 and None if there is none."""
    row = tx.connection.execute(_NEWEST).one_or_none()
    return (0, None) if row is None else (int(row.number), bytes(row.mac))


def last_remembered(tx: Transaction) -> datetime | None:
    """Return when the newest record was written, by the clock of the authority's machine; None if there is none."""
    found: datetime | None = tx.connection.execute(_REMEMBERED).scalar()
    return found


def seal_of(tx: Transaction, number: int) -> bytes | None:
    """Return the seal of a record; None if there is none with this number."""
    found = tx.connection.execute(select(memory_records.c.mac).where(memory_records.c.number == number)).scalar()
    return None if found is None else bytes(found)


def records_after(tx: Transaction, number: int, limit: int) -> list[SealedRecord]:
    """Return records behind a number, in order."""
    columns = memory_records.c
    query = select(memory_records).where(columns.number > number).order_by(columns.number).limit(limit)
    return [
        SealedRecord(number=row.number, kind=row.kind, at=row.at, body=bytes(row.body), mac=bytes(row.mac))
        for row in tx.connection.execute(query)
    ]
