"""Evidence: facts as they were sealed. A row that was changed since, or was never sealed, proves nothing.

The memory holds the link of every row as it was when it was sealed (memory/), so a fact is proved by itself: its link
is computed again from what the row says now and from the link before it.
"""

from collections.abc import Collection, Sequence

from core.chain import link
from core.facts import FactKind
from memory.memory import Memory
from store.reading import journal
from store.reading.journal import Sealed
from store.transactions import Transaction


def proved_facts(tx: Transaction, memory: Memory, subject: str, kinds: Collection[FactKind]) -> list[Sealed]:
    """Return the facts about a subject that are in the journal as they were sealed, in order.

    Args:
        tx: open.
        memory: knows the links.
        subject: as in Fact.
        kinds: of facts.
    """
    return [each for each in journal.sealed_of(tx, subject, kinds) if _as_sealed(memory, each)]


def links_behind(before: bytes, rows: Sequence[Sealed]) -> list[tuple[int, bytes]]:
    """Return number and link of rows that follow each other, computed from what they say.

    Args:
        before: the link of the row before the first.
        rows: in order.
    """
    links = []
    for each in rows:
        before = link(before, each.row)
        links.append((each.row.number, before))
    return links


def _as_sealed(memory: Memory, sealed: Sealed) -> bool:
    before, known = memory.link_of(sealed.row.number - 1), memory.link_of(sealed.row.number)
    return before is not None and known is not None and link(before, sealed.row) == known
