"""Many questions that wait for the store wait for it once: a store that is silent is not asked ten thousand times."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import TypeVar

from api.status.verify import PastAnswer, UnitsAt
from core.errors import StoreUnavailable
from core.identifiers import Serial
from core.mirror import SignedAnswer, Units

STORE_SECONDS = 5.0
"""For how long the store is asked for all questions of a batch together: of what needs it, thousands are answered."""

_T = TypeVar("_T")


class Impatient:
    """Asks the store until it fails, or has been waited for long enough; whatever needs it from then on is told so.

    Args:
        past_answer: as for `verdict`.
        units: as for `verdict`.
    """

    def __init__(self, past_answer: PastAnswer, units: UnitsAt) -> None:
        self._past_answer = past_answer
        self._units = units
        self._left = STORE_SECONDS

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return an OCSP answer of the past; StoreUnavailable."""
        return self._asked(lambda: self._past_answer(serial, at))

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device is deployed, else how many are; StoreUnavailable."""
        return self._asked(lambda: self._units(approval, device_id, at))

    def _asked(self, ask: Callable[[], _T]) -> _T:
        if self._left <= 0:
            raise StoreUnavailable
        began = monotonic()
        try:
            return ask()
        except StoreUnavailable:
            self._left = 0
            raise
        finally:
            self._left -= monotonic() - began
