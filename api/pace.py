"""How often something may be asked for, where no credential stands between: counted in memory, by the minute."""

import threading
import time
from collections import Counter
from collections.abc import Callable

WITHIN_SECONDS = 60.0
MOST_COUNTED = 20_000
"""Names that are counted in one minute: two megabytes. Who comes behind them is bounded by the front alone."""


class Pace:
    """So many of each name in a minute.

    Args:
        most: of one name.
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, most: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._began = monotonic()
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def allows(self, name: str) -> bool:
        """Count one more of a name; return whether that is no more than it may be."""
        with self._lock:
            now = self._monotonic()
            if now - self._began >= WITHIN_SECONDS:
                self._began = now
                self._counted.clear()
            if name not in self._counted and len(self._counted) >= MOST_COUNTED:
                return True
            self._counted[name] += 1
            return self._counted[name] <= self._most
