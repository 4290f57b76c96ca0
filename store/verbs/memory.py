"""The copy of the authority's memory: what is sealed there goes behind the last record here."""

from collections.abc import Sequence

from sqlalchemy import delete, insert

from core.sealed_record import SealedRecord
from store.tables import memory_records
from store.transactions import Transaction

_COPY = insert(memory_records)


def copy_records(tx: Transaction, records: Sequence[SealedRecord]) -> None:
    """Write records behind those that are there."""
    if records:
        tx.connection.execute(
            _COPY,
            [
                {"number": each.number, "kind": each.kind, "at": each.at, "body": each.body, "mac": each.mac}
                for each in records
            ],
        )


def drop_records(tx: Transaction) -> None:
    """Take out the whole copy: it is another authority's, or somebody wrote into it, and is made anew."""
    tx.connection.execute(delete(memory_records))
