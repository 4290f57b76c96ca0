"""Who is connected: how many in all and of each peer, and who has to go when there are too many."""

from typing import Protocol

from core.peers import peer_of


class Member(Protocol):
    """A connection, as the crowd sees it."""

    @property
    def held_by_us(self) -> bool:
        """Whether it waits for an answer of ours; then it is not to blame for waiting."""
        ...

    def evict(self) -> None:
        """Close it at once."""
        ...


class Crowd:
    """All connections, by peer, the oldest first.

    Whoever is new gets in. If that makes too many of one peer, the oldest of that peer goes that is waited for and
    not waiting; if too many in all, the oldest of the peer that has most. So silence fills only one's own place.

    Args:
        most: connections.
        of_one_peer: connections of one peer.
        proxies: addresses that stand for many peers, and are bound by `most` alone.
    """

    def __init__(self, *, most: int, of_one_peer: int, proxies: frozenset[str]) -> None:
        self._most = most
        self._of_one_peer = of_one_peer
        self._proxies = proxies
        self._by_peer: dict[str, dict[Member, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return how many are connected."""
        return self._count

    def enter(self, address: str, member: Member) -> None:
        """Let a connection in, from an address as `plain` writes it."""
        peer = self._peer(address)
        others = self._by_peer.setdefault(peer, {})
        if len(others) >= self._of_one_peer and peer not in self._proxies:
            self._evict_oldest(peer)
        elif self._count >= self._most:
            self._evict_oldest(max(self._by_peer, key=lambda each: len(self._by_peer[each])))
        self._by_peer.setdefault(peer, {})[member] = None
        self._count += 1

    def leave(self, address: str, member: Member) -> None:
        """Forget a connection that has ended."""
        self._forget(self._peer(address), member)

    def _peer(self, address: str) -> str:
        # A proxy is no part of its network: whoever else is there has a place of its own.
        return address if address in self._proxies else peer_of(address)

    def _forget(self, peer: str, member: Member) -> None:
        others = self._by_peer.get(peer)
        if others is None or member not in others:
            return
        del others[member]
        self._count -= 1
        if not others:
            del self._by_peer[peer]

    def _evict_oldest(self, peer: str) -> None:
        for member in self._by_peer[peer]:
            if not member.held_by_us:
                self._forget(peer, member)  # now: that it has ended is told a little later, and more may come before
                member.evict()
                return

    def everybody(self) -> list[Member]:
        """Return all connections."""
        return [member for others in self._by_peer.values() for member in others]
