"""The public log grows, is signed for, and says the same for ever: over crashes, upgrades and restores."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, select, update

from ca.certificates import signature_holds
from core import boundaries, merkle, note
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.chain import log_statement
from core.errors import KeyUnusable, MemoryContradicted
from core.facts import Fact, FactKind
from core.merkle import root_of
from jobs import log as jobs_log
from jobs.authority import Authority
from jobs.resting import said_by
from keys.log_key import LOG_FILE, make_log_key, open_log_key
from memory.records import LogBegun, Tree
from store.log_tables import checkpoints, log_documents, log_leaves, log_tiles
from store.reading import journal as journal_reading
from store.reading import log as reading
from store.reading.log import Checkpoint
from store.verbs import facts
from tests.test_restore import restored_from
from tests.world import ADMIN, NOW, PASSPHRASE, PROFILE, World, keyring, place

ORIGIN = note.origin(PROFILE.environment, PROFILE.base_url, 1)


def with_log(world: World) -> Authority:
    """A process of the world's authority that has the log's key at hand."""
    key = place(world.folder).made_log_key(LOG_FILE)
    authority = world.another_authority()
    authority.holder = world.authority.holder
    authority.keyring = replace(keyring(world.folder), log=key)
    world.authority = authority
    return authority


@pytest.fixture
def logged(world: World) -> World:
    with_log(world).settle()
    return world


def newest(world: World) -> Checkpoint:
    with world.store.read() as tx:
        found = reading.checkpoint(tx)
    assert found is not None
    return found


def proved(world: World) -> note.Checkpoint:
    """The newest checkpoint, verified as a stranger does, over all leaves and all tiles."""
    kept, held = newest(world), world.memory.log
    assert held is not None
    said = note.parse_checkpoint(kept.note.encode())
    name, key = note.parse_vkey(held.key)
    (signature,) = said.signatures
    assert (signature.name, signature.key_id) == (name, note.key_id(name, key))
    Ed25519PublicKey.from_public_bytes(key).verify(signature.octets, said.text.encode())
    with world.store.read() as tx:
        assert said.size == journal_reading.last_sealed(tx)[0]
        leaves = reading.leaves_after(tx, 0, said.size, said.size)
        assert said.root == root_of(merkle.leaf_hash(each.data) for each in leaves)
        assert said.root == merkle.root(reading.nodes(tx), said.size)
    return said


def test_each_turn_signs_for_what_it_has_sealed(logged: World) -> None:
    first = proved(logged)
    assert first.origin == ORIGIN
    logged.granted()
    second = proved(logged)
    assert second.size > first.size
    with logged.store.read() as tx:
        proof = merkle.consistency_proof(reading.nodes(tx), first.size, second.size)
    assert merkle.verify_consistency(
        old=first.size, new=second.size, old_root=first.root, new_root=second.root, proof=proof
    )


def test_it_begins_with_a_fact_that_the_journals_key_vouches_for(logged: World) -> None:
    held = logged.memory.log
    assert held is not None
    with logged.store.read() as tx:
        rows = journal_reading.sealed_after(tx, 0, 1_000)
    (begun,) = [each.row for each in rows if each.row.kind == FactKind.LOG_BEGUN]
    said = said_by(begun)
    statement = log_statement(log=ORIGIN, key=said["key"], number=0, digest=bytes(32))
    assert said["key"] == held.key
    assert (said["number"], said["before"], said["head_signature"]) == (0, None, None)
    assert signature_holds(keyring(logged.folder).journal.public_key, statement, bytes.fromhex(said["signature"]))


def without_leaves(world: World) -> int:
    """Leave the register as a release before left it; return the number of the last row."""
    with world.store.begin("as a release before left it") as tx:
        for table in (log_leaves, log_documents):
            tx.connection.execute(delete(table))
        return journal_reading.last_sealed(tx)[0]


def test_an_authority_of_before_gives_every_row_its_leaf(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_log, "_MOST", 7)  # in many portions
    approval = world.granted()
    last = without_leaves(world)
    with_log(world).settle()
    said = proved(world)
    assert said.size > last
    held = world.memory.log
    assert held is not None
    assert held.number == last
    with world.store.read() as tx:
        assert [each for each, _ in reading.documents(tx, said.size)] == [approval]


def test_another_process_goes_on_from_what_was_signed(logged: World) -> None:
    logged.granted()
    before = proved(logged)
    with logged.store.begin("die before it was visible") as tx:
        tx.connection.execute(delete(checkpoints).where(checkpoints.c.size == before.size))
    with_log(logged).settle()
    assert proved(logged) == before
    assert logged.memory.tree(ORIGIN) == Tree(log=ORIGIN, size=before.size, root=before.root)


def test_nothing_is_signed_over_leaves_that_somebody_changed(logged: World) -> None:
    size = proved(logged).size
    with logged.store.begin("forge") as tx:
        tx.connection.execute(update(log_leaves).where(log_leaves.c.number == 1).values(leaf=bytes(32)))
    with_log(logged).settle()
    logged.granted()
    assert newest(logged).size == size
    assert any(each.code is AlarmCode.JOB_FAILS for each in logged.alarms())
    with logged.store.read() as tx:
        assert journal_reading.count_unsealed(tx) == 0  # status does not wait for the log


def test_another_key_signs_nothing(logged: World) -> None:
    size = proved(logged).size
    authority = with_log(logged)
    other = make_log_key(logged.folder / "other" / LOG_FILE, PASSPHRASE)
    authority.keyring = replace(authority.keyring, log=other)
    logged.granted()
    assert newest(logged).size == size
    assert any(each.code is AlarmCode.KEY_NOT_AT_HAND for each in logged.alarms())


@pytest.mark.parametrize(
    "record",
    [
        Tree(log=ORIGIN, size=1, root=bytes(32)),
        Tree(log="elsewhere.example/log/1", size=10_000, root=bytes(32)),
        LogBegun(generation=2, log="elsewhere.example/log/2", key="", number=0, link=bytes(32)),
    ],
)
def test_the_memory_refuses_what_contradicts_it(logged: World, record: Tree | LogBegun) -> None:
    with pytest.raises(MemoryContradicted):
        logged.memory.remember([record], now=NOW)


def test_the_memory_refuses_another_root_for_a_size(logged: World) -> None:
    said = proved(logged)
    assert logged.memory.remember([Tree(log=ORIGIN, size=said.size, root=said.root)], now=NOW) == 0
    with pytest.raises(MemoryContradicted):
        logged.memory.remember([Tree(log=ORIGIN, size=said.size, root=bytes(32))], now=NOW)
    logged.memory.prove()


def test_full_tiles_are_durable_before_they_are_signed_for(logged: World) -> None:
    with logged.store.begin("much") as tx:
        for number in range(merkle.TILE_WIDTH):
            facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, NOW, ADMIN, f"org-{number}"))
    logged.authority.settle()
    size = proved(logged).size
    with logged.store.read() as tx:
        tiles = tx.connection.execute(select(log_tiles)).all()
    assert size >= merkle.TILE_WIDTH
    assert [(each.level, each.place, len(each.octets)) for each in tiles] == [(0, 0, 32 * merkle.TILE_WIDTH)]
    with_log(logged).settle()
    logged.granted()
    assert proved(logged).size > size


class PowerCut(BaseException):
    """The power fails here."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["begin log", "keep tiles", "leave old rows", "keep checkpoint", "memory"])
def test_a_power_cut_around_the_log_loses_nothing(world: World, when: str, step: str) -> None:
    with world.store.begin("much") as tx:
        for number in range(merkle.TILE_WIDTH):
            facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, NOW, ADMIN, f"org-{number}"))
    if step in ("leave old rows", "keep checkpoint"):
        world.authority.settle()
        without_leaves(world)
    cuts = 0

    def cut(name: str) -> None:
        nonlocal cuts
        if name == f"{when} commit {step}":
            cuts += 1
            raise PowerCut

    authority = with_log(world)
    boundaries.observe(cut)
    try:
        with pytest.raises(PowerCut):
            authority.settle()
    finally:
        boundaries.observe(None)
    assert cuts == 1
    with_log(world).settle()
    proved(world)
    with world.store.read() as tx:
        rows = journal_reading.sealed_after(tx, 0, 1_000)
    assert [each.row.subject for each in rows if each.row.kind == FactKind.LOG_BEGUN] == [ORIGIN]


def boundaries_of(act: Callable[[], object]) -> list[str]:
    """What is durable in an act, by name and in order."""
    found: list[str] = []
    boundaries.observe(found.append)
    try:
        act()
    finally:
        boundaries.observe(None)
    return [name.removeprefix("after commit ") for name in found if name.startswith("after commit ")]


def test_a_turn_has_no_commit_for_the_log_alone(logged: World) -> None:
    first = newest(logged).size
    done = boundaries_of(logged.granted)
    assert done.count("keep head") > 1
    assert not {"keep checkpoint", "keep tiles", "leave old rows"} & set(done)
    with logged.store.read() as tx:
        sizes = set(tx.connection.execute(select(checkpoints.c.size).where(checkpoints.c.size > first)).scalars())
        assert sizes == {each.number for each in journal_reading.heads(tx) if each.number > first}
    proved(logged)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["seal", "memory", "keep tiles", "keep head"])
def test_a_power_cut_around_head_and_checkpoint_loses_nothing(logged: World, when: str, step: str) -> None:
    before = proved(logged)
    with logged.store.begin("much") as tx:
        for number in range(merkle.TILE_WIDTH):
            facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, NOW, ADMIN, f"org-{number}"))

    def cut(name: str) -> None:
        if name == f"{when} commit {step}":
            raise PowerCut

    boundaries.observe(cut)
    try:
        with pytest.raises(PowerCut):
            logged.authority.settle()
    finally:
        boundaries.observe(None)
    # It was a process that died, or one whose commit failed and which goes on.
    if when == "after":
        with_log(logged)
    logged.authority.settle()
    after = proved(logged)
    assert after.size >= before.size + merkle.TILE_WIDTH
    logged.granted()
    proved(logged)


def test_no_head_waits_for_the_log(logged: World) -> None:
    size, other = newest(logged).size, World(logged.url, logged.folder)

    def forge(name: str) -> None:
        if name == "after commit seal":
            boundaries.observe(None)
            with other.store.begin("forge") as tx:
                tx.connection.execute(update(log_leaves).where(log_leaves.c.number > size).values(commitment=bytes(32)))

    boundaries.observe(forge)
    try:
        logged.granted()
    finally:
        boundaries.observe(None)
        other.close()
    with logged.store.read() as tx:
        last = journal_reading.last_sealed(tx)[0]
        assert journal_reading.heads_after(tx, last - 1, 1)
        assert journal_reading.count_unsealed(tx) == 0
    assert last > newest(logged).size == size
    assert any(each.code is AlarmCode.JOB_FAILS and each.subject == "tend_log" for each in logged.alarms())


def test_a_log_that_nobody_remembers_is_not_begun_by_a_row(logged: World) -> None:
    with logged.store.begin("plant") as tx:
        facts.record(tx, Fact(FactKind.LOG_BEGUN, NOW, AUTHORITY, ORIGIN, (), {"log": ORIGIN}))
    logged.authority.settle()
    with logged.store.read() as tx:
        assert journal_reading.count_unsealed(tx) == 1
    assert any(each.code is AlarmCode.REGISTER_CONTRADICTS for each in logged.alarms())


def test_a_restore_that_lost_rows_begins_another_log(
    tmp_path: Path, store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    known = World(store_copy("sqlite"), keys_folder)
    with_log(known).settle()
    known.store.close()
    backup = tmp_path / "backup.sqlite"
    shutil.copy(known.url.removeprefix("sqlite:///"), backup)
    known.granted()
    last = proved(known)
    known.store.close()
    restored = restored_from(backup, known)
    restored.authority.holder = known.authority.holder
    restored.accept_restore()
    with_log(restored).settle()
    after = proved(restored)
    assert after.origin == note.origin(PROFILE.environment, PROFILE.base_url, 2)
    with restored.store.read() as tx:
        rows = journal_reading.sealed_after(tx, 0, 1_000)
    begun = [said_by(each.row) for each in rows if each.row.kind == FactKind.LOG_BEGUN]
    assert [each["before"] for each in begun] == [None, {"log": ORIGIN, "size": last.size, "root": last.root.hex()}]
    restored.close()


def test_a_key_is_opened_again_and_never_travels(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("keys") / LOG_FILE
    made = make_log_key(path, PASSPHRASE)
    assert make_log_key(path, PASSPHRASE).public_key == open_log_key(path, PASSPHRASE).public_key == made.public_key
    with pytest.raises(KeyUnusable):
        open_log_key(path, b"another passphrase")
    with pytest.raises(KeyUnusable):
        make_log_key(path.with_name("new.key"), b"")
    with pytest.raises(TypeError):
        made.__reduce__()
