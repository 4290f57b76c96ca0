"""Each sealed row has a salted leaf in the public log, and what all rows carry is the public register."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import merkle
from core.canonical import canonical, read_json
from core.chain import whole
from core.merkle import TILE_WIDTH, root_of
from core.public_record import document
from store import schema
from store.log_tables import log_documents, log_leaves
from store.reading import approvals as approval_reading
from store.reading import journal as journal_reading
from store.reading import log as reading
from store.tables import approvals as approval_rows
from store.transactions import Store
from store.verbs import log, sealing
from store.verbs.log import FullTile, NewLeaf
from tests.world import NOW, World


def said(world: World) -> dict[str, Any]:
    """What the log says of every approval, up to its end."""
    with world.store.read() as tx:
        last = journal_reading.last_sealed(tx)[0]
        return {approval: read_json(text) for approval, text in reading.documents(tx, last)}


def register(world: World) -> dict[str, Any]:
    with world.store.read() as tx:
        return {each.identifier: read_json(canonical(document(each))) for each in approval_reading.records(tx)}


def test_what_all_rows_carry_is_the_public_register(world: World) -> None:
    first = world.granted()
    assert said(world) == register(world)
    world.at(NOW + timedelta(hours=13))
    world.revoked(first)
    assert said(world) != register(world)  # what is not sealed is not said
    world.authority.settle()
    assert said(world) == register(world)
    assert said(world)[first]["end_cause"] == "ssc"


def test_a_leaf_commits_to_its_row_and_nobody_guesses_it_without_the_salt(world: World) -> None:
    world.granted()
    with world.store.read() as tx:
        last = journal_reading.last_sealed(tx)[0]
        rows = journal_reading.sealed_after(tx, 0, last)
        leaves = reading.leaves_after(tx, 0, last, last)
        salts = reading.salts(tx, [each.number for each in leaves])
    assert [each.number for each in leaves] == list(range(1, last + 1))
    assert len(set(salts.values())) == last
    told = b"".join(each.data for each in leaves)
    for each, row in zip(leaves, rows, strict=True):
        octets = whole(row.row)
        assert each.commitment == hashlib.sha256(salts[each.number] + octets).digest()
        assert each.leaf == merkle.leaf_hash(each.data)
        # All of the private row in hand, but not its salt: nothing in the log confirms it.
        for guess in (octets, bytes(32) + octets, each.number.to_bytes(32, "big") + octets):
            assert hashlib.sha256(guess).hexdigest().encode() not in told
        assert row.row.actor.encode() not in told or row.row.actor == "authority"


def test_numbers_that_are_taken_back_take_their_leaves_with_them(world: World) -> None:
    world.granted()
    with world.store.begin("take back") as tx:
        last = journal_reading.last_sealed(tx)[0]
        sealing.take_back(tx, behind=last - 5)
        assert tx.connection.execute(select(func.max(log_leaves.c.number))).scalar_one() == last - 5
        assert tx.connection.execute(select(func.max(log_documents.c.number))).scalar_one() <= last - 5


def test_one_row_of_somebodys_keeps_no_other_from_being_sealed(world: World) -> None:
    wrong = world.granted()
    with world.store.begin("plant") as tx:
        far = 2**60
        tx.connection.execute(update(approval_rows).values(granted_at=NOW - timedelta(days=1)))
        tx.connection.exec_driver_sql(f"UPDATE terms SET maximum_devices = {far}")
    world.at(NOW + timedelta(hours=13))
    world.revoked(wrong)
    world.authority.settle()
    with world.store.read() as tx:
        assert journal_reading.count_unsealed(tx) == 0
    assert any("cannot be said in public" in each.sentence for each in world.alarms())


@pytest.fixture
def tiled(store_kind: str, empty_store_url: Callable[[str], str]) -> Iterator[tuple[Store, list[bytes]]]:
    """A log of more than a tile, with the tile that is full."""
    store = Store(empty_store_url(store_kind))
    schema.upgrade(store)
    hashes = [merkle.leaf_hash(each.to_bytes(2, "big")) for each in range(TILE_WIDTH + 7)]
    leaves = [
        NewLeaf(number=number, salt=bytes(32), commitment=bytes(32), leaf=each)
        for number, each in enumerate(hashes, start=1)
    ]
    full = hashes[:TILE_WIDTH]
    with store.begin("tile") as tx:
        log.keep_leaves(tx, leaves, [])
        tile = FullTile(level=0, place=0, octets=b"".join(full), root=merkle.whole_root(full))
        for _ in range(2):  # one of which nothing was signed is made again
            log.keep_tiles(tx, [tile])
    yield store, hashes
    store.close()


def test_proofs_come_from_tiles(tiled: tuple[Store, list[bytes]]) -> None:
    store, hashes = tiled
    size = len(hashes)
    with store.read() as tx:
        nodes = reading.nodes(tx)
        assert merkle.root(nodes, size) == root_of(hashes)
        for index in (0, 100, 255, 256, size - 1):
            proof = merkle.inclusion_proof(nodes, index, size)
            assert merkle.verify_inclusion(hashes[index], index=index, size=size, proof=proof, expected=root_of(hashes))
        proof = merkle.consistency_proof(nodes, 259, size)
        assert merkle.verify_consistency(
            old=259, new=size, old_root=root_of(hashes[:259]), new_root=root_of(hashes), proof=proof
        )
        with pytest.raises(LookupError):
            nodes(0, size)


def test_a_tile_is_whole_or_as_wide_as_it_is_asked_for(tiled: tuple[Store, list[bytes]]) -> None:
    store, hashes = tiled
    with store.read() as tx:
        assert reading.tile(tx, 0, 0) == b"".join(hashes[:TILE_WIDTH])
        assert reading.tile(tx, 0, 1, 7) == b"".join(hashes[TILE_WIDTH:])
        assert reading.tile(tx, 1, 0, 1) == merkle.whole_root(hashes[:TILE_WIDTH])
        assert reading.tile(tx, 0, 1, 8) is None
        assert reading.tile(tx, 1, 0, 2) is None
        assert reading.entries(tx, 5, 1) is None
        assert reading.first_leaf(tx) == 1
        assert reading.checkpoint(tx) is reading.checkpoint_of(tx, 1) is None
        assert not reading.has_begun(tx, "a.example/log/1")
    with store.begin("checkpoint") as tx:
        for note in ("one", "other"):
            log.keep_checkpoint(tx, size=3, root=bytes(32), note=note, at=NOW)
    with store.read() as tx:
        newest = reading.checkpoint(tx)
        assert newest == reading.checkpoint_of(tx, 3)
        assert newest is not None
        assert (newest.size, newest.note, newest.root, newest.signed_at) == (3, "other", bytes(32), NOW)
    with store.begin("take back") as tx:
        log.take_back_leaves(tx, behind=255)
        assert reading.tile(tx, 0, 0) is None
