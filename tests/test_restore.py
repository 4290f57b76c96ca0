"""A backup that is put back: the authority notices, does nothing, and once it is accepted uses no number again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.boundaries import observe
from core.errors import StoreWentBack, WrongState
from core.identifiers import ApprovalIdentifier
from jobs.authority import Authority
from jobs.watermark import NUMBERS_SKIPPED, Watermark, accept_restore
from store.reading import journal
from store.transactions import sqlite_url
from tests.cycle_world import device
from tests.world import World


@pytest.fixture
def mark(tmp_path: Path) -> Watermark:
    return Watermark(tmp_path / "watermark.json")


def with_memory(world: World, mark: Watermark) -> World:
    made = world.authority
    world.authority = Authority(made.store, made.clock, made.machine, made.keyring, holder="one", watermark=mark)
    return world


def test_the_authority_remembers_what_it_sealed(world: World, mark: Watermark) -> None:
    with_memory(world, mark).granted()
    first = mark.read()
    world.granted(device=device(2))
    second = mark.read()
    assert first is not None
    assert second is not None
    assert second[0] > first[0]
    assert mark.path.stat().st_mode & 0o777 == 0o600
    assert with_memory(world, mark).authority.turn() == 0  # another process with the same memory finds nothing wrong


def test_a_register_that_went_back_is_not_worked_on(
    tmp_path: Path, mark: Watermark, store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    url = store_copy("sqlite")
    world = with_memory(World(url, keys_folder), mark)
    first = world.granted()
    world.close()
    backup = tmp_path / "backup.sqlite"
    shutil.copy(url.removeprefix("sqlite:///"), backup)

    world = with_memory(World(url, keys_folder), mark)
    lost = world.granted(device=device(2))
    world.close()

    restored = with_memory(World(sqlite_url(backup), keys_folder), mark)
    waiting = restored.applied(device=device(3))
    for _ in range(2):
        with pytest.raises(StoreWentBack, match="sealed up to row"):
            restored.authority.turn()
    assert waiting

    accept_restore(restored.store, mark, restored.clock.now())
    later = restored.granted(device=device(4))
    numbers = [ApprovalIdentifier.parse(each).number for each in (first, lost, later)]
    assert numbers == [1, 2, 1 + NUMBERS_SKIPPED + 1]
    with pytest.raises(WrongState):
        accept_restore(restored.store, mark, restored.clock.now())
    restored.close()


def test_a_register_with_another_past_is_not_worked_on(world: World, mark: Watermark) -> None:
    with_memory(world, mark).granted()
    known = mark.read()
    assert known is not None
    mark.write(known[0], bytes(32))
    with pytest.raises(StoreWentBack):
        with_memory(world, mark).authority.turn()


class PowerCut(Exception):
    """The power fails here."""


@pytest.mark.parametrize("instant", ["before rename watermark", "after rename watermark"])
def test_a_power_cut_around_the_memory_loses_nothing(world: World, mark: Watermark, instant: str) -> None:
    with_memory(world, mark).granted()
    before = mark.read()

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
    assert (mark.read() == before) is instant.startswith("before")
    # The register is ahead of the memory or level with it: never behind.
    assert ApprovalIdentifier.parse(with_memory(world, mark).granted(device=device(3))).number == 2
    after = mark.read()
    with world.store.read() as tx:
        number, link, _ = journal.last_sealed(tx)
    assert after == (number, link.hex())
