"""Files that nobody but their owner may touch: the only kind that keys and passphrases are read from."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from core.boundaries import boundary

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotPrivate(Exception):
    """The file is missing, of another kind, too large, or others can get at it; its text says which."""


def read_private(path: Path, largest: int, *, others: int = _OTHERS) -> bytes:
    """Return the contents of a private file.

    Args:
        path: of the file; behind a symbolic link it is the file that is read that must be private.
        largest: octets.
        others: what of its mode lets others at it.

    Raises:
        NotPrivate: see there.
    """
    try:
        # O_NONBLOCK: a pipe in its place must not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise NotPrivate(f"it cannot be opened ({error.strerror})") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotPrivate("it is not a file")
        if status.st_mode & others:
            raise NotPrivate(f"mode {stat.S_IMODE(status.st_mode):04o} lets others at it; make it 0600")
        if status.st_size > largest:
            raise NotPrivate(f"it is larger than {largest} octets")
        return os.read(descriptor, largest)
    finally:
        os.close(descriptor)


@contextmanager
def written(path: Path, *, step: str | None = None, over: bool = True) -> Iterator[BinaryIO]:
    """Yield a file that nobody else may touch; once this ends it has its name, whole and durable, or is not there.

    If we die before it has its name, a leftover without a name of meaning stays until it is written again. Of two who
    write it at one moment one may be told that it could not.

    Args:
        path: of the file; its folder is there.
        step: what the instant is called at which it gets its name, where a power cut then matters.
        over: whether it takes the place of one that is there.

    Raises:
        FileExistsError: there is one, whose place it does not take.
        OSError: it cannot be written; the one before it stays.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        with nullcontext() if step is None else boundary(step):
            if over:
                beside.replace(path)
            else:
                path.hardlink_to(beside)  # a link, not a rename: it fails where there is a file already
            _flush_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)
    remove_leftovers(path)


def remove_leftovers(path: Path) -> None:
    """Remove what earlier deaths left beside a file; only once the file itself is there, so nobody still needs it."""
    for leftover in path.parent.glob(f".{path.name}.*.new"):
        leftover.unlink(missing_ok=True)


def keep(path: Path, contents: bytes, *, step: str | None = None) -> None:
    """Write a file that nobody else may touch, in the place of the one before it; arguments as of `written`.

    Raises:
        OSError: it cannot be written; the one before it stays.
    """
    with written(path, step=step) as file:
        file.write(contents)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
