"""What Go's own log and note packages, and libraries of C2SP, say of a world's log, as they read it over HTTP."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from core import merkle
from core.facts import Fact, FactKind
from store.log_tables import checkpoints, log_leaves
from store.verbs import facts
from tests.judges import asking
from tests.served_world import Web
from tests.test_log import newest, with_log
from tests.world import ADMIN, NOW, World
from verify.kit import note as kit

pytestmark = [pytest.mark.long, pytest.mark.parametrize("store_kind", ["sqlite"])]

WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
NAME = "dcc.example/witness"
GOOD = dict.fromkeys(("checkpoint", "entries", "inclusion", "consistency", "cosignature"), "good")


class Judged:
    """A world whose log has tiles of two levels, full and not, and an earlier tree that it goes on from."""

    def __init__(self, world: World, folder: Path) -> None:
        asking.have("go", "Go")
        self.built = asking.BUILT / "tlog-judge"
        asking.built(asking.HERE / "tlog", "go", "build", "-o", str(self.built), ".")
        self.world, self.folder = world, folder
        with world.store.begin("much") as tx:
            for number in range(2 * merkle.TILE_WIDTH):
                facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, NOW, ADMIN, f"org-{number}"))
        with_log(world).settle()
        self.old = newest(world).size
        world.granted()
        held = world.memory.log
        assert held is not None
        self.key, self.web = held.key, Web(world)

    def cosigned(self) -> str:
        """The newest checkpoint with what a witness adds to it."""
        seen = kit.checkpoint(newest(self.world).note)
        seen.require(kit.key(self.key))
        return seen.note + kit.cosigned(seen, WITNESS, NAME, int(NOW.timestamp()))

    def says(self, *, key: str = "", witness: str = "", note: str = "") -> Mapping[str, str]:
        """What is said of it, by the keys and with the cosigned note that the judge is given."""
        file = self.folder / "note"
        file.write_text(note or self.cosigned())
        known = witness or str(kit.key_of(WITNESS, NAME, kit.WITNESS))
        with self.web.listening() as front:
            words = (f"http://127.0.0.1:{front.port}", key or self.key, str(file), known, str(self.old))
            return asking.lines(asking.ask(str(self.built), *words))


@pytest.fixture
def judged(world: World, tmp_path: Path) -> Judged:
    return Judged(world, tmp_path)


def test_they_take_checkpoint_tiles_proofs_and_cosignature(judged: Judged) -> None:
    size = newest(judged.world).size
    assert size > judged.old > 2 * merkle.TILE_WIDTH
    assert size % merkle.TILE_WIDTH
    assert judged.says() == GOOD


def test_they_refuse_other_keys(judged: Judged) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    name = judged.key.partition("+")[0]
    said = judged.says(key=str(kit.key_of(other, name, kit.LOG)))
    half = "1 of 2 have signed, and 1 others"
    assert said == {"checkpoint": "note has no verifiable signatures", "cosignature": half}
    said = judged.says(witness=str(kit.key_of(other, NAME, kit.WITNESS)))
    assert said == GOOD | {"cosignature": half}


def test_they_refuse_a_cosignature_of_another_second(judged: Judged) -> None:
    log, _, theirs = judged.cosigned().removesuffix("\n").rpartition("\n")
    head, _, coded = theirs.rpartition(" ")
    changed = coded[:14] + ("A" if coded[14] != "A" else "B") + coded[15:]
    assert judged.says(note=f"{log}\n{head} {changed}\n")["cosignature"].startswith("invalid signature for key")


def test_they_refuse_a_leaf_and_a_tree_that_are_not_what_was_signed(judged: Judged) -> None:
    world = judged.world
    with world.store.begin("forge") as tx:
        # The last leaf lies in no tile that is full: its hash and what it is of are kept apart.
        last = log_leaves.c.number == newest(world).size
        tx.connection.execute(update(log_leaves).where(last).values(commitment=bytes(32)))
    said = judged.says()
    assert (said["checkpoint"], said["consistency"], said["cosignature"]) == ("good", "good", "good")
    size = newest(world).size
    assert said["entries"] == f"hash mismatch for entry {size - 1}"
    assert said["inclusion"] == f"row {size}: invalid transparency proof"
    with world.store.begin("forge more") as tx:
        tx.connection.execute(update(log_leaves).where(last).values(leaf=bytes(32)))
    said = judged.says()
    assert all(said[each] != "good" for each in ("entries", "inclusion", "consistency")), said


def test_they_refuse_a_checkpoint_of_another_root(judged: Judged) -> None:
    said = newest(judged.world)
    with judged.world.store.begin("forge") as tx:
        text = said.note.replace(f"\n{said.size}\n", f"\n{said.size - 1}\n")
        tx.connection.execute(update(checkpoints).where(checkpoints.c.size == said.size).values(note=text))
    forged = judged.says(note=said.note)
    assert forged["checkpoint"].startswith("invalid signature for key")
    assert forged.keys() == {"checkpoint", "cosignature"}
