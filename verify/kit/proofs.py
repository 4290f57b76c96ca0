"""Proofs and tiles of a tree that is all at hand: what the simulator answers. Slow, and by the words of the RFC."""

import base64
import re
from collections.abc import Sequence

from verify.kit.merkle import EMPTY, node_hash

WIDTH = 256
"""Hashes of a full tile, and entries of a full bundle (C2SP tlog-tiles)."""

_TILE = re.compile(r"([0-9]{1,2}|entries)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LENGTH = 2
"""Octets before each entry of a bundle."""


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree (RFC 9162, 2.1.1), from the hashes of its leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = _split(leaves)
    return node_hash(root(leaves[:split]), root(leaves[split:]))


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that a leaf is in a tree (RFC 9162, 2.1.3.1)."""
    if len(leaves) < 2:
        return []
    split = _split(leaves)
    if index < split:
        return [*inclusion(leaves[:split], index), root(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root(leaves[:split])]


def consistency(leaves: Sequence[bytes], first: int, *, whole: bool = True) -> list[bytes]:
    """Return the proof that a tree grew from that of its first leaves (RFC 9162, 2.1.4.1)."""
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(leaves)
    if first <= split:
        return [*consistency(leaves[:split], first, whole=whole), root(leaves[split:])]
    return [*consistency(leaves[split:], first - split, whole=False), root(leaves[:split])]


def tile(leaves: Sequence[bytes], entries: Sequence[bytes], path: str) -> bytes:
    """Return a tile, or a bundle of entries.

    Args:
        leaves: hashes of all.
        entries: the data of all.
        path: behind /tile/.

    Raises:
        ValueError: there is no such tile, or the log does not reach so far.
    """
    found = _TILE.fullmatch(path)
    if found is None:
        raise ValueError("it is no tile")
    index, width = int(found[2].replace("x", "").replace("/", "")), int(found[3] or WIDTH)
    level = 0 if found[1] == "entries" else int(found[1])
    under = WIDTH**level
    begin, end = index * WIDTH * under, (index * WIDTH + width) * under
    if width > WIDTH or end > len(leaves):
        raise ValueError("the log does not reach so far")
    if found[1] == "entries":
        return b"".join(len(each).to_bytes(_LENGTH) + each for each in entries[begin:end])
    return b"".join(root(leaves[place : place + under]) for place in range(begin, end, under))


def coded(hashes: Sequence[bytes]) -> list[str]:
    """Return hashes as an answer has them."""
    return [base64.b64encode(each).decode("ascii") for each in hashes]


def _split(leaves: Sequence[bytes]) -> int:
    return 1 << (len(leaves) - 1).bit_length() - 1
