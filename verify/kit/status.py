"""What is true of an approval and of each of its certificates, at every instant: written anew from the documents.

A document's life is divided into spans in which nothing changes; what holds at an instant is the span in which it lies.
The rules are numbered in verify/README.md (S1 to S9).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

from verify.kit.instants import after, seconds, text

Document: TypeAlias = Mapping[str, Any]


_DEVICE = ("type", "manufacturer", "model", "hardware_version")


class State(StrEnum):
    """What an answer says in one word."""

    NOT_YET_STARTED = "not_yet_started"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


OVER = frozenset({State.CANCELLED, State.EXPIRED, State.WITHDRAWN})

_CAUSES: Mapping[str, tuple[State, str]] = {
    "ssc": (State.CANCELLED, "revoked"),
    "breach": (State.CANCELLED, "revoked-for-breach"),
    "key-compromise": (State.CANCELLED, "key-compromise"),
    "manufacturer": (State.WITHDRAWN, "withdrawn-at-request"),
    "change-withdrawn": (State.CANCELLED, "change-withdrawn"),
}


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate of a document, with its end worked out; instants are seconds since 1970.

    Args:
        serial, issue, sha256: as in the document.
        not_before, not_after: both inclusive.
        signed: when it was recorded.
        revoked: the revoking commit, if there was one.
        end, state, code: the first second in which it does not hold, and what is said from then on.
        issuer_ended: when the CA that signed it was ended before its time.
    """

    serial: str
    issue: int
    sha256: str
    not_before: int
    not_after: int
    signed: int
    revoked: int | None
    end: int
    state: State
    code: str
    issuer_ended: int | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What holds in a span.

    Args:
        state: in one word.
        codes: of reasons against; none exactly where it is active and nothing is against it.
        certificate: the one that is spoken of.
        ended: the instant that the reasons name.
    """

    state: State
    codes: tuple[str, ...]
    certificate: Certificate | None = None
    ended: int | None = None


class Spans:
    """Verdicts by time.

    Args:
        turns: every instant at which one may change.
        then: what holds at an instant.
    """

    def __init__(self, turns: Iterable[int], then: Callable[[int], Verdict]) -> None:
        self._first = then(min(turns := sorted(set(turns))) - 1)
        self._since: list[int] = []
        self._held: list[Verdict] = []
        last = self._first
        for turn in turns:
            found = then(turn)
            if found != last:
                self._since.append(turn)
                self._held.append(found)
            last = found

    def at(self, at: int) -> tuple[Verdict, int | None]:
        """Return what holds at an instant, and the next one from which something else does; None if there is none."""
        place = bisect_right(self._since, at)
        change = self._since[place] if place < len(self._since) else None
        return (self._held[place - 1] if place else self._first), change


class Life:
    """One document, read: its verdicts at every instant, of the approval and of each certificate.

    Args:
        document: as a leaf of the log carries it.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """

    def __init__(self, document: Document) -> None:
        _require_form(document)
        self.document = document
        self.identifier: str = document["approval"]
        self.device: Mapping[str, str] = document["device"]
        self.granted, self.start = seconds(document["granted"]), seconds(document["start"])
        self.terms: Sequence[Document] = document["terms"]
        self.expiry = seconds(self.terms[0]["expiry"])
        self.certificates = [_certificate(each) for each in document["certificates"]]
        self.ended = _perhaps(document["ended_at"])
        cause = document["end_cause"]
        self._how = None if cause is None else _CAUSES[cause]
        self.disputed = frozenset(seconds(each) for each in document["disputed"])
        of_approval = {self.granted, self.start, after(self.expiry)} | (set() if self.ended is None else {self.ended})
        turns = [_turns(each) for each in self.certificates]
        self.approval = Spans(of_approval.union(*turns), self._approval)
        self.by_serial = {
            each.serial: Spans({self.granted, *mine}, partial(self._of, each))
            for each, mine in zip(self.certificates, turns, strict=True)
        }

    def terms_of(self, verdict: Verdict) -> Document | None:
        """Return the terms that hold with a verdict; None where nothing had been granted."""
        if verdict.certificate is None:
            return None if "not-granted-then" in verdict.codes else self.terms[0]
        return next(each for each in self.terms if each["issue"] == verdict.certificate.issue)

    def words(self, verdict: Verdict) -> Mapping[str, object]:
        """Return what the sentences about a verdict name."""
        certificate = verdict.certificate
        issue = 0 if certificate is None else certificate.issue
        later = [each.issue for each in self.certificates if each.issue > issue]
        return {
            "granted": text(self.granted),
            "start": text(self.start if certificate is None else certificate.not_before),
            "expiry": text(self.expiry if certificate is None else certificate.not_after),
            "ended": "" if verdict.ended is None else text(verdict.ended),
            "later": min(later, default=issue + 1),
        }

    def _approval(self, at: int) -> Verdict:
        if at < self.granted:  # S1
            return Verdict(state=State.UNKNOWN, codes=("not-granted-then",))
        certificate = self._spoken_of(at)
        if self.ended is not None and self._how is not None and self.ended <= at:  # S2
            state, code = self._how
            codes = (code,) if certificate else (code, "certificate-not-issued")
            return Verdict(state=state, codes=codes, certificate=certificate, ended=self.ended)
        if certificate is not None:
            return self._of(certificate, at)
        if at > self.expiry:  # S4
            return Verdict(state=State.EXPIRED, codes=("expired", "certificate-not-issued"))
        if at < self.start:
            return Verdict(state=State.NOT_YET_STARTED, codes=("not-yet-started", "certificate-not-issued"))
        return Verdict(state=State.ACTIVE, codes=("certificate-not-issued",))

    def _spoken_of(self, at: int) -> Certificate | None:  # S3
        known = [each for each in self.certificates if each.signed <= at]
        begun = [each for each in known if each.not_before <= at and each.not_before < each.end]
        if begun:
            return max(begun, key=lambda each: each.issue)
        return min(known, key=lambda each: (each.end <= at, each.issue), default=None)

    def _of(self, certificate: Certificate, at: int) -> Verdict:
        if at < certificate.signed:  # S5
            code = "not-granted-then" if at < self.granted else "certificate-not-issued"
            return Verdict(state=State.UNKNOWN, codes=(code,), certificate=certificate)
        if certificate.end <= at:  # S6
            code, end = certificate.code, certificate.end
            return Verdict(state=certificate.state, codes=(code,), certificate=certificate, ended=end)
        without_issuer = certificate.issuer_ended is not None and certificate.issuer_ended <= at  # S8
        codes = ("issuing-ca-ended",) if without_issuer else ()
        state = State.ACTIVE
        if at < certificate.not_before:  # S7
            state, codes = State.NOT_YET_STARTED, ("not-yet-started", *codes)
        ended = certificate.issuer_ended if without_issuer else None
        return Verdict(state=state, codes=codes, certificate=certificate, ended=ended)


def _certificate(said: Document) -> Certificate:
    """Work the first end out: by time, by a later issue, by an act, in that order where two share a second (S6)."""
    revoked, superseded = _perhaps(said["revoked_at"]), _perhaps(said["superseded_at"])
    ends = [(after(seconds(said["not_after"])), 0, (State.EXPIRED, "expired"))]
    if superseded is not None:
        ends.append((superseded, 1, (State.CANCELLED, "superseded")))
    if revoked is not None and said["cause"] is not None:
        ends.append((revoked, 2, _CAUSES[said["cause"]]))
    end, _, (state, code) = min(ends, key=lambda each: each[:2])
    return Certificate(
        serial=said["serial"],
        issue=said["issue"],
        sha256=said["sha256"],
        not_before=seconds(said["not_before"]),
        not_after=seconds(said["not_after"]),
        signed=seconds(said["signed_at"]),
        revoked=revoked,
        end=end,
        state=state,
        code=code,
        issuer_ended=_perhaps(said["issuer_ended_at"]),
    )


def _require_form(document: Document) -> None:
    """Require whatever is looked at later than here, when an answer is given: what is no text or list raises there."""
    device, terms, certificates = document["device"], document["terms"], document["certificates"]
    issues = [each["issue"] for each in (*terms, *certificates)]
    words = [document["approval"], *(device[name] for name in _DEVICE)]
    words += [each[name] for each in certificates for name in ("serial", "sha256")]
    words += [each[name] for term in terms for each in term["firmware"] for name in ("version", "image_digest")]
    lists = [terms, certificates, document["disputed"], *(each["firmware"] for each in terms)]
    if not all(type(each) is list for each in lists) or not terms or not all(isinstance(each, str) for each in words):
        raise ValueError("it is no document of an approval")
    known = {each["issue"] for each in terms}
    if not all(type(each) is int for each in issues) or not all(each["issue"] in known for each in certificates):
        raise ValueError("its issues are not those of its terms")


def _turns(certificate: Certificate) -> set[int]:
    turns = {certificate.signed, certificate.not_before, certificate.end}
    return turns if certificate.issuer_ended is None else turns | {certificate.issuer_ended}


def _perhaps(said: str | None) -> int | None:
    return None if said is None else seconds(said)
