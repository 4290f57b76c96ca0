"""How often something was done, and how long it took: counted as it is done, for less than a microsecond each."""

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FROM_MEMORY: tuple[float, ...] = (25e-6, 50e-6, 100e-6, 250e-6, 1e-3, 10e-3, 100e-3)
"""Seconds: 30,000 answers a second are 33 microseconds each."""

FROM_STORE: tuple[float, ...] = (1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 200e-3, 500e-3, 1.0, 5.0)
"""Seconds: what is promised of a revocation is 200 ms at the 99th percentile."""


class Asking(StrEnum):
    """What is asked of the status plane, as /metrics calls it."""

    VERIFY = "verify"
    VERIFY_BATCH = "verify-batch"
    VERIFY_APPROVAL = "verify-approval"
    OCSP_IN_BODY = "ocsp-in-body"
    OCSP_IN_PATH = "ocsp-in-path"
    NEWEST_CRL = "newest-crl"
    NUMBERED_CRL = "numbered-crl"
    AUTHORITY_CERTIFICATE = "authority-certificate"
    ROOT = "root"
    CHAIN = "chain"
    PAGE = "page"
    ALIVE = "alive"


@dataclass(frozen=True)
class Tally:
    """One kind of thing.

    Args:
        counts: how many took up to each bound and longer than the one before; last, those that took longer than all.
        seconds: of all of them together.
    """

    counts: tuple[int, ...]
    seconds: float


class _Counting:
    """One kind of thing, while it is counted."""

    __slots__ = ("counts", "seconds")

    def __init__(self, bounds: int) -> None:
        self.counts = [0] * (bounds + 1)
        self.seconds = 0.0


class Tallies:
    """Kinds of things, each counted by how long it took.

    Args:
        bounds: in seconds, rising.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self._kinds: dict[str, _Counting] = {}
        self._guard = threading.Lock()

    def note(self, kind: str, seconds: float) -> None:
        """Count one; several threads may.

        Args:
            kind: of a closed list: never what somebody sent.
            seconds: how long it took.
        """
        place = bisect_left(self.bounds, seconds)
        with self._guard:
            counting = self._kinds.get(kind)
            if counting is None:
                counting = self._kinds[kind] = _Counting(len(self.bounds))
            counting.counts[place] += 1
            counting.seconds += seconds

    def told(self) -> Mapping[str, Tally]:
        """Return what was counted, by kind."""
        return {kind: Tally(tuple(each.counts), each.seconds) for kind, each in sorted(self._kinds.copy().items())}


@dataclass(frozen=True)
class Tallied:
    """What one web process counts.

    Args:
        at_once: answers about status from memory, by kind of question.
        from_store: the same where the store was read.
        acts: what the API did, by the name that /openapi.json has for it.
        polls: how long the mirror took to follow the register.
    """

    at_once: Tallies = field(default_factory=lambda: Tallies(FROM_MEMORY))
    from_store: Tallies = field(default_factory=lambda: Tallies(FROM_STORE))
    acts: Tallies = field(default_factory=lambda: Tallies(FROM_STORE))
    polls: Tallies = field(default_factory=lambda: Tallies(FROM_STORE))
