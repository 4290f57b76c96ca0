"""backing up: register, memory, sealed keys and settings as they are at one moment, in one sealed file.

The register's state is fixed first and the memory is copied next, so that the memory is never the older of the two:
whatever the register of a backup says was signed, its memory knows. The root's folder and the passphrase's file are
not taken: whoever has a backup and the key to it still cannot sign.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from backup.archive import MEMORY, SETTINGS, Packing, Piece
from backup.manifest import VERSION, Manifest, Member
from backup.sealing import Lock, seal
from ca.certificates import tbs_sha256
from core.errors import BackupNotWritten
from core.kinds import HierarchyRole
from keys.ceremony import ROOT_FILE
from keys.private_file import written
from keys.sealed import sealed_files
from memory.book import FILE_NAME
from memory.copying import Copied, CopyRead, copy_memory
from store import dump
from store.reading import authority as reading
from store.reading import journal
from store.transactions import Store, Transaction

_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a backup is of.

    Args:
        store: the register.
        keys_dir: the folder of the keys, with the memory.
        settings: the file of the settings.
        revision: of the register's schema.
    """

    store: Store
    keys_dir: Path
    settings: Path
    revision: str


Told = Callable[[str, int], None]
"""Told what has been taken, and how many octets or rows of it so far."""


def back_up(taken: Taken, path: Path, lock: Lock, at: datetime, told: Told) -> Manifest:
    """Make a backup; it appears under its name whole or not at all, for nobody but its owner.

    If we die before the link, a file without a name of meaning is left; after it the backup is whole and durable.

    Args:
        taken: what of.
        path: the file to be made; one that is there is never overwritten.
        lock: what it is sealed with.
        at: now, by the authority's clock.
        told: asked to show how far it is.

    Raises:
        BackupNotWritten: the file is there already, or cannot be written.
        BackupLockUnusable, KeyUnusable, MemoryMissing, MemoryUnusable, StoreUnavailable: it cannot be made.
    """
    if path.exists():
        raise BackupNotWritten(path=path, detail="there is a file already, and backups are never overwritten")
    try:
        with written(path, step="link backup", over=False) as file:
            manifest = _written(taken, path, file, lock, at, told)
    except OSError as error:
        raise BackupNotWritten(path=path, detail=error.strerror or type(error).__name__) from error
    return manifest


def _written(taken: Taken, path: Path, file: BinaryIO, lock: Lock, at: datetime, told: Told) -> Manifest:
    with (
        # Beside the keys, where the same disk has the memory and nobody else reads.
        tempfile.TemporaryDirectory(prefix=".backup-", dir=taken.keys_dir) as scratch,
        taken.store.read(whole=True) as tx,
    ):
        sealed = _head(taken.keys_dir / FILE_NAME)
        number, link, _ = journal.last_sealed(tx)  # the first statement: from here on the register's state is fixed
        memory = Path(scratch) / FILE_NAME
        copied = copy_memory(taken.keys_dir, memory, lambda: dump.stay(tx))
        state = _State(taken=taken, tx=tx, memory=memory, copied=copied, told=told)

        def manifest(members: Mapping[str, Member]) -> Manifest:
            # Whose it is the memory says, and no row that somebody has written since.
            with closing(CopyRead(memory)) as read:
                begun, known = read.begun, {each.serial: each.tbs_sha256 for each in read.hierarchy(HierarchyRole.ROOT)}
            every = reading.certificates(tx, HierarchyRole.ROOT)
            roots = [each.der for each in every if known.get(each.serial) == tbs_sha256(each.der)]
            if not roots:
                raise BackupNotWritten(path=path, detail="the register has lost the root's certificate")
            state.made = Manifest(
                version=VERSION,
                authority=begun.name,
                environment=begun.environment,
                root_sha256=hashlib.sha256(roots[-1]).hexdigest(),
                revision=taken.revision,
                made_at=at,
                rows=number,
                link=link.hex(),
                unsealed=journal.count_unsealed(tx),
                records=copied.records,
                seal=copied.seal.hex(),
                tables=dict(state.tables),
                members=members,
                sealed=sealed,
            )
            return state.made

        seal(Packing(state.pieces(), manifest), file, lock)
        assert state.made is not None
        return state.made


def _head(memory: Path) -> int:
    """Return the row that a head was last signed for: when it is remembered, its rows are in the register."""
    if not memory.exists():
        return 0  # that is said by whoever copies it
    with closing(CopyRead(memory)) as read:
        return read.head.number


@dataclass
class _State:
    """A backup that is being made."""

    taken: Taken
    tx: Transaction
    memory: Path
    copied: Copied
    told: Told
    tables: dict[str, int] = field(default_factory=dict)
    made: Manifest | None = None

    def pieces(self) -> Iterator[Piece]:
        settings = self.taken.settings.read_bytes()
        yield Piece(name=SETTINGS, size=len(settings), octets=[settings])
        for name, octets in sealed_files(self.taken.keys_dir).items():
            if name != ROOT_FILE:
                yield Piece(name=f"keys/{name}", size=len(octets), octets=[octets])
        yield Piece(name=MEMORY, size=self.memory.stat().st_size, octets=_portions(self.memory))
        self.told("memory", self.copied.records)
        for name in dump.names():
            self.tables[name] = 0
            for number, (rows, lines) in enumerate(dump.dumped(self.tx, name), 1):
                yield Piece(name=f"register/{name}/{number:06}.jsonl", size=len(lines), octets=[lines])
                self.tables[name] += rows
                self.told(name, self.tables[name])


def _portions(path: Path) -> Iterable[bytes]:
    with closing(path.open("rb")) as file:
        while some := file.read(_CHUNK):
            yield some
