"""Backups: one sealed file, what it proves, the way back into either database, and every file that is none."""

import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyrage
import pytest

from api.status.memory_files import Known, MemoryFiles
from app.authority import open_authority
from app.house import House, open_house
from app.settings import load
from backup.archive import MANIFEST, Packing, Piece, Unpacking
from backup.manifest import Manifest
from backup.sealing import Identity, Passphrase, Recipient, Unsealable, seal, unseal
from core.errors import RestoreNotAccepted
from core.mirror import SealedHead
from jobs.backing_up import Taken, back_up
from jobs.put_back import MARK_FILE
from memory.copying import Copied, copy_memory
from store import dump, schema
from store.reading import authority as reading
from store.reading import journal
from store.transactions import Store
from tests.begin_world import granted, made, revoked, settle
from tests.people_world import trialcpa


@dataclass(frozen=True)
class Kept:
    """An authority with a history, and a backup of it that was made while it was at work."""

    home: Path
    file: Path
    identity: Path
    key: str
    approvals: tuple[str, str]

    def house(self) -> House:
        return open_house(load(self.home))

    def archive(self) -> bytes:
        opened = io.BytesIO()
        with self.file.open("rb") as sealed:
            unseal(sealed, opened, Identity(self.identity.read_text()))
        return opened.getvalue()

    def sealed(self, archive: bytes, place: Path) -> Path:
        """The same file with another archive in it: whoever knows the recipient can make one."""
        with place.open("wb") as file:
            seal(io.BytesIO(archive), file, Recipient(self.key))
        return place


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_store_url: Callable[[str], str]
) -> Kept:
    return _kept(tmp_path_factory.mktemp("kept"), empty_store_url(request.param))


IN_THE_HOME = "sqlite:///store.sqlite"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return _kept(tmp_path_factory.mktemp("plain"), IN_THE_HOME)


def _kept(folder: Path, url: str) -> Kept:
    home = folder / "home"
    with closing(made(home, url)) as house:
        first, second = granted(house, "model-1"), granted(house, "model-2")
        revoked(house, second)
    made_key = pyrage.x25519.Identity.generate()
    identity = folder / "key.txt"
    identity.write_text(f"# a key of a test\n{made_key}\n")
    file = folder / "today.age"
    told = trialcpa("backup", str(file), "--recipient", str(made_key.to_public()), "--home", str(home))
    assert told.status == 0, told.words
    return Kept(home, file, identity, str(made_key.to_public()), (first, second))


def rows_of(store: Store) -> dict[str, list[bytes]]:
    with store.read() as tx:
        return {name: [lines for _, lines in dump.dumped(tx, name)] for name in dump.names()}


def test_a_backup_is_for_its_owner_alone_and_proves_everything(kept: Kept) -> None:
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    assert not [each for each in kept.file.parent.iterdir() if each.name.startswith(".")]
    assert not list((kept.home / "keys").glob(".backup-*"))
    words = ["--identity", str(kept.identity), "--keys-passphrase", f"file:{kept.home / 'keys' / 'passphrase'}"]
    told = trialcpa("backup", "verify", str(kept.file), *words)
    assert told.status == 0, told.words
    assert told.out.count(" proved ") == 10, told.words
    assert "signed checkpoints" in " ".join(told.out.split())
    with tarfile.open(fileobj=io.BytesIO(kept.archive())) as tar:
        names = tar.getnames()
    assert names[-1] == MANIFEST
    keys = {"issuing-1.key", "journal.key", "log.key", "memory.key", "responder-1.key", "statement-1.key"}
    assert {each for each in names if each.startswith("keys/")} == {f"keys/{each}" for each in keys}
    assert (kept.home / "keys" / "passphrase").read_bytes().strip() not in kept.archive()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_backup_is_put_back_into_either_database_and_waits_to_be_accepted(
    plain: Kept, tmp_path: Path, target: str, empty_store_url: Callable[[str], str]
) -> None:
    home = tmp_path / "new"
    words = ["--home", str(home), "--identity", str(plain.identity)]
    url = empty_store_url(target)
    told = trialcpa("restore", str(plain.file), *words, *(["--store", url] if target == "postgresql" else []))
    assert told.status == 0, told.words
    assert [each.name for each in tmp_path.iterdir()] == ["new"]
    with closing(plain.house()) as before, closing(open_house(load(home))) as after:
        assert rows_of(after.store) == rows_of(before.store)
        assert (after.store.dialect, after.settings.keys_dir) == (target, home / "keys")
        passphrase = before.settings.passphrase.read()
        (home / "keys" / "passphrase").write_bytes(passphrase)
        (home / "keys" / "passphrase").chmod(0o600)
        with pytest.raises(RestoreNotAccepted):
            open_authority(after)
    again = trialcpa("restore", str(plain.file), *words)
    assert (again.status, "home-occupied" in again.words) == (1, True)
    if target == "postgresql":
        words[1] = str(tmp_path / "third")
        occupied = trialcpa("restore", str(plain.file), *words, "--store", url)
        assert (occupied.status, "home-occupied" in occupied.words) == (1, True)
        assert not (tmp_path / "third").exists()
    told = trialcpa("store", "accept-restore", "--home", str(home), "--why", "A drill.", "--yes")
    assert told.status == 0, told.words
    assert not (home / "keys" / MARK_FILE).exists()
    with closing(open_house(load(home))) as after:
        settle(after)
        granted(after, "model-3")
        told = trialcpa("memory", "check", "--home", str(home))
        assert told.status == 0, told.words


# --- while it is at work, and without its log ---------------------------------------------------------------------


def test_the_memory_of_a_backup_is_never_older_than_its_register(plain: Kept, tmp_path: Path) -> None:
    """Something is signed after the register's state is fixed, before the memory is copied."""
    home = tmp_path / "home"
    shutil.copytree(plain.home, home)
    with closing(open_house(load(home))) as house:
        taken = Taken(
            store=house.store,
            keys_dir=home / "keys",
            settings=home / "trialcpa.toml",
            revision=schema.needed_revision(),
        )
        with pytest.MonkeyPatch.context() as patched:

            def late(folder: Path, target: Path, going_on: Callable[[], None]) -> Copied:
                with closing(open_house(load(home))) as other:
                    granted(other, "model-late")
                return copy_memory(folder, target, going_on)

            patched.setattr("jobs.backing_up.copy_memory", late)
            made_of = back_up(taken, tmp_path / "b.age", Recipient(plain.key), house.clock.now(), lambda *_: None)
        with house.store.read() as tx:
            rows = dump.counted(tx, "approvals")
    assert (made_of.tables["approvals"], rows) == (2, 3)
    words = ["--identity", str(plain.identity), "--keys-passphrase", f"file:{home / 'keys' / 'passphrase'}"]
    told = trialcpa("backup", "verify", str(tmp_path / "b.age"), *words)
    assert told.status == 0, told.words
    new = tmp_path / "new"
    assert trialcpa("restore", str(tmp_path / "b.age"), "--home", str(new), *words).status == 0
    shutil.copy(home / "keys" / "passphrase", new / "keys" / "passphrase")
    told = trialcpa("store", "accept-restore", "--home", str(new), "--why", "A drill.", "--yes")
    assert (told.status, "Entered again: 1 certificate and 0 ends" in told.words) == (0, True), told.words


def test_a_store_that_was_copied_without_its_log_is_noticed(plain: Kept, tmp_path: Path) -> None:
    home, copied = tmp_path / "home", tmp_path / "copied"
    shutil.copytree(plain.home, home)
    with closing(open_house(load(home))) as house:
        granted(house, "model-wal")
        shutil.copytree(home, copied, ignore=lambda *_: ["store.sqlite-wal", "store.sqlite-shm"])
        with house.store.read() as tx:
            signed = journal.heads(tx)[-1]
            row = reading.authority_row(tx)
        number = signed.number
    told = trialcpa("check", "--home", str(home), "--keys")
    assert (told.status, "3 approvals with 3 certificates" in told.words) == (0, True), told.words
    told = trialcpa("check", "--home", str(copied))
    assert (told.status, "2 approvals with 2 certificates" in told.words) == (0, True), told.words
    told = trialcpa("check", "--home", str(copied), "--keys")
    assert (told.status, f"sealed up to row {number}" in told.words) == (1, True), told.words
    files = MemoryFiles(copied / "run" / "web-127.0.0.1-8470")
    files.read()
    head = SealedHead(number=number, link=signed.link, signature=signed.signature)
    assert files.keep(Known(journal_key=row.journal_key, name=row.name, head=head))
    told = trialcpa("check", "--home", str(copied))
    assert (told.status, f"sealed up to row {number}" in told.words) == (1, True), told.words


class Counted(bytes):
    """Octets that count how many of them are looked at, or copied."""

    seen = 0

    def __radd__(self, before: bytes) -> "Counted":
        Counted.seen += len(before) + len(self)
        return Counted(bytes.__add__(before, self))

    def split(self, *words: Any) -> list[bytes]:
        Counted.seen += len(self)
        return super().split(*words)


class CountedFile(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        return Counted(super().read(size))


@pytest.mark.parametrize("lines", [[b"x" * 4_000], [b""] * 4_000, [b"", b"abc", b"d" * 999, b""]])
def test_each_octet_of_a_member_is_looked_at_once_whatever_its_lines_are(
    monkeypatch: pytest.MonkeyPatch, lines: list[bytes]
) -> None:
    octets = b"".join(each + b"\n" for each in lines)
    read = object.__new__(Unpacking)
    read._file, read._places = CountedFile(octets), {"lines": (0, len(octets))}
    monkeypatch.setattr("backup.archive._CHUNK", 8)
    monkeypatch.setattr(Counted, "seen", 0)
    assert list(read.lines("lines")) == lines
    assert 0 < Counted.seen <= len(octets)


# --- every file that is none --------------------------------------------------------------------------------------


def rewritten(archive: bytes, change: Callable[[Manifest, dict[str, bytes]], Manifest | None]) -> bytes:
    """An archive with other members, whose manifest says of each what it is: only what is in them is wrong."""
    read = Unpacking(io.BytesIO(archive))
    members = {name: b"".join(read.octets(name)) for name in read.names}
    said = change(read.manifest, members) or read.manifest
    packed = Packing(
        [Piece(name=name, size=len(octets), octets=[octets]) for name, octets in members.items()],
        lambda named: replace(said, members=named),
    )
    return b"".join(iter(packed.read, b""))


def tarred(archive: bytes, change: Callable[[tarfile.TarInfo], None], which: int = 0) -> bytes:
    """An archive in which one member's header is another one."""
    made, out = io.BytesIO(archive), io.BytesIO()
    with tarfile.open(fileobj=made) as old, tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as new:
        for place, each in enumerate(old):
            octets = old.extractfile(each)
            if place == which:
                change(each)
            new.addfile(each, octets)
    return out.getvalue()


def _named(name: str) -> Callable[[bytes], bytes]:
    return lambda archive: tarred(archive, lambda each: setattr(each, "name", name))


def _another(name: str, octets: bytes) -> Callable[[bytes], bytes]:
    def change(_: Manifest, members: dict[str, bytes]) -> None:
        members[name] = octets

    return lambda archive: rewritten(archive, change)


def _said(**other: object) -> Callable[[bytes], bytes]:
    return lambda archive: rewritten(archive, lambda said, _: replace(said, **other))  # type: ignore[arg-type]


def _linked(each: tarfile.TarInfo) -> None:
    each.type, each.linkname, each.size = tarfile.SYMTYPE, "/etc/passwd", 0


def _cell(table: str, place: int, value: object) -> Callable[[bytes], bytes]:
    """The first row of a table with another value."""

    def change(_: Manifest, members: dict[str, bytes]) -> None:
        name = f"register/{table}/000001.jsonl"
        first, *rest = members[name].splitlines()
        row = json.loads(first)
        row[place] = value
        members[name] = b"".join(line + b"\n" for line in (json.dumps(row).encode(), *rest))

    return lambda archive: rewritten(archive, change)


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut off": (lambda octets: octets[: len(octets) // 2], "no archive, or is damaged"),
    "without its manifest": (lambda octets: octets[: octets.rindex(MANIFEST.encode())], "ends before its manifest"),
    "nothing": (lambda _: b"", "no archive"),
    "no archive": (lambda _: b"x" * 4096, "no archive"),
    "a name that climbs out": (_named("../../etc/cron.d/x"), "which no backup has"),
    "an absolute name": (_named("/etc/passwd"), "which no backup has"),
    "a key with a folder": (_named("keys/../x.key"), "which no backup has"),
    "a link": (lambda octets: tarred(octets, _linked), "no regular file"),
    "twice": (lambda octets: tarred(octets, lambda each: setattr(each, "name", "keys/journal.key")), "twice"),
    "an oversized key": (_another("keys/large.key", bytes(17 * 1024)), "may have 16384"),
    "another form": (_said(version=2), "form 2"),
    "another revision": (_said(revision="0001"), "revision 0001"),
    "another digest": (
        lambda octets: octets.replace(b"longest_trial_days", b"longest_trial_dayz", 1),
        "not what its manifest",
    ),
    "no manifest at all": (lambda octets: octets.replace(b'"tables":{', b'"tables":[', 1), "manifest cannot be read"),
    "rows that are none": (_another("register/lease/000001.jsonl", b"[1]\n"), "row 1 of lease"),
    "half a row": (_another("register/lease/000001.jsonl", b"[1"), "within a line"),
    "a memory that is none": (_another("memory/memory.sqlite", b"x" * 4096), "memory is no database"),
    "fewer rows": (_said(tables={}), "other numbers of rows"),
    "another root": (_said(root_sha256="0" * 64), "another one is in the manifest"),
    "an older memory than it says": (_said(records=10**6), "was said to with 1000000"),
    "a fact changed": (_cell("journal", 3, "somebody"), "row 1 is not what was sealed"),
    "a key in the open": (_another("keys/journal.key", b"-----BEGIN PRIVATE KEY-----\n"), "not an encrypted"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_backup_is_refused_with_its_reason_and_nothing_is_written(plain: Kept, tmp_path: Path, name: str) -> None:
    change, reason = BAD[name]
    before = plain.archive()
    bad = plain.sealed(change(before), tmp_path / "bad.age")
    words = ["--identity", str(plain.identity), "--keys-passphrase", f"file:{plain.home / 'keys' / 'passphrase'}"]
    told = trialcpa("restore", str(bad), "--home", str(tmp_path / "new"), *words)
    assert told.status == 1
    assert reason in told.words, told.words
    assert [each.name for each in tmp_path.iterdir()] == ["bad.age"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda octets: octets[:-1], "cut off or damaged"),
        (lambda octets: octets[:100], "cut off or damaged"),
        (lambda octets: octets[:-50] + bytes([octets[-50] ^ 1]) + octets[-49:], "cut off or damaged"),
        (lambda _: b"", "cut off or damaged"),
        (lambda _: b"-----BEGIN AGE ENCRYPTED FILE-----\n", "under a passphrase, and a key was given"),
    ],
)
def test_a_sealed_file_that_is_cut_or_damaged_is_refused(
    plain: Kept, tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    bad = tmp_path / "bad.age"
    bad.write_bytes(change(plain.file.read_bytes()))
    told = trialcpa("backup", "verify", str(bad), "--identity", str(plain.identity))
    assert (told.status, reason in told.words) == (1, True), told.words


def test_whose_a_backup_is_and_what_opens_it_is_compared(plain: Kept, tmp_path: Path) -> None:
    words = ("backup", "verify", str(plain.file))
    other = tmp_path / "other.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    for more, reason in (
        (("--identity", str(other)), "another key"),
        (("--identity", str(plain.home / "trialcpa.toml")), "no key of age"),
        (("--identity", str(plain.identity), "--root-sha256", "0" * 64), "it is another authority's"),
        (("--passphrase", f"file:{plain.home / 'keys' / 'passphrase'}"), "a passphrase was given"),
    ):
        told = trialcpa(*words, *more)
        assert (told.status, reason in told.words) == (1, True), told.words
    told = trialcpa("backup", str(tmp_path / "new.age"), "--recipient", "age1x", "--home", str(plain.home))
    assert (told.status, "no recipient of age" in told.words) == (1, True)
    told = trialcpa("backup", str(plain.file), "--recipient", plain.key, "--home", str(plain.home))
    assert (told.status, "never overwritten" in told.words) == (1, True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other.txt"]


@pytest.mark.long
def test_under_a_passphrase_stock_age_finds_what_it_knows() -> None:
    sealed, opened = io.BytesIO(), io.BytesIO()
    seal(io.BytesIO(b"an archive"), sealed, Passphrase(b"a passphrase"))
    sealed.seek(0)
    unseal(sealed, opened, Passphrase(b"a passphrase"))
    assert opened.getvalue() == b"an archive"
    sealed.seek(0)
    with pytest.raises(Unsealable, match="another one"):
        unseal(sealed, opened, Passphrase(b"another passphrase"))
    text, _, rest = sealed.getvalue().partition(b"-----END AGE ENCRYPTED FILE-----\n")
    identity = pyrage.passphrase.decrypt(text + b"-----END AGE ENCRYPTED FILE-----\n", "a passphrase").decode()
    assert pyrage.decrypt(rest, [pyrage.x25519.Identity.from_str(identity)]) == b"an archive"
