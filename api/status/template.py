"""The answer of /v1/verify as octets, with two holes: the instant that it speaks of, and until when it is fresh."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from api import problems
from api.status.exchange import MAX_AGE_SECONDS, seconds_to_keep
from api.status.verify import Verdict, lasting_until, not_beyond
from core.approval import Terms
from core.instants import text

_AS_OF, _FRESH_UNTIL = "\x00as of\x00", "\x00fresh until\x00"
"""In the holes while an answer is written. JSON escapes the NUL; no text of ours has one."""

_HOLES = tuple(json.dumps(each).encode("ascii") for each in (_AS_OF, _FRESH_UNTIL))

_INSTANTS = 4096
"""Instants whose text is kept: in one second there are its own, an hour later, and those of changes to come."""


_BETWEEN: dict[bytes, bytes] = {}
"""What stands between the two holes. It is the same in every answer, and held once."""

_VALUES = 1024
"""Octets of the values that an answer has around what it says."""


@dataclass(frozen=True, slots=True)
class Template:
    """An answer but for its instants.

    Args:
        before, between, after: its octets, around the two holes.
        verdict: what it says.
        lasting, change, terms: as in its verdict, at hand.
        tag: what tells it from another answer, whatever the instants; an ETag's value.
        length: of its octets.
    """

    before: bytes
    between: bytes
    after: bytes
    verdict: Verdict
    lasting: timedelta
    change: datetime | None
    terms: Terms | None
    tag: str
    length: int

    @property
    def size(self) -> int:
        """Octets that it takes, about: what it says stands in it as octets and as values."""
        return _VALUES + 2 * self.length

    def seconds_to_keep(self, as_of: datetime) -> int:
        """Return a max-age for the answer as it is at an instant."""
        told = _written(as_of, self.lasting)
        until = not_beyond(told.until, self.change)
        return told.keep if until is told.until else seconds_to_keep(as_of, MAX_AGE_SECONDS, until)

    def filled(self, as_of: datetime) -> bytes:
        """Return the answer as it is at an instant."""
        told = _written(as_of, self.lasting)
        until = not_beyond(told.until, self.change)
        fresh = told.fresh if until is told.until else octets_of(until)
        return b"".join((self.before, told.as_of, self.between, fresh, self.after))


def template(verdict: Verdict) -> Template:
    """Return the template of an answer. What is said of nothing of ours is the same whatever it was, and made once."""
    return _of_nobody(_Nobodys(verdict)) if verdict.members["approval"] is None else _made(verdict)


class _Nobodys:
    """An answer about nothing of ours, which says its reasons and until when, and nothing else."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._says = (verdict.reasons, verdict.lasting, verdict.change)

    def __hash__(self) -> int:
        return hash(self._says)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Nobodys) and self._says == other._says


@lru_cache(maxsize=_INSTANTS)
def _of_nobody(said: _Nobodys) -> Template:
    return _made(said.verdict)


def _made(verdict: Verdict) -> Template:
    octets = problems.encode(verdict.document(_AS_OF, _FRESH_UNTIL))
    before, _, rest = octets.partition(_HOLES[0])
    between, _, after = rest.partition(_HOLES[1])
    between = _BETWEEN.setdefault(between, between)
    # The horizon belongs to it: whoever has the answer may rely on it until then, and no longer.
    digest = hashlib.sha256(octets + repr((verdict.lasting, verdict.change)).encode("ascii"))
    tag = f'W/"{digest.hexdigest()}"'
    return Template(
        before=before,
        between=between,
        after=after,
        verdict=verdict,
        lasting=verdict.lasting,
        change=verdict.change,
        terms=verdict.terms,
        tag=tag,
        length=len(before) + len(between) + len(after),
    )


class _Written(NamedTuple):
    """The instants of an answer that nothing shortens.

    Args:
        at: the instant that it speaks of.
        until: until when it is fresh.
        keep: a max-age.
        as_of, fresh: both instants as octets.
    """

    at: datetime
    until: datetime
    keep: int
    as_of: bytes
    fresh: bytes


_WRITTEN: dict[timedelta, _Written] = {}
"""The last of each of the few lengths of time for which answers last: those of one second have the same instants."""


def _written(as_of: datetime, lasting: timedelta) -> _Written:
    found = _WRITTEN.get(lasting)
    if found is None or found.at != as_of:
        until = lasting_until(as_of, lasting)
        keep = seconds_to_keep(as_of, MAX_AGE_SECONDS, until)
        found = _WRITTEN[lasting] = _Written(as_of, until, keep, octets_of(as_of), octets_of(until))
    return found


@lru_cache(maxsize=_INSTANTS)
def octets_of(at: datetime) -> bytes:
    """Return an instant as it stands in an answer."""
    return f'"{text(at)}"'.encode("ascii")
