"""Deployments: what the DCC reports of devices line by line (F2.28), and what becomes of each line.

A unit is an EUI-64. From the instant at which it is deployed under an approval to the instant at which it is taken out
is a stint; a device has one at a time. Stints are never changed: they end, or a correction says that one never was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

_T = TypeVar("_T")

DEVICE_STATUSES = (
    "Pending",
    "Whitelisted",
    "InstalledNotCommissioned",
    "Commissioned",
    "Decommissioned",
    "Withdrawn",
    "Suspended",
    "Recovery",
    "Recovered",
)
"""What an inventory says of a device (DUIS 5.4, sr:DeviceStatus)."""

DEPLOYED_STATUSES = ("InstalledNotCommissioned", "Commissioned", "Suspended", "Recovery", "Recovered")
"""Those that count as deployed unless the settings say otherwise: the device is on a wall."""

DECOMMISSIONED_STATUSES = ("Decommissioned", "Withdrawn")
"""Those that count as taken out unless the settings say otherwise."""

FIRMWARELESS_TYPES = frozenset({"IHD", "CAD"})
"""Device types whose CPL entry names no firmware (docs/assumptions.md)."""


DEVICE_TEXT_LIMIT = 30
"""Characters of manufacturer, model and hardware version (DUIS 5.4, sr:DeviceManufacturer, sr:DeviceModel)."""

FIRMWARE_LIMIT = 8
"""Characters of a firmware version (DUIS 5.4, sr:FirmwareVersion)."""


MOST_LINES = 100_000
"""Lines of one report (issue: batches of up to 100,000)."""


class Form(StrEnum):
    """In which form a report came."""

    JSON = "json"
    CSV = "csv"
    DUIS = "duis"


def form_of(body: bytes) -> Form:
    """Return in which form a report comes, where only its content says it."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return Form.DUIS
    return Form.JSON if start in {b"{", b"["} else Form.CSV


class Event(StrEnum):
    """What a line says."""

    DEPLOYED = "deployed"
    DECOMMISSIONED = "decommissioned"
    REPLACED = "replaced"
    CORRECTED = "corrected"
    NOT_DECOMMISSIONED = "not-decommissioned"


class Outcome(StrEnum):
    """What became of a line."""

    RECORDED = "recorded"
    KNOWN = "known"
    REFUSED = "refused"
    IGNORED = "ignored"


class LineCode(StrEnum):
    """What there is to say of a line; codes are stable."""

    MALFORMED = "line-malformed"
    EVENT_UNKNOWN = "event-unknown"
    DEVICE_ID_MALFORMED = "device-id-malformed"
    INSTANT_MALFORMED = "instant-malformed"
    DAY_AMBIGUOUS = "day-ambiguous"
    IDENTIFIER_MALFORMED = "identifier-malformed"
    INSTANT_IN_FUTURE = "instant-in-future"
    UNKNOWN_APPROVAL = "unknown-approval"
    DEVICE_NOT_APPROVED = "device-not-approved"
    DEVICE_AMBIGUOUS = "device-ambiguous"
    MODEL_DIFFERS = "device-model-differs"
    APPROVAL_DIFFERS = "approval-differs"
    BEFORE_START = "before-start"
    AFTER_END = "after-end"
    OUTSIDE_APPROVALS = "outside-approvals"
    DEPLOYED_ELSEWHERE = "deployed-elsewhere"
    ALREADY_DEPLOYED = "already-deployed"
    OVERLAPS = "deployment-overlaps"
    NEVER_DEPLOYED = "never-deployed"
    NO_LONGER_DEPLOYED = "no-longer-deployed"
    BEFORE_DEPLOYED = "decommissioned-before-deployed"
    NOTHING_TO_CORRECT = "nothing-to-correct"
    NOTHING_TO_TAKE_BACK = "nothing-to-take-back"
    FIRMWARE_MISSING = "firmware-missing"
    FIRMWARE_NOT_APPROVED = "firmware-not-approved"
    NAMED_TWICE = "device-named-twice"
    NAMED_TOO_OFTEN = "device-named-too-often"
    WAS_CORRECTED = "was-corrected"
    COUNTED_WITH_HUB = "counted-with-hub"
    STATUS_NOT_COUNTED = "status-not-counted"
    STATUS_MISSING = "status-missing"


# What was sent is not repeated in any of them: it may be a postcode in the wrong column.
_SENTENCES: Mapping[LineCode, str] = {
    LineCode.MALFORMED: "The line cannot be read: {what}.",
    LineCode.EVENT_UNKNOWN: "The event must be deployed, decommissioned, replaced, corrected or not-decommissioned.",
    LineCode.DEVICE_ID_MALFORMED: (
        "A device identifier is an EUI-64: eight pairs of hexadecimal digits, 00-DB-12-34-56-78-90-01; "
        "where a spreadsheet has made a number of it, its last digits are lost."
    ),
    LineCode.INSTANT_MALFORMED: (
        "A day is written 2027-06-30, 30/06/2027 or 30 June 2027, and an instant 2027-06-30T23:59:59Z."
    ),
    LineCode.DAY_AMBIGUOUS: (
        "This may be {first} or {second}; write the one that is meant so, or say that the day comes first."
    ),
    LineCode.IDENTIFIER_MALFORMED: "This is not an approval identifier; copy it from the notice or the certificate.",
    LineCode.INSTANT_IN_FUTURE: "It lies in the future; only what has happened is reported.",
    LineCode.UNKNOWN_APPROVAL: "No approval with this identifier was ever granted here.",
    LineCode.DEVICE_NOT_APPROVED: "No approval was ever granted for this device model.",
    LineCode.DEVICE_AMBIGUOUS: "Several approvals fit this device model; they differ in: {fields}.",
    LineCode.MODEL_DIFFERS: "Approval {approval} is for another device model.",
    LineCode.APPROVAL_DIFFERS: "The device is deployed under {approval}, which is not what the line says.",
    LineCode.BEFORE_START: "Approval {approval} starts at {start}; nothing is deployed under it before.",
    LineCode.AFTER_END: "Approval {approval} had ended by then, at {ended}; nothing is deployed under it any more.",
    LineCode.OUTSIDE_APPROVALS: "No approval of this device model was in force at that instant.",
    LineCode.DEPLOYED_ELSEWHERE: (
        "It is deployed under {approval} since {since}; a device is deployed under one approval at a time."
    ),
    LineCode.ALREADY_DEPLOYED: "It is deployed under {approval} since {since} already; correct that if it is wrong.",
    LineCode.OVERLAPS: "It was deployed under {approval} from {since} to {until}, which this would overlap.",
    LineCode.NEVER_DEPLOYED: "It was never reported as deployed.",
    LineCode.NO_LONGER_DEPLOYED: "It was taken out at {until} and is not deployed any more.",
    LineCode.BEFORE_DEPLOYED: "It is deployed since {since}; it cannot have been taken out before.",
    LineCode.NOTHING_TO_CORRECT: (
        "A correction names the instant since which the device is wrongly said to be deployed; "
        "no deployment since that instant stands."
    ),
    LineCode.NOTHING_TO_TAKE_BACK: (
        "It names the instant at which the device is wrongly said to be taken out; no such end stands."
    ),
    LineCode.FIRMWARE_MISSING: "A device of this type has a firmware version, and the line names none.",
    LineCode.FIRMWARE_NOT_APPROVED: "It is recorded; approval {approval} does not name this firmware version.",
    LineCode.NAMED_TWICE: "One message says one thing of a device; this one names it more than once.",
    LineCode.NAMED_TOO_OFTEN: "More than {most} lines of one report are about this device.",
    LineCode.WAS_CORRECTED: "It was recorded and has been corrected since; this line does not bring it back.",
    LineCode.COUNTED_WITH_HUB: "A communications hub is one unit: this part of it is counted with its CHF.",
    LineCode.STATUS_NOT_COUNTED: "A device of this status counts neither as deployed nor as taken out.",
    LineCode.STATUS_MISSING: "The inventory gives no status for this device, so it is not counted.",
}


def sentence(code: LineCode, **fields: object) -> str:
    """Return what a code says, for people.

    Args:
        code: which.
        fields: what its sentence needs; a missing one is a KeyError, found by the tests that walk all codes.
    """
    return _SENTENCES[code].format(**fields)


@dataclass(frozen=True, slots=True)
class Model:
    """A device model as a line names it; compared without case.

    Args:
        manufacturer, model: as given.
        type, hardware_version: empty where the line does not say.
    """

    manufacturer: str
    model: str
    type: str = ""
    hardware_version: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that could be read.

    Args:
        number: of the line: in a CSV file as editors count, in JSON and in an inventory counted from 1.
        event: what it says.
        device_id: the unit (EUI-64, upper case).
        on: when; for a correction the instant of the deployment, or of the end, that it takes back.
        whole_day: whether `on` was given as a UTC day; it is then the day's first second.
        approval: the identifier, if the line names it.
        model: the device model, if the line names it.
        firmware: the version, as given; empty where the line does not say.
        by: of a replacement, the device that took the place.
        why: of a correction.
        seen: of an inventory, when it was taken; None for a line that says itself what happened.
    """

    number: int
    event: Event
    device_id: str
    on: datetime
    whole_day: bool = False
    approval: str | None = None
    model: Model | None = None
    firmware: str = ""
    by: str = ""
    why: str = ""
    seen: datetime | None = None

    def names(self, instant: datetime) -> bool:
        """Return whether `on` is that instant, as exactly as the line says it."""
        return instant == self.on or (self.whole_day and instant.date() == self.on.date())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one line.

    Args:
        number: of the line.
        outcome: see Outcome.
        device_id: the unit; None if it could not be read.
        approval: the approval that it concerns, if that is known.
        code: what there is to say; None if nothing.
        column: where it lies, by the name that Line gives it.
        detail: the same as a sentence; empty if nothing.
    """

    number: int
    outcome: Outcome
    device_id: str | None = None
    approval: str | None = None
    code: LineCode | None = None
    column: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UndoneEnd:
    """An end of a stint that never was: when it was said to be, what was said to have taken the place, and why not."""

    at: datetime
    by: str | None
    why: str


@dataclass(slots=True)
class Stint:
    """One device under one approval, from its deployment on. The one thing here that changes: its later fate.

    Args:
        id: the register's; None while it is new.
        device_id, approval, firmware, deployed_at: what was reported.
        decommissioned_at, replaced_by: its end.
        void_reason: why a correction says that it never was; None while it stands.
        undone: ends of it that corrections have taken back, in the order in which they were.
        changed: whether its fate is to be written.
        ended_before, end_recorded: the end that the register has, and when it was recorded.
        undone_before: how many of `undone` the register has.
    """

    id: int | None
    device_id: str
    approval: str
    firmware: str
    deployed_at: datetime
    decommissioned_at: datetime | None = None
    replaced_by: str | None = None
    void_reason: str | None = None
    undone: tuple[UndoneEnd, ...] = ()
    changed: bool = False
    ended_before: datetime | None = field(default=None, compare=False)
    end_recorded: datetime | None = field(default=None, compare=False)
    undone_before: int = field(default=0, compare=False)

    @property
    def open(self) -> bool:
        """Whether the device is deployed by it now."""
        return self.decommissioned_at is None and self.void_reason is None

    @property
    def newly_undone(self) -> tuple[UndoneEnd, ...]:
        """The ends that are taken back and of which the register does not know it."""
        return self.undone[self.undone_before :]


def by_device(items: Sequence[_T], devices: Callable[[_T], Sequence[str]]) -> list[list[_T]]:
    """Return lines in groups that have a device in common, directly or through others.

    Args:
        items: lines, in order; the groups are in the order of their first lines, and keep that order inside.
        devices: which devices a line names; one that names none is a group of its own.
    """
    above: dict[str, str] = {}

    def root(device: str) -> str:
        while above.setdefault(device, device) != device:
            above[device] = above[above[device]]
            device = above[device]
        return device

    named = [(item, devices(item)) for item in items]
    for _, names in named:
        for other in names[1:]:
            above[root(other)] = root(names[0])
    groups: dict[str | int, list[_T]] = {}
    for place, (item, names) in enumerate(named):
        groups.setdefault(root(names[0]) if names else place, []).append(item)
    return list(groups.values())
