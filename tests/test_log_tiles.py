"""Proofs of a log of several levels of tiles, read in one statement, are those of a tree that is held whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, update

from core import merkle
from core.merkle import HASH_OCTETS, TILE_WIDTH
from store import schema
from store.log_tables import log_leaves, log_tiles
from store.reading import log as reading
from store.transactions import Store, Transaction
from store.verbs import log
from store.verbs.log import FullTile, NewLeaf

ROWS = 2 * TILE_WIDTH * TILE_WIDTH + 3 * TILE_WIDTH + 77
"""Two full tiles of level 1, three of level 0 behind them, and leaves."""


@dataclass(frozen=True)
class Tiled:
    """A store with such a log, of which no leaf is kept but those of the last tile, and its tree."""

    store: Store
    levels: list[list[bytes]]

    def node(self, level: int, place: int) -> bytes:
        return self.levels[level][place]

    def root(self, size: int) -> bytes:
        return merkle.root(self.node, size)


@pytest.fixture(scope="module")
def levels() -> list[list[bytes]]:
    found = [[sha256(each.to_bytes(4, "big")).digest() for each in range(ROWS)]]
    while len(below := found[-1]) > 1:
        found.append([sha256(b"\x01" + below[at] + below[at + 1]).digest() for at in range(0, len(below) - 1, 2)])
    return found


@pytest.fixture
def tiled(store_kind: str, empty_store_url: Callable[[str], str], levels: list[list[bytes]]) -> Iterator[Tiled]:
    store = Store(empty_store_url(store_kind))
    schema.upgrade(store)
    with store.begin("tiles") as tx:
        for level in range(2):
            hashes, roots = levels[merkle.TILE_HEIGHT * level], levels[merkle.TILE_HEIGHT * (level + 1)]
            full = [
                FullTile(
                    level=level,
                    place=place,
                    octets=b"".join(hashes[place * TILE_WIDTH : (place + 1) * TILE_WIDTH]),
                    root=root,
                )
                for place, root in enumerate(roots)
            ]
            log.keep_tiles(tx, full)
        first = ROWS - ROWS % TILE_WIDTH
        log.keep_leaves(
            tx,
            [
                NewLeaf(number=first + number, salt=bytes(32), commitment=bytes(32), leaf=each)
                for number, each in enumerate(levels[0][first:], start=1)
            ],
            [],
        )
    yield Tiled(store, levels)
    store.close()


# Around where tiles begin and end, and anywhere.
TURNS = [0, 1, TILE_WIDTH, TILE_WIDTH**2, 2 * TILE_WIDTH**2, ROWS - ROWS % TILE_WIDTH, ROWS]
sizes = st.integers(1, ROWS) | st.tuples(st.sampled_from(TURNS), st.integers(-3, 3)).map(
    lambda each: min(ROWS, max(1, sum(each)))
)


def test_proofs_are_those_of_the_whole_tree_and_read_in_one_statement(tiled: Tiled) -> None:
    statements = list[str]()

    def seen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    @settings(max_examples=150)
    @given(sizes, sizes)
    def proved(one: int, other: int) -> None:
        old, size = sorted([one, other])
        statements.clear()
        nodes = reading.nodes_to(tx, old - 1, size)
        proof = merkle.inclusion_proof(nodes, old - 1, size)
        assert proof == merkle.inclusion_proof(tiled.node, old - 1, size)
        leaf, root = tiled.node(0, old - 1), tiled.root(size)
        assert merkle.verify_inclusion(leaf, index=old - 1, size=size, proof=proof, expected=root)
        assert merkle.consistency_proof(nodes, old, size) == merkle.consistency_proof(tiled.node, old, size)
        assert len(statements) == 1
        plain = reading.nodes(tx)
        assert proof == merkle.inclusion_proof(plain, old - 1, size)
        assert merkle.root(plain, size) == root

    event.listen(tiled.store._engine, "before_cursor_execute", seen)
    with tiled.store.read() as tx:
        proved()


def _altered(tx: Transaction, level: int, place: int) -> None:
    row = tx.connection.execute(log_tiles.select().where(log_tiles.c.level == level, log_tiles.c.place == place)).one()
    changed = bytes([row.octets[0] ^ 1]) + row.octets[1:]
    where = (log_tiles.c.level == level, log_tiles.c.place == place)
    tx.connection.execute(update(log_tiles).where(*where).values(octets=changed))


@pytest.mark.parametrize(
    ("level", "place", "index"), [(0, 3, 3 * TILE_WIDTH + 9), (1, 0, 3 * TILE_WIDTH + 9), (0, 512, 512 * TILE_WIDTH)]
)
def test_what_is_changed_in_the_store_is_in_no_proof_that_was_made_ready_before(
    tiled: Tiled, level: int, place: int, index: int
) -> None:
    """Whatever is shared by proofs follows from what is read for each."""

    def proof() -> list[bytes]:
        with tiled.store.read() as tx:
            return merkle.inclusion_proof(reading.nodes_to(tx, index + 1, ROWS), index + 1, ROWS)

    good = proof()
    assert good == merkle.inclusion_proof(tiled.node, index + 1, ROWS)
    with tiled.store.begin("forge") as tx:
        _altered(tx, level, place)
    assert proof() != good


def test_a_node_that_is_not_there_is_none(tiled: Tiled) -> None:
    with tiled.store.begin("lost") as tx:
        tx.connection.execute(delete(log_leaves).where(log_leaves.c.number == ROWS - 1))
        tx.connection.execute(delete(log_tiles).where(log_tiles.c.place == 7))
        nodes = reading.nodes_to(tx, 0, ROWS)
        for level, at in ((0, ROWS - 1), (0, 7 * TILE_WIDTH), (0, ROWS), (60, 0)):
            with pytest.raises(LookupError):
                nodes(level, at)
        assert nodes(0, 6 * TILE_WIDTH) == tiled.node(0, 6 * TILE_WIDTH)
        assert len(nodes(16, 1)) == HASH_OCTETS
