"""Instants: in the log RFC 3339 text in UTC, here seconds since 1970."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LAST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds())
"""The end of time, which has no second behind it."""


@lru_cache(maxsize=65536)
def seconds(written: str) -> int:
    """Return the instant that a text of the log names: `2027-06-30T23:59:59Z` and no other form; ValueError."""
    try:
        if _FORM.fullmatch(written):
            return int((datetime.fromisoformat(written) - _EPOCH).total_seconds())
    except ValueError:
        pass  # of a day or a second that there is not
    raise ValueError(f"{written[:32]!r} is no instant: one is written 2027-06-30T23:59:59Z, in UTC")


@lru_cache(maxsize=65536)
def text(at: int) -> str:
    """Return an instant as the log writes it."""
    return (_EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def written(at: datetime) -> str:
    """Return an instant, aware and of whole seconds, as the log writes it."""
    return text(int((at - _EPOCH).total_seconds()))


def moment(said: str) -> datetime:
    """Return the instant that a text of the log names; ValueError."""
    return _EPOCH + timedelta(seconds=seconds(said))


def after(last: int) -> int:
    """Return the second after an inclusive end; the end of time stays itself."""
    return min(last + 1, LAST)
