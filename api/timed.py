"""A mirror whose polls are timed, and which knows how long after the start of its process it could answer first."""

import time
from typing import Any

from api.status.mirror import Mirror
from api.status.tally import Tallies
from core.clock import process_age

FOLLOW = "follow"
"""What a poll is called among what is counted."""


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
        self._polls.note(FOLLOW, time.perf_counter() - began)
        if self.first_after is None:
            self.first_after = process_age()
