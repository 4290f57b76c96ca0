"""Following the store: whoever waits is told within milliseconds that something was committed, by whichever process.

PostgreSQL tells it: each writing transaction leaves a NOTIFY that is sent with its commit. Of SQLite a connection that
does nothing else is asked for its `data_version`, which takes microseconds. Neither says what has changed; who is told
looks. Nothing rests upon being told: who waits comes back after a while anyway, and soon where nothing is heard.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from core.errors import StoreUnavailable
from core.trouble import Trouble

BLIND_SECONDS = 0.1
"""How long is waited at most while nobody would tell: as often as the register was looked at before anybody did."""

STOP_SECONDS = 0.1
"""How often whoever waits looks whether they are to stop."""

CLOSE_SECONDS = 1.0
"""How long is waited for the end of listening: a server that does not answer is not waited for."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
"""Seconds before another attempt to listen: the first, and the longest of those that each double the one before."""

_log = logging.getLogger(__name__)


class Listening(Protocol):
    """One connection that hears of commits, used by one thread."""

    def heard(self) -> bool:
        """Wait for a moment, and say whether anything was committed meanwhile.

        Raises:
            StoreUnavailable: nothing will be heard on this connection any more.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


class Hearing:
    """Tells one thread that something was committed, and listens for it on another.

    Args:
        listen: makes the connection on which is listened; StoreUnavailable if that cannot be.
    """

    def __init__(self, listen: Callable[[], Listening]) -> None:
        self._listen = listen
        self._told = threading.Event()
        self._hears = False
        self._closing = threading.Event()
        self._trouble = Trouble(_log)
        self._thread = threading.Thread(target=self._run, name="hearing", daemon=True)
        self._thread.start()

    def wait(self, seconds: float, stopping: threading.Event) -> bool:
        """Wait until something was committed.

        Args:
            seconds: at most; less while nothing can be heard.
            stopping: ends the wait.

        Returns:
            Whether something was, or may have been because nothing can be heard.
        """
        until = time.monotonic() + (seconds if self._hears else min(seconds, BLIND_SECONDS))
        while not stopping.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return not self._hears
            if self._told.wait(min(left, STOP_SECONDS)):
                self._told.clear()  # before whoever is told looks: what is committed from here on is told again
                return True
        return False

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            try:
                self._hear()
            except StoreUnavailable as error:
                self._trouble.begins(f"{error} Nothing is heard of what others write; it is looked for instead.")
            if self._hears:
                pause = _FIRST_PAUSE
            self._hears = False
            self._told.set()
            self._closing.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _hear(self) -> None:
        listening = self._listen()
        try:
            self._trouble.ends("What others write is heard of again.")
            self._hears = True
            self._told.set()  # of what was committed before
            while not self._closing.is_set():
                if listening.heard():
                    self._told.set()
        finally:
            listening.close()
