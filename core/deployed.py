"""Which units are deployed under an approval, and how many, at any instant: a million of them in a few megabytes.

What is known of one approval is four lists of numbers that never change; what changes makes others, by copying what
lies between the changes. Nothing here says what a limit means (F2.21(d)).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, repeat
from typing import TypeAlias

Unit: TypeAlias = int
"""The eight octets of an EUI-64, read as a signed number."""

Stint: TypeAlias = tuple[int, int]
"""From which second on a unit is deployed, and in which it is not any more, since 1970-01-01T00:00:00Z."""

NEVER = 2**63 - 1
"""The second in which a unit is taken out that stands."""

FEW = 64
"""Stints that are counted one by one in less time than it takes to keep them in order for counting."""

_AT_ONCE = 10_000
"""Numbers that are put in order in one step, through which nobody else in the process gets a turn."""

_NONE = array("q")


def unit_of(device_id: str) -> Unit:
    """Return the number of a unit.

    Args:
        device_id: EUI-64, `00-DB-12-34-56-78-90-01`; ValueError for what is none.
    """
    number = int(device_id.replace("-", ""), 16)
    return number if number < 2**63 else number - 2**64


class Deployed:
    """The stints under one approval, those taken back left out.

    Args:
        stints: the unit of each, in order; behind these since when each is deployed, and until when, in seconds.
        starts, stops: the same seconds in their own order; empty where there are few.
    """

    __slots__ = ("_starts", "_stints", "_stops")

    def __init__(self, stints: "array[int]" = _NONE, starts: "array[int]" = _NONE, stops: "array[int]" = _NONE) -> None:
        self._stints, self._starts, self._stops = stints, starts, stops

    def __len__(self) -> int:
        return len(self._stints) // 3

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deployed) and sorted(self.stints()) == sorted(other.stints())

    __hash__ = None  # type: ignore[assignment]  # nothing looks one up by what it holds

    def stints(self) -> Iterator[tuple[Unit, Stint]]:
        """Yield every stint, in order of unit."""
        held, count = self._stints, len(self)
        for place in range(count):
            yield held[place], (held[count + place], held[2 * count + place])

    def among(self, unit: Unit, at: int) -> bool:
        """Return whether a unit is deployed at a second."""
        held, count = self._stints, len(self)
        place = bisect_left(held, unit, 0, count)
        while place < count and held[place] == unit:
            if held[count + place] <= at < held[2 * count + place]:
                return True
            place += 1
        return False

    def count(self, at: int) -> int:
        """Return how many are deployed at a second."""
        count = len(self)
        if count > FEW:
            # A stint that has stopped has started.
            return bisect_right(self._starts, at) - bisect_right(self._stops, at)
        held = self._stints
        return sum(since <= at < until for since, until in zip(held[count : 2 * count], held[2 * count :], strict=True))

    def changed(self, units: Mapping[Unit, Sequence[Stint]]) -> "Deployed":
        """Return what is known when of some units other stints are.

        Args:
            units: all the stints of each of them; none for one that was never deployed here.
        """
        held, count = self._stints, len(self)
        columns = held[:count], held[count : 2 * count], held[2 * count :]
        made = array("q"), array("q"), array("q")
        gone: list[Stint] = []
        before = 0
        for unit, stints in sorted(units.items()):
            first = bisect_left(held, unit, before, count)
            last = bisect_right(held, unit, first, count)
            gone.extend(zip(columns[1][first:last], columns[2][first:last], strict=True))
            for column, old, new in zip(made, columns, _columns(unit, stints), strict=True):
                column.extend(old[before:first])
                column.extend(new)
            before = last
        for column, old in zip(made, columns, strict=True):
            column.extend(old[before:])
        whole = made[0] + made[1] + made[2]
        if len(made[0]) <= FEW:
            return Deployed(whole)
        if count <= FEW:
            return Deployed(whole, *_counted(made[1], made[2]))
        come = [stint for known in units.values() for stint in known]
        starts = _spliced(self._starts, [since for since, _ in gone], [since for since, _ in come])
        stops = _spliced(self._stops, _ends(until for _, until in gone), _ends(until for _, until in come))
        return Deployed(whole, starts, stops)


def deployed(units: "array[int]", since: "array[int]", until: "array[int]") -> Deployed:
    """Return what is known of one approval for the first time.

    Args:
        units: of each stint, in any order.
        since: of each.
        until: of each.
    """
    if len(units) <= FEW:
        in_order = sorted(zip(units, since, until, strict=True))
        return Deployed(array("q", chain.from_iterable(zip(*in_order, strict=True))))
    places = _ordered(range(len(units)), units)
    stints = array("q")
    for column in (units, since, until):
        stints.extend(column[place] for place in places)
    return Deployed(stints, *_counted(since, until))


def _columns(unit: Unit, stints: Sequence[Stint]) -> tuple[Iterable[int], Iterable[int], Iterable[int]]:
    return repeat(unit, len(stints)), [since for since, _ in stints], [until for _, until in stints]


def _counted(since: "array[int]", until: "array[int]") -> tuple["array[int]", "array[int]"]:
    return _sorted(since), _sorted(array("q", _ends(until)))


def _ends(until: Iterable[int]) -> list[int]:
    return [each for each in until if each != NEVER]


def _sorted(values: "array[int]") -> "array[int]":
    portions = [sorted(values[first : first + _AT_ONCE]) for first in range(0, len(values), _AT_ONCE)]
    return array("q", portions[0] if len(portions) == 1 else merge(*portions))


def _ordered(places: range, by: "array[int]") -> "array[int]":
    """Return places in the order of what stands there."""
    portions = [
        array("q", sorted(places[first : first + _AT_ONCE], key=by.__getitem__))
        for first in range(0, len(places), _AT_ONCE)
    ]
    return portions[0] if len(portions) == 1 else array("q", merge(*portions, key=by.__getitem__))


def _spliced(values: "array[int]", gone: Iterable[int], come: Iterable[int]) -> "array[int]":
    """Return numbers in order without some that are among them, and with others."""
    made, before = array("q"), 0
    # Of equal ones those that go are first: what comes may stand behind what stays.
    changes = merge(((each, 0) for each in sorted(gone)), ((each, 1) for each in sorted(come)))
    for value, comes in changes:
        place = bisect_left(values, value, before)
        made += values[before:place]
        if comes:
            made.append(value)
        before = place + 1 - comes
    return made + values[before:]
