"""Who waits for news, on no thread: how many of all and of one peer; and how each is told that there is some."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

_log = logging.getLogger(__name__)

_AT_A_STRETCH = 32
"""Waiters that are told before others have their turn: in a millisecond or two."""


class Waiter(Protocol):
    """A connection that waits."""

    def told(self) -> None:
        """Answer, if there is something now."""
        ...

    def over(self) -> None:
        """Answer whatever there is: nobody waits any longer."""
        ...

    def evict(self) -> None:
        """Close it at once."""
        ...


class Waiters:
    """All who wait. But for `tell` it is used on the front's loop alone.

    Args:
        most: of all.
        of_one_peer: of one peer.
    """

    def __init__(self, *, most: int, of_one_peer: int) -> None:
        self._most = most
        self._of_one_peer = of_one_peer
        self._waiting: dict[Waiter, str] = {}
        self._of_peer: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._told = False

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say on which loop they are told."""
        self._loop = loop

    def enter(self, waiter: Waiter, peer: str) -> bool:
        """Let a connection of a peer wait; False if as many wait as may."""
        if len(self._waiting) >= self._most or self._of_peer[peer] >= self._of_one_peer:
            return False
        self._waiting[waiter] = peer
        self._of_peer[peer] += 1
        return True

    def leave(self, waiter: Waiter) -> None:
        """Let a connection wait no longer; nothing happens if it does not."""
        peer = self._waiting.pop(waiter, None)
        if peer is None:
            return
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]

    def tell(self) -> None:
        """Have everybody look whether there is something for them. From any thread; it costs what a lock costs.

        Who is told often while the loop is at something else has them look once.
        """
        with self._lock:
            if self._told or self._loop is None:
                return
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._begin)
            except RuntimeError:  # the loop has ended, and nobody waits
                self._told = False

    def release(self) -> None:
        """Have everybody answered at once with what there is: the process ends."""
        for each in list(self._waiting):
            self._guarded(each, over=True)

    def _begin(self) -> None:
        with self._lock:
            self._told = False  # before they look: what is told from here on is looked for again
        self._look(list(self._waiting), 0)

    def _look(self, waiting: Sequence[Waiter], place: int) -> None:
        for each in waiting[place : place + _AT_A_STRETCH]:
            if each in self._waiting:
                self._guarded(each, over=False)
        if place + _AT_A_STRETCH < len(waiting) and self._loop is not None:
            self._loop.call_soon(self._look, waiting, place + _AT_A_STRETCH)

    @staticmethod
    def _guarded(waiter: Waiter, *, over: bool) -> None:
        try:
            if over:
                waiter.over()
            else:
                waiter.told()
        except Exception:  # noqa: BLE001 - one that cannot be answered must not keep all others from it
            _log.exception("a connection that waited could not be answered")
            waiter.evict()
