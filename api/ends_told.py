"""What receipts say of all ends: how long each channel took, and whether one owes an end for too long."""

import time
from collections.abc import Callable, Iterator, Mapping

from core.alarms import AlarmCode, Noticed
from core.clock import milliseconds
from core.errors import StoreUnavailable
from core.kinds import Told
from core.words import counted
from store.reading.receipts import Took, took, untold
from store.transactions import Store

BOUNDS: tuple[int, ...] = (25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
"""Milliseconds of the histogram: what is promised of the 99th percentile (100, 250, 1,000) and what is around it."""

OWED_WITHIN: Mapping[Told, int] = {
    Told.VERIFICATION: 10_000,
    Told.OCSP: 30_000,
    Told.LIST: 60_000,
}
"""Milliseconds after which somebody should look at a channel that has not told an end: a restart of its process takes
some seconds of them, and 100,000 ends at once are told by each within sixty. Of a notice that does not arrive
`notices-undelivered` tells."""

_WORDS: Mapping[Told, str] = {Told.VERIFICATION: "Verification", Told.OCSP: "OCSP", Told.LIST: "The list"}

_SECONDS = 5.0
_SHARE = 50
"""Reading what a large register has takes at most one part in so many of the time."""


class EndsTold:
    """Hears what the receipts of ends say.

    Args:
        store: the register.
        now: milliseconds since 1970; a test hands in its own.
    """

    def __init__(self, store: Store, *, now: Callable[[], int] = milliseconds) -> None:
        self._store = store
        self._now = now
        self._took: Mapping[Told, Took] = {}
        self._owed: Mapping[Told, int] = {}
        self._cost = 0.0

    @property
    def took(self) -> Mapping[Told, Took]:
        """How long each channel took, by what was heard last."""
        return self._took

    def hear(self) -> None:
        """Hear once; while the register is silent, what was heard last stays."""
        began, now = time.monotonic(), self._now()
        try:
            with self._store.read() as tx:
                self._owed = untold(tx, {told: now - within for told, within in OWED_WITHIN.items()})
                self._took = took(tx, BOUNDS)
        except StoreUnavailable:
            pass  # /readyz tells it
        self._cost = time.monotonic() - began

    def pause(self) -> float:
        """Return the seconds until it is to hear again."""
        return max(_SECONDS, _SHARE * self._cost)

    def noticed(self) -> Iterator[Noticed]:
        """Yield each channel that owes an end for too long."""
        for told, many in self._owed.items():
            if many:
                within = OWED_WITHIN[told] // 1_000
                said = f"{_WORDS[told]} has not told {counted(many, 'end')} by an act within {within} seconds."
                yield Noticed(code=AlarmCode.END_UNTOLD, subject=told.value, sentence=said)
