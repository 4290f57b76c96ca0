"""For how long an answer of /v1/verify may be relied on, and the instants that it says."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from api.status.exchange import MAX_AGE_SECONDS, seconds_to_keep
from core.instants import ONE_SECOND, text

BETWEEN = b',"fresh_until":'
"""What stands between the two instants of every answer."""

_END_OF_TIME = datetime.max.replace(microsecond=0, tzinfo=UTC)

_INSTANTS = 4096
"""Instants whose text is kept: in one second there are its own, an hour later, and those of changes to come."""


def not_beyond(until: datetime, change: datetime | None) -> datetime:
    """Return an instant, or the last one before an answer is known to change, if that is sooner."""
    return until if change is None or until < change else change - ONE_SECOND


def lasting_until(as_of: datetime, lasting: timedelta) -> datetime:
    """Return the last instant for which an answer may be relied on that lasts so long; years end with 9999."""
    return _END_OF_TIME if _END_OF_TIME - as_of < lasting else as_of + lasting


@lru_cache(maxsize=_INSTANTS)
def octets_of(at: datetime) -> bytes:
    """Return an instant as it stands in an answer."""
    return f'"{text(at)}"'.encode("ascii")


class Said(NamedTuple):
    """The instants of an answer that no change shortens.

    Args:
        at: the instant that it speaks of.
        octets: both instants as they stand in it, and what stands between.
        until: until when it is fresh.
        keep: a max-age.
        as_of, fresh: both instants as octets.
    """

    at: datetime
    octets: bytes
    until: datetime
    keep: int
    as_of: bytes
    fresh: bytes


class Instants:
    """The last instants of answers that last equally long: those of one second have the same.

    Args:
        lasting: how long they last at most.
    """

    __slots__ = ("_lasting", "last")

    def __init__(self, lasting: timedelta) -> None:
        self._lasting = lasting
        self.last: Said | None = None

    def said(self, as_of: datetime) -> Said:
        """Return the instants of an answer that speaks of `as_of`."""
        last = self.last
        if last is None or last.at != as_of:
            until = lasting_until(as_of, self._lasting)
            keep = seconds_to_keep(as_of, MAX_AGE_SECONDS, until)
            present, fresh = octets_of(as_of), octets_of(until)
            last = Said(as_of, b"".join((present, BETWEEN, fresh)), until, keep, present, fresh)
            self.last = last
        return last


_LASTING: dict[timedelta, Instants] = {}
"""Of the few lengths of time for which answers last."""


def instants_of(lasting: timedelta) -> Instants:
    """Return the instants of all answers that last so long."""
    return _LASTING.setdefault(lasting, Instants(lasting))
