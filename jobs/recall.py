"""recall: the register's copy of the memory, and a successor that takes over what it lacks.

Every commit of the authority carries the records that were written since the last (jobs/duty.py). Whoever takes the
lease compares first: what another process of this authority remembered is taken over, and what somebody else wrote
into the copy is recognised by its seals and thrown away.
"""

from datetime import datetime
from typing import Protocol

from ca.certificates import signature_holds
from core.canonical import LARGEST_EXACT
from core.chain import head_statement
from core.errors import MemoryBehind, StoreWentBack
from core.sealed_record import SealedRecord
from jobs.keyring import Keyring
from memory.memory import Memory
from memory.records import Acceptance, Accepted, Head, record_of
from store.reading import journal
from store.reading import memory as reading
from store.transactions import Store, Transaction
from store.verbs import memory as writing

_PORTION = 1_000

COPY_CHANGED = "Somebody wrote into the register's copy of the authority's memory; it is made anew."


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
        MemoryFull, MemoryUnusable: what is to be taken over cannot be written.
    """
    with store.read() as tx:
        newest = reading.last_record(tx)
        if memory.seal_of(newest) == reading.seal_of(tx, newest):
            return True  # the copy ends with a record that is known here, so all before it is
        common = _common(tx, memory, min(newest, memory.last))
    whole = True
    while True:
        with store.read() as tx:
            records = reading.records_after(tx, common, _PORTION)
        if not records:
            return whole
        whole = memory.catch_up(records, now=now).foreign is None and whole
        common = records[-1].number
        if memory.last < common:
            return False  # nothing behind this can follow


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

    def carry(self, tx: Transaction) -> tuple[int, bool]:
        """Copy what was remembered since.

        It is looked before anything is written: a row that somebody else put there would refuse every commit for ever.

        Returns:
            The number of the last record that is there once `tx` commits, and whether the copy was as it was left; if
            not, it is made anew.
        """
        first = self.known is None
        known = reading.last_record(tx) if self.known is None else self.known
        records = self._memory.after(known, _PORTION)
        if not first and not records:
            return known, True
        newest = reading.newest(tx)
        if not first and (left := self._known_still(newest, known)) != known:
            known, records = left, self._memory.after(left, _PORTION)
        whole = not (first and not self._whole) and self._ends_with(newest, known)
        if not whole:
            writing.drop_records(tx)
            known, records = 0, self._memory.after(0, _PORTION)
        while records:
            writing.copy_records(tx, records)
            known = records[-1].number
            records = self._memory.after(known, _PORTION) if len(records) == _PORTION else []
        return known, whole or (first and not self._whole)

    def _known_still(self, newest: tuple[int, bytes | None], known: int) -> int:
        """Return the last record that was copied, or that an accepted restore has left: what went with it is lost.

        Args:
            newest: number and seal of the last record that is there.
            known: the number of the last one that was copied.
        """
        left, _ = newest
        if left >= known or not self._ends_with(newest, left):
            return known
        since = self._memory.after(left, known - left + _PORTION)
        return left if any(_is_restore(each) for each in since) else known

    def _ends_with(self, newest: tuple[int, bytes | None], known: int) -> bool:
        """Return whether the copy ends with a record of this memory: seals are chained, so all before it is."""
        return newest == (known, self._memory.seal_of(known))


def _is_restore(entry: SealedRecord) -> bool:
    if entry.kind != Acceptance.kind:
        return False
    said = record_of(entry.kind, entry.body)
    return isinstance(said, Acceptance) and said.what is Accepted.RESTORE


def signed_by_us(keyring: Keyring, head: journal.Head) -> bool:
    """Return whether our journal key signed a head that the register has."""
    if not 0 < head.number <= LARGEST_EXACT:
        return False  # no statement says such a number
    statement = head_statement(keyring.profile.journal_name, head.number, head.link)
    return signature_holds(keyring.journal.public_key, statement, head.signature)


def require_memory_not_behind(store: Store, memory: Memory, keyring: Keyring) -> None:
    """Raise MemoryBehind if our key has signed a head that is not remembered.

    A head comes into the register in the commit that brings its record into the copy (jobs/duty.py), so whoever has
    caught up knows every head that is there. One of before an accepted restore is remembered and does not hold.
    """
    at = memory.head.number
    while True:
        with store.read() as tx:
            heads = journal.heads_after(tx, at, _PORTION)
        for each in heads:
            if signed_by_us(keyring, each) and not memory.signed(Head(number=each.number, link=each.link)):
                raise MemoryBehind(signed=each.number, remembered=memory.head.number)
        if len(heads) < _PORTION:
            return
        at = heads[-1].number


class Heading(Protocol):
    """What knows the row of the journal that a head was last signed for: a memory, or one that is read without keys."""

    @property
    def head(self) -> Head:
        """That row; row 0 before the first."""
        ...


def require_not_behind(tx: Transaction, memory: Heading) -> None:
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
