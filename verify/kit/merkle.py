"""The tree of the log (RFC 9162, 2.1), verified: its root from its leaves, inclusion, and that it only grew."""

import hashlib
from collections.abc import Sequence

OCTETS = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""

_DEEPEST = 64


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows by leaves, held as the whole trees that its size divides into, the largest first.

    Args:
        size: leaves that it has.
        hashes: of those trees, one for each bit that is set in the size.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or size.bit_count() != len(hashes) or any(len(each) != OCTETS for each in hashes):
            raise ValueError("a frontier that is none")
        self.size = size
        self.hashes = list(hashes)

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root."""
        if not self.hashes:
            return EMPTY
        root = self.hashes[-1]
        for each in reversed(self.hashes[:-1]):
            root = node_hash(each, root)
        return root


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether a leaf is the one at an index (RFC 9162, 2.1.3.2).

    Args:
        leaf: its hash.
        index: from 0.
        size: of the tree.
        path: the proof.
        root: of the tree.
    """
    if not 0 <= index < size or not _plausible(path):
        return False
    place, last, found = index, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, each)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(first: int, before: bytes, second: int, after: bytes, path: Sequence[bytes]) -> bool:
    """Return whether a tree is a later state of another (RFC 9162, 2.1.4.2).

    Args:
        first: size of the earlier.
        before: its root.
        second: size of the later.
        after: its root.
        path: the proof; empty where they are equal, or the earlier has no leaf.
    """
    if not 0 <= first <= second or not _plausible(path):
        return False
    if first == second:
        return not path and before == after
    if first == 0:
        return not path and before == EMPTY
    hashes = [before, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, each)
        place, last = place >> 1, last >> 1
    return last == 0 and old == before and new == after


def _plausible(path: Sequence[bytes]) -> bool:
    return len(path) <= _DEEPEST and all(len(each) == OCTETS for each in path)
