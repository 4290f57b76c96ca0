"""What the public log costs when it is large: a proof, its edge at a start, and an act until its checkpoint is shown.

A tree of millions is made without an authority: tiles as the log keeps them, and rows and leaves for those that are
asked. What a checkpoint costs does not grow with the tree but for a hash each time that it doubles.
"""

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from bench.asking import percentile
from bench.cycle import held_world, in_force
from core import boundaries
from core.facts import FactKind
from core.instants import text
from core.merkle import (
    TILE_WIDTH,
    Frontier,
    inclusion_proof,
    leaf_hash,
    peaks,
    verify_inclusion,
    whole_root,
)
from core.public_record import leaf_data
from store import schema
from store.reading import log as reading
from store.tables import journal
from store.transactions import Store, sqlite_url
from store.verbs import log
from store.verbs.log import FullTile, NewLeaf
from tests.world import NOW

ASKED = 2_000
_AT_ONCE = 4_096
"""Tiles that are kept in one transaction."""
_SEALED = datetime(2027, 1, 3, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Large:
    """Milliseconds.

    Args:
        processor: of one row's proof with its leaf, on average.
        proof: of the same by the clock, the median.
        longest: the 99th percentile.
        edge: made from the tiles.
    """

    processor: float
    proof: float
    longest: float
    edge: float


def measure(rows: int) -> Large:
    """Make a log of so many rows, and have some of them proved."""
    dice = random.Random(rows)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(sqlite_url(Path(folder) / "store.sqlite"))
        schema.upgrade(store)
        asked = sorted({dice.randint(1, rows) for _ in range(ASKED)})
        _made(store, rows, {*asked, *range(rows - rows % TILE_WIDTH + 1, rows + 1)})
        began = time.perf_counter()
        with store.read() as tx:
            nodes = reading.nodes(tx)
            edge = Frontier(rows, [nodes(level, place) for level, place in peaks(rows)])
        made = time.perf_counter() - began
        dice.shuffle(asked)
        busy = time.process_time()
        took = [_proved(store, number, rows, edge.root) for number in asked]
        busy = time.process_time() - busy
        store.close()
    return Large(
        processor=1_000 * busy / len(took),
        proof=percentile(took, 50),
        longest=percentile(took, 99),
        edge=1_000 * made,
    )


def measure_acts(acts: int) -> Sequence[float]:
    """Return milliseconds from each act's commit until a checkpoint covers it, the authority at work alone."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        for approval in in_force(world, acts):
            world.revoked(approval)
            began = time.perf_counter()
            took.append(1_000 * (_shown(world.authority.turn) - began))
            world.authority.settle()
        world.close()
    return took


def _shown(turn: Callable[[], object]) -> float:
    """Let the authority work; return when the first head was kept, and the checkpoint with it."""
    instants: list[float] = []

    def seen(name: str) -> None:
        if name == "after commit keep head":
            instants.append(time.perf_counter())

    boundaries.observe(seen)
    try:
        turn()
    finally:
        boundaries.observe(None)
    return instants[0]


def _proved(store: Store, number: int, size: int, root: bytes) -> float:
    """Return milliseconds for what `/v1/proofs/inclusion` does, in a transaction of its own."""
    began = time.perf_counter()
    with store.read() as tx:
        (leaf,) = reading.leaves_after(tx, number - 1, 1, number)
        proof = inclusion_proof(reading.nodes_to(tx, number - 1, size), number - 1, size)
    took = 1_000 * (time.perf_counter() - began)
    if not verify_inclusion(leaf_hash(leaf.data), index=number - 1, size=size, proof=proof, expected=root):
        raise AssertionError(f"row {number} is not proved")
    return took


def _made(store: Store, rows: int, kept: set[int]) -> None:
    """Keep all full tiles of a tree, and the rows and leaves of those that are named."""
    hidden = bytes(32)

    level, below = 0, _leaves(rows, kept, hidden)
    while True:
        roots: list[bytes] = []
        tiles, place = list[FullTile](), 0
        rim: list[bytes] = []
        for each in below:
            rim.append(each)
            if len(rim) == TILE_WIDTH:
                root = whole_root(rim)
                tiles.append(FullTile(level=level, place=place, octets=b"".join(rim), root=root))
                roots.append(root)
                rim, place = [], place + 1
            if len(tiles) == _AT_ONCE:
                _keep(store, tiles)
        _keep(store, tiles)
        if not roots:
            break
        level, below = level + 1, iter(roots)
    numbers = sorted(kept)
    sealed = [_row(number) for number in numbers]
    leaves = [leaf_hash(_data(number, hidden)) for number in numbers]
    with store.begin("rows") as tx:
        tx.connection.execute(insert(journal), sealed)
        new = zip(numbers, leaves, strict=True)
        log.keep_leaves(
            tx, [NewLeaf(number=number, salt=bytes(32), commitment=hidden, leaf=leaf) for number, leaf in new], []
        )


def _keep(store: Store, tiles: list[FullTile]) -> None:
    if tiles:
        with store.begin("tiles") as tx:
            log.keep_tiles(tx, tiles)
        tiles.clear()


def _leaves(rows: int, kept: set[int], hidden: bytes) -> Iterator[bytes]:
    for number in range(1, rows + 1):
        yield leaf_hash(_data(number, hidden)) if number in kept else hashlib.sha256(number.to_bytes(8, "big")).digest()


def _data(number: int, hidden: bytes) -> bytes:
    return leaf_data(number=number, sealed_at=text(_SEALED), public="{}", commitment=hidden.hex())


def _row(number: int) -> dict[str, object]:
    return {
        "id": number,
        "kind": FactKind.ORGANISATION_ADDED,
        "at": NOW,
        "actor": "admin",
        "approvals": "",
        "payload": "{}",
        "seal_number": number,
        "sealed_at": _SEALED,
        "link": bytes(32),
    }
