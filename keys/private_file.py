"""Files that nobody but their owner may touch: the only kind that keys and passphrases are read from."""

import os
import secrets
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotPrivate(Exception):
    """The file is missing, of another kind, too large, or others can get at it; its text says which."""


def read_private(path: Path, largest: int) -> bytes:
    """Return the contents of a private file.

    Args:
        path: of the file; behind a symbolic link it is the file that is read that must be private.
        largest: octets.

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
        if status.st_mode & _OTHERS:
            raise NotPrivate(f"mode {stat.S_IMODE(status.st_mode):04o} lets others at it; make it 0600")
        if status.st_size > largest:
            raise NotPrivate(f"it is larger than {largest} octets")
        return os.read(descriptor, largest)
    finally:
        os.close(descriptor)


def keep(path: Path, contents: bytes) -> None:
    """Write a file that nobody else may touch, whole or not at all, in the place of the one before it.

    Args:
        path: of the file; its folder is there.
        contents: what it holds.

    Raises:
        OSError: it cannot be written; the one before it stays.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
