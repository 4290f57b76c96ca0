"""A chart of devices against their limit as places on a sheet; the page draws it, without a style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from ra.reporting.over_time import Count

WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 632, 12, 188
_ROOM = 1.15
"""Of the height over the most that is shown, so that a line at the limit does not lie on the edge."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn.

    Args:
        devices: the outline of the area of what was deployed: x,y and so on.
        limit: the line of the limit.
        counts: the numbers themselves, for a table beside it.
        most: the most that was deployed at one of these instants.
        above: whether that was more than the limit of then at any of them.
    """

    devices: str
    limit: str
    counts: Sequence[Count]
    most: int
    above: bool


def chart(counts: Sequence[Count]) -> Chart | None:
    """Return the chart of some counts in order; None where there are too few for one."""
    if len(counts) < 2:
        return None
    first = counts[0].at
    span = (counts[-1].at - first).total_seconds() or 1
    highest = max(max(each.deployed, each.limit) for each in counts) * _ROOM or 1

    def x(each: Count) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (each.at - first).total_seconds() / span

    def y(value: int) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value / highest

    tops = [f"{x(each):.1f},{y(each.deployed):.1f}" for each in counts]
    limits: list[str] = []
    for before, each in zip((counts[0], *counts), counts, strict=False):
        # A limit holds from an instant on: its line goes in steps.
        if before.limit != each.limit:
            limits.append(f"{x(each):.1f},{y(before.limit):.1f}")
        limits.append(f"{x(each):.1f},{y(each.limit):.1f}")
    return Chart(
        devices=" ".join([f"{_LEFT},{_BOTTOM}", *tops, f"{_RIGHT},{_BOTTOM}"]),
        limit=" ".join(limits),
        counts=counts,
        most=max(each.deployed for each in counts),
        above=any(each.deployed > each.limit for each in counts),
    )
