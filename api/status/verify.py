"""The answer of /v1/verify: core/status.py's verdict on what was asked, in the words of the contract.

Nothing is decided here. What is added is the look-up, the questions about firmware and units, and the signed proof.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from api.status.answers import newest_true_answer
from api.status.certificates import is_ours
from api.status.lasting import lasting_until, not_beyond
from api.status.questions import ByApproval, ByCertificate, ByDevice, BySerial, Question
from api.status.snapshot import Snapshot
from core.approval import VARIANT_MEMBERS, ApprovalRecord, CertificateRecord, Device, Terms
from core.canonical import Json
from core.clauses import serves
from core.errors import RegisterWentBack
from core.identifiers import Serial
from core.instants import text
from core.kinds import HierarchyRole
from core.mirror import Held, SignedAnswer, Units
from core.reasons import Reason, ReasonCode, reason
from core.status import ENDED, State, Status, approval_status, certificate_end, certificate_status, revocation_at
from core.waiting import pending

FRESH_FOR = timedelta(hours=1)
"""How long an answer may be relied on at most, where no change is known to come sooner."""

UNSETTLED_FRESH_FOR = timedelta(seconds=10)
"""How long a no holds that the authority itself may turn into a yes at any moment: unknown, or not yet recorded."""

_ABOUT_UNITS = frozenset(
    {ReasonCode.FIRMWARE_NOT_APPROVED, ReasonCode.FIRMWARE_HASH_MISMATCH, ReasonCode.LIMIT_REACHED}
)

PastAnswer = Callable[[Serial, datetime], SignedAnswer | None]
"""Looks an OCSP answer (SHA-256 CertID) of the past up; may raise StoreUnavailable."""

UnitsAt = Callable[[str, str, datetime], Units]
"""Tells whether a device is deployed under an approval at an instant, else how many are; may raise."""


@dataclass(frozen=True)
class _Found:
    """What was asked about, and what is true of it; `held` is None where nothing of ours was meant."""

    held: Held | None
    status: Status

    @property
    def record(self) -> ApprovalRecord:
        """The approval, where there is one."""
        if self.held is None:
            raise ValueError("nothing of ours was found")
        return self.held.record


@dataclass(frozen=True)
class Verdict:
    """The answer to one question, but for the instant that it speaks of.

    Args:
        members: of the answer, all but `as_of` and `fresh_until`.
        lasting: how long it may be relied on at most.
        change: the next instant at which it will be another one, as far as is known.
        terms: what the firmware of a device is compared with; None where it is compared with nothing.
        reasons: what is against it, as in `members`.
    """

    members: Mapping[str, Json]
    lasting: timedelta
    change: datetime | None
    terms: Terms | None
    reasons: tuple[Reason, ...]

    def fresh_until(self, as_of: datetime) -> datetime:
        """Return the last instant for which the answer given at `as_of` may be relied on."""
        return not_beyond(lasting_until(as_of, self.lasting), self.change)

    def document(self, as_of: Json, fresh_until: Json) -> dict[str, Json]:
        """Return the whole answer, in the contract's order."""
        said = {**self.members, "as_of": as_of, "fresh_until": fresh_until}
        return {name: said[name] for name in MEMBERS}


MEMBERS = (
    *("valid", "state", "approval", "issue", "serial", "not_before", "not_after", "device", "pending"),
    *("deemed_cpa_certificate", "reasons", "as_of", "fresh_until", "ocsp"),
)
"""Of an answer, in the contract's order."""


def answer(
    view: Snapshot, question: Question, now: datetime, past_answer: PastAnswer, units: UnitsAt | None = None
) -> dict[str, Json]:
    """Return the answer to one question, as `verdict` finds it, with its two instants."""
    as_of = now if question.at is None else question.at
    found = verdict(view, question, now, past_answer, units)
    return found.document(text(as_of), text(found.fresh_until(as_of)))


def verdict(
    view: Snapshot, question: Question, now: datetime, past_answer: PastAnswer, units: UnitsAt | None = None
) -> Verdict:
    """Return what is answered to one question.

    `as_of` is the instant that it speaks of. From there to `fresh_until` it would have been the same, as far as is
    known: at most an hour, never up to the next known change. The same holds for a past instant: history does not
    change, so the two say between which instants the answer was true. Units deployed at a past instant are counted as
    they are known now: what was reported late or corrected since counts as it was in truth.

    Args:
        view: what is known.
        question: what is asked.
        now: the present instant.
        past_answer: asked for a proof only where `question.at` is given and the snapshot holds none.
        units: asked only where `question.device_id` is given; None only where no question names a unit.

    Raises:
        StoreUnavailable: from `past_answer` or `units`.
        RegisterWentBack: the register did, and what is asked about has not ended as far as it says.
    """
    as_of = now if question.at is None else question.at
    found = _find(view, question, as_of)
    status = found.status
    if view.went_back and status.state not in ENDED:
        raise RegisterWentBack
    reasons = (*status.reasons, *_disputed(found, as_of), *_against_units(found, question, as_of, units))
    valid = status.state is State.ACTIVE and not reasons
    proof = _proof(found, reasons, as_of, past_answer if question.at is not None else None)
    members: dict[str, Json] = {
        "valid": valid,
        "state": status.state.value,
        **_subject(found),
        "pending": _pending(found, question, as_of),
        "deemed_cpa_certificate": valid,  # F2.26
        "reasons": [
            {"code": one.code.value, "clause": one.clause, "detail": one.detail, "remedy": one.remedy}
            for one in reasons
        ],
        "ocsp": None if proof is None else base64.b64encode(proof.der).decode("ascii"),
    }
    return Verdict(
        members=members,
        lasting=_lasting(status, reasons),
        change=status.next_change,
        terms=_compared(found),
        reasons=reasons,
    )


def _subject(found: _Found) -> dict[str, Json]:
    certificate = found.status.certificate
    record = None if found.held is None else found.held.record
    return {
        "approval": None if record is None else record.identifier,
        "issue": None if certificate is None else certificate.issue,
        "serial": None if certificate is None else certificate.serial,
        "not_before": None if certificate is None else text(certificate.not_before),
        "not_after": None if certificate is None else text(certificate.not_after),
        "device": None if record is None else {**record.device.said()},
    }


def _pending(found: _Found, question: Question, as_of: datetime) -> list[Json]:
    """What is decided and waits: of an approval, not of one certificate, which says what it says."""
    if found.held is None or isinstance(question.subject, ByCertificate | BySerial) or found.status.state in ENDED:
        return []
    return [
        {
            "issue": each.issue,
            "decision": each.decision,
            "effective": text(each.effective),
            "changes": [{"subject": one.subject, "before": one.before, "after": one.after} for one in each.changes],
        }
        for each in pending(found.record, as_of)
    ]


# --- looking up --------------------------------------------------------------------------------------------------


def _find(view: Snapshot, question: Question, at: datetime) -> _Found:
    match question.subject:
        case ByApproval(identifier):
            held = view.approvals.get(identifier)
            if held is None:
                return _unknown(reason(ReasonCode.UNKNOWN_APPROVAL))
            return _Found(held, approval_status(held.record, at))
        case BySerial(serial):
            return _of_certificate(view.by_serial(serial), ReasonCode.UNKNOWN_SERIAL, at)
        case ByCertificate() as presented:
            return _of_certificate(_recognised(view, presented), ReasonCode.NOT_ISSUED_HERE, at)
        case ByDevice() as device:
            return _by_device(view, device, at)


def _recognised(view: Snapshot, presented: ByCertificate) -> tuple[Held, CertificateRecord] | None:
    """Return what a certificate stands for: found by its bytes, which are what was signed under its serial."""
    found = view.by_fingerprint(presented.fingerprint)
    issuers = [each.der for each in view.authority.certificates if each.role is HierarchyRole.ISSUING]
    return found if found is not None and is_ours(presented.der, found[1].serial, issuers) else None


def _of_certificate(found: tuple[Held, CertificateRecord] | None, absent: ReasonCode, at: datetime) -> _Found:
    if found is None:
        return _unknown(reason(absent))
    held, certificate = found
    return _Found(held, certificate_status(held.record, certificate, at))


def _unknown(why: Reason) -> _Found:
    return _Found(None, Status(state=State.UNKNOWN, reasons=(why,), certificate=None, terms=None, next_change=None))


def _by_device(view: Snapshot, asked: ByDevice, at: datetime) -> _Found:
    """The active approval of the device, else the one not yet started, else the last that ended."""
    candidates = [
        held for held in view.of_model(asked.manufacturer, asked.model) if is_variant(asked, held.record.device)
    ]
    if not candidates:
        return _unknown(reason(ReasonCode.DEVICE_NOT_APPROVED))
    each = [_Found(held, approval_status(held.record, at)) for held in candidates]
    # A grant that comes later, and any change of any of them, may change which one answers.
    change = min((one.status.next_change for one in each if one.status.next_change is not None), default=None)
    granted = [one for one in each if one.status.state is not State.UNKNOWN]
    differing = _differing([one.record for one in granted])
    if differing:
        why = reason(ReasonCode.DEVICE_AMBIGUOUS, fields=", ".join(differing))
        return _Found(
            None, Status(state=State.UNKNOWN, reasons=(why,), certificate=None, terms=None, next_change=change)
        )
    # Where nothing had been granted at that instant, the first that was says when to ask.
    chosen = max(granted, key=_precedence, default=min(each, key=lambda one: one.record.granted_at))
    return _Found(chosen.held, replace(chosen.status, next_change=change))


def is_variant(asked: ByDevice, device: Device) -> bool:
    """Return whether a device of the model that was asked about is what was asked about, as far as it was said."""
    return all(_same(getattr(asked, name), getattr(device, name)) for name in VARIANT_MEMBERS)


def _same(asked: str | None, actual: str) -> bool:
    return asked is None or asked.casefold() == actual.casefold()


def _differing(records: Sequence[ApprovalRecord]) -> tuple[str, ...]:
    """Return the fields that tell several devices apart; none if all records are of one device."""
    devices = [record.device for record in records]
    return tuple(name for name in VARIANT_MEMBERS if len({getattr(device, name).casefold() for device in devices}) > 1)


def _precedence(found: _Found) -> tuple[int, float, str]:
    """Order approvals of one device; the greatest is the one to answer with."""
    record = found.record
    match found.status.state:
        case State.ACTIVE:
            return (2, 0.0, record.identifier)
        case State.NOT_YET_STARTED:
            return (1, -record.start.timestamp(), record.identifier)
        case State.CANCELLED | State.EXPIRED | State.WITHDRAWN | State.UNKNOWN:
            return (0, _end(record, found.status).timestamp(), record.identifier)
        case _:
            assert_never(found.status.state)


def _end(record: ApprovalRecord, status: Status) -> datetime:
    if record.ended_at is not None:
        return record.ended_at
    if status.certificate is not None:
        return certificate_end(status.certificate).at
    return record.terms[-1].expiry


def _disputed(found: _Found, as_of: datetime) -> tuple[Reason, ...]:
    """An end that the authority would not seal stays a no; whoever reads it is told that nobody has proved it."""
    if found.held is None or found.status.state not in ENDED:
        return ()
    certificate = found.status.certificate
    ends = {found.record.ended_at, None if certificate is None else certificate.revoked_at}
    disputed = any(each in ends and each <= as_of for each in found.held.disputed)
    return (reason(ReasonCode.END_DISPUTED),) if disputed else ()


# --- firmware and units ------------------------------------------------------------------------------------------


def _compared(found: _Found) -> Terms | None:
    """Return the terms that a device's firmware and units are compared with; None where nothing can be compared."""
    return None if found.held is None or found.status.state is State.UNKNOWN else found.status.terms


def _against_units(found: _Found, question: Question, as_of: datetime, units: UnitsAt | None) -> tuple[Reason, ...]:
    terms = _compared(found)
    if terms is None:
        return ()
    against: list[Reason | None] = []
    if isinstance(question.subject, ByDevice):
        against.append(against_firmware(terms, question.subject))
    if question.device_id is not None:
        if units is None:
            raise ValueError("a unit is asked about and nobody can look it up")  # never a yes for want of asking
        against.append(against_unit(terms, units(found.record.identifier, question.device_id, as_of)))
    return tuple(one for one in against if one is not None)


def against_firmware(terms: Terms, asked: ByDevice) -> Reason | None:
    """Return what the terms of an approval say against the firmware that a device was asked about with; None if not."""
    if asked.firmware_version is None:
        return None  # only of a type that has none, see questions.py
    version = asked.firmware_version
    images = {one.image_digest for one in terms.firmware if one.version.casefold() == version.casefold()}
    if not images:
        return reason(ReasonCode.FIRMWARE_NOT_APPROVED, version=version)
    if asked.firmware_hash is not None and asked.firmware_hash not in images:
        return reason(ReasonCode.FIRMWARE_HASH_MISMATCH, version=version)
    return None


@serves("F2.21(d)")
def against_unit(terms: Terms, units: Units) -> Reason | None:
    """Return what is said against a unit; None if nothing is.

    The limit of F2.21(d) is not a lock on facts: who is deployed stays covered, only a further new unit is not.
    """
    if units.among or units.deployed < terms.maximum_devices:
        return None
    return reason(ReasonCode.LIMIT_REACHED, deployed=units.deployed, maximum=terms.maximum_devices)


# --- freshness and proof -----------------------------------------------------------------------------------------


def _lasting(status: Status, reasons: Sequence[Reason]) -> timedelta:
    codes = {one.code for one in reasons}
    unsettled = status.state is State.UNKNOWN or ReasonCode.CERTIFICATE_NOT_ISSUED in codes
    return UNSETTLED_FRESH_FOR if unsettled else FRESH_FOR


def _proof(
    found: _Found, reasons: Sequence[Reason], as_of: datetime, past_answer: PastAnswer | None
) -> SignedAnswer | None:
    """Return the signed OCSP answer that says the same; None where it could not or would not."""
    certificate, state = found.status.certificate, found.status.state
    if found.held is None or certificate is None or state is State.UNKNOWN:
        return None
    if any(one.code in _ABOUT_UNITS for one in reasons):
        return None  # OCSP knows nothing of firmware and units: its “good” beside our “no” would mislead
    good = revocation_at(certificate, as_of) is None
    if good is not (state in {State.ACTIVE, State.NOT_YET_STARTED}):
        return None
    newest = newest_true_answer(found.held.answers, certificate, "sha256", as_of)
    if newest is None and past_answer is not None:
        kept = past_answer(certificate.serial, as_of)
        newest = None if kept is None else newest_true_answer((kept,), certificate, "sha256", as_of)
    return newest
