"""Questions that are asked as nearly everybody asks them, answered from what is kept.

What is not asked so, or has to be refused, is left to the plain way, which answers everything: nothing is decided here,
and whatever is kept was found by the plain way first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from api.status.certificates import armoured, armoured_in, der_of, fingerprint_in
from api.status.questions import ByApproval, ByCertificate, BySerial, Question, Subject, device_of
from api.status.snapshot import Snapshot
from api.status.template import Template, template
from api.status.verify import PastAnswer, against_firmware, is_variant, verdict
from core.approval import Device, Terms
from core.errors import TrialCpaError
from core.identifiers import Serial
from core.json_text import read_plain

_DEVICE = ("manufacturer", "model", "type", "hardware_version", "firmware_version", "firmware_hash")
"""Whatever may be said of a device (questions.py)."""


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
    if isinstance(value, Mapping):
        return _of_device(view, value, now, past_answer) if name == "device" else None
    match name:
        case "approval":
            return _answered(view, value, value, now, past_answer)
        case "serial":
            return _answered(view, view.serials.get(Serial(value)), Serial(value), now, past_answer)
        case "certificate":
            return _of_certificate(view, value, now, past_answer)
    return None


def of_approval(view: Snapshot, identifier: str, now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer about an approval's present; None if it is not named in the one form in which it is written."""
    return None if view.went_back else _answered(view, identifier, identifier, now, past_answer)


def _of_certificate(view: Snapshot, pem: str, now: datetime, past_answer: PastAnswer) -> Template | None:
    armour = armoured_in(pem)
    found = view.fingerprints.get(fingerprint_in(armour)) if armour else None
    kept = None if found is None else view.finished[found[0]].find(armour, Template, now)
    if kept is not None:
        return kept
    try:
        presented = ByCertificate(der_of(pem))
    except TrialCpaError:
        return None  # to be refused
    found = view.fingerprints.get(presented.fingerprint)
    return None if found is None else _answered(view, found[0], armoured(presented.der), now, past_answer, presented)


def _of_device(view: Snapshot, members: Mapping[str, str], now: datetime, past_answer: PastAnswer) -> Template | None:
    """Return the answer about a device whose model has one approval, and against whose firmware nothing is said."""
    manufacturer, model = members.get("manufacturer"), members.get("model")
    if manufacturer is None or model is None:
        return None
    names = view.named(manufacturer, model)
    if len(names) != 1:
        return _of_device_written_otherwise(view, members, now, past_answer)
    (identifier,) = names
    said = tuple(map(members.get, _DEVICE))
    if len(said) - said.count(None) == len(members):
        kept = view.finished[identifier].find(said, Template, now)
        if kept is not None:
            return kept
    return _of_device_written_otherwise(view, members, now, past_answer)


def _of_device_written_otherwise(
    view: Snapshot, members: Mapping[str, str], now: datetime, past_answer: PastAnswer
) -> Template | None:
    try:
        asked = device_of(members)
    except TrialCpaError:
        return None  # to be refused
    names = view.named(asked.manufacturer, asked.model)
    if len(names) != 1:
        return None
    (identifier,) = names
    device = view.approvals[identifier].record.device
    if not is_variant(asked, device):
        return None
    answered = of_approval(view, identifier, now, past_answer)
    if answered is None or (answered.terms is not None and against_firmware(answered.terms, asked) is not None):
        return None
    said = tuple(map(members.get, _DEVICE))
    if _as_registered(said, device, answered.terms):
        view.finished[identifier].keep(said, answered, now)
    return answered


def _as_registered(said: Sequence[str | None], device: Device, terms: Terms | None) -> bool:
    """Return whether a device is named letter by letter as the register has it: only that is kept, as it is little."""
    manufacturer, model, kind, hardware, version, image = said
    return (
        (manufacturer, model) == (device.manufacturer, device.model)
        and kind in (None, device.type)
        and hardware in (None, device.hardware_version)
        and (
            (version, image) == (None, None)
            or any(
                version == each.version and image in (None, each.image_digest)
                for each in (() if terms is None else terms.firmware)
            )
        )
    )


def _answered(
    view: Snapshot,
    identifier: str | None,
    name: str,
    now: datetime,
    past_answer: PastAnswer,
    subject: Subject | None = None,
) -> Template | None:
    """Return what is kept of an approval for a question, or what the plain way says, kept from now on.

    Args:
        view: what is known.
        identifier: of the approval, if there is one.
        name: by which it is asked about: its own, a serial number, or a certificate's text. No two of them are alike.
        now: the present instant.
        past_answer: as for `verdict`.
        subject: what the name stands for; None for what the name alone tells: an approval's own or a serial number.

    Returns:
        None if there is no such approval.
    """
    finished = None if identifier is None else view.finished.get(identifier)
    if finished is None:
        return None
    kept = finished.find(name, Template, now)
    if kept is None:
        if subject is None:
            subject = ByApproval(name) if name == identifier else BySerial(Serial(name))
        kept = template(verdict(view, Question(subject), now, past_answer))
        finished.keep(name, kept, now)
    return kept
