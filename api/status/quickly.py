"""Questions that are asked as nearly everybody asks them, answered from what is kept.

What is not asked so, or has to be refused, is left to the plain way, which answers everything: nothing is decided here,
and whatever is kept was found by the plain way first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias, assert_never

from api.status.at_hand import Place, at_hand, keep
from api.status.certificates import der_of
from api.status.finished import Finished
from api.status.questions import ByApproval, ByCertificate, ByDevice, BySerial, Question, device_of
from api.status.snapshot import Snapshot
from api.status.template import Template, template
from api.status.verify import PastAnswer, against_firmware, against_unit, is_variant, verdict
from core.errors import TrialCpaError
from core.identifiers import Serial, parse_device_id
from core.instants import read_instant, seconds
from core.json_text import Plain, read_plain
from core.mirror import SignedAnswer

Named: TypeAlias = ByApproval | BySerial | ByCertificate
"""What an approval or its certificate is called by."""

_NARROWING = frozenset({"at", "device_id"})
_LONGEST = 32
"""Characters of an instant or a unit as nearly everybody writes it."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a question is about.

    Args:
        finished: what has been answered of the approval.
        subject: what is kept under; of a device whose model has one approval, that approval.
        device: as it was asked about, if it was one.
    """

    finished: Finished
    subject: Named
    device: ByDevice | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """What the past is kept under: of an approval there are as many spans as there are instants that change it.

    Args:
        asked: what is kept under of the same question about the present.
        since: the first instant of the span in which nothing changes.
    """

    asked: str
    since: datetime


@dataclass(frozen=True, slots=True)
class OverLimit:
    """What is kept under of a unit that would be one too many; the last count alone is kept.

    Args:
        asked: what is kept under of the same question without a unit.
    """

    asked: str | Then


PROVED = 8
"""Instants of the past, of each name of an approval, whose answers are kept although the store alone has the proof."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What is kept under of an instant of the past for which the store was asked; one takes another's place.

    Args:
        asked: what is kept under of the same question about the present.
        place: of the instant, among so few.
    """

    asked: str
    place: int


@dataclass(frozen=True, slots=True)
class _Proof:
    """An answer that the store was asked for, and the instant that it speaks of."""

    at: datetime
    told: Template


@dataclass(frozen=True, slots=True)
class _Counted:
    """An answer about a unit too many, and how many are deployed without it."""

    deployed: int
    told: Template


class Answered(NamedTuple):
    """An answer to one question.

    Args:
        told: the answer.
        as_of: the instant that it speaks of.
        place: where it is kept under the words of the question; None if it is not.
    """

    told: Template
    as_of: datetime
    place: Place | None = None


def quickly(view: Snapshot, body: bytes, now: datetime, past_answer: PastAnswer) -> Answered | None:
    """Return the answer to a question; None if the plain way has to be gone.

    Args:
        view: what is known.
        body: the question, as it was sent.
        now: the present instant.
        past_answer: as for `verdict`.

    Raises:
        StoreUnavailable: from `past_answer`, as whatever else it raises.
    """
    asked = None if view.went_back else read_plain(body)
    if asked is None:
        return None
    if len(asked) > 1:
        return _narrowed(view, asked, now, past_answer)
    ((name, value),) = asked.items()
    near = at_hand(view, name, value, now)
    if near is not None:
        return Answered(near[0], now, near[1])
    meant = _meant(view, name, value)
    told = None if meant is None else _if_approved(meant, _kept(view, meant, now, past_answer))
    if meant is None or told is None:
        return None
    return Answered(told, now, keep(meant.finished, meant.subject, value, told, now))


def of_approval(view: Snapshot, identifier: str, now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer about an approval's present; None if it is not named in the one form in which it is written."""
    near = None if view.went_back else at_hand(view, "approval", identifier, now)
    if near is not None:
        return near[0]
    meant = None if view.went_back else _entry(view, identifier, ByApproval(identifier))
    return None if meant is None else _kept(view, meant, now, past_answer)


def _meant(view: Snapshot, name: str, value: str | Mapping[str, str]) -> _Meant | None:
    """Return what a question's member names; None if there is no such approval, or it has to be refused."""
    match name, value:
        case "approval", str():
            return _entry(view, value, ByApproval(value))
        case "serial", str():
            return _entry(view, view.serials.get(Serial(value)), BySerial(Serial(value)))
        case "certificate", str():
            return _certificate(view, value)
        case "device", Mapping():
            return _device(view, value)
    return None


def _entry(view: Snapshot, identifier: str | None, subject: Named, device: ByDevice | None = None) -> _Meant | None:
    finished = None if identifier is None else view.finished.get(identifier)
    return None if finished is None else _Meant(finished, subject, device)


def _certificate(view: Snapshot, pem: str) -> _Meant | None:
    try:
        presented = ByCertificate(der_of(pem))
    except TrialCpaError:
        return None  # to be refused
    found = view.fingerprints.get(presented.fingerprint)
    return None if found is None else _entry(view, view.serials.get(found), presented)


def _device(view: Snapshot, members: Mapping[str, str]) -> _Meant | None:
    """Return the one approval of a device's model."""
    try:
        asked = device_of(members)
    except TrialCpaError:
        return None  # to be refused
    names = view.named(asked.manufacturer, asked.model)
    if len(names) != 1:
        return None
    (identifier,) = names
    if not is_variant(asked, view.approvals[identifier].record.device):
        return None
    return _entry(view, identifier, ByApproval(identifier), asked)


def _if_approved(meant: _Meant, told: Template) -> Template | None:
    """Return the answer unless something is to be said against the firmware of the device that was asked about."""
    if meant.device is not None and told.terms is not None and against_firmware(told.terms, meant.device) is not None:
        return None
    return told


def _kept(view: Snapshot, meant: _Meant, now: datetime, past_answer: PastAnswer) -> Template:
    """Return what is kept of an approval for a question, or what the plain way says, kept from now on."""
    name = kept_as(meant.subject)
    kept = meant.finished.find(name, Template, now)
    if kept is None:
        kept = template(verdict(view, Question(meant.subject), now, past_answer))
        meant.finished.keep(name, kept, now, size=kept.size)
    return kept


def kept_as(subject: Named) -> str:
    """Return what an answer about the present is kept under: a text, which is compared in no time."""
    match subject:
        case ByApproval():
            return subject.identifier
        case BySerial():
            return subject.serial
        case ByCertificate():
            return subject.fingerprint
        case _:
            assert_never(subject)


# --- one unit, and the past --------------------------------------------------------------------------------------


def _narrowed(view: Snapshot, asked: Plain, now: datetime, past_answer: PastAnswer) -> Answered | None:
    rest = [(name, value) for name, value in asked.items() if name not in _NARROWING]
    if len(rest) != 1:
        return None
    meant = _meant(view, *rest[0])
    if meant is None:
        return None
    try:
        at = read_instant(_short(asked["at"])) if "at" in asked else None
        unit = parse_device_id(_short(asked["device_id"])) if "device_id" in asked else None
    except (TrialCpaError, ValueError):
        return None  # to be refused
    if (at is not None and at > now) or (unit is not None and view.deployed is None):
        return None
    if at is None:
        key: str | Then = kept_as(meant.subject)
        told = _if_approved(meant, _kept(view, meant, now, past_answer))
    else:
        key = Then(kept_as(meant.subject), meant.finished.span(at)[0])
        told = _if_approved(meant, _then(view, meant, key, at, past_answer))
    if told is not None and unit is not None:
        told = _of_unit(view, meant, key, told, Question(meant.subject, at, unit), now, past_answer)
    return None if told is None else Answered(told, now if at is None else at)


def _short(value: str | Mapping[str, str]) -> str:
    if isinstance(value, str) and len(value) <= _LONGEST:
        return value
    raise ValueError("it is not written as nearly everybody writes it")


def _then(view: Snapshot, meant: _Meant, key: Then, at: datetime, past_answer: PastAnswer) -> Template:
    """Return the same of the past.

    What rests upon an answer that the store alone has kept is kept for that very instant. Another answer that covers it
    would be told by a fact, and be another entry.
    """
    kept = meant.finished.find(key, Template, at)
    if kept is not None:
        return kept
    place = Proved(key.asked, seconds(at) % PROVED)
    proved = meant.finished.find(place, _Proof, at)
    if proved is not None and proved.at == at:
        return proved.told
    proof = _Noted(past_answer)
    told = template(verdict(view, Question(meant.subject, at), at, proof))
    if proof.asked:
        meant.finished.keep(place, _Proof(at, told), at, size=told.size)
    else:
        meant.finished.keep(key, told, at, size=told.size)
    return told


def _of_unit(
    view: Snapshot,
    meant: _Meant,
    key: str | Then,
    told: Template,
    question: Question,
    now: datetime,
    past_answer: PastAnswer,
) -> Template:
    """Return what is answered of a unit: the same as without it, unless it would be one too many."""
    as_of, terms = now if question.at is None else question.at, told.terms
    if terms is None or question.device_id is None:
        return told
    units = view.units(meant.finished.identifier, question.device_id, as_of)
    if against_unit(terms, units) is None:
        return told
    counted = meant.finished.find(OverLimit(key), _Counted, as_of)
    if counted is None or counted.deployed != units.deployed:
        found = verdict(view, question, now, past_answer, lambda *_: units)
        counted = _Counted(units.deployed, template(found))
        meant.finished.keep(OverLimit(key), counted, as_of, size=counted.told.size)
    return counted.told


class _Noted:
    """Looks an answer of the past up, and knows whether it was asked to."""

    def __init__(self, past_answer: PastAnswer) -> None:
        self._past_answer = past_answer
        self.asked = False

    def __call__(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        self.asked = True
        return self._past_answer(serial, at)
