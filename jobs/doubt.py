"""Doubt about the clock: a judgement of what clocks show, without I/O.

The authority's measure is what it read itself when it last signed something (memory/), never an instant in a row. A
clock that nobody doubted is followed by CLOCK_BOOTTIME, which counts suspend and which nobody sets.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.instants import ONE_SECOND, text
from memory.records import At

BEHIND = timedelta(seconds=2)
"""How far the clock may fall behind what was read before: a leap second, and whole seconds."""

AGREES = timedelta(seconds=5)
"""How far a second clock may be off: whole seconds, and the time that it takes to ask it."""


class Why(StrEnum):
    """Why the clock is doubted."""

    BEHIND = "behind"
    STEPPED = "stepped"
    RESTED = "rested"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is known when the clock is judged.

    Args:
        reading: what the clocks show now.
        last: what they showed when something was last signed; None if nothing was, or since an operator's acceptance.
        turn: what they showed in the last turn in which nobody doubted them; None before the first.
        second: what other clocks show, in the machine's time; none that cannot be asked or does not know itself.
    """

    reading: At
    last: At | None
    turn: At | None
    second: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far a clock may move before it is doubted.

    Args:
        most_jump: against CLOCK_BOOTTIME, between two turns.
        longest_rest: between two signatures, over a start.
    """

    most_jump: timedelta = timedelta(minutes=5)
    longest_rest: timedelta = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """The clock is doubted.

    Args:
        why: see Why.
        sentence: for everybody.
        held: the machine's instant as it would be if the clock had gone on as it did while nobody doubted it.
        agreed: whether a second clock shows what the clock shows: then it is the past that was dated ahead.
    """

    why: Why
    sentence: str
    held: datetime
    agreed: bool


def judged(shown: Shown, limits: Limits) -> Doubt | None:
    """Return what speaks against the clock; None if nothing does."""
    reading, last = shown.reading, shown.last
    agreed = agrees(reading.wall, shown.second)
    anchor = newest(last, shown.turn, reading)
    step = None if anchor is None else stepped(reading, anchor)
    if last is not None and last.wall - reading.wall > BEHIND:
        said = (
            f"This machine's clock shows {text(reading.wall)}; it showed {text(last.wall)} when something was signed "
            "before. Nothing is issued until it has caught up."
        )
        return Doubt(why=Why.BEHIND, sentence=said, held=_held(shown, anchor), agreed=agreed)
    if agreed:
        return None
    if step is not None and abs(step) > limits.most_jump:
        way = "forward" if step > timedelta(0) else "back"
        said = (
            f"This machine's clock was moved {way} by {abs(step) // ONE_SECOND} seconds, and no second clock agrees. "
            "Nothing is issued until one does, until it is moved back, or until trialcpa clock accept."
        )
        return Doubt(why=Why.STEPPED, sentence=said, held=_held(shown, anchor), agreed=False)
    if shown.turn is None and last is not None and reading.wall - last.wall > limits.longest_rest:
        hours = (reading.wall - last.wall) // timedelta(hours=1)
        said = (
            f"This machine's clock shows {text(reading.wall)}, {hours} hours after something was last signed, "
            "and no second clock agrees. Nothing is issued until one does, or until trialcpa clock accept."
        )
        return Doubt(why=Why.RESTED, sentence=said, held=reading.wall, agreed=False)
    return None


def agrees(wall: datetime, second: Iterable[datetime]) -> bool:
    """Return whether one of the other clocks shows what this machine's shows."""
    return any(abs(wall - each) <= AGREES for each in second)


def stepped(reading: At, before: At) -> timedelta | None:
    """Return how far the clock was moved since, against CLOCK_BOOTTIME; None over a restart of the machine."""
    if not reading.boot_id or reading.boot_id != before.boot_id:
        return None
    return reading.wall - before.wall - (reading.boot - before.boot) * ONE_SECOND


def newest(last: At | None, turn: At | None, reading: At) -> At | None:
    """Return the newest reading of this start of this machine that nobody doubted; None if there is none.

    What is remembered may be newer than the last turn that was not in doubt: then an operator has accepted the clock.
    """
    known = [each for each in (last, turn) if each is not None and each.boot_id == reading.boot_id != ""]
    return max(known, key=lambda each: each.boot, default=None)


def _held(shown: Shown, anchor: At | None) -> datetime:
    if anchor is not None:
        return anchor.wall + max(0, shown.reading.boot - anchor.boot) * ONE_SECOND
    return max(shown.reading.wall, shown.last.wall) if shown.last is not None else shown.reading.wall
