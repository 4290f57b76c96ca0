"""When the mirror looks again: as soon as something is heard of, or from time to time where nothing is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from core.mirror import Hearing

SAFETY_SECONDS = 1.0
"""Between two looks where changes are told: what was not told is seen nevertheless."""

REST_SECONDS = 0.02
"""After each look: what is committed by the hundred is read by the portion."""


@contextmanager
def awaiting(
    hear: Callable[[], Hearing] | None, interval: float, stopping: threading.Event
) -> Iterator[Callable[[], object]]:
    """Lend a wait until it is time to look again.

    Args:
        hear: begins to hear of changes; None where nobody tells of any.
        interval: seconds between two looks, if so.
        stopping: ends a wait.
    """
    if hear is None:
        yield lambda: stopping.wait(interval)
        return
    with closing(hear()) as hearing:

        def wait() -> None:
            stopping.wait(REST_SECONDS)
            hearing.wait(SAFETY_SECONDS, stopping)

        yield wait
