"""receipts: those of which nothing is awaited any more are closed, so that only what is open is looked at.

If we die before the commit the next turn closes them: nothing rests upon a receipt's being closed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ra.desk import Desk
from store.reading.receipts import settled
from store.verbs.receipts import close_receipts

PORTION = 500
"""Receipts that are looked at in one turn."""

LOOK_SECONDS = 10.0
"""After all have been looked at."""

_SHARE = 50
"""100,000 that wait for somebody's acknowledgement take at most one part in so many of the time."""


@dataclass
class Receipts:
    """The courier's errand with receipts.

    Args:
        desk: where.
        monotonic: seconds that only grow; a test hands in its own.
    """

    desk: Desk
    monotonic: Callable[[], float] = time.monotonic
    _behind: tuple[str, str] = field(default=("", ""), init=False)
    _again: float = field(default=0.0, init=False)

    def turn(self) -> int:
        """Look at a portion; return how many were closed."""
        began = self.monotonic()
        if began < self._again:
            return 0
        with self.desk.store.read() as tx:
            done, last = settled(tx, behind=self._behind, limit=PORTION)
        if done:
            with self.desk.store.begin("close receipts") as tx:
                close_receipts(tx, done, at=self.desk.clock.now())
        self._behind = ("", "") if last is None else last
        rest = LOOK_SECONDS if last is None else 0.0
        self._again = self.monotonic() + rest + _SHARE * (self.monotonic() - began)
        return 0 if last is None else len(done)
