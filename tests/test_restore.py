"""A backup that is put back: the authority notices, does nothing, and once it is accepted uses no number again."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.alarms import AlarmCode
from core.boundaries import observe
from core.errors import StoreWentBack, WrongState
from core.identifiers import ApprovalIdentifier
from jobs.restore import NUMBERS_SKIPPED
from store.reading import journal as reading
from store.tables import journal
from store.transactions import sqlite_url
from tests.cycle_world import device
from tests.world import World, memory_folder, memory_of


def restored_from(backup: Path, known: World) -> World:
    """A world on an older copy of the store, with the memory of what came after it."""
    url = sqlite_url(backup)
    known.memory.close()
    shutil.copytree(memory_folder(known.url, known.folder), memory_folder(url, known.folder))
    return World(url, known.folder)


def test_the_authority_remembers_what_it_sealed(world: World) -> None:
    world.granted()
    first = world.memory.head
    world.granted(device=device(2))
    with world.store.read() as tx:
        number, link, _ = reading.last_sealed(tx)
    assert (world.memory.head.number, world.memory.head.link) == (number, link)
    assert number > first.number
    memory_of(world).close()  # another process of the same authority may have it open, too
    assert world.authority.turn() == 0


def test_a_register_that_went_back_is_not_worked_on(
    tmp_path: Path, store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    url = store_copy("sqlite")
    world = World(url, keys_folder)
    first = world.granted()
    world.store.close()
    backup = tmp_path / "backup.sqlite"
    shutil.copy(url.removeprefix("sqlite:///"), backup)
    lost = world.granted(device=device(2))
    world.store.close()

    restored = restored_from(backup, world)
    restored.authority.holder = world.authority.holder  # the backup holds its lease
    waiting = restored.applied(device=device(3))
    for _ in range(2):
        with pytest.raises(StoreWentBack, match="sealed up to row"):
            restored.authority.turn()
    assert waiting
    assert [each.code for each in restored.alarms()] == [AlarmCode.STORE_WENT_BACK]

    assert [each.record.approval for each in restored.accept_restore().certificates] == [lost]
    later = restored.granted(device=device(4))
    numbers = [ApprovalIdentifier.parse(each).number for each in (first, lost, later)]
    assert numbers == [1, 2, 1 + NUMBERS_SKIPPED + 1]
    with pytest.raises(WrongState):
        restored.accept_restore()
    # What the register forgot is there again, and nothing contradicts.
    assert [each.issue for each in restored.record(lost).certificates] == [1]
    assert restored.alarms() == ()
    restored.close()


def test_a_death_before_the_acceptance_is_remembered_leaves_no_second_fact(
    tmp_path: Path, store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    url = store_copy("sqlite")
    world = World(url, keys_folder)
    world.store.close()
    backup = tmp_path / "backup.sqlite"
    shutil.copy(url.removeprefix("sqlite:///"), backup)
    world.applied()
    world.authority.settle()
    world.store.close()
    restored = restored_from(backup, world)

    def cut(name: str) -> None:
        if name == "before commit memory":
            raise PowerCut

    observe(cut)
    try:
        with pytest.raises(PowerCut):
            restored.accept_restore()
    finally:
        observe(None)
    restored.passes(timedelta(minutes=1))
    restored.accept_restore()
    restored.authority.settle()
    with restored.store.read() as tx:
        (number,) = reading.restores(tx).values()
    assert number
    assert restored.alarms() == ()
    restored.close()


def test_a_register_with_another_past_is_not_worked_on(world: World) -> None:
    world.granted()
    with world.store.begin("another past") as tx:
        newest = select(func.max(journal.c.seal_number)).scalar_subquery()
        tx.connection.execute(update(journal).where(journal.c.seal_number == newest).values(link=bytes(32)))
    with pytest.raises(StoreWentBack):
        world.authority.turn()


class PowerCut(BaseException):
    """The power fails here; nothing that is there for an odd value stops it."""


@pytest.mark.parametrize("instant", ["before commit memory", "after commit memory"])
def test_a_power_cut_around_the_memory_loses_nothing(world: World, instant: str) -> None:
    world.granted()
    before = world.memory.head

    def cut(name: str) -> None:
        if name == instant:
            raise PowerCut

    world.applied(device=device(2))
    observe(cut)
    try:
        with pytest.raises(PowerCut):
            world.authority.settle()
    finally:
        observe(None)
    assert (world.memory.head == before) is instant.startswith("before")
    # The register is ahead of the memory or level with it: never behind.
    assert ApprovalIdentifier.parse(world.granted(device=device(3))).number == 2
    with world.store.read() as tx:
        number, link, _ = reading.last_sealed(tx)
    assert (world.memory.head.number, world.memory.head.link) == (number, link)
