"""A memory that is gone, cut off, old or another's: a sentence and no signature, or it catches up."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from api.status.mirror import Mirror
from api.status.remembered import WebMemory
from app.authority import open_authority
from app.cli.ceremony import make, planned
from app.house import House, open_house, open_memory, opened, origin_of
from app.settings import load
from app.web import memory_place, opened_as_told
from core.alarms import AlarmCode
from core.errors import MemoryBehind, MemoryMissing
from ra.applying.apply import apply
from store.reading import memory as copied
from store.reading import watching
from store.reading.status import StatusReader
from store.tables import memory_records
from store.transactions import sqlite_url
from tests.begin_world import granted, made, revoked, settle
from tests.people_world import trialcpa
from tests.world import MANUFACTURER, application, csr_pem


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = made(tmp_path / "home", sqlite_url(tmp_path / "store.sqlite"))
    yield home
    home.close()


def _of_another(folder: Path, *names: str) -> None:
    """Put files of another authority there, which has the same passphrase."""
    other = folder.parent.parent / "other"
    (other / "keys").mkdir(parents=True, mode=0o700)
    shutil.copy(folder / "passphrase", other / "keys" / "passphrase")
    make(planned(other, "test", port=8471))
    for name in names:
        shutil.copy(other / "keys" / name, folder / name)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "it is gone": (lambda folder: (folder / "memory.sqlite").unlink(), "memory-missing"),
    "it and its key are gone": (
        lambda folder: list(map(Path.unlink, folder.glob("memory.*"))),
        "memory-missing",
    ),
    "its key is gone": (lambda folder: (folder / "memory.key").unlink(), "key-unusable"),
    "it is empty": (lambda folder: (folder / "memory.sqlite").write_bytes(b""), "memory-unusable"),
    "it is cut off": (
        lambda folder: (folder / "memory.sqlite").write_bytes((folder / "memory.sqlite").read_bytes()[:9000]),
        "memory-unusable",
    ),
    "it is something else": (lambda folder: (folder / "memory.sqlite").write_bytes(b"what?" * 5000), "memory-unusable"),
    "it is another's": (lambda folder: _of_another(folder, "memory.sqlite"), "memory-unusable"),
    "its key is another's": (lambda folder: _of_another(folder, "memory.key"), "memory-unusable"),
    "it and its key are another's": (
        lambda folder: _of_another(folder, "memory.sqlite", "memory.key"),
        "key-unusable",
    ),
}


@pytest.mark.parametrize(("damage", "code"), DAMAGES.values(), ids=DAMAGES)
def test_without_its_memory_the_authority_stops_with_a_sentence(
    house: House, damage: Callable[[Path], object], code: str
) -> None:
    damage(house.settings.keys_dir)
    asked = [("run", "authority"), ("memory", "check"), ("memory", "show")]
    # Where it fits its own key, only the other keys say that it is not theirs.
    fits = code == "key-unusable" and (house.settings.keys_dir / "memory.key").exists()
    for words in asked[:1] if fits else asked:
        said = trialcpa(*words, "--home", str(house.settings.home))
        assert said.status == 1
        assert f"[{code}]" in said.words, said.words
        assert "Traceback" not in said.words
    found = trialcpa("check", "--keys", "--home", str(house.settings.home))
    assert found.status == 1
    assert "✗ keys" in found.words
    # It begins none by itself.
    assert not (house.settings.keys_dir / "memory.sqlite").exists() or "gone" not in code


@pytest.fixture
def live(tmp_path: Path) -> Iterator[House]:
    words = tmp_path / "words"
    words.write_text("a passphrase of a live authority\n")
    words.chmod(0o600)
    make(
        planned(
            tmp_path / "live",
            "live",
            arc="1.2.826.0.1.99",
            base_url="http://trialcpa.smartenergycodecompany.co.uk",
            passphrase=f"file:{words}",
        )
    )
    house = open_house(load(tmp_path / "live"))
    yield house
    house.close()


def test_a_live_authority_stops_as_well(live: House) -> None:
    open_authority(live).memory.close()
    (live.settings.keys_dir / "memory.sqlite").unlink()
    with pytest.raises(MemoryMissing):
        open_authority(live)
    assert not (live.settings.keys_dir / "memory.sqlite").exists()


def says_test(live: House) -> None:
    """What whoever owns the register can write into it."""
    changed = sqlite3.connect(live.settings.store_url.removeprefix("sqlite:///"))
    for (name,) in changed.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        changed.execute(f"DROP TRIGGER {name}")
    changed.execute("PRAGMA ignore_check_constraints = ON")
    assert changed.execute("UPDATE authority SET environment = 'test', clock_offset = 31536000").rowcount
    changed.commit()
    changed.close()


def test_no_row_moves_the_clock_of_a_live_authority(live: House) -> None:
    says_test(live)
    house = open_house(live.settings)
    authority = open_authority(house)
    soon = house.machine.now() + timedelta(minutes=5)
    assert authority.clock.now() < soon
    assert authority.memory.read_clocks().offset == 0
    authority.memory.close()
    with opened(live.settings.home) as (known, memory):
        assert known.clock.now() < soon
        assert memory.read_clocks().offset == 0
    house.close()


def test_nor_that_of_a_web_process_which_has_told_of_it_nor_gives_it_a_console(live: House) -> None:
    place = memory_place(live.settings)
    assert opened_as_told(live.settings, place).environment == "live"
    mirror = Mirror(StatusReader(live.store), live.machine, remembered=WebMemory(place))
    mirror.follow()
    mirror.remembered.close()
    says_test(live)
    with closing(opened_as_told(live.settings, place)) as house:
        assert house.environment == "live"
        assert house.clock.now() < house.machine.now() + timedelta(minutes=5)
        assert origin_of(house, house.environment) is None


def test_a_memory_of_yesterday_catches_up_from_the_register(house: House) -> None:
    folder, yesterday = house.settings.keys_dir, house.settings.home / "yesterday"
    shutil.copytree(folder, yesterday)
    approval = granted(house, "TODAY")
    revoked(house, approval)
    today = open_memory(house)
    last = today.last
    today.close()
    shutil.rmtree(folder)
    shutil.copytree(yesterday, folder)
    assert open_memory(house).last < last
    settle(house)
    memory = open_memory(house)
    assert memory.last >= last - 1  # what was remembered behind the last commit was in no register yet
    assert memory.end(memory.issues(approval)[0].serial) is not None
    memory.prove()
    memory.close()
    revoked(house, granted(house, "TOMORROW"))
    with house.store.read() as tx:
        assert {each.code for each in watching.alarms(tx)} == {AlarmCode.ROSTER_MISSING}


JUNK = {"number": 1, "kind": "head", "at": datetime(2027, 1, 1, tzinfo=UTC), "body": b"{}", "mac": b"junk"}


@pytest.mark.parametrize("running", [True, False], ids=["while it works", "before a start"])
def test_somebody_writes_into_the_copy_and_it_is_made_anew(house: House, *, running: bool) -> None:
    """One row behind the last would refuse every commit."""
    authority = open_authority(house)
    if running:
        authority.settle()
    with house.store.begin("somebody writes into the copy") as tx:
        tx.connection.execute(insert(memory_records).values({**JUNK, "number": copied.last_record(tx) + 1}))
    apply(house.desk, MANUFACTURER, application(csr=csr_pem()))
    authority.settle()
    last = authority.memory.last
    with house.store.read() as tx:
        told = {each.code for each in watching.alarms(tx)}
        entries = copied.records_after(tx, 0, 10_000)
    assert AlarmCode.MEMORY_COPY_CHANGED in told
    assert AlarmCode.JOB_FAILS not in told
    assert entries == authority.memory.after(0, len(entries))
    assert entries[-1].number >= last - 1
    authority.memory.close()


def test_one_that_cannot_catch_up_signs_nothing(house: House) -> None:
    folder, yesterday = house.settings.keys_dir, house.settings.home / "yesterday"
    shutil.copytree(folder, yesterday)
    granted(house, "TODAY")
    with house.store.begin("somebody clears the copy") as tx:
        tx.connection.execute(delete(memory_records))
    shutil.rmtree(folder)
    shutil.copytree(yesterday, folder)
    with closing(open_memory(house)) as memory:
        before = memory.last
    authority = open_authority(house)
    authority.holder = "the one"
    for _ in range(2):
        with pytest.raises(MemoryBehind, match="older than what it has signed"):
            authority.turn()
    assert authority.memory.last == before
    authority.memory.close()
    with house.store.read() as tx:
        assert copied.last_record(tx) == 0
