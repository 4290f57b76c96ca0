"""The question of /v1/verify: from bytes of a stranger to a value, or to a sentence that says what is wrong.

Everything that is not understood is refused. A member that we ignored might have been the one that mattered.
"""

import hashlib
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from api.status.certificates import der_of
from core.approval import DEVICE_MEMBERS, VARIANT_MEMBERS
from core.errors import BodyMalformed, InstantInFuture
from core.identifiers import ApprovalIdentifier, Serial, parse_device_id, parse_serial
from core.instants import read_instant, text
from core.json_text import JsonUnreadable, read_sent
from core.plain_text import trimmed

QUESTION_LIMIT = 64 * 1024
"""Octets of a question: the largest certificate that anybody sends by mistake, and far from what hurts."""

TEXT_LIMIT = 64
"""Characters of a field of a device or an instant; DUIS 5.4 has 30 for the longest."""

FIRMWARELESS_TYPES = frozenset({"IHD", "CAD"})
"""Device types whose CPL entry names no firmware: they alone may be asked about without one."""

_SUBJECTS = ("approval", "certificate", "serial", "device")
_MEMBERS = frozenset({*_SUBJECTS, "at", "device_id"})
_DEVICE_MEMBERS = frozenset({*DEVICE_MEMBERS, "firmware_version", "firmware_hash"})
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class ByApproval:
    """Asked by approval identifier, in its canonical form."""

    identifier: str


@dataclass(frozen=True)
class ByCertificate:
    """Asked by the certificate's bytes, DER."""

    der: bytes

    @property
    def fingerprint(self) -> str:
        """The lower-case hex SHA-256 of the bytes."""
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True)
class BySerial:
    """Asked by serial number."""

    serial: Serial


@dataclass(frozen=True)
class ByDevice:
    """Asked by device model. Strings as sent; they are compared without case.

    Args:
        manufacturer, model: which model; blanks at the ends are cut, as every reader does.
        type, hardware_version: which of its variants; None where not said.
        firmware_version: None only for a type that has none.
        firmware_hash: SHA-256 of the image in lower-case hex, if it is to be compared too.
    """

    manufacturer: str
    model: str
    type: str | None = None
    hardware_version: str | None = None
    firmware_version: str | None = None
    firmware_hash: str | None = None


Subject: TypeAlias = ByApproval | ByCertificate | BySerial | ByDevice


@dataclass(frozen=True)
class Question:
    """One question.

    Args:
        subject: what it is about.
        at: the past instant it is about; None for now.
        device_id: the unit it is about (EUI-64, upper case), if any.
    """

    subject: Subject
    at: datetime | None = None
    device_id: str | None = None


def parse_question(body: bytes, now: datetime) -> Question:
    """Return the question that a request body asks.

    Args:
        body: JSON in UTF-8, at most QUESTION_LIMIT octets.
        now: the present instant; what is asked about must not lie after it.

    Raises:
        RequestMalformed: by the family: BodyMalformed, IdentifierMalformed, SerialMalformed, DeviceIdMalformed,
            CertificateMalformed, InstantMalformed, InstantInFuture.
    """
    asked = _object(_decode(body), "the request")
    _known(asked, "the request", _MEMBERS)
    subjects = [name for name in _SUBJECTS if name in asked]
    if len(subjects) != 1:
        raise BodyMalformed(detail="name exactly one of approval, certificate, serial and device")
    at = _text(asked, "at", TEXT_LIMIT)
    device_id = _text(asked, "device_id", TEXT_LIMIT)
    return Question(
        _subject(subjects[0], asked),
        None if at is None else _past(at, now),
        None if device_id is None else parse_device_id(device_id),
    )


def approval_named(identifier: str) -> ByApproval:
    """Return the approval that an identifier names, however it is written; IdentifierMalformed if it is none."""
    return ByApproval(str(ApprovalIdentifier.parse(identifier)))


def _subject(name: str, asked: Mapping[str, object]) -> Subject:
    if name == "device":
        return device_of(_object(asked["device"], "device"))
    value = _required(asked, name, QUESTION_LIMIT)
    match name:
        case "approval":
            return approval_named(value)
        case "serial":
            return BySerial(parse_serial(value))
        case _:
            return ByCertificate(der_of(value))


def device_of(asked: Mapping[str, object]) -> ByDevice:
    """Return the device that an object's members name; RequestMalformed if they do not."""
    _known(asked, "device", _DEVICE_MEMBERS)
    kind = _text(asked, "type", TEXT_LIMIT)
    version = _text(asked, "firmware_version", TEXT_LIMIT)
    image = _text(asked, "firmware_hash", TEXT_LIMIT)
    if version is None and (kind is None or kind.upper() not in FIRMWARELESS_TYPES):
        raise BodyMalformed(
            detail=f"device.firmware_version is missing; only {' and '.join(sorted(FIRMWARELESS_TYPES))} have none"
        )
    if image is not None and version is None:
        raise BodyMalformed(detail="device.firmware_hash needs device.firmware_version beside it")
    if image is not None and not _SHA256.fullmatch(image.lower()):
        raise BodyMalformed(detail="device.firmware_hash is not a SHA-256 of 64 hexadecimal digits")
    return ByDevice(
        manufacturer=_required(asked, "manufacturer", TEXT_LIMIT),
        model=_required(asked, "model", TEXT_LIMIT),
        **{name: _text(asked, name, TEXT_LIMIT) for name in VARIANT_MEMBERS},
        firmware_version=version,
        firmware_hash=None if image is None else image.lower(),
    )


def _past(value: str, now: datetime) -> datetime:
    at = read_instant(value)
    if at > now:
        raise InstantInFuture(field="at", value=text(at))
    return at


def _decode(body: bytes) -> object:
    try:
        return read_sent(body)
    except JsonUnreadable as error:
        raise BodyMalformed(detail=str(error)) from None


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BodyMalformed(detail=f"{where} is not a JSON object")
    return value


def _known(asked: Mapping[str, object], where: str, members: AbstractSet[str]) -> None:
    if asked.keys() <= members:
        return
    unknown = min(name[:TEXT_LIMIT] for name in asked if name not in members)
    raise BodyMalformed(detail=f"{where} has a member that is not known: “{unknown}”")


def _required(asked: Mapping[str, object], name: str, limit: int) -> str:
    value = _text(asked, name, limit)
    if value is None:
        raise BodyMalformed(detail=f"“{name}” is missing")
    return value


def _text(asked: Mapping[str, object], name: str, limit: int) -> str | None:
    if name not in asked:
        return None
    value = asked[name]
    sent = trimmed(value) if isinstance(value, str) and len(value) <= QUESTION_LIMIT else ""
    if not 1 <= len(sent) <= limit:
        raise BodyMalformed(detail=f"“{name}” is not a string of 1 to {limit} characters")
    return sent
