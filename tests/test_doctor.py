"""`trialcpa doctor`: each finding is brought about, and what is well is told as well. Nothing is opened for writing."""

import json
import os
import shutil
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from app.cli import doctor
from app.cli.ceremony import make, planned
from app.cli.clock import set_clock
from app.courier import open_courier
from app.doctor.findings import WORDS, Finding, FindingCode, Group, Severity
from app.doctor.rounds import Machine, looked, worst
from app.house import House, open_house
from app.processes import told_ready
from app.settings import changed, load
from app.web import make_inside
from core.alarms import Alarm, AlarmCode
from core.clock import SystemClock
from core.kinds import ProcessRole
from core.remedies import REMEDIES
from jobs.proved import note_proved
from ra.applying.apply import apply
from store.verbs import watching
from tests.acting import member
from tests.begin_world import made, settle
from tests.front_world import listening
from tests.people_world import trialcpa
from tests.test_deadlines import no_room, nobody, open_folder, small_disk
from tests.world import MANUFACTURER, OFFICER_1, OFFICER_2, application, grant

__all__ = ["open_folder", "small_disk"]  # fixtures

THIRD = replace(OFFICER_1, name="a third", credential="cred-third")
OFFICERS = (OFFICER_1.name, OFFICER_2.name, THIRD.name)
NOBODY = 65_534
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes owners, becomes another user, and mounts")


@dataclass(frozen=True)
class Kept:
    """An authority with a history, in a folder that a test copies; its register and memory of before, too."""

    home: Path
    register: Path
    memory: Path
    identity: str


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    home, key = folder / "home", pyrage.x25519.Identity.generate()
    with closing(made(home, "sqlite:///store.sqlite", [member(each) for each in OFFICERS])) as house:
        settle(house)
    shutil.copy(home / "store.sqlite", folder)
    shutil.copy(home / "keys" / "memory.sqlite", folder)
    with closing(open_house(load(home))) as house:
        with house.store.begin("a third") as tx:
            grant(tx, THIRD, house.clock.now())
        settle(house)
        open_courier(house).sign()
    backups = home / "backups"
    backups.mkdir()
    _say(home, "backup", "directory", '"backups"')
    (folder / "key.txt").write_text(f"{key}\n")
    made_it = trialcpa("backup", str(backups / "a.age"), "--recipient", str(key.to_public()), "--home", str(home))
    assert made_it.status == 0, made_it.words
    proved = trialcpa("backup", "verify", str(backups / "a.age"), "--identity", str(folder / "key.txt"))
    assert proved.status == 0, proved.words
    return Kept(home, folder / "store.sqlite", folder / "memory.sqlite", str(key))


@pytest.fixture
def home(kept: Kept, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept.home, tmp_path / "home"))


def _say(home: Path, table: str, key: str, value: str) -> None:
    path = home / "trialcpa.toml"
    path.write_text(changed(path.read_text(), table, key, value))


def _run(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / "store.sqlite", isolation_level=None)) as register:
        register.execute(statement)


@contextmanager
def _opened(home: Path) -> Iterator[House]:
    with closing(open_house(load(home))) as house:
        yield house


def _later(home: Path, **by: int) -> None:
    with _opened(home) as house:
        set_clock(house, house.clock.now() + timedelta(**by))


def _asked(home: Path) -> None:
    """A fact that nobody seals, and two minutes."""
    with _opened(home) as house:
        apply(house.desk, MANUFACTURER, application())
    _later(home, minutes=2)


def _alarm(home: Path) -> None:
    with _opened(home) as house, house.store.begin("an alarm") as tx:
        sentence = "1 of the courier's errands fails."
        left = Alarm(code=AlarmCode.ERRAND_FAILS, subject="", since=house.clock.now(), sentence=sentence)
        watching.raise_alarm(tx, ProcessRole.COURIER, left)


def _old(home: Path) -> None:
    then = time.time() - timedelta(hours=3).total_seconds()
    os.utime(home / "backups" / "a.age", (then, then))


def _unproved(home: Path) -> None:
    note_proved(home / "backups" / "a.age", datetime.now(UTC).replace(microsecond=0) - timedelta(days=40), holds=True)


def _backup_wrong(home: Path) -> None:
    backup = home / "backups" / "a.age"
    sealed = bytearray(backup.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    backup.write_bytes(sealed)
    note_proved(backup, datetime.now(UTC).replace(microsecond=0), holds=False)


def _wiped(home: Path) -> None:
    (home / "keys" / "memory.sqlite").write_bytes(b"x" * 4096)


WRONG, SOON, UNKNOWN = Severity
KEYS = "keys"

FOUND: dict[str, tuple[Callable[[Path], object], str, Severity]] = {
    "a setting is misspelt": (lambda home: _say(home, "web", "prot", "1"), "settings-invalid", WRONG),
    "a key's file is open": (lambda home: (home / KEYS / "issuing-1.key").chmod(0o644), "open-to-others", WRONG),
    "the folder of the keys is open": (lambda home: (home / KEYS).chmod(0o750), "open-to-others", WRONG),
    "the settings are open": (lambda home: (home / "trialcpa.toml").chmod(0o644), "open-to-others", WRONG),
    "anybody writes to the home": (lambda home: home.chmod(0o777), "open-to-others", WRONG),
    "a key's file is gone": (lambda home: (home / KEYS / "responder-1.key").unlink(), "key-file-missing", WRONG),
    "the register speaks of tomorrow": (
        lambda home: _run(home, "UPDATE memory_records SET at = at + 86400"),
        "clock-doubtful",
        WRONG,
    ),
    "a list was not renewed": (lambda home: _later(home, hours=40), "list-overdue", WRONG),
    "the responder's certificate ends": (lambda home: _later(home, days=29), "responder-overdue", WRONG),
    "the root's list ends": (lambda home: _later(home, days=320), "root-list-ends", SOON),
    "the issuing CA issues no more": (lambda home: _later(home, days=5 * 365), "authority-ends", WRONG),
    "there is no list": (lambda home: _run(home, "DELETE FROM crls"), "list-missing", WRONG),
    "no authority is at work": (lambda home: _run(home, "UPDATE lease SET expires_at = 1"), "authority-silent", WRONG),
    "no courier is at work": (lambda home: _run(home, "DELETE FROM signs_of_life"), "courier-silent", WRONG),
    "another release's register": (
        lambda home: _run(home, "UPDATE alembic_version SET version_num = '9999'"),
        "schema-mismatch",
        WRONG,
    ),
    "the register is damaged": (lambda home: (home / "store.sqlite").write_bytes(b"x" * 4096), "look-failed", UNKNOWN),
    "the memory is gone": (lambda home: (home / KEYS / "memory.sqlite").unlink(), "memory-missing", WRONG),
    "the memory is damaged": (_wiped, "memory-unusable", WRONG),
    "a backup was put back": (
        lambda home: (home / KEYS / "restored.json").write_text('{"made_at":"2027-01-04T12:00:00Z"}'),
        "restore-not-accepted",
        WRONG,
    ),
    "the journal was changed": (
        lambda home: _run(home, "UPDATE journal SET at = at + 1 WHERE seal_number = 2"),
        "journal-changed",
        WRONG,
    ),
    "facts wait to be sealed": (_asked, "journal-backlog", WRONG),
    "a process has told of something": (_alarm, "errand-fails", WRONG),
    "nobody says where backups are": (
        lambda home: (home / "trialcpa.toml").write_text(
            (home / "trialcpa.toml").read_text().replace('directory = "backups"', "")
        ),
        "backups-unnamed",
        SOON,
    ),
    "there is no backup": (lambda home: (home / "backups" / "a.age").unlink(), "backup-missing", WRONG),
    "the backup is old": (_old, "backup-old", WRONG),
    "no backup was proved of late": (_unproved, "backup-unproved", SOON),
    "a backup is wrong": (_backup_wrong, "backup-wrong", WRONG),
    "the proxy does not answer": (
        lambda home: _say(home, "status", "proxy", f'"127.0.0.1:{_free_port()}"'),
        "proxy-unfit",
        WRONG,
    ),
}


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _mildness(one: Finding) -> int:
    return -list(Severity).index(one.severity)


def _found(home: Path, **machine: Any) -> dict[str, Severity]:
    asked = {"clock": SystemClock(), "synchronised": lambda: datetime.now(UTC), **machine}
    seen = looked(home, Machine(**asked))
    said = [each for one in seen for each in one.findings]
    assert all(each.sentence.endswith((".", "!")) for each in said), said
    assert all(each.remedy for each in said)
    assert (worst(seen) is None) == (not said)
    return {each.code: each.severity for each in sorted(said, key=_mildness)}


@pytest.mark.parametrize("name", FOUND)
def test_each_finding_is_found_when_it_is_brought_about(home: Path, name: str) -> None:
    brings_about, code, severity = FOUND[name]
    brings_about(home)
    assert _found(home).get(code) == severity


def test_where_no_web_process_answers_that_is_all(home: Path) -> None:
    assert _found(home) == {FindingCode.SERVICE_SILENT: WRONG}


def test_a_clock_that_nobody_keeps_is_found(home: Path) -> None:
    assert _found(home, synchronised=lambda: None)[FindingCode.CLOCK_UNKEPT] is SOON


def test_what_was_put_back_is_found_by_what_the_other_knows(kept: Kept, home: Path) -> None:
    shutil.copy(kept.memory, home / "keys" / "memory.sqlite")
    assert _found(home)["memory-behind"] is WRONG
    shutil.copy(kept.home / "keys" / "memory.sqlite", home / "keys")
    shutil.copy(kept.register, home / "store.sqlite")
    assert _found(home)["store-went-back"] is WRONG


def test_a_live_authority_has_its_root_and_its_passphrase_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    secret = home / "keys" / "passphrase"
    secret.write_text("correct horse battery staple\n")
    secret.chmod(0o600)
    chosen = {
        "arc": "1.3.6.1.4.1.99999.7",
        "base_url": "https://trialcpa.smartenergy-test.co.uk",
        "passphrase": f"file:{secret}",
    }
    make(replace(planned(home, "live", **chosen), roster=tuple(member(each) for each in OFFICERS)))
    found = _found(home)
    assert (found[FindingCode.OPENED_BESIDE], found[FindingCode.ROOT_AT_HAND]) == (SOON, SOON)
    shutil.move(home / "root", tmp_path / "offline")
    shutil.move(secret, tmp_path / "passphrase")
    _say(home, "keys", "passphrase", f'"file:{tmp_path / "passphrase"}"')
    assert not {FindingCode.OPENED_BESIDE, FindingCode.ROOT_AT_HAND} & set(_found(home))


def test_a_look_that_takes_too_long_is_left_and_said(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        _say(home, "status", "proxy", f'"127.0.0.1:{proxy.getsockname()[1]}"')
        assert _found(home, seconds=0.3)[FindingCode.LOOK_UNFINISHED] is UNKNOWN


@ROOT_ONLY
def test_a_key_of_another_user_is_found(home: Path) -> None:
    os.chown(home / "keys" / "issuing-1.key", NOBODY, NOBODY)
    assert _found(home)[FindingCode.OF_ANOTHER_USER] is WRONG


@ROOT_ONLY
def test_whoever_may_not_look_is_told_so(kept: Kept, open_folder: Path) -> None:
    home = Path(shutil.copytree(kept.home, open_folder / "home"))
    home.chmod(0o750)
    (home / "trialcpa.toml").chmod(0o640)
    with nobody():  # in root's group still
        found = _found(home)
        assert found.get(FindingCode.NOT_SEEN) is UNKNOWN, found
        home_of_another = _found(Path("/root") / "trialcpa")
    assert home_of_another == {"place-unusable": WRONG}


@ROOT_ONLY
def test_a_full_disk_is_found(home: Path, small_disk: Path) -> None:
    shutil.copy2(home / "backups" / "a.age", small_disk)
    _say(home, "backup", "directory", f'"{small_disk}"')
    with no_room(small_disk):
        assert _found(home)[AlarmCode.DISK_NEARLY_FULL] is WRONG


@contextmanager
def _served(home: Path) -> Iterator[None]:
    """Web as it is, in this process."""
    inside = make_inside(load(home))
    for each in inside.beside:
        each.start()
    with listening(inside.served) as front:
        _say(home, "web", "port", str(front.port))
        until = time.monotonic() + 20
        while not ((said := told_ready("127.0.0.1", front.port, "for=writing")) and said.ready):
            assert time.monotonic() < until, said
            time.sleep(0.05)
        yield
    for each in reversed(inside.beside):
        each.stop()


class _Watch:
    """Sees which files this process opens for writing, and which it connects to as databases."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.looking = False
        sys.addaudithook(self)

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        if not self.looking or threading.current_thread().name not in self.whose():
            return
        if event == "open" and isinstance(words[0], str | bytes | os.PathLike):
            writes = bool(words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            self.seen.append(("write" if writes else "read", os.fsdecode(words[0])))
        elif event == "sqlite3.connect":
            self.seen.append(("database", str(words[0])))

    @staticmethod
    def whose() -> set[str]:
        return {each.name for each in threading.enumerate() if each.name.startswith("look at ")} | {"MainThread"}


def test_an_authority_that_is_well_is_told_so_and_nothing_is_opened_for_writing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "synchronised", lambda: datetime.now(UTC))
    watch = _Watch()
    with _served(home):
        watch.looking = True
        said = trialcpa("doctor", "--home", str(home))
        watch.looking = False
        assert (said.status, said.err) == (0, ""), said.words
        document = json.loads(trialcpa("doctor", "--home", str(home), "--json").out)
    assert "All is well." in said.out
    assert "\x1b" not in said.out
    assert (document["worst"], document["findings"]) == (None, [])
    assert {each["group"] for each in document["well"]} == {each.value for each in Group}
    assert [path for how, path in watch.seen if how == "write"] == []
    databases = {path for how, path in watch.seen if how == "database"}
    assert {each.partition("?")[0].rpartition("/")[2] for each in databases} == {"store.sqlite", "memory.sqlite"}
    assert all(each.endswith(("?mode=ro", "?immutable=1")) for each in databases), databases
    secret = home / "keys"
    assert not [
        path for _, path in watch.seen if path.startswith(f"{secret}/") and path != str(secret / "restored.json")
    ]


def test_it_leaves_nothing_beside_what_it_looks_at(home: Path) -> None:
    before = {each: each.stat().st_mtime_ns for each in home.rglob("*")}
    assert _found(home) == {FindingCode.SERVICE_SILENT: WRONG}
    assert {each: each.stat().st_mtime_ns for each in home.rglob("*")} == before


def test_people_are_told_what_is_wrong_with_its_code_and_what_to_do(home: Path) -> None:
    (home / "keys" / "issuing-1.key").chmod(0o644)
    said = trialcpa("doctor", "--home", str(home))
    assert said.status == doctor.EXIT_WRONG
    assert f"✗ {home}/keys/issuing-1.key has mode 0644: others get at it.  [open-to-others]" in said.out
    assert f"chmod 0600 {home}/keys/issuing-1.key" in said.out
    assert "2 wrong" in said.out
    plain = trialcpa("doctor", "--home", str(home), "--json")
    assert plain.status == doctor.EXIT_WRONG
    assert json.loads(plain.out)["worst"] == "wrong"


def test_its_help_fits_a_screen_and_ends_with_an_example() -> None:
    said = trialcpa("doctor", "--help").out.rstrip().splitlines()
    assert len(said) <= 24
    assert said[-1].strip().startswith("trialcpa doctor --home")


def test_every_alarm_has_a_remedy_and_every_code_is_one_of_its_own() -> None:
    assert set(REMEDIES) == set(AlarmCode)
    assert all(each.endswith(".") for each in REMEDIES.values())
    assert set(WORDS) == set(FindingCode)
    assert not {each.value for each in FindingCode} & {each.value for each in AlarmCode}
