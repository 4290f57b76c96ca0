"""A witness of a log: it signs only what follows from what it saw last, and keeps both notes of two histories.

What it keeps is one file, written whole before its cosignature leaves it: whenever it is killed, it never signs two
trees that are no states of one.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify.kit.canonical import read
from verify.kit.merkle import EMPTY, consistent
from verify.kit.note import Checkpoint, Key, checkpoint, cosigned
from verify.kit.stopped import Check, Stopped

Proof = Callable[[int, int], Sequence[bytes]]
"""Returns the proof that the tree of the second size grew from that of the first."""


class Witness:
    """One witness of one log.

    Args:
        file: where the last note that it signed is kept; proofs of two histories are kept beside it.
        log: the log's key.
        private: its own.
        name: under which its key is known.
    """

    def __init__(self, file: Path, log: Key, private: Ed25519PrivateKey, name: str) -> None:
        self._file, self._log, self._private, self._name = file, log, private, name

    @property
    def seen(self) -> Checkpoint | None:
        """The last checkpoint that it signed; Stopped if its file says something else."""
        if not self._file.exists():
            return None
        return checkpoint(str(read(self._file.read_bytes())))

    def cosign(self, note: str, proof: Proof, at: int) -> str:
        """Return a note with this witness's line below it.

        Args:
            note: the log's newest.
            proof: asked for if it is larger than the last.
            at: the present instant, seconds since 1970.

        Raises:
            Stopped: it is not the log's, or does not follow from what was seen: that is written down; or another
                witness is at this one's file.
        """
        with _alone(self._file):
            return self._cosigned(note, proof, at)

    def _cosigned(self, note: str, proof: Proof, at: int) -> str:
        new = checkpoint(note)
        new.require(self._log)
        last = self.seen
        if last is None:
            last_size, last_root = 0, EMPTY
        else:
            last.require(self._log)
            last_size, last_root = last.size, last.root
        if new.size < last_size:
            raise Stopped(Check.WENT_BACK, f"The log has {new.size} rows, and had {last_size}.")
        path = proof(last_size, new.size) if 0 < last_size < new.size else ()
        if not consistent(last_size, last_root, new.size, new.root, path):
            kept = self._kept(last, new)
            raise Stopped(
                Check.TWO_HISTORIES,
                f"The trees of {last_size} and {new.size} rows are not proved to be one log's; both notes: {kept}",
            )
        written(self._file, json.dumps(new.note).encode("ascii"))
        return note + cosigned(new, self._private, self._name, at)

    def _kept(self, last: Checkpoint | None, new: Checkpoint) -> Path:
        notes = [None if last is None else last.note, new.note]
        file = self._file.with_name(f"{self._file.name}.two-histories-{new.size}-{new.root.hex()[:16]}.json")
        written(file, json.dumps(notes).encode("ascii"))
        return file


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold a lock beside a file; whoever dies leaves none.

    Two witnesses that had read the same file would each find that another tree follows from it, and sign both.
    """
    with file.with_name(f"{file.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stopped(Check.UNREACHABLE, f"Another witness is at {file}.") from None
        yield


def written(file: Path, octets: bytes) -> None:
    """Write a file whole: whoever dies within leaves the old one."""
    beside = file.with_name(f"{file.name}.new")
    with beside.open("wb") as opened:
        opened.write(octets)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
