"""Writers of one process wait in turn: who came first writes first, and whoever waits for too long goes.

SQLite lets one write and has the others ask again and again, each by its own pauses, so that whoever came last may be
first and somebody is always the one who never is. With a line in each process one of it asks, and often.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turn:
    """One's turn, which is over once.

    Args:
        left: the seconds that are left of those for which was to be waited.
        over: passes it on.
    """

    def __init__(self, left: float, over: Callable[[], None]) -> None:
        self.left = left
        self._over = over
        self._lasts = True

    def over(self) -> None:
        """Let the next one come; nothing, if that was said before."""
        if self._lasts:
            self._lasts = False
            self._over()


class Line:
    """A line of threads before something that one at a time may do."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for their turn at this moment."""
        return len(self._waiting)

    @contextmanager
    def turn(self, seconds: float) -> Iterator[Turn | None]:
        """Wait for one's turn; it is over when the block ends, if not before.

        Args:
            seconds: for which is waited at most.

        Yields:
            The turn; None if it did not come: then nothing may be done.
        """
        until = time.monotonic() + seconds
        if not self._come(seconds):
            yield None
            return
        turn = Turn(max(0.0, until - time.monotonic()), self._pass_on)
        try:
            yield turn
        finally:
            turn.over()

    def _come(self, seconds: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was passed on just now

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
