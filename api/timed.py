"""A mirror whose polls are timed, and which knows how long after the start of its process it could answer first."""

import time
from collections.abc import Callable, Hashable
from typing import Any

from api.status.snapshot import Mirror
from api.status.tally import Tallies
from core.clock import process_age
from core.mirror import Changes
from store.reading.status import StatusReader

FOLLOW = "follow"
"""What a poll is called among what is counted."""


class ToldReader(StatusReader):
    """Reads the register for the snapshot, and says of which approvals."""

    read_anew: Callable[[frozenset[str] | None], None] = staticmethod(lambda _: None)
    """Told which approvals may be others from the next snapshot on; None is all of them."""

    def changes(self, cursor: Hashable | None) -> Changes:
        """Return what has changed since `cursor`; None asks for everything."""
        found = super().changes(cursor)
        if found.everything or found.approvals:
            self.read_anew(None if found.everything else found.approvals)
        return found


class TimedMirror(Mirror):
    """Follows a source, and counts how long each poll took.

    Args:
        source, clock, more: as of Mirror.
        polls: where that is counted.
    """

    def __init__(self, *source: Any, polls: Tallies, **more: Any) -> None:  # noqa: ANN401 - as Mirror has it
        super().__init__(*source, **more)
        self._polls = polls
        self.first_after: float | None = None
        """Seconds from the start of this process to its first snapshot; None before."""

    def follow(self) -> None:
        """Poll once, as Mirror does."""
        began = time.perf_counter()
        super().follow()
        self._polls.note_beside_others(FOLLOW, time.perf_counter() - began)
        if self.first_after is None:
            self.first_after = process_age()
