"""The answer of /v1/verify as octets, with two holes: the instant that it speaks of, and until when it is fresh."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from api import problems
from api.status.verify import Verdict
from core.approval import Terms
from core.instants import text

_AS_OF, _FRESH_UNTIL = "\x00as of\x00", "\x00fresh until\x00"
"""In the holes while an answer is written. JSON escapes the NUL; no text of ours has one."""

_INSTANTS = 4096
"""Instants whose text is kept: in one second there are its own, an hour later, and those of changes to come."""


@dataclass(frozen=True, slots=True)
class Template:
    """An answer but for its instants.

    Args:
        before, between, after: its octets, around the two holes.
        verdict: what it says.
        tag: what tells it from another answer, whatever the instants; an ETag's value.
    """

    before: bytes
    between: bytes
    after: bytes
    verdict: Verdict
    tag: str

    @property
    def terms(self) -> Terms | None:
        """What the approval says then; None where firmware is compared with nothing."""
        return self.verdict.terms

    def filled(self, as_of: datetime) -> bytes:
        """Return the answer as it is at an instant."""
        fresh_until = self.verdict.fresh_until(as_of)
        return b"".join((self.before, octets_of(as_of), self.between, octets_of(fresh_until), self.after))


@dataclass(frozen=True, slots=True)
class Dated(Template):
    """An answer about the past, which speaks of one instant.

    Args:
        at: the instant.
    """

    at: datetime

    @staticmethod
    def of(told: Template, at: datetime) -> "Dated":
        """Return an answer as it is about an instant of the past."""
        return Dated(
            before=told.before,
            between=told.between,
            after=told.after,
            verdict=told.verdict,
            tag=told.tag,
            at=at,
        )

    def filled(self, as_of: datetime) -> bytes:  # noqa: ARG002 - it is the same whenever it is asked
        """Return the answer as it was at its instant."""
        return Template.filled(self, self.at)


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
    before, _, rest = octets.partition(_hole(_AS_OF))
    between, _, after = rest.partition(_hole(_FRESH_UNTIL))
    # The horizon belongs to it: whoever has the answer may rely on it until then, and no longer.
    digest = hashlib.sha256(octets + repr((verdict.lasting, verdict.change)).encode("ascii"))
    tag = f'W/"{digest.hexdigest()}"'
    return Template(before=before, between=between, after=after, verdict=verdict, tag=tag)


def _hole(mark: str) -> bytes:
    return json.dumps(mark).encode("ascii")


@lru_cache(maxsize=_INSTANTS)
def octets_of(at: datetime) -> bytes:
    """Return an instant as it stands in an answer."""
    return f'"{text(at)}"'.encode("ascii")
