"""recall: the register's copy of the memory, and a successor that takes over what it lacks.

Every commit of the authority carries the records that were written since the last (jobs/duty.py). Whoever takes the
lease compares first: what another process of this authority remembered is taken over, and what somebody else wrote
into the copy is recognised by its seals and thrown away.
"""

from datetime import datetime

from core.errors import MemoryUnusable, StoreWentBack
from memory.memory import Memory
from store.reading import journal
from store.reading import memory as reading
from store.transactions import Store, Transaction
from store.verbs import memory as writing

_PORTION = 1_000


def catch_up(store: Store, memory: Memory, now: datetime) -> bool:
    """Take over what the register's copy has and this memory lacks.

    Args:
        store: the register.
        memory: this process's.
        now: the authority's clock.

    Returns:
        Whether the copy is of this memory. If not, somebody wrote into it: it is to be made anew.

    Raises:
        MemoryForked: another process of this authority remembers what contradicts this one.
    """
    with store.read() as tx:
        newest = reading.last_record(tx)
        if memory.seal_of(newest) == reading.seal_of(tx, newest):
            return True  # the copy ends with a record that is known here, so all before it is
        common = _common(tx, memory, min(newest, memory.last))
    while True:
        with store.read() as tx:
            records = reading.records_after(tx, common, _PORTION)
        if not records:
            return True
        try:
            memory.catch_up(records, now=now)
        except MemoryUnusable:
            return False
        common = records[-1].number


class Copy:
    """The register's copy, as the holder of the lease knows it.

    Args:
        memory: of which it is a copy.
        whole: whether what is there is of this memory; if not, it is made anew.
    """

    def __init__(self, memory: Memory, *, whole: bool) -> None:
        self._memory = memory
        self.known: int | None = None
        """The last record that is there; None where that is not known."""
        self._whole = whole

    def carry(self, tx: Transaction) -> int:
        """Copy what was remembered since; return the number of the last record that is there once `tx` commits."""
        if self.known is None and not self._whole:
            writing.drop_records(tx)
        known = reading.last_record(tx) if self.known is None else self.known
        while records := self._memory.after(known, _PORTION):
            writing.copy_records(tx, records)
            known = records[-1].number
        return known


def require_not_behind(tx: Transaction, memory: Memory) -> None:
    """Raise StoreWentBack unless the register still holds the row that a head was last signed for."""
    head = memory.head
    if head.number and journal.link_of(tx, head.number) != head.link:
        found, _, _ = journal.last_sealed(tx)
        raise StoreWentBack(found=found, sealed=head.number)


def _common(tx: Transaction, memory: Memory, most: int) -> int:
    """Return the last number up to which both are the same: seals are chained, so what agrees agrees from the start."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if memory.seal_of(middle) is not None and memory.seal_of(middle) == reading.seal_of(tx, middle):
            low = middle
        else:
            high = middle - 1
    return low
