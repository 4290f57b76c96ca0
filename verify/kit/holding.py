"""A copy in memory: questions are answered from it as the authority answers them, and what was answered is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

MOST_KEPT = 1_000_000
"""Answers that are kept; beyond it all are forgotten."""


class Answer(NamedTuple):
    """An answer, and from when to when (seconds since 1970) it may be given and relied on."""

    members: Mapping[str, Any]
    since: int
    until: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ready:
    """What is said of one thing in a span of its life, but for the instants of the answer.

    Args:
        members: of the answer; its instants are still to be put in.
        since: from which on that is known.
        change: the first second in which it will be another.
        lasting: seconds for which it may be relied on at most.
    """

    members: dict[str, Any]
    since: int
    change: int
    lasting: int


@dataclass(frozen=True, kw_only=True)
class _Found:
    life: Life | None
    verdict: Verdict
    change: int | None
    fields: Mapping[str, object]


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
        self._kept: dict[tuple[str, str], Answer] = {}
        self._ready: dict[tuple[str, str], _Ready] = {}

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
                self._prepare("approval", life.identifier, proved)
            except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
                raise Stopped(Check.DOCUMENT, "A row carries a document that is none.") from None
        self._kept.clear()
        self._proved = proved

    def answer(self, kind: str, value: str, now: int) -> Answer:
        """Return what is answered now about an `approval`, a `serial` or a certificate's `sha256`.

        Raises:
            Stopped: the copy is too old.
            ValueError: that is no such question.
        """
        kept = self._kept.get((kind, value))
        if kept is not None and kept.since <= now <= kept.until:
            return kept
        ready = self._ready.get((kind, value))
        if ready is None or not ready.since <= now < ready.change:
            ready = self._prepare(kind, value, now)
        until = self._require_new(now)
        until = min(until, now + ready.lasting)
        if ready.change <= until:
            until = ready.change - 1
        members = ready.members.copy()
        members["as_of"], members["fresh_until"] = text(now), text(until)
        made = Answer(members, now, until)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[kind, value] = made
        return made

    def _prepare(self, kind: str, value: str, at: int) -> _Ready:
        """Have what is said of something at an instant at hand, for as long as that is the same."""
        made = self._said({kind: value}, at)
        if made.members["approval"] is not None:  # of what is not there a row may tell at any moment
            self._ready[kind, value] = made
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
        ready = self._said(question, at)
        until = min(LAST, at + ready.lasting, ready.change - 1)
        if "at" not in question:
            until = min(until, last)  # of the past nothing grows old
        members = {**ready.members, "as_of": text(at), "fresh_until": text(until)}
        return Answer(members, now, until if "at" not in question else now)

    def _said(self, question: Mapping[str, Any], at: int) -> _Ready:
        found = self._find(question, at)
        asked = question.get("device", {})
        fields = {**found.fields, "version": asked.get("firmware_version")}
        against = [said(code, fields) for code in self._codes(found, question, at)]
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
            change=LAST + 1 if found.change is None else found.change,
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
                self._ready.pop(("serial", each.serial), None)
                self._ready.pop(("sha256", each.sha256), None)
        self._lives[life.identifier] = life
        self._models.setdefault(_model(life.device), set()).add(life.identifier)
        for each in life.certificates:
            self._serials[each.serial] = life.identifier
            self._digests[each.sha256] = each.serial

    def _find(self, question: Mapping[str, Any], at: int) -> _Found:
        match {name: value for name, value in question.items() if name not in ("at", "device_id")}:
            case {"approval": str() as identifier, **rest} if not rest:
                life = self._lives.get(identifier)
                return _nothing("unknown-approval") if life is None else _found(life, life.approval, at)
            case {"serial": str() as serial, **rest} if not rest:
                return self._certificate(serial, "unknown-serial", at)
            case {"sha256": str() as digest, **rest} if not rest:
                return self._certificate(self._digests.get(digest, ""), "not-issued-here", at)
            case {"device": Mapping() as device, **rest} if not rest:
                return self._device(device, at)
        raise ValueError("name exactly one of approval, serial, sha256 and device")

    def _certificate(self, serial: str, absent: str, at: int) -> _Found:
        identifier = self._serials.get(serial)
        if identifier is None:
            return _nothing(absent)
        life = self._lives[identifier]
        return _found(life, life.by_serial[serial], at)

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
            return _nothing("device-ambiguous", fields=", ".join(differing), change=change)
        chosen = max(granted, key=_rank, default=None) or min(each, key=lambda one: one.life.granted if one.life else 0)
        return _Found(life=chosen.life, verdict=chosen.verdict, change=change, fields=chosen.fields)

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
    return _Found(life=life, verdict=verdict, change=change, fields=life.words(verdict))


def _nothing(code: str, *, change: int | None = None, fields: str = "") -> _Found:
    verdict = Verdict(state=State.UNKNOWN, codes=(code,))
    return _Found(life=None, verdict=verdict, change=change, fields={"fields": fields})


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
