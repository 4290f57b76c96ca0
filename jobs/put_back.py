"""putting back: a backup is opened, looked at whole, and put into an empty place; nothing is ever overwritten.

Everything happens in a scratch folder first, where all of it is proved (jobs/backup_proof.py). Only then does it get
its name. A mark beside the keys says that nobody has accepted it yet: until then nothing is signed (jobs/restore.py).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from backup.archive import MEMORY, SETTINGS, Flawed, Unpacking
from backup.manifest import Manifest
from backup.sealing import Key, Unsealable, unseal
from core.canonical import Json, canonical, read_json
from core.errors import BackupUnusable, HomeMissing, HomeOccupied, MemoryUnusable
from core.instants import text
from jobs.backing_up import Told
from jobs.judging import FIRST, Judging, NotOurs, TakenBack
from keys.private_file import written
from memory.book import FILE_NAME
from memory.copying import CopyRead
from store import dump, schema
from store.transactions import Store, sqlite_url

MARK_FILE = "restored.json"
"""Beside the keys: a backup was put back here, and nobody has accepted it yet."""

STORE_FILE = "store.sqlite"
KEYS_FOLDER = "keys"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A backup in a scratch folder.

    Args:
        manifest: its own word.
        settings: the file of the settings, as it was.
        home: the folder, laid out as a home: keys with the memory, and the register as an SQLite file.
        left_out: rows that it holds and the register there has not: not ours, or refused by a constraint.
        taken_back: facts whose number was behind the last head, and that wait to be sealed.
    """

    manifest: Manifest
    settings: str
    home: Path
    left_out: tuple[dump.LeftOut, ...] = ()
    taken_back: tuple[TakenBack, ...] = ()

    @property
    def keys_dir(self) -> Path:
        """The sealed keys, and the memory."""
        return self.home / KEYS_FOLDER

    @property
    def store_path(self) -> Path:
        """The register."""
        return self.home / STORE_FILE


def open_backup(path: Path, key: Key, scratch: Path, revision: str, told: Told) -> Opened:
    """Open a backup into a scratch folder.

    Args:
        path: the backup.
        key: opens it.
        scratch: an empty folder that nobody else reads; whoever made it removes it.
        revision: of the register's schema, that this release needs.
        told: asked to show how far it is.

    Raises:
        BackupUnusable: it is cut, damaged, of another form or revision, or was changed under a head of ours.
        BackupLockUnusable: the key is none.
    """
    archive = scratch / "archive.tar"
    try:
        with path.open("rb") as sealed, written(archive, over=False) as opened:
            unseal(sealed, opened, key)
        with archive.open("rb") as file:
            unpacking = Unpacking(file)
            _require_revision(unpacking.manifest, revision)
            opened_as = _laid_out(unpacking, scratch / "home", told)
        archive.unlink()
    except (Unsealable, Flawed, dump.Unloadable, NotOurs, MemoryUnusable, HomeMissing) as error:
        raise BackupUnusable(path=path, detail=str(error)) from error
    except OSError as error:
        raise BackupUnusable(path=path, detail=error.strerror or type(error).__name__) from error
    return opened_as


def load_register(unpacked: Store, store: Store, told: Told) -> list[dump.LeftOut]:
    """Copy a register that was proved into an empty one of the other kind; return what that one refuses.

    Raises:
        HomeOccupied: it is not empty.
        StoreUnavailable: it does not answer.
    """
    require_empty(store)
    schema.upgrade(store)
    left = list[dump.LeftOut]()
    with unpacked.read(whole=True) as source, store.begin("restore") as tx:
        for name in dump.names():
            lines = (line for _, portion in dump.dumped(source, name) for line in portion.splitlines())
            told(name, dump.load(tx, name, lines, left.append))
        dump.go_on_counting(tx)
    return left


def require_empty(store: Store) -> None:
    """Raise HomeOccupied if a register holds anything."""
    if store.revision() is None:
        return
    with store.read() as tx:
        if not dump.is_empty(tx):
            raise HomeOccupied(path="The store")


def mark(keys_dir: Path, manifest: Manifest) -> None:
    """Say that a backup was put back and nobody has accepted it yet."""
    said: dict[str, Json] = {"made_at": text(manifest.made_at), "rows": manifest.rows, "records": manifest.records}
    with written(keys_dir / MARK_FILE, over=False) as file:
        file.write(canonical(said))


def marked(keys_dir: Path) -> str | None:
    """Return when the backup was made that was put back here and is not accepted; None if there is none."""
    try:
        return str(read_json((keys_dir / MARK_FILE).read_bytes())["made_at"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return "an unknown instant"


def unmark(keys_dir: Path) -> None:
    """Say that it was accepted."""
    (keys_dir / MARK_FILE).unlink(missing_ok=True)


def _require_revision(said: Manifest, needed: str) -> None:
    if said.revision != needed:
        raise Flawed(
            f"its register is at revision {said.revision}, and this release needs {needed}: restore it with the "
            "release that made it, and upgrade then"
        )


def _laid_out(unpacking: Unpacking, home: Path, told: Told) -> Opened:
    keys_dir = home / KEYS_FOLDER
    keys_dir.mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    missing = {SETTINGS, MEMORY} - set(unpacking.names)
    if missing:
        raise Flawed(f"it has no {' and no '.join(sorted(missing))}")
    opened = Opened(
        manifest=unpacking.manifest,
        settings=_text(b"".join(unpacking.octets(SETTINGS))),
        home=home,
    )
    for name in unpacking.names:
        if name.startswith("keys/"):
            # The archive let no name through but one of letters and digits.
            with written(keys_dir / name.removeprefix("keys/"), over=False) as file:
                file.write(b"".join(unpacking.octets(name)))
    with written(keys_dir / FILE_NAME, over=False) as file:
        for some in unpacking.octets(MEMORY):
            file.write(some)
    _as_the_authority_has_it(keys_dir / FILE_NAME)
    told("memory", unpacking.manifest.records)
    with written(opened.store_path, over=False):
        pass  # empty: SQLite writes into a file that nobody else may touch
    left = list[dump.LeftOut]()
    with (
        closing(Store(sqlite_url(opened.store_path))) as store,
        closing(CopyRead(keys_dir / FILE_NAME)) as memory,
    ):
        schema.upgrade(store)
        with store.begin("restore") as tx:
            judging = Judging(tx=tx, memory=memory, sealed=unpacking.manifest.sealed)
            for table in (*FIRST, *(each for each in dump.names() if each not in FIRST)):
                lines = _lines_of(unpacking, table)
                told(table, dump.load(tx, table, lines, left.append, judging.of(table)))
            judging.require_whole()
            taken_back = judging.take_back()
    return replace(opened, left_out=tuple(left), taken_back=tuple(taken_back))


def _lines_of(unpacking: Unpacking, table: str) -> Iterator[bytes]:
    for name in sorted(each for each in unpacking.names if each.startswith(f"register/{table}/")):
        yield from unpacking.lines(name)


def _as_the_authority_has_it(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise Flawed(f"its memory is no database ({error})") from error


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Flawed("its settings are no text") from error
