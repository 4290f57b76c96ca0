"""How many octets of answers are being read: what was made for one reader is in memory until they have it."""

from collections import Counter


class Answers:
    """Octets of answers while they are read, of all and of each peer.

    One that is longer than may be is let out where nothing else is read: it is there already.

    Args:
        most: of all.
        of_one_peer: of one peer.
    """

    def __init__(self, *, most: int, of_one_peer: int) -> None:
        self._most = most
        self._of_one_peer = of_one_peer
        self._of_peer: Counter[str] = Counter()

    @property
    def octets(self) -> int:
        """How many are being read."""
        return self._of_peer.total()

    def begin(self, peer: str, octets: int) -> bool:
        """Let a peer read so many; False if it reads too many already, or all together do."""
        for held, most in ((self._of_peer[peer], self._of_one_peer), (self.octets, self._most)):
            if held and held + octets > most:
                return False
        self._of_peer[peer] += octets
        return True

    def end(self, peer: str, octets: int) -> None:
        """Note that so many have been read, or never will be."""
        self._of_peer[peer] -= octets
        if not self._of_peer[peer]:
            del self._of_peer[peer]
