"""Files that an operator hands in after a restore, each by its name; a folder stands for all files in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import HandedIn
from core.handed import Handed
from intake.handed import LARGEST, handed_in


def read_handed(paths: Sequence[Path]) -> Handed:
    """Read files.

    Raises:
        HandedIn: one cannot be read, is too large, or is none that counts.
    """
    return handed_in(_contents(paths))


def _contents(paths: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in (each for one in paths for each in (sorted(one.iterdir()) if one.is_dir() else [one])):
        try:
            with path.open("rb") as file:
                yield str(path), file.read(LARGEST + 1)
        except OSError as error:
            raise HandedIn(file=path, detail=f"it cannot be read: {error.strerror}") from error
