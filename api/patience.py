"""Whoever asks may wait for what the authority is about to do: `Prefer: wait=10` (RFC 7240, 4.3).

One thread looks for all who wait, whenever a commit is heard of (store/hearing.py), and each of them has a deadline.
Nothing rests upon being told: who was not told is answered at the deadline, with what is so then.
"""

import logging
import threading
from collections.abc import Callable, Collection

from core.mirror import Hearing
from core.trouble import Trouble, tried

LONGEST_SECONDS = 30
"""That somebody waits for one answer: half of what proxies usually give one (deploy/nginx.conf gives 120)."""

_DIGITS = 10
"""Of a number of seconds; nobody means one that has more."""

MOST_WAITING = 28
"""Who may wait at once; whoever is one too many is answered at once. There are threads for a few more (app/web.py)."""

AGAIN_SECONDS = 1.0
"""Between two looks where nothing is heard of."""

_log = logging.getLogger(__name__)


def seconds_preferred(prefer: str | None) -> int | None:
    """Return for how many seconds somebody prefers to wait at most; None if they do not say, or not so.

    A preference that is not understood is passed over, and of one that is said twice the first counts (RFC 7240, 2).

    Args:
        prefer: the header field, its lines joined by commas.
    """
    for each in (prefer or "").split(","):
        name, said, value = each.partition(";")[0].partition("=")
        if said and name.strip().lower() == "wait":
            digits = value.strip().strip('"')
            known = digits.isascii() and digits.isdigit() and len(digits) < _DIGITS
            return min(int(digits), LONGEST_SECONDS) if known else None
    return None


class _Wait:
    """One who waits for what becomes of something."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = threading.Event()


class Patience:
    """Has people wait until the authority has done what it is about to do with something.

    Args:
        at_work: tells of names with which of them it still has something to do; may raise StoreUnavailable.
        most: how many wait at once.
    """

    def __init__(self, at_work: Callable[[Collection[str]], Collection[str]], *, most: int = MOST_WAITING) -> None:
        self._at_work = at_work
        self._most = most
        self._changed = threading.Condition()
        self._waits: set[_Wait] = set()
        self._told = threading.Event()
        self._looks = False
        self._trouble = Trouble(_log)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waits)

    def wait(self, name: str, seconds: float, at_work: Callable[[], bool]) -> bool:
        """Return when the authority has nothing more to do with something, or the seconds are over.

        Args:
            name: of what it is.
            seconds: at most.
            at_work: whether it has something to do with it now, and whether one may know; what it raises comes through.

        Returns:
            Whether one could wait; False if too many others do.
        """
        mine = _Wait(name)
        with self._changed:
            if len(self._waits) >= self._most:
                return False
            self._waits.add(mine)  # before it is looked: of what is committed from here on one is told
            self._changed.notify_all()
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._run, name="patience", daemon=True).start()
        try:
            if at_work():
                mine.over.wait(seconds)
        finally:
            with self._changed:
                self._waits.discard(mine)
        return True

    def heard(self) -> None:
        """Hear that something may have been committed."""
        self._told.set()

    def overhearing(self, hear: Callable[[], Hearing]) -> Callable[[], Hearing]:
        """Return what hears as somebody else does, and is told here, too."""
        return lambda: Overheard(hear(), self.heard)

    def start(self) -> None:
        """Begin; the thread is made when somebody waits."""

    def stop(self) -> None:
        """Let everybody go, and nobody wait any more."""
        with self._changed:
            self._most = 0
            for each in self._waits:
                each.over.set()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waits)
            self._told.wait(AGAIN_SECONDS)
            self._told.clear()  # before it is looked: what is committed from here on is told again
            tried(self._look, self._trouble, "nobody who waits can be told", over="whoever waits is told again")

    def _look(self) -> None:
        with self._changed:
            waits = list(self._waits)
        if not waits:
            return  # they were let go meanwhile
        still = self._at_work({each.name for each in waits})
        for each in waits:
            if each.name not in still:
                each.over.set()


class Overheard:
    """Hears of commits for one thread (core.mirror.Hearing), and tells others.

    Args:
        hearing: what hears.
        told: is called whenever something was heard, or might have been.
    """

    def __init__(self, hearing: Hearing, told: Callable[[], None]) -> None:
        self._hearing = hearing
        self._told = told

    def wait(self, seconds: float, stopping: threading.Event, /) -> bool:
        """Wait as what hears does, then tell."""
        heard = self._hearing.wait(seconds, stopping)
        self._told()
        return heard

    def close(self) -> None:
        """End it."""
        self._hearing.close()
