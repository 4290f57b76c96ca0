"""A copy in memory: questions are answered from it as the authority answers them.

What is said of a thing is at hand before anybody asks, for as long as it stays the same, and what all answers of one
second share is worked out once. An answer is these two put together: no instant is read or written for it, and nothing
is kept of it, so that the first costs what the hundredth does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from verify.kit.instants import LAST, seconds, text
from verify.kit.status import OVER, Document, Life, Spans, State, Verdict
from verify.kit.stopped import Check, Stopped
from verify.kit.words import said

FRESH_SECONDS, UNSETTLED_SECONDS = 3600, 10
"""For how long an answer may be relied on at most; the second of a no that may turn into a yes at any moment."""

BACK = 5
"""Seconds by which a clock may be set back while a copy is believed. After more nobody knows how old it is: by a clock
that begins anew in 1970 it would be believed for ever."""

VARIANT = ("type", "hardware_version")
"""What tells the variants of a model apart."""

_ABSENT = {"approval": "unknown-approval", "serial": "unknown-serial", "sha256": "not-issued-here"}
"""What is said of a word that names nothing, by what it is to name."""


class Answer(NamedTuple):
    """An answer, and from when to when (seconds since 1970) it may be given and relied on.

    Args:
        what: is said, the same in every answer until it is another; without the instants of this one.
        as_of: when that is so, as it is written.
        fresh_until: until when it may be relied on, as it is written.
        since, until: from when to when.
    """

    what: Mapping[str, Any]
    as_of: str
    fresh_until: str
    since: int
    until: int

    @property
    def members(self) -> dict[str, Any]:
        """The answer as the authority gives it, whoever asks again has another of its own."""
        return {**self.what, "as_of": self.as_of, "fresh_until": self.fresh_until}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ready:
    """What is said of one thing in a span of its life, but for the instants of the answer.

    Args:
        members: of the answer, with its instants still to be put in; shared, and never changed.
        since: from which on that is known.
        change: the first second in which it will be another.
        lasting: seconds for which it may be relied on at most.
    """

    members: Mapping[str, Any]
    since: int
    change: int
    lasting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Moment:
    """What all answers of one second share.

    Args:
        at: the second, in which the copy is believed.
        written: the same as answers have it.
        until: the last second for which one may be relied on, and the same as written, by `_Ready.lasting`.
    """

    at: int
    written: str
    until: Mapping[int, tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a question is about, and what holds of it.

    Args:
        life: of the approval; None where there is none.
        verdict: what holds.
        change: when another will; None for never.
        differing: what several approved models differ in, for the sentence that says so.
    """

    life: Life | None
    verdict: Verdict
    change: int | None
    differing: str = ""


class Holding:
    """All documents, found by everything that they are asked by.

    Args:
        longest: seconds for which a copy is believed after it was proved to be the newest.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._proved: int | None = None
        self._lives: dict[str, Life] = {}
        self._serials: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._models: dict[tuple[str, str], set[str]] = {}
        self._moment: _Moment | None = None
        self._ready: dict[str, dict[str, _Ready]] = {kind: {} for kind in _ABSENT}
        self._absent = {kind: self._said(_nothing(code), {}, 0) for kind, code in _ABSENT.items()}
        self._by_kind = {"approval": self._approval, "serial": self._serial, "sha256": self._digest}

    def take(self, documents: Iterable[Document], proved: int) -> None:
        """Take documents over those of before; what they are worth was checked by whoever hands them in.

        Args:
            documents: those that are new.
            proved: when the copy was the newest, seconds since 1970.

        Raises:
            Stopped: one is none.
        """
        for document in documents:
            try:
                life = Life(document)
                self._put(life)
                self._prepare_all(life, proved)
            except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
                raise Stopped(Check.DOCUMENT, "A row carries a document that is none.") from None
        self._proved, self._moment = proved, None

    def answer(self, kind: str, value: str, now: int) -> Answer:
        """Return what is answered now about an `approval`, a `serial` or a certificate's `sha256`.

        Raises:
            Stopped: the copy is too old.
            ValueError: that is no such question.
        """
        moment = self._moment
        if moment is None or moment.at != now:
            moment = self._turned(now)
        at_hand = self._ready.get(kind)
        if at_hand is None:
            raise _no_question()
        ready = at_hand.get(value)
        if ready is None or not ready.since <= now < ready.change:
            ready = self._prepare(kind, value, now)
        until, written = moment.until[ready.lasting]
        if ready.change <= until:
            until = ready.change - 1
            written = text(until)
        # As Answer(…) does, in half of the time, which would be a tenth of the whole.
        return tuple.__new__(Answer, (ready.members, moment.written, written, now, until))

    def _turned(self, now: int) -> _Moment:
        """Begin a second; Stopped if the copy is not believed in it. It ends with the next, or when rows are taken."""
        last = self._require_new(now)
        ends = {lasting: min(LAST, last, now + lasting) for lasting in (FRESH_SECONDS, UNSETTLED_SECONDS)}
        until = {lasting: (end, text(end)) for lasting, end in ends.items()}
        self._moment = moment = _Moment(at=now, written=text(now), until=until)
        return moment

    def _prepare_all(self, life: Life, at: int) -> None:
        """Have at hand what is said of an approval and of its certificates: of the one that it speaks of, the same."""
        spoken = self._prepare("approval", life.identifier, at)
        verdict, _ = life.approval.at(at)
        for each in life.certificates:
            found = _found(life, life.by_serial[each.serial], at)
            if found.verdict == verdict:
                ready = _Ready(members=spoken.members, since=at, change=_change(found, at), lasting=spoken.lasting)
            else:
                ready = self._said(found, {}, at)
            self._ready["serial"][each.serial] = self._ready["sha256"][each.sha256] = ready

    def _prepare(self, kind: str, value: str, at: int) -> _Ready:
        """Have what is said of something at an instant at hand, for as long as that is the same."""
        found = self._named(kind, value, at)
        if found is None:  # a row may tell of it at any moment
            return self._absent[kind]
        made = self._ready[kind][value] = self._said(found, {}, at)
        return made

    def asked(self, question: Mapping[str, Any], now: int) -> Answer:
        """Return the answer to a question, which has the members of one of /v1/verify.

        A certificate is asked by `sha256`, the digest of its DER.

        Raises:
            Stopped: the copy is too old: it never says yes, nor anything else.
            ValueError: that is no such question.
        """
        last = self._require_new(now)
        at = seconds(question["at"]) if "at" in question else now
        if at > now:
            raise ValueError("an instant that has not come")
        ready = self._said(self._find(question, at), question, at)
        until = min(LAST, at + ready.lasting, ready.change - 1)
        if "at" not in question:
            until = min(until, last)  # of the past nothing grows old
        return Answer(ready.members, text(at), text(until), now, until if "at" not in question else now)

    def _said(self, found: _Found, question: Mapping[str, Any], at: int) -> _Ready:
        codes = self._codes(found, question, at)
        fields = _fields(found, question) if codes else {}
        against = [said(code, fields) for code in codes]
        valid = found.verdict.state is State.ACTIVE and not against
        unsettled = found.verdict.state is State.UNKNOWN or "certificate-not-issued" in found.verdict.codes
        members = {
            "valid": valid,
            "state": found.verdict.state.value,
            **_subject(found),
            "pending": None,
            "deemed_cpa_certificate": valid,
            "reasons": against,
            "as_of": None,
            "fresh_until": None,
            "ocsp": None,
        }
        return _Ready(
            members=members,
            since=at,
            change=_change(found, at),
            lasting=UNSETTLED_SECONDS if unsettled else FRESH_SECONDS,
        )

    @property
    def believed_until(self) -> int | None:
        """The last second in which the copy answers; None before it was ever proved."""
        return None if self._proved is None else self._proved + self._longest

    def _require_new(self, now: int) -> int:
        """Return the last second in which the copy answers; Stopped if it does not now."""
        last = self.believed_until
        if last is None or self._proved is None or not self._proved - BACK <= now <= last:
            raise _too_old()
        return last

    def _put(self, life: Life) -> None:
        old = self._lives.get(life.identifier)
        if old is not None:
            self._models[_model(old.device)].discard(life.identifier)
            for each in old.certificates:
                self._serials.pop(each.serial, None)
                self._digests.pop(each.sha256, None)
                self._ready["serial"].pop(each.serial, None)
                self._ready["sha256"].pop(each.sha256, None)
        self._lives[life.identifier] = life
        self._models.setdefault(_model(life.device), set()).add(life.identifier)
        for each in life.certificates:
            self._serials[each.serial] = life.identifier
            self._digests[each.sha256] = each.serial

    def _find(self, question: Mapping[str, Any], at: int) -> _Found:
        match {name: value for name, value in question.items() if name not in ("at", "device_id")}:
            case {"device": Mapping() as device, **rest} if not rest:
                return self._device(device, at)
            case named if len(named) == 1:
                ((kind, value),) = named.items()
                if kind in _ABSENT and isinstance(value, str):
                    return self._named(kind, value, at) or _nothing(_ABSENT[kind])
        raise _no_question()

    def _named(self, kind: str, value: str, at: int) -> _Found | None:
        """Find what is asked by one word; None if there is no such thing."""
        return self._by_kind[kind](value, at)

    def _approval(self, identifier: str, at: int) -> _Found | None:
        life = self._lives.get(identifier)
        return None if life is None else _found(life, life.approval, at)

    def _serial(self, serial: str, at: int) -> _Found | None:
        identifier = self._serials.get(serial)
        if identifier is None:
            return None
        life = self._lives[identifier]
        return _found(life, life.by_serial[serial], at)

    def _digest(self, digest: str, at: int) -> _Found | None:
        return self._serial(self._digests.get(digest, ""), at)

    def _device(self, asked: Mapping[str, str], at: int) -> _Found:  # S9
        lives = [self._lives[each] for each in sorted(self._models.get(_model(asked), ()))]
        fitting = [life for life in lives if all(_fits(asked.get(name), life.device[name]) for name in VARIANT)]
        if not fitting:
            return _nothing("device-not-approved")
        each = [_found(life, life.approval, at) for life in fitting]
        change = min((one.change for one in each if one.change is not None), default=None)
        granted = [one for one in each if one.verdict.state is not State.UNKNOWN]
        devices = [one.life.device for one in granted if one.life is not None]
        differing = [name for name in VARIANT if len({device[name].casefold() for device in devices}) > 1]
        if differing:
            return _nothing("device-ambiguous", differing=", ".join(differing), change=change)
        chosen = max(granted, key=_rank, default=None) or min(each, key=lambda one: one.life.granted if one.life else 0)
        return replace(chosen, change=change)

    def _codes(self, found: _Found, question: Mapping[str, Any], at: int) -> Sequence[str]:
        codes, life, verdict = list(found.verdict.codes), found.life, found.verdict
        if life is None:
            return codes
        if verdict.state in OVER:
            ends = {life.ended, None if verdict.certificate is None else verdict.certificate.revoked}
            if any(each in ends and each <= at for each in life.disputed):
                codes.append("end-disputed")
        terms = None if verdict.state is State.UNKNOWN else life.terms_of(verdict)
        if terms is not None and "device" in question:
            against = _firmware(terms, question["device"])
            codes += [] if against is None else [against]
        if terms is not None and "device_id" in question:
            codes.append("not-known-to-a-copy")
        return codes


def _no_question() -> ValueError:
    return ValueError("name exactly one of approval, serial, sha256 and device")


def _too_old() -> Stopped:
    return Stopped(
        Check.TOO_OLD, "The copy was not proved to be the newest for longer than is allowed, or the clock went back."
    )


def _firmware(terms: Document, device: Mapping[str, str]) -> str | None:
    version, image = device.get("firmware_version"), device.get("firmware_hash")
    if version is None:
        return None
    images = {one["image_digest"] for one in terms["firmware"] if one["version"].casefold() == version.casefold()}
    if not images:
        return "firmware-not-approved"
    return "firmware-hash-mismatch" if image is not None and image.lower() not in images else None


def _found(life: Life, spans: Spans, at: int) -> _Found:
    verdict, change = spans.at(at)
    return _Found(life=life, verdict=verdict, change=change)


def _change(found: _Found, at: int) -> int:
    turns = [LAST + 1 if found.change is None else found.change]
    if found.life is not None:  # an end that is not the first does not change the state, and may be disputed
        turns += [each for each in found.life.disputed if each > at]
    return min(turns)


def _nothing(code: str, *, change: int | None = None, differing: str = "") -> _Found:
    verdict = Verdict(state=State.UNKNOWN, codes=(code,))
    return _Found(life=None, verdict=verdict, change=change, differing=differing)


def _fields(found: _Found, question: Mapping[str, Any]) -> Mapping[str, object]:
    """Return what the sentences name."""
    words = {} if found.life is None else found.life.words(found.verdict)
    return {**words, "fields": found.differing, "version": question.get("device", {}).get("firmware_version")}


def _subject(found: _Found) -> dict[str, object]:
    life, certificate = found.life, found.verdict.certificate
    return {
        "approval": None if life is None else life.identifier,
        "issue": None if certificate is None else certificate.issue,
        "serial": None if certificate is None else certificate.serial,
        "not_before": None if certificate is None else text(certificate.not_before),
        "not_after": None if certificate is None else text(certificate.not_after),
        "device": None if life is None else dict(life.device),
    }


def _rank(found: _Found) -> tuple[int, int, str]:
    """The active before the one that will begin soonest, before the one that ended last."""
    life, verdict = found.life, found.verdict
    if life is None:
        return (-1, 0, "")
    if verdict.state is State.ACTIVE:
        return (2, 0, life.identifier)
    if verdict.state is State.NOT_YET_STARTED:
        return (1, -life.start, life.identifier)
    end = seconds(life.terms[-1]["expiry"]) if verdict.certificate is None else verdict.certificate.end
    return (0, end if life.ended is None else life.ended, life.identifier)


def _model(device: Mapping[str, str]) -> tuple[str, str]:
    return device["manufacturer"].casefold(), device["model"].casefold()


def _fits(asked: str | None, actual: str) -> bool:
    return asked is None or asked.casefold() == actual.casefold()
