"""Charts of devices against their limits as places on a sheet; the page draws them, without a style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from ra.reporting.contents import ReportLine
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


MOST_BARS = 60
"""Approvals of one chart: as many as can be told apart on a telephone."""

_WIDEST_BAR = 48.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The devices of one approval, as a share of its limit.

    Args:
        x, y: its upper left corner.
        width, height: of it.
        above: whether there are more than the limit.
        said: all of that in words.
    """

    x: float
    y: float
    width: float
    height: float
    above: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Bars:
    """What is drawn of a report.

    Args:
        bars: in the order of the lines.
        limit: how high the line of the limits lies.
        above: how many are above theirs.
    """

    bars: Sequence[Bar]
    limit: float
    above: int


def bars(lines: Sequence[ReportLine]) -> Bars | None:
    """Return the chart of a report's first lines; None where there is nothing to draw."""
    shown = lines[:MOST_BARS]
    if not any(each.deployed for each in shown):
        return None
    highest = max(1.0, *(_share(each) for each in shown)) * _ROOM
    room = (_RIGHT - _LEFT) / len(shown)
    width = min(room * 0.75, _WIDEST_BAR)

    def height(share: float) -> float:
        return round((_BOTTOM - _TOP) * share / highest, 1)

    return Bars(
        bars=[
            Bar(
                x=round(_LEFT + room * place + (room - width) / 2, 1),
                y=_BOTTOM - height(_share(each)),
                width=round(width, 1),
                height=height(_share(each)),
                above=each.above_limit,
                said=f"{each.approval}: {each.deployed:,} of {each.limit:,}",
            )
            for place, each in enumerate(shown)
        ],
        limit=_BOTTOM - height(1.0),
        above=sum(each.above_limit for each in shown),
    )


def _share(line: ReportLine) -> float:
    return line.deployed / max(1, line.limit)
