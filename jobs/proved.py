"""What `trialcpa backup verify` leaves beside a backup: when it was proved, and whether everything held.

It is no proof to anybody, and says nothing of what is in the backup: it tells whoever looks when somebody last did.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.canonical import Json, canonical, read_json
from core.errors import InstantMalformed
from core.instants import parse, text
from keys.private_file import keep

PROVED = ".proved.json"
LARGEST = 4_096


@dataclass(frozen=True, kw_only=True)
class Proved:
    """One time that a backup was proved.

    Args:
        name: of the file that says so.
        at: when.
        holds: whether it can be restored; rows that are left out may be named then.
    """

    name: str
    at: datetime
    holds: bool


def note_proved(backup: Path, at: datetime, *, holds: bool) -> None:
    """Write beside a backup when it was proved; OSError if that cannot be written.

    If we die before it has its name, nobody knows that it was proved: it is done again.

    Args:
        backup: the file.
        at: now, by the machine's clock.
        holds: whether it can be restored.
    """
    said: dict[str, Json] = {"at": text(at), "holds": holds, "octets": backup.stat().st_size}
    keep(backup.with_name(backup.name + PROVED), canonical(said))


def last_proved(folder: Path) -> Proved | None:
    """Return what was noted last of the backups of a folder; None where nothing was, or nothing that can be read."""
    noted = [each for path in folder.glob(f"*{PROVED}") if (each := _read(path)) is not None]
    return max(noted, key=lambda each: each.at, default=None)


def _read(path: Path) -> Proved | None:
    try:
        with path.open("rb") as file:
            said = read_json(file.read(LARGEST))
        return Proved(name=path.name, at=parse(str(said["at"])), holds=said["holds"] is True)
    except (OSError, ValueError, KeyError, TypeError, InstantMalformed):
        return None
