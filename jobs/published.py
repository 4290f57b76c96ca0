"""Lists that were published: what the register holds of them counts where its bytes are those that were signed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ca.revocation.crl import is_as_signed, tbs_sha256
from jobs.aside import TRIED_AGAIN
from memory.memory import Memory
from memory.records import Listed
from ra.issuing import IssuingCa
from store.reading import work
from store.transactions import Transaction

_AT_FIRST = 8
"""Lists that are looked at first: more than one that was signed and never published are rare."""


LOOKED_AGAIN = timedelta(seconds=10)
"""How long a list that was seen to be as it was signed is taken for that."""


@dataclass(frozen=True, kw_only=True)
class Previous:
    """What the next list of a key goes on from.

    Args:
        listed: the newest list that the register holds as it was signed; None if there is none.
        der: it.
        changed: newer ones, of which it holds other bytes.
    """

    listed: Listed | None
    der: bytes | None
    changed: tuple[Listed, ...]


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the register holds.

    Args:
        listed: the newest list that it holds as it was signed; None if there is none.
        changed: newer ones, under whose numbers it holds other bytes.
    """

    listed: Listed | None
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


@dataclass
class Seen:
    """When the register was last seen to hold lists as they were signed: not in each turn are the bytes of one read."""

    _at: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def published(self, memory: Memory, tx: Transaction, issuing: IssuingCa, at: datetime) -> Published:
        """Return the newest list of a CA, not dated ahead of now, that the register holds as it was signed.

        Args:
            memory: knows what was signed.
            tx: open.
            issuing: the CA.
            at: now.
        """
        changed: list[Listed] = []
        for each in _signed(memory, issuing.key_id, at):
            key = (each.key_id, each.number)
            fresh = timedelta(0) <= at - self._at.get(key, at - 2 * LOOKED_AGAIN) < LOOKED_AGAIN
            found = work.crl(tx, each.key_id, each.number, with_bytes=not fresh)
            if found is not None and (fresh or is_as_signed(found.der, each.tbs_sha256, issuing.der)):
                self._at = {key: self._at[key] if fresh else at}
                return Published(listed=each, changed=tuple(changed))
            if found is not None:
                changed.append(each)
        return Published(listed=None, changed=tuple(changed))


def previous(memory: Memory, tx: Transaction, key_id: str, at: datetime) -> Previous:
    """Return the newest list of a key, not dated ahead of now, that the register holds as it was signed."""
    changed: list[Listed] = []
    for each in _signed(memory, key_id, at):
        found = work.crl(tx, key_id, each.number, with_bytes=True)
        if found is not None and tbs_sha256(found.der) == each.tbs_sha256:
            return Previous(listed=each, der=found.der, changed=tuple(changed))
        if found is not None:
            changed.append(each)
    return Previous(listed=None, der=None, changed=tuple(changed))


def _signed(memory: Memory, key_id: str, at: datetime) -> Iterator[Listed]:
    """Yield every list of a key that is not dated ahead of now, the newest first; what is not asked for is not read."""
    told, most = 0, _AT_FIRST
    while True:
        some = memory.newest_lists(key_id, at, most)
        yield from some[told:]
        if len(some) < most:
            return
        told, most = most, 2 * most
