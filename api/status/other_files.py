"""What other web processes of this machine keep in the same folder: read, never written.

They look at the same register at slightly different instants. Where it goes back between two looks, one has told what
the other never saw; it says so in its files before it tells anybody.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from api.status import told
from api.status.memory_files import LARGEST_ENDS, LARGEST_HEAD, Known, contents, read_known
from core.approval import ApprovalRecord

_MOST = 64
"""Processes of one machine; more files of their kind are somebody else's."""


@dataclass
class _Other:
    """One process's files, as far as they were read."""

    known: Known = field(default_factory=Known)
    head_seen: tuple[int, int, int] | None = None
    ends_seen: tuple[int, int] | None = None
    at: int = 0


class OtherFiles:
    """The files of the others.

    Args:
        place: where this process's own lie, and what their names begin with; None to know of no others.
    """

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._others: dict[Path, _Other] = {}

    @property
    def known(self) -> list[Known]:
        """What each of them has said last of what it served."""
        return [each.known for each in self._others.values()]

    def news(self, ours: Callable[[Known], bool]) -> list[ApprovalRecord]:
        """Return the ends that they have told since this was asked last. What cannot be read now is tried again.

        Args:
            ours: whether what a process has served is the register that is served here.
        """
        if self._place is None:
            return []
        found: list[ApprovalRecord] = []
        for head in self._heads():
            other = self._others.setdefault(head, _Other())
            try:
                self._read_head(head, other)
                if ours(other.known):
                    found += self._read_ends(head.with_suffix(".ends"), other)
            except (OSError, ValueError):
                continue
        return found

    def _heads(self) -> list[Path]:
        assert self._place is not None
        own = self._place.with_name(f"{self._place.name}.head").name
        try:
            names = sorted(each.name for each in os.scandir(self._place.parent) if each.name.endswith(".head"))
        except OSError:
            return []
        return [self._place.with_name(each) for each in names if each != own and not each.startswith(".")][:_MOST]

    @staticmethod
    def _read_head(path: Path, other: _Other) -> None:
        status = path.stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if seen != other.head_seen:
            other.known = read_known(contents(path, LARGEST_HEAD))
            other.head_seen = seen

    @staticmethod
    def _read_ends(path: Path, other: _Other) -> list[ApprovalRecord]:
        """Return what has been written since; all of it where the file was written anew."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return []
        seen = (status.st_ino, status.st_size)
        if seen == other.ends_seen:
            return []
        if other.ends_seen is None or other.ends_seen[0] != status.st_ino or status.st_size < other.at:
            other.at = 0
        octets = contents(path, LARGEST_ENDS, after=other.at)
        whole = octets[: octets.rfind(b"\n") + 1]
        ends: dict[str, ApprovalRecord] = {}
        for line in whole.splitlines():
            try:
                identifier, record = told.read(line)
            except ValueError:
                continue  # whoever wrote it tells of it
            ends.pop(identifier, None)
            if record is not None:
                ends[identifier] = record
        other.at += len(whole)
        other.ends_seen = (status.st_ino, other.at)
        return list(ends.values())
