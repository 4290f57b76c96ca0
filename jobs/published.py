"""Lists that were published: what the register holds of them counts where its bytes are those that were signed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.revocation.crl import tbs_sha256
from jobs.aside import TRIED_AGAIN
from memory.memory import Memory
from memory.records import Listed
from store.reading import work
from store.transactions import Transaction

_AT_FIRST = 8
"""Lists that are looked at first: more than one that was signed and never published are rare."""


@dataclass(frozen=True, kw_only=True)
class Previous:
    """What the next list of a key goes on from.

    Args:
        der: the newest list that the register holds as it was signed; None if there is none.
        changed: newer ones, of which it holds other bytes.
    """

    der: bytes | None
    changed: tuple[Listed, ...]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A list that the gate refused.

    Args:
        listed: as it was remembered.
        detail: why.
    """

    listed: Listed
    detail: str

    def stands(self, memory: Memory, at: datetime) -> bool:
        """Return whether the next one would be refused as well: it is early, and nothing new has ended."""
        age = at - self.listed.this_update
        return timedelta(0) <= age < TRIED_AGAIN and not memory.unlisted(self.listed, at)


def published(memory: Memory, tx: Transaction, key_id: str, at: datetime) -> Listed | None:
    """Return the newest list of a key that was signed, that the register holds, and that is not dated ahead of now."""
    signed = _signed(memory, key_id, at)
    return next((each for each in signed if work.crl(tx, key_id, each.number, with_bytes=False)), None)


def previous(memory: Memory, tx: Transaction, key_id: str, at: datetime) -> Previous:
    """Return the newest list of a key, not dated ahead of now, that the register holds as it was signed."""
    changed: list[Listed] = []
    for each in _signed(memory, key_id, at):
        found = work.crl(tx, key_id, each.number, with_bytes=True)
        if found is not None and tbs_sha256(found.der) == each.tbs_sha256:
            return Previous(der=found.der, changed=tuple(changed))
        if found is not None:
            changed.append(each)
    return Previous(der=None, changed=tuple(changed))


def _signed(memory: Memory, key_id: str, at: datetime) -> Iterator[Listed]:
    """Yield every list of a key that is not dated ahead of now, the newest first; what is not asked for is not read."""
    told, most = 0, _AT_FIRST
    while True:
        some = memory.newest_lists(key_id, at, most)
        yield from some[told:]
        if len(some) < most:
            return
        told, most = most, 2 * most
