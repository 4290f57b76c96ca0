"""The form of an application: what is asked in each part of it, what of it can be read, and the command that it makes.

Only form is judged here; what a rule says about a value, the use case answers with a finding.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from flask import request

from console.shown import remedy
from core.approval import DEVICE_MEMBERS, Device, Firmware
from core.assurance import AssuranceCertificate, EarlierCpa
from core.days import read_day
from core.errors import BoundReached, Finding, TrialCpaError
from core.kinds import DraftPart
from core.limits import CONTROLS, NAME_LIMIT, WORDS_LIMIT
from core.plain_text import trimmed
from core.words import says_something
from ra.applying.apply import Apply
from ra.applying.draft_views import ApplicationDraft
from ra.applying.drafts import why_no_request

MOST_ROWS = 50
"""Rows of firmware or of certificates on a page; whoever has more changes the application by the command line."""

ROWS: Mapping[DraftPart, tuple[str, ...]] = {
    DraftPart.DEVICE: (),
    DraftPart.FIRMWARE: ("version", "image_sha256"),
    DraftPart.CERTIFICATES: ("scheme", "certificate", "manufacturer", "model", "hardware_version", "issued_on"),
    DraftPart.TRIAL: (),
    DraftPart.KEY: (),
}
"""What is asked once for each row."""

EARLIER = ("certificate", "manufacturer", "model", "hardware_version", "issued_on", "expires_on")
_ONCE: Mapping[DraftPart, tuple[str, ...]] = {
    DraftPart.DEVICE: (*DEVICE_MEMBERS, "smets_version", "gbcs_version"),
    DraftPart.FIRMWARE: (),
    DraftPart.CERTIFICATES: tuple(f"earlier_{each}" for each in EARLIER),
    DraftPart.TRIAL: ("start", "expiry", "maximum_devices", "purpose", "contact"),
    DraftPart.KEY: ("csr",),
}
WORDS = {"purpose", "csr"}
TITLES: Mapping[DraftPart, str] = {
    DraftPart.DEVICE: "The Device Model",
    DraftPart.FIRMWARE: "Its firmware",
    DraftPart.CERTIFICATES: "Certificates that you hold",
    DraftPart.TRIAL: "Dates, limit and purpose",
    DraftPart.KEY: "The certificate signing request",
}
LABELS: Mapping[str, str] = {
    "type": "Device type",
    "manufacturer": "Manufacturer",
    "model": "Model",
    "hardware_version": "Hardware version",
    "smets_version": "SMETS or CHTS version",
    "gbcs_version": "GBCS version",
    "version": "Firmware version",
    "image_sha256": "SHA-256 of the image",
    "scheme": "Scheme",
    "certificate": "Its number or name",
    "issued_on": "Issued on",
    "expires_on": "Expires on",
    "start": "First day of the trial",
    "expiry": "Last day of the trial",
    "maximum_devices": "Most devices at once",
    "purpose": "Purpose",
    "contact": "E-mail address for notices",
    "csr": "Certificate signing request",
}
_NUMBERED = {
    name: tuple(f"{name}.{row}" for row in range(1, MOST_ROWS + 1)) for names in ROWS.values() for name in names
}
"""The names of the fields of all rows that a page may have."""
_HELD = {"image_sha256": "image_digest"}
"""Fields that have another name than the member that they are."""
_ABOUT: tuple[tuple[DraftPart, tuple[str, ...]], ...] = (
    (DraftPart.DEVICE, ("smets-", "gbcs-version", "device-", "model-")),
    (DraftPart.FIRMWARE, ("firmware-",)),
    (DraftPart.CERTIFICATES, ("assurance-", "earlier-cpa-", "certificate-")),
    (DraftPart.TRIAL, ("maximum-devices", "start-", "expiry-", "trial-", "beyond-issuing-ca", "issuing-", "contact-")),
    (DraftPart.KEY, ("csr.", "key-")),
)
"""With what the codes of findings begin that are about a part."""

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_DIGITS = re.compile(r"[0-9]{1,9}")

V = TypeVar("V")


@dataclass(frozen=True)
class Wanting:
    """A field that cannot be read yet, and what to do about it."""

    part: DraftPart
    field: str
    sentence: str


def part_of(finding: Finding) -> DraftPart | None:
    """Return the part in which somebody mends what a rule found; None if it may be in any."""
    return next((part for part, begin in _ABOUT if finding.code.startswith(begin)), None)


def label(name: str) -> str:
    """Return what a field is called, whichever row it is in."""
    return LABELS[name.partition(".")[0].removeprefix("earlier_")]


def in_order(part: DraftPart, said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a part says in the order in which its form asks for it, row after row."""
    rows = range(1, how_many_rows(part, said) + 1)
    names = [*(f"{name}.{row}" for row in rows for name in ROWS[part]), *_ONCE[part]]
    return [(name, said[name]) for name in names if name in said]


def sent(part: DraftPart) -> dict[str, str]:
    """Return what was typed into the form of a part: known fields alone, and rows without gaps."""
    said = {name: _typed(name) for name in _ONCE[part]}
    place = 0
    for row in range(1, MOST_ROWS + 1):
        typed = {name: _typed(f"{name}.{row}") for name in ROWS[part]}
        if any(typed.values()):
            place += 1
            said.update({f"{name}.{place}": value for name, value in typed.items()})
    file = request.files.get("csr_file")
    if part is DraftPart.KEY and file is not None and file.filename:
        octets = file.read()
        said["csr"] = octets.decode() if octets.isascii() else base64.encodebytes(octets).decode()
    return {name: value for name, value in said.items() if value}


def written(command: Apply) -> dict[DraftPart, dict[str, str]]:
    """Return what an application says, as it would have been typed into the forms of its parts.

    Raises:
        BoundReached: it has more rows than a form.
    """
    earlier = {f"earlier_{name}": each for name, each in _of(command.earlier_cpa, *EARLIER).items()}
    said = {
        DraftPart.DEVICE: {**command.device.said(), **_of(command, "smets_version", "gbcs_version")},
        DraftPart.FIRMWARE: _rows(DraftPart.FIRMWARE, command.firmware),
        DraftPart.CERTIFICATES: _rows(DraftPart.CERTIFICATES, command.assurance) | earlier,
        DraftPart.TRIAL: _of(command, *_ONCE[DraftPart.TRIAL]),
        DraftPart.KEY: {"csr": _pem(command.csr)},
    }
    return {part: {name: value for name, value in each.items() if value} for part, each in said.items()}


def _rows(part: DraftPart, held: Sequence[object]) -> dict[str, str]:
    if len(held) > MOST_ROWS:
        what, remedy = f"rows of {TITLES[part].lower()} on a page", "Change it through /v1/applications"
        raise BoundReached(what=what, limit=MOST_ROWS, present=len(held), remedy=remedy)
    rows = [(row, _of(each, *ROWS[part])) for row, each in enumerate(held, 1)]
    return {f"{name}.{row}": value for row, said in rows for name, value in said.items()}


def _of(it: object, *names: str) -> dict[str, str]:
    """Members of something as they are typed; what it does not have is nothing."""
    found = {name: getattr(it, _HELD.get(name, name), None) for name in names}
    return {name: "" if each is None else str(each) for name, each in found.items()}


def _pem(der: bytes) -> str:
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}-----END CERTIFICATE REQUEST-----"


def _typed(name: str) -> str:
    value = request.form.get(name, "").replace("\r\n", "\n")
    return value.strip() if name in WORDS else trimmed(value)


def versions(draft: ApplicationDraft) -> list[int]:
    """Return the version of each part of a draft: what a form says that its sender has read, in the order of parts."""
    return [draft.part(part).version for part in DraftPart]


def versions_sent() -> list[int]:
    """Return the versions that a form says were read; none where it says nothing of the kind."""
    said = request.form.get("kept", "").split()
    read = [int(each) for each in said[: len(DraftPart)] if _DIGITS.fullmatch(each)]
    return read if len(read) == len(said) else []


def written_since(draft: ApplicationDraft, read: Sequence[int]) -> list[DraftPart]:
    """Return the parts that were kept since versions of them were read."""
    now = dict(zip(DraftPart, versions(draft), strict=True))
    before = dict(zip(DraftPart, read, strict=False))
    return [part for part in DraftPart if now[part] != before.get(part)]


def how_many_rows(part: DraftPart, said: Mapping[str, str]) -> int:
    """Return how many rows a part has: those that a page has room for, whatever number somebody wrote into a row."""
    named = {name for each in ROWS[part] for name in _NUMBERED[each]}
    return max((int(name.partition(".")[2]) for name in named & said.keys()), default=0)


def read(draft: ApplicationDraft) -> tuple[Apply | None, list[Wanting]]:
    """Return the command that a draft makes, or what of it cannot be read yet."""
    reader = _Reader({each.part: each.said for each in draft.parts})
    command = reader.command()
    return (None if reader.wanting else command), reader.wanting


class _Reader:
    def __init__(self, said: Mapping[DraftPart, Mapping[str, str]]) -> None:
        self._said = said
        self.wanting: list[Wanting] = []

    def command(self) -> Apply:
        device = Device(**{name: self._name(DraftPart.DEVICE, name) for name in DEVICE_MEMBERS})
        command = Apply(
            device=device,
            smets_version=self._name(DraftPart.DEVICE, "smets_version"),
            gbcs_version=self._name(DraftPart.DEVICE, "gbcs_version", optional=True),
            firmware=tuple(self._firmware()),
            assurance=tuple(self._assurance()),
            earlier_cpa=self._earlier(),
            start=self._day(DraftPart.TRIAL, "start"),
            expiry=self._day(DraftPart.TRIAL, "expiry"),
            maximum_devices=self._number(DraftPart.TRIAL, "maximum_devices"),
            purpose=self._words(DraftPart.TRIAL, "purpose"),
            contact=self._name(DraftPart.TRIAL, "contact", optional=True),
            csr=self._value(DraftPart.KEY, "csr").encode("utf-8", "replace"),
        )
        wrong = why_no_request(command.csr) if command.csr else "Paste the request, or choose its file."
        if wrong is not None:
            self._want(DraftPart.KEY, "csr", wrong)
        if not command.firmware:
            self._want(DraftPart.FIRMWARE, "version.1", "Name at least one version with the digest of its image.")
        return command

    def _firmware(self) -> Iterator[Firmware]:
        for row in self._rows(DraftPart.FIRMWARE):
            version = self._name(DraftPart.FIRMWARE, f"version.{row}")
            digest = self._value(DraftPart.FIRMWARE, f"image_sha256.{row}")
            if not _SHA256.fullmatch(digest):
                sentence = "It has 64 hexadecimal digits, as sha256sum prints them."
                self._want(DraftPart.FIRMWARE, f"image_sha256.{row}", sentence)
            yield Firmware(version, digest.lower())

    def _assurance(self) -> Iterator[AssuranceCertificate]:
        part = DraftPart.CERTIFICATES
        for row in self._rows(part):
            yield AssuranceCertificate(
                scheme=self._name(part, f"scheme.{row}"),
                certificate=self._name(part, f"certificate.{row}"),
                manufacturer=self._name(part, f"manufacturer.{row}"),
                model=self._name(part, f"model.{row}"),
                hardware_version=self._name(part, f"hardware_version.{row}", optional=True),
                issued_on=self._perhaps_day(part, f"issued_on.{row}"),
            )

    def _earlier(self) -> EarlierCpa | None:
        part = DraftPart.CERTIFICATES
        if not any(self._value(part, f"earlier_{each}") for each in EARLIER):
            return None
        return EarlierCpa(
            certificate=self._name(part, "earlier_certificate"),
            manufacturer=self._name(part, "earlier_manufacturer"),
            model=self._name(part, "earlier_model"),
            hardware_version=self._name(part, "earlier_hardware_version", optional=True),
            issued_on=self._day(part, "earlier_issued_on"),
            expires_on=self._perhaps_day(part, "earlier_expires_on"),
        )

    def _rows(self, part: DraftPart) -> range:
        return range(1, how_many_rows(part, self._said[part]) + 1)

    def _value(self, part: DraftPart, name: str) -> str:
        return self._said[part].get(name, "")

    def _want(self, part: DraftPart, name: str, sentence: str) -> None:
        self.wanting.append(Wanting(part, name, sentence))

    def _name(self, part: DraftPart, name: str, *, optional: bool = False) -> str:
        return self._text(part, name, NAME_LIMIT, optional=optional)

    def _words(self, part: DraftPart, name: str) -> str:
        return self._text(part, name, WORDS_LIMIT, optional=False)

    def _text(self, part: DraftPart, name: str, longest: int, *, optional: bool) -> str:
        value = self._value(part, name)
        if len(value) > longest:
            self._want(part, name, f"It has {len(value):,} characters, and {longest:,} are the most.")
        elif CONTROLS.search(value):
            self._want(part, name, "It has characters that are no text.")
        elif not optional and not says_something(value):
            self._want(part, name, "Fill it in.")
        return value

    def _number(self, part: DraftPart, name: str) -> int:
        digits = self._value(part, name).replace(",", "")
        if not _DIGITS.fullmatch(digits):
            self._want(part, name, "It is a whole number, such as 500.")
            return 0
        return int(digits)

    def _day(self, part: DraftPart, name: str) -> date:
        return self._perhaps_day(part, name) or self._missing_day(part, name)

    def _missing_day(self, part: DraftPart, name: str) -> date:
        if not any(each.field == name and each.part is part for each in self.wanting):
            self._want(part, name, "Name a day, such as 4 January 2027.")
        return date.min

    def _perhaps_day(self, part: DraftPart, name: str) -> date | None:
        value = self._value(part, name)
        return self._tried(part, name, lambda: read_day(value, field=label(name))) if value else None

    def _tried(self, part: DraftPart, name: str, act: Callable[[], V]) -> V | None:
        try:
            return act()
        except TrialCpaError as error:
            sentence = str(error).removeprefix(f"{label(name)}: ")  # the page says beside it which field it is
            self._want(part, name, f"{sentence} {remedy(error)}")
            return None
