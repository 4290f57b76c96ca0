"""Who is reading long answers: of one peer so many at a time, however slowly they are read."""

import threading
import weakref
from collections import Counter

from api.status.exchange import Reply
from front.refusals import refused

OF_ONE_PEER = 8
"""Long answers that one peer may be reading: each is the same file, and a program that fetches in parts takes four or
five at a time."""


class Readers:
    """Counts long answers from when they are made until the last octet is with the kernel, or nobody wants it."""

    def __init__(self) -> None:
        # A count may end while another one is looked at, in the same thread: whoever frees memory does it anywhere.
        self._lock = threading.RLock()
        self._reading: Counter[str] = Counter()

    def admitted(self, peer: str, reply: Reply) -> Reply:
        """Return a long answer, or a refusal if the peer is reading as many as it may."""
        if reply.pieces is None:
            return reply
        with self._lock:
            if self._reading[peer] >= OF_ONE_PEER:
                return refused("busy")
            self._reading[peer] += 1
        weakref.finalize(reply.pieces, self._ended, peer)
        return reply

    def _ended(self, peer: str) -> None:
        with self._lock:
            self._reading[peer] -= 1
            if not self._reading[peer]:
                del self._reading[peer]
