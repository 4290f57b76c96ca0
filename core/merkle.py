"""The Merkle tree of the public log (RFC 9162, 2.1): hashes, roots, and proofs that a row or an earlier tree is in it.

A tree is never held whole: whoever asks for a root or a proof hands in a source of nodes, each the root of a whole
subtree of 2^level leaves, and of those few are asked for.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

EMPTY = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 9162, 2.1.1)."""

TILE_HEIGHT = 8
"""Levels of the tree in one tile (C2SP tlog-tiles)."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""Nodes in a tile that is full."""

_LENGTH_OCTETS = 2
"""Before each entry of a bundle (C2SP tlog-tiles)."""

HASH_OCTETS = 32
"""Of SHA-256."""

Nodes: TypeAlias = Callable[[int, int], bytes]
"""Gives the root of a whole subtree by its level, from 0 for a leaf, and its place among those of that level."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of what is above two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def whole_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root above so many nodes of one level; their number is a power of two."""
    return levels_of(b"".join(hashes))[-1]


def levels_of(nodes: bytes) -> Sequence[bytes]:
    """Return all that is whole above nodes of one level, a level each, from themselves to the last that has any.

    Args:
        nodes: written one behind the other, as in a tile; one at least.
    """
    # A proof has 255 of these hashes in a tile: a call for each would cost as much again.
    sha256, both = hashlib.sha256, 2 * HASH_OCTETS
    levels = [nodes]
    while len(level := levels[-1]) >= both:
        pairs = range(0, len(level) - both + 1, both)
        levels.append(b"".join([sha256(b"\x01" + level[at : at + both]).digest() for at in pairs]))
    return levels


def peaks(size: int, begin: int = 0) -> Iterator[tuple[int, int]]:
    """Give the whole subtrees of which a tree consists, as level and place, from the left.

    Args:
        size: leaves of the tree.
        begin: the first leaf that counts; a subtree of the tree begins there.
    """
    while begin < size:
        level = (size - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def above(hashes: Iterable[bytes]) -> bytes:
    """Return the root above whole subtrees of falling size, from the left; EMPTY above none."""
    root = None
    for each in reversed(list(hashes)):
        root = each if root is None else node_hash(each, root)
    return EMPTY if root is None else root


class Frontier:
    """The right edge of a tree: all that its next leaves and its root need. A leaf costs as many hashes as it closes.

    Args:
        size: leaves of the tree.
        hashes: its `peaks`, from the left.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(hashes)

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        closed, self.size = self.size, self.size + 1
        while closed & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            closed >>= 1
        self._peaks.append(leaf)

    def copy(self) -> "Frontier":
        """Return another that goes on from here by itself."""
        return Frontier(self.size, self._peaks)

    @property
    def root(self) -> bytes:
        """The root of the tree as it is."""
        return above(self._peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root above the hashes of leaves."""
    edge = Frontier()
    for each in leaves:
        edge.add(each)
    return edge.root


def root(nodes: Nodes, size: int) -> bytes:
    """Return the root of the first `size` leaves."""
    return _between(nodes, 0, size)


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Return the audit path of a leaf (RFC 9162, 2.1.3.1).

    Args:
        nodes: of a tree that has at least `size` leaves.
        index: which leaf, from 0.
        size: of the tree in which it is to be proved; more than `index`.

    Raises:
        ValueError: there is no such leaf in it.
    """
    if not 0 <= index < size:
        raise ValueError("there is no such leaf")
    begin, end, path = 0, size, list[bytes]()
    while end - begin > 1:
        middle = begin + _half(end - begin)
        if index < middle:
            path.append(_between(nodes, middle, end))
            end = middle
        else:
            path.append(_between(nodes, begin, middle))
            begin = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """Return the proof that a tree goes on from an earlier one (RFC 9162, 2.1.4.1); empty from nothing, and to itself.

    Raises:
        ValueError: the later one is smaller.
    """
    if not 0 <= old <= new:
        raise ValueError("there is no such tree before it")
    if old in (0, new):
        return []
    begin, end, known, path = 0, new, True, list[bytes]()
    while old != end:
        middle = begin + _half(end - begin)
        if old <= middle:
            path.append(_between(nodes, middle, end))
            end = middle
        else:
            path.append(_between(nodes, begin, middle))
            begin, known = middle, False
    if not known:
        path.append(_between(nodes, begin, end))
    return path[::-1]


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Return whether a proof shows that a leaf is in a tree (RFC 9162, 2.1.3.2).

    Args:
        leaf: its hash.
        index: which it is, from 0.
        size: leaves of the tree.
        expected: its root.
        proof: as `inclusion_proof` gives it.
    """
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for each in proof:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, each)
        place, last = place >> 1, last >> 1
    return not last and found == expected


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that one tree goes on from another (RFC 9162, 2.1.4.2).

    Args:
        old: leaves of the earlier one.
        new: leaves of the later one.
        old_root: the root of the earlier one.
        new_root: the root of the later one.
        proof: as `consistency_proof` gives it.
    """
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not proof and old_root == (EMPTY if not old else new_root)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for each in path[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, each)
        place, last = place >> 1, last >> 1
    return not last and (before, after) == (old_root, new_root)


def _half(count: int) -> int:
    """Return the largest power of two that is less than a number of leaves, which is more than one."""
    return 1 << ((count - 1).bit_length() - 1)


def _between(nodes: Nodes, begin: int, end: int) -> bytes:
    return above(nodes(level, place) for level, place in peaks(end, begin))


def bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as they are handed out together, each behind its length (C2SP tlog-tiles)."""
    return b"".join(len(each).to_bytes(_LENGTH_OCTETS, "big") + each for each in entries)
