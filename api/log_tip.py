"""The newest rows of the public log, in memory: whoever waits for them is answered without a thread and without a read.

A thread hears that something was committed, and reads what the newest checkpoint covers; then it tells the front.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from api.feed import END, OCTETS, begin, row_of
from api.forms.log import PORTION
from api.status.awaiting import awaiting
from api.status.exchange import Pieces
from core.trouble import Trouble, tried
from store.reading import log as reading
from store.transactions import Store, Transaction

OLD_SECONDS = 5.0
"""After which what was read last is told to nobody as the newest: it is read once a second where nothing is heard."""

AGAIN_SECONDS = 1.0
"""Before the register is read again where that failed."""

TOGETHER = 32 * 1024
"""Octets that are handed on at a time, as the front does (front/sending.py)."""

KEPT = 8
"""Answers that are kept until there are others: nearly all who wait ask for the same."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Tip:
    """One moment's end of the log. Nothing in it is changed but the answers that are kept.

    Args:
        size: leaves of the checkpoint's tree: the number of the last row.
        note: the checkpoint.
        rows: the last rows, as the feed has them.
        answers: by what was asked.
    """

    size: int
    note: str
    rows: tuple[bytes, ...]
    answers: dict[tuple[int, int], Pieces] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.note.partition("\n")[0]


class LogTip:
    """Follows the end of the log.

    Args:
        store: the register.
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._tell: Callable[[], None] = lambda: None
        self._tip: _Tip | None = None
        self._looked = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def tells(self, tell: Callable[[], None]) -> None:
        """Say what is called, by the thread that reads, as soon as there is something new."""
        self._tell = tell

    def start(self) -> None:
        """Follow in a background thread until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="log's tip", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a database that is silent may hold it a little longer."""
        self._stopping.set()

    def look(self) -> None:
        """Read what is new, and tell it. Whatever the register raises comes through."""
        began, before = self._monotonic(), self._tip
        with self._store.read() as tx:
            self._tip = _read(tx, before)
        self._looked = began
        if self._tip is not before:
            self._tell()

    def end(self) -> int | None:
        """Return the number of the last row; None if it is not known, or was read too long ago to be told."""
        tip = self._tip
        return None if tip is None or self._monotonic() - self._looked > OLD_SECONDS else tip.size

    def answer(self, after: int, limit: int) -> tuple[Pieces, int] | None:
        """Return an answer of the feed, and the number of the last row in it; None if it has to be read.

        Of rows beyond the last nothing is said from here: another process may have told them already.

        Args:
            after: the row behind which the rows are.
            limit: the most.
        """
        tip = self._tip
        if tip is None or not tip.size - len(tip.rows) <= after <= tip.size:
            return None
        last = min(tip.size, after + limit)
        found = tip.answers.get((after, last))
        if found is None:
            first = after - (tip.size - len(tip.rows))
            found = _written(tip.note, tip.rows[first : first + last - after])
            if len(tip.answers) < KEPT:
                tip.answers[after, last] = found
        return found, last

    def _run(self) -> None:
        trouble = Trouble(_log)
        words = "the public log cannot be followed; nobody is told of new rows"
        with awaiting(self._store.hearing, AGAIN_SECONDS, self._stopping) as wait:
            while not self._stopping.is_set():
                if tried(self.look, trouble, words, over="the public log is followed again"):
                    wait()
                else:
                    self._stopping.wait(AGAIN_SECONDS)


def _read(tx: Transaction, before: _Tip | None) -> _Tip | None:
    """Return the end of the log as it is now: the one before, if nothing is new."""
    newest = reading.checkpoint(tx)
    if newest is None:
        return None
    if before is not None and before.note == newest.note:
        return before
    made = _Tip(size=newest.size, note=newest.note, rows=())
    held, place = deque[bytes](), max(0, newest.size - PORTION)
    # Of another log, which begins behind a restore, other rows may have the same numbers.
    if before is not None and before.origin == made.origin and place <= before.size <= newest.size:
        held, place = deque(before.rows), before.size
    while place < newest.size:
        found = reading.leaves_within(tx, place, PORTION, newest.size, OCTETS)
        if not found:
            raise LookupError("the log has no leaf of a row that a checkpoint covers")
        held.extend(row_of(each) for each in found)
        place = found[-1].number
    octets = sum(len(each) for each in held)
    while len(held) > PORTION or (octets > OCTETS and len(held) > 1):
        octets -= len(held.popleft())
    return _Tip(size=newest.size, note=newest.note, rows=tuple(held))


def _written(note: str, rows: tuple[bytes, ...]) -> Pieces:
    """Return an answer in parts that others have as well."""
    parts = [begin(note)]
    for number, each in enumerate(rows):
        if number:
            parts.append(b",")
        parts += [each] if len(each) <= TOGETHER else [each[at : at + TOGETHER] for at in range(0, len(each), TOGETHER)]
    parts.append(END)
    together: list[list[bytes]] = [[]]
    held = 0
    for part in parts:
        if held + len(part) > TOGETHER and together[-1]:
            together.append([])
            held = 0
        together[-1].append(part)
        held += len(part)
    # What goes out at once is put together once for all.
    octets = [[b"".join(together[0])]] if len(together) == 1 else together
    return Pieces(octets, sum(len(each) for each in parts))
