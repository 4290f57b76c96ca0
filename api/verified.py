"""When verification tells an end is seen here, and noted on its receipt by a thread that nobody waits for.

Whoever reads the register for the snapshot says which approvals were read anew; this thread then looks at the snapshot
until it has them. What it saw is kept for a moment and written together: an end costs no commit of its own.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeAlias

from api.status.mirror import Mirror
from api.status.snapshot import Snapshot
from core.clock import milliseconds
from core.errors import StatusStale, StoreUnavailable
from core.mirror import Changes
from core.trouble import Trouble
from store.reading.receipts import Unseen, unseen
from store.reading.status import StatusReader
from store.transactions import Store

Note: TypeAlias = Callable[[Mapping[tuple[str, str], int]], None]
"""Notes by approval and decision the milliseconds at which verification told an end; may raise StoreUnavailable."""

_LOOK_SECONDS = 0.002
"""How often the snapshot is looked at while an end is on its way into it, which takes a few milliseconds."""

_TOGETHER_SECONDS = 0.5
"""For how long what was seen is gathered before it is written."""

_ALL_SECONDS = 60.0
"""How often every open receipt is looked at: what could not be written, and what nobody saw come."""

_SHARE = 10
"""Looking for 100,000 ends at once takes at most one part in so many of the time."""

_GIVES_UP_SECONDS = 5.0
"""After which an end that does not come into the snapshot is left until all are looked at again."""

_log = logging.getLogger(__name__)


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


class VerificationTold:
    """Sees when verification tells an end.

    Args:
        store: the register.
        mirror: what verification answers from.
        note: writes what was seen.
        now: milliseconds since 1970; a test hands in its own.
    """

    def __init__(self, store: Store, mirror: Mirror, note: Note, *, now: Callable[[], int] = milliseconds) -> None:
        self._store = store
        self._mirror = mirror
        self._note = note
        self._now = now
        self._touched: queue.SimpleQueue[frozenset[str] | None] = queue.SimpleQueue()
        self._awaited: dict[tuple[str, str], Unseen] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._written = self._looked = self._since = 0.0
        self._pause = _LOOK_SECONDS
        self._stopping = threading.Event()
        self._trouble = Trouble(_log)

    def touched(self, approvals: frozenset[str] | None) -> None:
        """Hear which approvals may be others from the next snapshot on; None is all of them."""
        self._touched.put(approvals)

    def start(self) -> None:
        """See in a background thread until `stop`."""
        self._stopping.clear()
        threading.Thread(target=self._run, name="verification told", daemon=True).start()

    def stop(self) -> None:
        """End the background thread; what it has not written is seen again by the next."""
        self._stopping.set()

    def turn(self, wait: float = 0.0) -> int:
        """Look once; return how many ends are waited for, or wait to be written.

        Args:
            wait: seconds for which to wait for something to look at.
        """
        now = time.monotonic()
        if now - self._looked >= _ALL_SECONDS or not self._looked:
            self._looked, wait = now, 0.0
            self.touched(None)
        while (touched := self._next(wait)) is not None:
            wait = 0.0
            with self._store.read() as tx:
                found = unseen(tx, touched[0])
            if found:
                self._since = time.monotonic()
            for each in found:
                self._awaited.setdefault((each.approval, each.decision), each)
        self._see()
        if self._seen and now - self._written >= _TOGETHER_SECONDS:
            self.write()
        return len(self._awaited) + len(self._seen)

    def write(self) -> None:
        """Write what was seen."""
        seen, self._seen, self._written = self._seen, {}, time.monotonic()
        self._note(seen)

    def _next(self, wait: float) -> tuple[frozenset[str] | None] | None:
        try:
            return (self._touched.get(timeout=wait) if wait else self._touched.get_nowait(),)
        except queue.Empty:
            return None

    def _see(self) -> None:
        if not self._awaited:
            return
        began = time.monotonic()
        if began - self._since > _GIVES_UP_SECONDS:
            self._awaited.clear()
            return
        try:
            view, at = self._mirror.held(), self._now()
        except StatusStale:
            return  # nothing is told yet
        for key, each in list(self._awaited.items()):
            if _tells(view, each):
                self._seen.setdefault(key, at)
                del self._awaited[key]
        self._pause = max(_LOOK_SECONDS, _SHARE * (time.monotonic() - began))

    def _run(self) -> None:
        while not self._stopping.is_set():
            busy = bool(self._awaited)
            try:
                self.turn(self._pause if busy else _TOGETHER_SECONDS)
            except StoreUnavailable:
                self._forget()  # every open receipt is looked at again in a minute
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread lives on: nothing rests upon it
                self._forget()
                words = f"what verification has told is not noted: {type(error).__name__}"
                self._trouble.begins(words, logging.ERROR, error)
                self._stopping.wait(_TOGETHER_SECONDS)
            else:
                self._trouble.ends("what verification has told is noted again")

    def _forget(self) -> None:
        self._awaited.clear()
        self._seen.clear()
        self._looked = time.monotonic()


def _tells(view: Snapshot, end: Unseen) -> bool:
    """Whether a snapshot has an end: of the approval, or of a certificate of it."""
    held = view.approvals.get(end.approval)
    if held is None:
        return False
    ended = {held.record.ended_at, *(each.revoked_at for each in held.record.certificates)}
    return end.ended_at in ended
