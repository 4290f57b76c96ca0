"""What is kept of an answer under the very words of a question, where those are the register's own, letter by letter.

What is found here needs no reading: whoever writes otherwise is read first (quickly.py), and finds the same. There are
as many words of an approval as it and its certificates have names, and a device can be said in a few ways.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from api.status.certificates import armoured, armoured_in, fingerprint_in
from api.status.finished import Finished
from api.status.indexes import model_key
from api.status.questions import ByCertificate, Subject
from api.status.snapshot import Snapshot
from api.status.template import Template
from core.approval import Device, Terms
from core.identifiers import Serial

Place: TypeAlias = tuple[Finished, Hashable]
"""What has been answered of an approval, and under which words."""

_DEVICE = ("manufacturer", "model", "type", "hardware_version", "firmware_version", "firmware_hash")
"""Whatever may be said of a device (questions.py)."""


def at_hand(view: Snapshot, name: str, value: str | Mapping[str, str], now: datetime) -> tuple[Template, Place] | None:
    """Return what is kept under a question's only member, and where; None if nothing is.

    Args:
        view: what is known.
        name: the member's.
        value: the member's.
        now: the present instant.
    """
    identifier, words = _of_text(view, name, value) if isinstance(value, str) else _of_device(view, name, value)
    finished = None if identifier is None else view.finished.get(identifier)
    told = None if finished is None else finished.find(words, Template, now)
    return None if told is None or finished is None else (told, (finished, words))


def _of_text(view: Snapshot, name: str, value: str) -> tuple[str | None, str]:
    """Return of which approval something may be kept, and under which words."""
    if name == "approval":
        return value, value
    if name == "serial":
        return view.serials.get(Serial(value)), value
    if name != "certificate":
        return None, value
    words = armoured_in(value)
    found = view.fingerprints.get(fingerprint_in(words)) if words else None
    return None if found is None else view.serials.get(found), words


def _of_device(view: Snapshot, name: str, value: Mapping[str, str]) -> tuple[str | None, tuple[str | None, ...]]:
    """Return the same of a device, if its model has one approval, and nothing is said that nobody knows."""
    words = _said(value)
    manufacturer, model = words[:2]
    if name != "device" or manufacturer is None or model is None or len(words) - words.count(None) != len(value):
        return None, words
    named = view.models.get(model_key(manufacturer, model))
    return named if isinstance(named, str) else None, words


def keep(
    finished: Finished, subject: Subject, value: str | Mapping[str, str], told: Template, now: datetime
) -> Place | None:
    """Keep an answer under a question's words, if they are the register's own; return where it is.

    Args:
        finished: what has been answered of the approval.
        subject: what was asked about; of a device the approval of its model.
        value: the question's only member.
        told: the answer.
        now: the instant at which it was given.
    """
    if isinstance(value, str):
        words = armoured(subject.der) if isinstance(subject, ByCertificate) else value
        finished.keep(words, told, now, size=told.size)
        return finished, words
    said = _said(value)
    if not _as_registered(said, finished.held.record.device, told.terms):
        return None
    finished.keep(said, told, now, size=told.size)
    return finished, said


def _said(members: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(map(members.get, _DEVICE))


def _as_registered(said: Sequence[str | None], device: Device, terms: Terms | None) -> bool:
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
