"""The only place that reads the clock.

Everything below a use case takes `at` as an argument: aware, UTC, whole seconds. Whole seconds because
RFC 5280 (4.1.2.5.2) and RFC 6960 (4.2.2.1) know no fractions, and an instant that is rounded differently in
two channels is a disagreement.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Tells the present instant to a use case, which asks once."""

    def now(self) -> datetime:
        """Return the present instant: aware, UTC, whole seconds."""
        ...


class SystemClock:
    """The machine's clock, truncated to whole seconds. The only clock of a live authority."""

    def now(self) -> datetime:
        """Return the present instant: aware, UTC, whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)


def boot_time() -> tuple[int, str]:
    """Return seconds since this machine started, suspend included, and which start that was; 0 and "" if not known.

    CLOCK_BOOTTIME and the boot_id of random(4) are Linux's; elsewhere nothing watches over the wall clock.
    """
    try:
        return int(time.clock_gettime(time.CLOCK_BOOTTIME)), _BOOT_ID.read_text(encoding="ascii").strip()
    except (AttributeError, OSError):
        return 0, ""


class OffsetClock:
    """A test authority's clock: the machine's clock plus an offset that the store keeps and only grows.

    Args:
        offset: asked at every reading, so that `trialcpa clock advance` reaches every process.
    """

    def __init__(self, offset: Callable[[], timedelta]) -> None:
        self._offset = offset
        self._system = SystemClock()

    def now(self) -> datetime:
        """Return the machine's instant plus the offset: aware, UTC, whole seconds."""
        return self._system.now() + self._offset()


class FixedClock:
    """An instant that somebody else chose: for tests, benches and questions about the past.

    Args:
        instant: aware, UTC, whole seconds.
    """

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """Return the instant given."""
        return self.instant

    def advance(self, by: timedelta) -> None:
        """Move on by `by`; time never runs backwards (ValueError)."""
        if by < timedelta(0):
            raise ValueError("a clock is moved forward only")
        self.instant += by
