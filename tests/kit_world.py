"""A log of its own for the kit's tests: rows, proofs made the slow way of RFC 9162, and notes."""

from verify.kit.merkle import EMPTY, node_hash


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, over hashes of leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root(leaves[:split]), root(leaves[split:]))


def inclusion(leaves: list[bytes], index: int) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1."""
    if len(leaves) < 2:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*inclusion(left, index), root(right)]
    return [*inclusion(right, index - split), root(left)]


def consistency(leaves: list[bytes], first: int, *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 9162, 2.1.4.1."""
    if first in (0, len(leaves)):
        return [] if whole else [root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= split:
        return [*consistency(leaves[:split], first, whole=whole), root(leaves[split:])]
    return [*consistency(leaves[split:], first - split, whole=False), root(leaves[:split])]
