"""growing: the right edge of the public log's tree, as a process of the authority holds it (jobs/log.py)."""

from dataclasses import dataclass, field, replace

from core.chain import GENESIS
from core.merkle import TILE_HEIGHT, TILE_WIDTH, Frontier, whole_root
from store.verbs.log import FullTile


@dataclass
class Growing:
    """The right edge of the tree, as a process of the authority holds it: it never reads all leaves again.

    Args:
        log: of which log; a restore begins another one.
        edge: of the tree up to a row.
        link: of that row.
        rims: of each level of tiles the hashes in the one that is not full.
        whole: whether every row of before has its leaf.
        shown: the size of the checkpoint that the register was seen to have.
    """

    log: str = ""
    edge: Frontier = field(default_factory=Frontier)
    link: bytes = GENESIS
    rims: list[list[bytes]] = field(default_factory=list)
    whole: bool = False
    shown: int = 0

    def copy(self) -> "Growing":
        """Return another that grows by itself: what is not durable yet, or not remembered, must not count."""
        return replace(self, edge=self.edge.copy(), rims=[list(each) for each in self.rims])

    def become(self, other: "Growing") -> None:
        """Be as another that grew from this one."""
        self.edge, self.link, self.rims = other.edge, other.link, other.rims

    def add(self, leaf: bytes) -> list[FullTile]:
        """Add a leaf; return the tiles that are full with it."""
        self.edge.add(leaf)
        full, level, hashed = list[FullTile](), 0, leaf
        while True:
            if level == len(self.rims):
                self.rims.append([])
            rim = self.rims[level]
            rim.append(hashed)
            if len(rim) < TILE_WIDTH:
                return full
            place = (self.edge.size >> TILE_HEIGHT * (level + 1)) - 1
            hashed = whole_root(rim)
            full.append(FullTile(level=level, place=place, octets=b"".join(rim), root=hashed))
            self.rims[level] = []
            level += 1
