"""The public log as files (C2SP tlog-tiles): tiles and entries, then the checkpoint that needs them; and the register.

What is not full is there for the newest checkpoint, and for the one before it, which somebody may just have fetched.
The register lies under one name, and its signature under two: register/SIZE.p7s is there before register.json is of
that size, so that what surely belongs to it is found, whenever either is fetched.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.merkle import TILE_HEIGHT, TILE_WIDTH
from published.folder import File, Folder

CHECKPOINT, REGISTER, SIGNATURE = "checkpoint", "register.json", "register.p7s"

_DIFFERS = "The register is not the one that was signed."

_AT_ONCE = 50
"""Full tiles that are written in one turn; where there are more, the next turn follows at once."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A checkpoint.

    Args:
        size: leaves of its tree.
        note: as it is handed out.
        at: when it was signed.
    """

    size: int
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A register that was signed.

    Args:
        size: rows that it rests upon.
        sha256: of its octets.
        signature: over them, CMS, DER.
        at: when it was signed.
    """

    size: int
    sha256: bytes
    signature: bytes
    at: datetime


class Source(Protocol):
    """Where the log is read; each may raise StoreUnavailable."""

    def checkpoint(self) -> Shown | None:
        """Return the newest; None before the first."""
        ...

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Return so many hashes of a tile; None if there are fewer."""
        ...

    def entries(self, index: int, width: int) -> bytes | None:
        """Return so many entries as a bundle; None if there are fewer."""
        ...

    def stated(self) -> Stated | None:
        """Return what was signed of the newest register; None before the first."""
        ...

    def register(self, stated: Stated) -> Iterable[bytes]:
        """Return the octets of a register, page by page."""
        ...


class _LackingError(Exception):
    """Rows are gone that a checkpoint covers; it never leaves this file."""


class LogFiles:
    """Publishes the log.

    Args:
        folder: where.
        source: where it is read.
    """

    def __init__(self, folder: Folder, source: Source) -> None:
        self._folder = folder
        self._source = source
        self._full: dict[str, int] | None = None
        self._checkpoint = ""
        self._partial: frozenset[str] = frozenset()
        self._register: Stated | None = None
        self._refused: Stated | None = None
        self.wrong = ""
        """What keeps the newest from being published, a sentence; empty if nothing does."""

    def turn(self) -> bool:
        """Publish what is new, or a portion of it; return whether there is more.

        If we die at any step, each tile that the checkpoint needs which is there is there, too.
        """
        shown = self._source.checkpoint()
        if shown is None:
            return False
        if shown.note != self._checkpoint:
            try:
                if self._follow(shown):
                    return True
                self._show(shown)
            except _LackingError:
                self._full, self.wrong = None, "The log lacks what its checkpoint covers."
                return False
        self.wrong = ""
        self._state()
        return False

    def _follow(self, shown: Shown) -> bool:
        """Write full tiles that are not there yet; return whether there are more."""
        if self._full is None:
            self._full = self._found()
        some, left = list[File](), _AT_ONCE
        for level in _levels(shown.size):
            begun = self._full.get(level, 0)
            upto = min(_full(level, shown.size), begun + left)
            some += self._files(level, ((index, TILE_WIDTH) for index in range(begun, upto)), shown.at)
            left -= upto - begun
            self._full[level] = upto
            if not left:
                break
        full, self._full = self._full, None  # until they are there; what is there is looked up again
        self._folder.keep(some)
        self._full = full
        return not left

    def _show(self, shown: Shown) -> None:
        """Write what is not full, then the checkpoint, and take away what was not full before."""
        rest = [
            each
            for level in _levels(shown.size)
            if (width := (shown.size >> _shift(level)) % TILE_WIDTH)
            for each in self._files(level, [(_full(level, shown.size), width)], shown.at)
        ]
        self._folder.keep(rest)
        self._folder.keep([File(name=CHECKPOINT, octets=shown.note.encode(), at=shown.at)])
        now = frozenset(each.name for each in rest)
        there = {each for each in self._folder.names("tile/") if ".p/" in each}
        self._folder.remove(sorted(there - now - self._partial))
        self._checkpoint, self._partial = shown.note, now

    def _state(self) -> None:
        """Write the register and its signature, if another one was signed."""
        stated = self._source.stated()
        if stated is None or stated in (self._register, self._refused):
            self.wrong = _DIFFERS if stated is not None and stated == self._refused else ""
            return
        before = set(self._folder.names("register/"))
        own = f"register/{stated.size}.p7s"
        there = self._folder.says(REGISTER)
        same = there is not None and hashlib.sha256(there).digest() == stated.sha256
        octets = there if same and there is not None else b"".join(self._source.register(stated))
        if hashlib.sha256(octets).digest() != stated.sha256:
            self._refused, self.wrong = stated, _DIFFERS
            return
        self._folder.keep([File(name=own, octets=stated.signature, at=stated.at)])
        self._folder.keep([File(name=REGISTER, octets=octets, at=stated.at)])
        self._folder.keep([File(name=SIGNATURE, octets=stated.signature, at=stated.at)])
        last = f"register/{self._register.size}.p7s" if self._register is not None else own
        self._folder.remove(sorted(before - {own, last}))
        self._register = stated

    def _files(self, level: str, wanted: Iterable[tuple[int, int]], at: datetime) -> Iterator[File]:
        for index, width in wanted:
            octets = (
                self._source.entries(index, width) if level == _ENTRIES else self._source.tile(int(level), index, width)
            )
            if octets is None:
                raise _LackingError
            yield File(name=tile_name(level, index, width), octets=octets, at=at)

    def _found(self) -> dict[str, int]:
        """Return how many full tiles of each level are there, from the first on."""
        found: dict[str, int] = {}
        names = set(self._folder.names("tile/"))
        for level in {each.split("/")[1] for each in names}:
            count = 0
            while tile_name(level, count, TILE_WIDTH) in names:
                count += 1
            found[level] = count
        return found


_ENTRIES = "entries"


def tile_name(level: str, index: int, width: int) -> str:
    """Return the name of a tile: its place in threes of digits, and its width if it is not full.

    Args:
        level: a number, or “entries”.
        index: its place among those of its level.
        width: how many hashes it has.
    """
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    threes = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    place = "/".join([*(f"x{each}" for each in threes[:-1]), threes[-1]])
    return f"tile/{level}/{place}" + ("" if width == TILE_WIDTH else f".p/{width}")


def _levels(size: int) -> Iterator[str]:
    """Yield the levels of a tree, entries first."""
    yield _ENTRIES
    level = 0
    while size >> TILE_HEIGHT * level:
        yield str(level)
        level += 1


def _shift(level: str) -> int:
    return 0 if level == _ENTRIES else TILE_HEIGHT * int(level)


def _full(level: str, size: int) -> int:
    """Return how many full tiles of a level a tree has."""
    return size >> (_shift(level) + TILE_HEIGHT)
