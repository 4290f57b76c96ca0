"""What a Manufacturer is shown of an application that it is writing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.kinds import DraftPart


@dataclass(frozen=True, kw_only=True)
class DraftPartAnswer:
    """A part of a draft.

    Args:
        part: which.
        said: as it was typed, by field; empty if nothing was.
        version: how often it was kept.
        kept_at, kept_by: the last time, and who did.
    """

    part: DraftPart
    said: Mapping[str, str]
    version: int
    kept_at: datetime
    kept_by: str


@dataclass(frozen=True, kw_only=True)
class ApplicationDraft:
    """An application that is being written, with every part of it.

    Args:
        application: that it changes; null if it is to be a new one.
        upon: the version of that from which it was begun.
        unreadable: whether a part of it is gone or cannot be read, and stands here as if nothing were in it.
    """

    draft: str
    parts: tuple[DraftPartAnswer, ...]
    application: str | None = None
    upon: int | None = None
    unreadable: bool = False

    def part(self, wanted: DraftPart) -> DraftPartAnswer:
        """Return one of its parts."""
        return next(each for each in self.parts if each.part is wanted)
