"""The backups' part of the settings: where they lie, how old the newest may be, how long ago one was proved."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MOST_HOURS = 2
"""One is made every hour (docs/backup.md); one that failed is nothing yet."""

VERIFIED_DAYS = 31
"""One is proved each month (docs/handbook.md)."""


@dataclass(frozen=True, kw_only=True)
class Backups:
    """What `trialcpa doctor` looks for.

    Args:
        folder: where backups are put; None where nobody says.
        hours: how old the newest may be.
        verified_days: how many days ago one was proved, at most.
    """

    folder: Path | None = None
    hours: int = MOST_HOURS
    verified_days: int = VERIFIED_DAYS


class Whole(Protocol):
    """Takes a whole number out of the settings."""

    def __call__(self, table: str, key: str, default: int, *, least: int, most: int) -> int:
        """Return it, or the default where there is none, or a wrong one, which is told."""
        ...


def read_backups(folder: str, at: Callable[[str], Path], whole: Whole) -> Backups:
    """Return where backups lie, and how old they may be.

    Args:
        folder: as the settings have it; empty where they do not say.
        at: finds a path, from the home on.
        whole: takes a number out of the settings.
    """
    return Backups(
        folder=at(folder) if folder else None,
        hours=whole("backup", "most_hours", MOST_HOURS, least=1, most=24 * 31),
        verified_days=whole("backup", "verified_days", VERIFIED_DAYS, least=1, most=366),
    )
