"""What the register holds, counted: what a process that died has left must be counted like what one left that lived."""

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import Table, func, select

from core.facts import FactKind
from memory.records import RecordKind
from store.tables import journal, memory_records, metadata
from store.transactions import Transaction

Tally = dict[str, int]
"""How many rows there are of each sort: its table, its states, and which of its fates have come."""

_SAID = frozenset({"state", "kind", "recipient", "channel", "form", "end_cause", "subject_kind", "accepted"})
"""Columns whose values sort the rows of a table; of columns that may be NULL it counts whether they are."""

_ANEW = frozenset(
    {
        *("journal", "journal_heads", "log_leaves", "log_documents", "log_tiles", "checkpoints"),
        *("crls", "ocsp_answers", "cursors", "lease", "deployment_batches", "memory_records"),
    }
)
"""Tables that a restart may add to: lists and answers are signed anew, and a report that is sent again is a batch."""

_TOLD_ANEW = frozenset({FactKind.OCSP_ANSWERS_SIGNED, FactKind.CRL_PUBLISHED, FactKind.DEPLOYMENTS_RECORDED})

_REMEMBERED_ANEW = frozenset({RecordKind.AT, RecordKind.HEAD, RecordKind.LIST, RecordKind.TREE})
"""Records that a restart may add: of the clock, and of heads, trees and lists that a death kept from being shown."""


def tally(tx: Transaction) -> Tally:
    """Count everything but what a restart may add to."""
    found: Counter[str] = Counter()
    for table in metadata.sorted_tables:
        if table.name not in _ANEW:
            found.update(_sorted(tx, table))
    facts = tx.connection.execute(select(journal.c.kind).where(journal.c.kind.not_in(_TOLD_ANEW))).scalars()
    records = tx.connection.execute(
        select(memory_records.c.kind).where(memory_records.c.kind.not_in(_REMEMBERED_ANEW))
    ).scalars()
    remembered = Counter(f"record {kind}" for kind in records)
    return dict(found + Counter(f"fact {kind}" for kind in facts) + remembered)


def differences(undisturbed: Mapping[str, int], found: Mapping[str, int]) -> Iterator[str]:
    """Say what there is more or less of than where nobody died."""
    for sort in sorted(undisturbed.keys() | found.keys()):
        there, expected = found.get(sort, 0), undisturbed.get(sort, 0)
        if there != expected:
            yield f"{there} instead of {expected} of: {sort}"


def _sorted(tx: Transaction, table: Table) -> Tally:
    said = [column for column in table.columns if column.name in _SAID]
    fates = [column for column in table.columns if column.nullable and column.name not in _SAID]
    come = [column.is_not(None) for column in fates]
    found: Tally = {}
    for *values, count in tx.connection.execute(select(*said, *come, func.count()).group_by(*said, *come)):
        words = [str(value) for value in values[: len(said)]]
        came = [column.name for column, has in zip(fates, values[len(said) :], strict=True) if has]
        found[" ".join([table.name, *words, *came])] = count
    return found
