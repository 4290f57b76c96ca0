"""When the web process looks for circular garbage: while it rests, and never in the midst of an answer.

Python looks through everything that lives each time that has grown by a quarter, and nothing else runs meanwhile: a
workbook of 50,000 rows in a worker's hands cost pauses of up to 0.8 s, and whoever asked for status waited. So only
what is young is looked through by itself. Everything is, when no worker is at anything; what is left then (code, the
snapshot) is set aside and never looked through again. It goes by its count of references, as nearly all does.
"""

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 5.0
"""How often it is seen whether the process rests."""

AT_LATEST_SECONDS = 600.0
"""After how long everything is looked through although the process never rested."""

_NEVER = 1_000_000_000


def only_young() -> None:
    """Set aside what lives now, and have only what is young looked through by itself."""
    _all()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


async def collect(resting: Callable[[], bool], now: Callable[[], float]) -> None:
    """Look through everything whenever the process rests, for ever.

    Args:
        resting: whether no worker is at anything.
        now: monotonic seconds.
    """
    last = now()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        # While a register is read in nothing is looked through (core/loading.py): it would be for nothing.
        if gc.isenabled() and (resting() or now() > last + AT_LATEST_SECONDS):
            _all()
            last = now()


def _all() -> None:
    gc.collect()
    gc.freeze()
