"""Questions that are asked as nearly everybody asks them, answered from what is kept.

What is not asked so, or has to be refused, is left to the plain way, which answers everything: nothing is decided here,
and whatever is kept was found by the plain way first.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from api.status.certificates import der_of
from api.status.questions import ByApproval, ByCertificate, BySerial, Question, device_of
from api.status.snapshot import Snapshot
from api.status.template import Template, template
from api.status.verify import PastAnswer, against_firmware, is_variant, verdict
from core.errors import TrialCpaError
from core.identifiers import Serial
from core.json_text import read_plain


def quickly(view: Snapshot, body: bytes, now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer to a question about the present; None if the plain way has to be gone.

    Args:
        view: what is known.
        body: the question, as it was sent.
        now: the present instant.
        past_answer: as for `verdict`; nothing of the past is asked here.
    """
    asked = None if view.went_back else read_plain(body)
    if asked is None or len(asked) != 1:
        return None
    ((name, value),) = asked.items()
    match name, value:
        case "approval", str():
            return of_approval(view, value, now, past_answer)
        case "serial", str():
            identifier = view.serials.get(Serial(value))
            return _answered(view, identifier, BySerial(Serial(value)), now, past_answer)
        case "certificate", str():
            return _of_certificate(view, value, now, past_answer)
        case "device", Mapping():
            return _of_device(view, value, now, past_answer)
    return None


def of_approval(view: Snapshot, identifier: str, now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer about an approval's present; None if it is not named in the one form in which it is written."""
    return None if view.went_back else _answered(view, identifier, ByApproval(identifier), now, past_answer)


def _of_certificate(view: Snapshot, pem: str, now: datetime, past_answer: PastAnswer) -> Template | None:
    try:
        presented = ByCertificate(der_of(pem))
    except TrialCpaError:
        return None  # to be refused
    found = view.fingerprints.get(presented.fingerprint)
    return _answered(view, None if found is None else found[0], presented, now, past_answer)


def _of_device(view: Snapshot, members: Mapping[str, str], now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer about a device whose model has one approval, and against whose firmware nothing is said."""
    try:
        asked = device_of(members)
    except TrialCpaError:
        return None  # to be refused
    names = view.named(asked.manufacturer, asked.model)
    if len(names) != 1:
        return None
    (identifier,) = names
    held = view.approvals[identifier]
    if not is_variant(asked, held.record.device):
        return None
    answered = of_approval(view, identifier, now, past_answer)
    if answered is None or (answered.terms is not None and against_firmware(answered.terms, asked) is not None):
        return None
    return answered


def _answered(
    view: Snapshot,
    identifier: str | None,
    subject: ByApproval | BySerial | ByCertificate,
    now: datetime,
    past_answer: PastAnswer,
) -> Template | None:
    """Return what is kept of an approval for a question, or what the plain way says, kept from now on.

    None if there is no such approval.
    """
    finished = None if identifier is None else view.finished.get(identifier)
    if finished is None:
        return None
    name = kept_as(subject)
    kept = finished.find(name, Template, now)
    if kept is None:
        kept = template(verdict(view, Question(subject), now, past_answer))
        finished.keep(name, kept, now)
    return kept


def kept_as(subject: ByApproval | BySerial | ByCertificate) -> str:
    """Return under which name an answer is kept: texts of three forms, and one of them is compared in no time."""
    match subject:
        case ByApproval():
            return subject.identifier
        case BySerial():
            return subject.serial
        case ByCertificate():
            return subject.fingerprint
        case _:
            assert_never(subject)
