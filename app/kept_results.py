"""What a page has made of a file that somebody sent, kept for an hour so that they can save it: in web's own folder.

It is not part of the register: whoever loses it sends the file again. A name is only found by whom it was made for.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from keys.private_file import NotPrivate, read_private, written

KEPT_SECONDS = 3_600
MOST_KEPT = 40
"""Results that are kept at the same time; the oldest goes first."""

LARGEST = 64 * 1024 * 1024
"""Octets of one."""

_NAME_OCTETS = 16


@dataclass(frozen=True)
class KeptResults:
    """Results in a folder.

    Args:
        folder: of web's memory; made when the first is kept.
        clock: of this machine.
    """

    folder: Path
    clock: Clock

    def keep(self, owner: str, octets: bytes) -> str:
        """Keep a result, and return the name by which its owner finds it; empty where it cannot be kept.

        Args:
            owner: who alone may have it.
            octets: of it.
        """
        if len(octets) > LARGEST:
            return ""
        name, now = secrets.token_urlsafe(_NAME_OCTETS), self.clock.now().timestamp()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep(now)
            path = self._path(owner, name)
            with written(path, over=False) as file:
                file.write(octets)
            os.utime(path, (now, now))
        except OSError:
            return ""
        return name

    def found(self, owner: str, name: str) -> bytes | None:
        """Return a result; None where there is none of this name for this owner, or none any more."""
        path = self._path(owner, name)
        try:
            age = self.clock.now().timestamp() - path.stat().st_mtime
            return read_private(path, LARGEST) if abs(age) <= KEPT_SECONDS else None
        except (OSError, NotPrivate):
            return None

    def _sweep(self, now: float) -> None:
        """Remove what is old, and the oldest where there are too many."""
        held = sorted(found for each in self.folder.iterdir() if (found := _dated(each)) is not None)
        for place, (made, path) in enumerate(held):
            if abs(now - made) > KEPT_SECONDS or len(held) - place >= MOST_KEPT:
                path.unlink(missing_ok=True)  # another web process may have

    def _path(self, owner: str, name: str) -> Path:
        return self.folder / hashlib.sha256(f"{owner}\n{name}".encode("utf-8", "replace")).hexdigest()


def _dated(path: Path) -> tuple[float, Path] | None:
    """A file with when it was made; None of one that somebody else has removed meanwhile."""
    try:
        return path.stat().st_mtime, path
    except FileNotFoundError:
        return None
