"""The only place that reads the clock.

Everything below a use case takes `at` as an argument: aware, UTC, whole seconds. Whole seconds because
RFC 5280 (4.1.2.5.2) and RFC 6960 (4.2.2.1) know no fractions, and an instant that is rounded differently in
two channels is a disagreement.
"""

import ctypes
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_TIME_ERROR = 5
_STA_UNSYNC = 0x0040
"""adjtimex(2): what it returns, and says, of a clock that nobody keeps right."""


class Clock(Protocol):
    """Tells the present instant to a use case, which asks once."""

    def now(self) -> datetime:
        """Return the present instant: aware, UTC, whole seconds."""
        ...


class SystemClock:
    """The machine's clock, truncated to whole seconds. The only clock of a live authority."""

    _told = (0, datetime.fromtimestamp(0, UTC))

    def now(self) -> datetime:
        """Return the present instant: aware, UTC, whole seconds; within a second it is the same value."""
        second = int(time.time())
        told, now = self._told
        if told != second:
            now = datetime.fromtimestamp(second, UTC)
            self._told = (second, now)
        return now


def milliseconds() -> int:
    """Return the machine's milliseconds since 1970: for how long something took, between processes; never an instant.

    No authority's offset is in it, and whoever sets the clock meanwhile makes one figure wrong and nothing else.
    """
    return time.time_ns() // 1_000_000


def boot_time() -> tuple[int, str]:
    """Return seconds since this machine started, suspend included, and which start that was; 0 and "" if not known.

    CLOCK_BOOTTIME and the boot_id of random(4) are Linux's; elsewhere nothing watches over the wall clock.
    """
    try:
        return int(time.clock_gettime(time.CLOCK_BOOTTIME)), _BOOT_ID.read_text(encoding="ascii").strip()
    except (AttributeError, OSError):
        return 0, ""


def process_age() -> float | None:
    """Return the seconds since this process was started; None if the kernel does not say (proc(5), 22nd field)."""
    try:
        # The name, in parentheses, may have blanks in it; what follows it has none.
        said = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(said[19]) / os.sysconf("SC_CLK_TCK")
    except (AttributeError, OSError, ValueError, IndexError):
        return None


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), where a long has eight octets; what is behind `tai` is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "seconds", "fraction")),
        *((name, ctypes.c_long) for name in ("tick", "ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("room", ctypes.c_int * 11),
    )


def synchronised() -> datetime | None:
    """Return the kernel's instant if it says that somebody keeps it right (NTP, PTP); None if not, or if it cannot say.

    Setting the clock by hand takes that word back (STA_UNSYNC) until whoever keeps it right has done so again.
    """
    said = _Timex()
    try:
        answered = int(ctypes.CDLL(None).adjtimex(ctypes.byref(said)))
    except (AttributeError, OSError):
        return None
    known = ctypes.sizeof(ctypes.c_long) == ctypes.sizeof(ctypes.c_int64)
    if not known or answered in {-1, _TIME_ERROR} or said.status & _STA_UNSYNC:
        return None
    return datetime.fromtimestamp(said.seconds, UTC)


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
