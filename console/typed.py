"""What people type into forms, read strictly: words of every form, and the commands that decisions are.

Form alone is judged here. What a rule of Section F says about a value is answered by the use case, with a finding.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from flask import request

from console.forms import LONGEST_LIST
from core.approval import OFFICERS_CAUSES, Firmware
from core.classification import Classification, Passage, Recipient
from core.days import read_day
from core.errors import BodyMalformed
from core.identifiers import ApprovalIdentifier
from core.instants import read_instant
from core.kinds import Waiting
from core.limits import CONTROLS, CSR_LIMIT, MOST_CONDITIONS, MOST_FIRMWARE, NAME_LIMIT, WORDS_LIMIT
from ra.deciding.kinds.amendment import DESCRIPTION, ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.correction import SUMMARY, ProposeCorrection
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.many import CAUSES_OF_MANY, ProposeRevocations
from ra.grounds import REASONS, Minutes

LARGEST_NUMBER = 9
"""Digits of a number: no limit of devices has more."""

PASSAGES = ("assessment", DESCRIPTION, "remark")
"""What a decision may say beside its reasons, by subject."""

_IMAGE = re.compile(r"[0-9A-Fa-f]{64}")
_KEY = re.compile(r"[0-9a-f]{40}")

V = TypeVar("V")


def words(name: str, longest: int = WORDS_LIMIT) -> str:
    """Return what was typed into a field, without blanks around it and with one kind of line end.

    Raises:
        BodyMalformed: it is longer than anybody reads, or has characters that no text has.
    """
    said = request.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(said) > longest:
        raise BodyMalformed(detail=f"{name} has {len(said):,} characters, and {longest:,} are the most")
    if CONTROLS.search(said):
        raise BodyMalformed(detail=f"{name} has characters that are no text")
    return said


def how_many_conditions() -> int:
    """Return how many fields for new conditions a form has: one more where another was asked for."""
    said = request.form.get("conditions", "0")
    held = int(said) if said.isdecimal() and len(said) <= len(str(MOST_CONDITIONS)) else 0
    return min(held + (request.form.get("do") == "condition"), MOST_CONDITIONS)


def grant(application: str) -> ProposeGrant:
    """Return the grant that was typed; BodyMalformed, InstantMalformed, DayAmbiguous."""
    return ProposeGrant(
        application=application,
        reasons=_reasons(),
        start=_day("start"),
        expiry=_day("expiry"),
        maximum_devices=_number("maximum_devices"),
        minutes=_minutes(),
    )


def refusal(application: str) -> ProposeRefusal:
    """Return the refusal that was typed; BodyMalformed."""
    return ProposeRefusal(application, _reasons(), _minutes())


def amendment(approval: str) -> ProposeAmendment:
    """Return the amendment that was typed; BodyMalformed, InstantMalformed, DayAmbiguous."""
    return ProposeAmendment(
        approval=approval,
        reasons=_reasons(),
        start=_day("start"),
        expiry=_day("expiry"),
        maximum_devices=_number("maximum_devices"),
        firmware_added=firmware_added(),
        firmware_removed=tuple(several("firmware_removed", MOST_FIRMWARE)),
        conditions_removed=tuple(_whole("conditions_removed", each) for each in several("conditions_removed", 1_000)),
        effective=_instant("effective"),
        waiting=_waiting(),
        request=words("request", NAME_LIMIT) or None,
        csr=_csr(),
        minutes=_minutes(),
    )


def amendment_refusal(request_id: str) -> ProposeAmendmentRefusal:
    """Return the refusal of an amendment that was typed; BodyMalformed."""
    return ProposeAmendmentRefusal(request_id, _reasons(), _minutes())


def rekey(approval: str) -> ProposeRekey:
    """Return the new key that was typed; BodyMalformed, InstantMalformed."""
    return ProposeRekey(
        approval=approval,
        csr=_csr(),
        compromised=one_of("old_key", {"compromised": True, "replaced": False}),
        reasons=_reasons(),
        effective=_instant("effective"),
        invalidity_date=_instant("invalidity_date"),
        waiting=_waiting(),
        minutes=_minutes(),
    )


def revocation(approval: str) -> ProposeRevocation:
    """Return the revocation that was typed; BodyMalformed, InstantMalformed."""
    return ProposeRevocation(
        approval=approval,
        cause=one_of("cause", {each.value: each for each in OFFICERS_CAUSES}),
        reasons=_reasons(),
        invalidity_date=_instant("invalidity_date"),
        breach=words("breach", NAME_LIMIT) or None,
        request=words("request", NAME_LIMIT) or None,
        minutes=_minutes(),
    )


def revocations() -> ProposeRevocations:
    """Return the revocation of many that was typed; BodyMalformed, IdentifierMalformed, InstantMalformed."""
    named = words("approvals", LONGEST_LIST).replace(",", " ").replace(";", " ").split()
    issuing_ca = words("issuing_ca", NAME_LIMIT).lower()
    if bool(named) is bool(issuing_ca):
        raise BodyMalformed(detail="name approvals, or an issuing CA")
    if issuing_ca and not _KEY.fullmatch(issuing_ca):
        raise BodyMalformed(detail="the key of an issuing CA has 40 hexadecimal digits")
    return ProposeRevocations(
        approvals=tuple(str(ApprovalIdentifier.parse(each)) for each in named),
        issuing_ca=issuing_ca or None,
        cause=one_of("cause", {each.value: each for each in CAUSES_OF_MANY}),
        reasons=_reasons(),
        invalidity_date=_instant("invalidity_date"),
        minutes=_minutes(),
    )


def withdrawal(approval: str) -> ProposeWithdrawal:
    """Return the end at its Manufacturer's request that was typed; BodyMalformed."""
    return ProposeWithdrawal(approval, _reasons(), _minutes(), request=words("request", NAME_LIMIT) or None)


def waiting_withdrawal(approval: str) -> ProposeWaitingWithdrawal:
    """Return the withdrawal of what waits that was typed; BodyMalformed."""
    return ProposeWaitingWithdrawal(approval, _reasons(), _minutes())


def correction(notice: str) -> ProposeCorrection:
    """Return the correction of a notice that was typed; BodyMalformed."""
    return ProposeCorrection(notice.upper(), _reasons(), _minutes((SUMMARY, *PASSAGES)))


def one_of(name: str, choices: Mapping[str, V]) -> V:
    """Return what was chosen; BodyMalformed if nothing was, or something else."""
    said = request.form.get(name, "")
    if said not in choices:
        raise BodyMalformed(detail=f"{name.replace('_', ' ')}: choose one of {', '.join(choices)}")
    return choices[said]


def _csr() -> bytes | None:
    return words("csr", CSR_LIMIT).encode() or None


def _waiting() -> Waiting | None:
    return Waiting.WITHDRAW if request.form.get("waiting") == Waiting.WITHDRAW else None


def _reasons() -> Passage:
    return _passage("reasons", REASONS)


def _minutes(subjects: Sequence[str] = PASSAGES) -> Minutes:
    found = [_passage(each, each) for each in subjects]
    set_ = [_passage(f"condition-{number}", "condition") for number in range(1, how_many_conditions() + 1)]
    return Minutes(
        meeting=words("meeting", NAME_LIMIT),
        minute=words("minute", NAME_LIMIT),
        passages=tuple(each for each in found if each.text),
        conditions=tuple(each for each in set_ if each.text),
    )


def _passage(name: str, subject: str) -> Passage:
    """Some words under a fresh salt, with their class and who gets them; of what is Red, nobody does."""
    said = request.form.get(f"{name}-class", Classification.AMBER.value)
    try:
        classification = Classification(said)
        recipients = [Recipient(each) for each in request.form.getlist(f"{name}-to")]
    except ValueError:
        raise BodyMalformed(detail=f"the class or a recipient of {name} is none that is known") from None
    return Passage.of(subject, words(name), classification, () if classification is Classification.RED else recipients)


def _day(name: str) -> date | None:
    said = words(name, NAME_LIMIT)
    return read_day(said, field=name) if said else None


def _instant(name: str) -> datetime | None:
    said = words(name, NAME_LIMIT)
    return read_instant(said, field=name) if said else None


def _number(name: str) -> int | None:
    said = words(name, NAME_LIMIT).replace(",", "")
    return _whole(name, said) if said else None


def _whole(name: str, said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) <= LARGEST_NUMBER):
        raise BodyMalformed(detail=f"{name} is no whole number")
    return int(said)


def several(name: str, most: int) -> list[str]:
    """Return what was ticked.

    Raises:
        BodyMalformed: it is more than a page offers, or nothing that one does.
    """
    chosen = request.form.getlist(name)
    if len(chosen) > most or any(len(each) > NAME_LIMIT or CONTROLS.search(each) for each in chosen):
        raise BodyMalformed(detail=f"{name} is not as the page offers it")
    return chosen


def firmware_added() -> tuple[Firmware, ...]:
    """Return the firmware that was typed: on each line a version and the SHA-256 of its image.

    Raises:
        BodyMalformed: a line is not that, and which; or there are more than anybody means.
    """
    found = []
    for place, each in enumerate(filter(None, map(str.strip, words("firmware_added").split("\n"))), 1):
        version, *digest = each.rsplit(maxsplit=1)
        if not digest or not _IMAGE.fullmatch(digest[0]) or len(version) > NAME_LIMIT:
            detail = f"line {place} of the firmware to add is not a version, a blank and the SHA-256 of its image"
            raise BodyMalformed(detail=detail)
        found.append(Firmware(version, digest[0].lower()))
    if len(found) > MOST_FIRMWARE:
        raise BodyMalformed(detail=f"it has more than {MOST_FIRMWARE} lines of firmware to add")
    return tuple(found)
