"""The answer of /v1/verify as octets, with two holes: the instant that it speaks of, and until when it is fresh."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from api import problems
from api.status.exchange import MAX_AGE_SECONDS, seconds_to_keep
from api.status.lasting import BETWEEN, Instants, instants_of, not_beyond, octets_of
from api.status.verify import Verdict
from core.approval import Terms

_AS_OF, _FRESH_UNTIL = "\x00as of\x00", "\x00fresh until\x00"
"""In the holes while an answer is written. JSON escapes the NUL; no text of ours has one."""

_HOLES = tuple(json.dumps(each).encode("ascii") for each in (_AS_OF, _FRESH_UNTIL))

_NOBODYS = 4096
"""Answers about nothing of ours that are kept."""

_VALUES = 1024
"""Octets of the values that an answer has around what it says."""


@dataclass(frozen=True, slots=True)
class Template:
    """An answer but for its instants.

    Args:
        before, after: its octets, around the two holes and what stands between them.
        instants: what goes there.
        verdict: what it says.
        lasting, change, terms: as in its verdict, at hand.
        tag: what tells it from another answer, whatever the instants; an ETag's value.
        around: octets before and after its instants.
    """

    before: bytes
    after: bytes
    instants: Instants
    verdict: Verdict
    lasting: timedelta
    change: datetime | None
    terms: Terms | None
    tag: str
    around: int

    @property
    def size(self) -> int:
        """Octets that it takes, about: what it says stands in it as octets and as values."""
        return _VALUES + 2 * self.around

    def seconds_to_keep(self, as_of: datetime) -> int:
        """Return a max-age for the answer as it is at an instant."""
        told = self.instants.said(as_of)
        until = not_beyond(told.until, self.change)
        return told.keep if until is told.until else seconds_to_keep(as_of, MAX_AGE_SECONDS, until)

    def filled(self, as_of: datetime) -> bytes:
        """Return the answer as it is at an instant."""
        told = self.instants.said(as_of)
        until = not_beyond(told.until, self.change)
        if until is told.until:
            return b"".join((self.before, told.octets, self.after))
        return b"".join((self.before, told.as_of, BETWEEN, octets_of(until), self.after))


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


@lru_cache(maxsize=_NOBODYS)
def _of_nobody(said: _Nobodys) -> Template:
    return _made(said.verdict)


def _made(verdict: Verdict) -> Template:
    octets = problems.encode(verdict.document(_AS_OF, _FRESH_UNTIL))
    before, _, rest = octets.partition(_HOLES[0])
    between, _, after = rest.partition(_HOLES[1])
    if between != BETWEEN:
        raise ValueError("an answer's two instants do not follow each other")
    # The horizon belongs to it: whoever has the answer may rely on it until then, and no longer.
    digest = hashlib.sha256(octets + repr((verdict.lasting, verdict.change)).encode("ascii"))
    tag = f'W/"{digest.hexdigest()}"'
    return Template(
        before=before,
        after=after,
        instants=instants_of(verdict.lasting),
        verdict=verdict,
        lasting=verdict.lasting,
        change=verdict.change,
        terms=verdict.terms,
        tag=tag,
        around=len(before) + len(after),
    )
