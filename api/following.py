"""Whoever has acted reads their own act at once: the mirror follows after each, once for all who act together."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TOGETHER_SECONDS = 0.025
"""How long whoever has acted waits for others who are acting: as long as some of them take, who write one after the
other. Verification hears of the act no later than by the poll that is made anyway (api/status/mirror.py)."""

FOLLOWED_SECONDS = 1.0
"""How long whoever has acted waits for what another of them began; one takes a few milliseconds."""


class Following:
    """Has something follow the register after acts.

    What is begun after a commit has read what was committed: of those who act at the same time one has it done, and
    the others wait for that. Who acts alone waits for nobody.

    Args:
        follow: reads what has changed; whatever it raises comes through to who has it done.
        together: seconds for which is waited for others.
    """

    def __init__(self, follow: Callable[[], None], *, together: float = TOGETHER_SECONDS) -> None:
        self._follow = follow
        self._together = together
        self._changed = threading.Condition()
        self._acting = 0
        self._begun = 0
        self._ended = 0

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Say that one acts, until the block ends."""
        with self._changed:
            self._acting += 1
        try:
            yield
        finally:
            with self._changed:
                self._acting -= 1
                self._changed.notify_all()

    def follow(self) -> None:
        """Return when what was committed before this call has been followed, or takes too long."""
        with self._changed:
            before = self._begun
            self._changed.wait_for(lambda: self._begun > before or not self._acting, self._together)
            if self._begun > before:
                self._changed.wait_for(lambda: self._ended > before, FOLLOWED_SECONDS)
                return
            self._begun += 1
            mine = self._begun
            self._changed.notify_all()
        try:
            self._follow()
        finally:
            with self._changed:
                self._ended = max(self._ended, mine)
                self._changed.notify_all()
