"""How a certificate ended, as a list or an OCSP answer states it, and whether several of them tell one story."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from cryptography import x509

from verify.kit.instants import written
from verify.kit.status import State


class RevocationReason(IntEnum):
    """The reasons of RFC 5280, 5.3.1, that this authority gives; the values are those of CRLReason."""

    KEY_COMPROMISE = 1
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    PRIVILEGE_WITHDRAWN = 9


_REASONS: dict[x509.ReasonFlags, RevocationReason] = {
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
}


@dataclass(frozen=True)
class Ended:
    """An end, as it is stated.

    Args:
        at: the first second in which the certificate no longer holds.
        reason: why; None where none is stated, or one that this authority does not use.
    """

    at: datetime
    reason: RevocationReason | None


@dataclass(frozen=True)
class Testimony:
    """What one authentic source says of one certificate.

    Args:
        source: its name for people, “CRL 7” or “OCSP answer”.
        this_update, next_update: between which it speaks, both inclusive.
        ended: the end it states; None if it states none.
    """

    source: str
    this_update: datetime
    next_update: datetime
    ended: Ended | None

    def covers(self, at: datetime) -> bool:
        """Return whether it speaks of `at`."""
        return self.this_update <= at <= self.next_update


def reason_of(flag: x509.ReasonFlags | None) -> RevocationReason | None:
    """Return our name of a reason code; None for one that this authority does not use."""
    return _REASONS.get(flag) if flag is not None else None


def state_of(ended: Ended, not_after: datetime) -> State:
    """Return the state that an end means.

    The first end wins, so whatever is dated after notAfter is the expiry. Before it, only a cessation is the
    Manufacturer's own wish; everything else, an unknown reason included, is a cancellation.
    """
    if ended.at > not_after:
        return State.EXPIRED
    withdrawn = ended.reason is RevocationReason.CESSATION_OF_OPERATION
    return State.WITHDRAWN if withdrawn else State.CANCELLED


def first_end(testimonies: Sequence[Testimony], at: datetime) -> Ended | None:
    """Return the earliest end that any source states and that has come by `at`. An end once stated is for ever."""
    ends = [testimony.ended for testimony in testimonies if testimony.ended and testimony.ended.at <= at]
    return min(ends, key=lambda ended: ended.at, default=None)


def contradictions(testimonies: Sequence[Testimony]) -> tuple[str, ...]:
    """Return a sentence for each source that does not state an end which had come when it was made.

    A source older than the end is merely old: it could not know.
    """
    found = []
    for witness in testimonies:
        for other in testimonies:
            ended = witness.ended
            if ended is not None and other.this_update >= ended.at and other.ended != ended:
                says = f"{_words(other.ended)}" if other.ended else "no end"
                found.append(f"{witness.source} states {_words(ended)}, {other.source} states {says}.")
    return tuple(found)


def _words(ended: Ended) -> str:
    reason = ended.reason.name.lower() if ended.reason else "no reason known here"
    return f"an end at {written(ended.at)} ({reason})"
