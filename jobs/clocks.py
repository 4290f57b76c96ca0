"""What the clocks of this machine show, as the memory keeps it, and what the authority believes of them.

Never a row's word: what is believed follows from what this authority read itself, from CLOCK_BOOTTIME, and from a
second clock where there is one (jobs/doubt.py).
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from core.alarms import AlarmCode, Noticed
from core.clock import Clock, boot_time, synchronised
from core.errors import StoreUnavailable
from core.identifiers import Environment
from core.instants import ONE_SECOND, text
from jobs.doubt import Doubt, Limits, Shown, Why, judged, newest, stepped
from memory.memory import Memory
from memory.records import At
from store.reading.watching import other_clock
from store.transactions import Store

_log = logging.getLogger(__name__)

Second = Callable[[], Sequence[datetime]]
"""Asks the second clocks: each instant that one shows, in the machine's time."""

_AHEAD_BY_CHANCE = 2
"""Seconds by which an offset may seem to fall: two clocks are read one after the other, in whole seconds."""


def clocks(
    machine: Clock, clock: Clock | None = None, boot: Callable[[], tuple[int, str]] = boot_time
) -> Callable[[], At]:
    """Return what says what the clocks show.

    Args:
        machine: the machine's own.
        clock: the authority's, which in a test authority may run ahead; None before there is one.
        boot: seconds since a start of the machine, and of which one.
    """

    def read() -> At:
        wall = machine.now()
        since, boot_id = boot()
        ahead = 0 if clock is None else max(0, (clock.now() - wall) // ONE_SECOND)
        return At(wall=wall, boot=since, boot_id=boot_id, offset=ahead)

    return read


def second_clocks(store: Store) -> Second:
    """Return what asks the database, if it is on another machine, and the kernel, if it is synchronised."""

    def ask() -> Sequence[datetime]:
        shown = [synchronised()]
        with suppress(StoreUnavailable), store.read() as tx:
            shown.append(other_clock(tx))
        return [each for each in shown if each is not None]

    return ask


class BelievedClock:
    """The authority's clock as far as it is believed.

    While the machine's is doubted, this one goes on as that did before; what is signed while nobody doubts is dated by
    the clock itself.

    Args:
        clock: the authority's.
        memory: what it read before.
        second: asked only where there is doubt.
        limits: how far a clock may move.
        environment: a test authority may rest for as long as it likes, and only its clock runs ahead of the machine's.
    """

    def __init__(self, clock: Clock, memory: Memory, second: Second, limits: Limits, environment: Environment) -> None:
        self._clock = clock
        self._memory = memory
        self._second = second
        self._limits = limits
        self._environment = environment
        self._turn: At | None = None
        self._anchor: At | None = None
        self._offset = 0
        self._lowered = False
        self.doubt: Doubt | None = None

    def look(self) -> list[Noticed]:
        """Judge the clock anew, before a turn; return what somebody should know."""
        reading, last = self._read(), self._last()
        shown = Shown(reading=reading, last=last, turn=self._turn)
        if judged(shown, self._limits) is not None:
            shown = replace(shown, second=tuple(self._second()))
        doubt = judged(shown, self._limits)
        if doubt is not None and doubt.why is Why.RESTED and self._environment == "test":
            # Such a one rests when nobody tries anything.
            _log.info("%s It is a test authority: it goes on.", doubt.sentence)
            doubt = None
        self.doubt, self._anchor = doubt, newest(last, self._turn, reading)
        if doubt is None:
            self._turn = self._anchor = reading
            self._memory.doubted = None
        else:
            self._memory.doubted = self._machine(reading) - reading.wall
        return [*self._told(doubt, reading, last), *self._offset_lowered(reading, last)]

    def now(self) -> datetime:
        """Return the authority's present instant, as it is believed."""
        reading = self._read()
        machine = self._machine(reading)
        if self._environment == "live":
            return machine
        if machine == reading.wall and not self._lowered:
            return self._clock.now()
        return machine + max(reading.offset, self._offset if self._lowered else 0) * ONE_SECOND

    def _read(self) -> At:
        return self._of_ours(self._memory.read_clocks())

    def _last(self) -> At | None:
        last = self._memory.last_at
        return None if last is None else self._of_ours(last)

    def _of_ours(self, at: At) -> At:
        """Return a reading without what is added to it, unless this is a test authority: no row moves a live one."""
        return at if self._environment == "test" else replace(at, offset=0)

    def _machine(self, reading: At) -> datetime:
        """Return the machine's instant as it is believed; a step is not believed before it was judged."""
        doubt, step = self.doubt, None if self._anchor is None else stepped(reading, self._anchor)
        if doubt is not None and (doubt.agreed or doubt.why is Why.RESTED):
            return reading.wall
        if step is not None and (doubt is not None or abs(step) > self._limits.most_jump):
            return reading.wall - step
        return reading.wall if doubt is None else max(reading.wall, doubt.held)

    def _told(self, doubt: Doubt | None, reading: At, last: At | None) -> list[Noticed]:
        if doubt is None:
            return []
        # Whoever keeps the clock right has set it back a little, as at a start of the machine: it catches up.
        little = doubt.agreed and last is not None and last.wall - reading.wall <= self._limits.most_jump
        return [] if little else [Noticed(code=AlarmCode.CLOCK_DOUBTFUL, sentence=doubt.sentence)]

    def _offset_lowered(self, reading: At, last: At | None) -> list[Noticed]:
        known = max(self._offset, 0 if last is None else last.offset)
        self._lowered = reading.offset + _AHEAD_BY_CHANCE < known
        if not self._lowered:
            self._offset = reading.offset
            return []
        self._offset = known
        said = (
            f"The register has this test authority's clock at {text(reading.wall + reading.offset * ONE_SECOND)}, "
            f"{known - reading.offset} seconds behind what it was; the authority goes on by what it was."
        )
        return [Noticed(code=AlarmCode.CLOCK_LOWERED, sentence=said)]
