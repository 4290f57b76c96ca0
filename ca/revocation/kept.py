"""The entries of a list, kept as the octets that they are: a new list has them again, and only what changed is written.

They lie in blocks. What is put in makes the blocks anew into which it comes, and shares all others with what was there.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter

from ca.revocation.octets import Cut, cut, cut_apart, listed_in

A_BLOCK = 512
"""Entries of one when a list is taken, some twenty kilobytes; one that has grown to more than twice as many is cut."""


class Entries:
    """Entries in order of their serial numbers; never changed.

    Args:
        blocks: their octets, a few hundred entries in each, and none empty.
        bounds: of each block the first and the last serial number.
        count: how many there are.
    """

    def __init__(self, blocks: list[bytes], bounds: list[tuple[int, int]], count: int) -> None:
        self.blocks = blocks
        self.bounds = bounds
        self._count = count

    @classmethod
    def of(cls, written: Iterable[tuple[int, bytes]], *, a_block: int = A_BLOCK) -> "Entries":
        """Take entries, each with its serial number, so many for a block at the most.

        Raises:
            ValueError: one is out of order, or is there twice.
        """
        blocks, bounds, count, last = list[bytes](), list[tuple[int, int]](), 0, 0
        stream = iter(written)
        while some := list(islice(stream, a_block)):
            for serial, _ in some:
                if serial <= last:
                    raise ValueError(f"{serial:X} is out of order or there twice")
                last = serial
            blocks.append(b"".join([octets for _, octets in some]))
            bounds.append((some[0][0], last))
            count += len(some)
        return cls(blocks, bounds, count)

    @classmethod
    def read(cls, der: bytes) -> "Entries":
        """Take the entries of a list that `cryptography` could read.

        Args:
            der: the list.

        Raises:
            ValueError: it has another structure, or an entry is out of order, or there twice.
        """
        return cls.of((each.serial, each.octets) for each in cut(der))

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """How many octets they have together."""
        return sum(map(len, self.blocks))

    def stand_in(self, der: bytes) -> bool:
        """Return whether a list has these entries and no others; ValueError if it has another structure."""
        at, ends = listed_in(der)
        for block in self.blocks:
            if not der.startswith(block, at, ends):
                return False
            at += len(block)
        return at == ends

    def find(self, serial: int) -> bytes | None:
        """Return the octets of one entry; None if there is none."""
        found = self._cut(self._place(serial)) if self.blocks else iter(())
        return next((each.octets for each in found if each.serial == serial), None)

    def but(self, written: Mapping[int, bytes]) -> "Entries":
        """Return the same with other entries beside them, or in the place of those of the same serial number."""
        by_block: dict[int, dict[int, bytes]] = {}
        for serial, octets in written.items():
            by_block.setdefault(self._place(serial), {})[serial] = octets
        blocks, bounds, count, done = list[bytes](), list[tuple[int, int]](), self._count, 0
        for place in sorted(by_block):
            blocks += self.blocks[done:place]
            bounds += self.bounds[done:place]
            before = {each.serial: each.octets for each in self._cut(place)} if self.blocks else {}
            together = sorted((before | by_block[place]).items())
            made = Entries.of(together, a_block=2 * A_BLOCK if len(together) <= 2 * A_BLOCK else A_BLOCK)
            blocks += made.blocks
            bounds += made.bounds
            count += len(made) - len(before)
            done = place + 1
        return Entries(blocks + self.blocks[done:], bounds + self.bounds[done:], count)

    def _place(self, serial: int) -> int:
        """Return in which block an entry stands, or would."""
        return max(bisect_right(self.bounds, serial, key=itemgetter(0)) - 1, 0)

    def _cut(self, place: int) -> Iterator[Cut]:
        return cut_apart(self.blocks[place], 0, len(self.blocks[place]))


def beyond(der: bytes, before: Entries) -> Iterator[Cut]:
    """Yield the entries of a list that it has beyond those of the list before, all of which it must have unchanged.

    What did not change is compared a block at a time; nothing is known of how the list was put together.

    Args:
        der: the list.
        before: the entries of the last list.

    Raises:
        ValueError: an entry of the last list is not there as it was, or one is out of order, or there twice.
    """
    (at, ends), last = listed_in(der), 0
    for block, (first, stops) in zip(before.blocks, before.bounds, strict=True):
        if der.startswith(block, at, ends) and last < first:
            at, last = at + len(block), stops
            continue
        for old in cut_apart(block, 0, len(block)):
            while not der.startswith(old.octets, at, ends):
                new = _next(der, at, ends)
                if not last < new.serial < old.serial:
                    raise ValueError(f"{old.serial:X} is not there as it was")
                yield new
                at, last = at + len(new.octets), new.serial
            if old.serial <= last:
                raise ValueError(f"{old.serial:X} is out of order")
            at, last = at + len(old.octets), old.serial
    for new in cut_apart(der, at, ends):
        if new.serial <= last:
            raise ValueError(f"{new.serial:X} is out of order or there twice")
        yield new
        last = new.serial


def _next(der: bytes, at: int, ends: int) -> Cut:
    found = next(cut_apart(der, at, ends), None)
    if found is None:
        raise ValueError("it ends too early")
    return found
