"""The log of refusals of access: one line each, of its own logger, so many a minute and no more.

A stranger must be able neither to fill the disk nor to slow status by being refused: lines are counted by peer and
credential, and written by a thread of their own, for which nobody waits.
"""

import hashlib
import hmac
import logging
import math
import queue
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.status.exchange import Asked
from api.status.refused import Refused

LOGGER = "trialcpa.refusals"
LINES_OF_ONE = 10
"""Lines in a minute about one peer with one credential: enough to see what a client tries again and again."""

LINES_OF_STRANGERS = 90
LINES_OF_KNOWN = 90
"""Lines in a minute about everybody without a known credential, and with one: no flood of the first hides these."""

SUMMARIES = 20
"""Lines at the end of a minute that say how many were left out, the most first; the last is of all others together."""

LINES_IN_ALL = LINES_OF_STRANGERS + LINES_OF_KNOWN + SUMMARIES
"""Lines in a minute: 288,000 a day, some 45 megaoctets as most have 150, and below 300 as none has 1,000."""

MINUTE = 60.0

_WAITING = 1_000
"""Refusals that wait to be written, half of them strangers' at most; what comes beyond is counted. More than four
minutes' lines would be of no use to anybody."""

_LOOK_SECONDS = 5.0
_MARK_DIGITS = 8
_LONGEST = 100
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z._:@/<>~-]")
_KEY = secrets.token_bytes(32)

_log = logging.getLogger(LOGGER)


@dataclass(frozen=True)
class Source:
    """Who is refused: what counts as one peer, with the credential that it shows, if that is known."""

    peer: str
    name: str


_OTHERS = Source("others", "")


def line(asked: Asked, peer: str, one: Refused) -> str:
    """Return the line about one refusal; nothing in it can begin another line, or another member.

    Args:
        asked: the request.
        peer: who asks, by the front's or a trusted proxy's word.
        one: the refusal.
    """
    said = {
        "code": one.code,
        "method": asked.method,
        "path": one.place,
        "credential": one.name,
        "role": one.role or "",
        "organisation": one.organisation or "",
        "ended": one.ended,
        "key": "" if one.name else mark(asked.fields.get("authorization", "")),
        "peer": peer,
    }
    return " ".join(f"{name}={_plain(value)}" for name, value in said.items() if value)


def mark(shown: str) -> str:
    """Return by what an unknown credential is recognised in this process's log; empty if none was shown.

    Not the beginning of its SHA-256: what strangers send by mistake is a password or another service's key, and with a
    plain digest whoever reads the log could try guesses. Under a key that dies with the process the mark still tells
    one client with an old key from somebody who tries many.
    """
    if not shown:
        return ""
    return "~" + hmac.new(_KEY, shown.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_MARK_DIGITS]


class Tally:
    """Says which lines are written, minute by minute; it holds no more sources than lines."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._told: Counter[Source] = Counter()
        self._lines: Counter[bool] = Counter()
        self._left_out: Counter[Source] = Counter()

    def take(self, source: Source, said: str, at: float) -> Iterator[str]:
        """Yield what is to be written when a refusal comes.

        Args:
            source: of the refusal.
            said: its line.
            at: monotonic seconds.
        """
        yield from self.over(at)
        if self._begun is None:
            self._begun = at
        share = LINES_OF_KNOWN if source.name else LINES_OF_STRANGERS
        if self._told[source] < LINES_OF_ONE and self._lines[bool(source.name)] < share:
            self._told[source] += 1
            self._lines[bool(source.name)] += 1
            yield said
        else:
            self.leave_out(source, at)

    def leave_out(self, source: Source, at: float, count: int = 1) -> None:
        """Count refusals of which no line is written."""
        if self._begun is None:
            self._begun = at
        self._left_out[source if source in self._told else _OTHERS] += count

    def over(self, at: float) -> Iterator[str]:
        """Yield how many were left out, when their minute is over."""
        if self._begun is None or at - self._begun < MINUTE:
            return
        others = self._left_out.pop(_OTHERS, 0)
        found = self._left_out.most_common()
        others += sum(count for _, count in found[SUMMARIES - 1 :])
        for source, count in (*found[: SUMMARIES - 1], *([(_OTHERS, others)] if others else [])):
            of = {"peer": source.peer, "credential": source.name}
            yield f"left_out={count} " + " ".join(f"{name}={_plain(value)}" for name, value in of.items() if value)
        self._begun = None
        self._told.clear()
        self._lines.clear()
        self._left_out.clear()


class RefusalLog:
    """Writes the lines.

    Args:
        monotonic: seconds that only grow; a test hands in its own.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._waiting: queue.Queue[tuple[Source, str] | None] = queue.Queue(_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)

    def start(self) -> None:
        """Write in a background thread until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end; whoever writes too slowly is not waited for long."""
        try:
            self._waiting.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(1)

    def note(self, asked: Asked, peer: str, one: Refused, *, counted_as: str) -> None:
        """Have a refusal written, from any thread, without waiting for anything.

        Args:
            asked: the request.
            peer: who asks.
            one: the refusal.
            counted_as: what counts as one peer: a network, where one customer has so many addresses.
        """
        if self._waiting.qsize() >= (_WAITING if one.name else _WAITING // 2):
            self._lost += 1  # nothing is made of what is not written; two at once may count as one
            return
        try:
            self._waiting.put_nowait((Source(counted_as, one.name), line(asked, peer, one)))
        except queue.Full:
            self._lost += 1

    def _run(self) -> None:
        tally = Tally()
        while True:
            try:
                came = self._waiting.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                _write(tally.over(self._monotonic()))
                continue
            now = self._monotonic()
            if came is not None:
                _write(tally.take(*came, now))
            lost, self._lost = self._lost, 0
            if lost:
                tally.leave_out(_OTHERS, now, lost)
            if came is None:
                _write(tally.over(math.inf))
                return


def _write(lines: Iterator[str]) -> None:
    for each in lines:
        _log.warning(each)


def _plain(value: str) -> str:
    return _NOT_PLAIN.sub("?", value[:_LONGEST])
