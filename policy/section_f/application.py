"""What Section F and the certificate's form have against an application, or a proposal to grant one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.approval import DEVICE_TYPES, DEVICE_WORDS, Device, Firmware
from core.errors import Finding, Severity
from core.instants import ONE_SECOND, first_second, last_second, text
from policy.rules import Rule, judge, rule
from policy.section_f.assurance import AssuranceFacts, assurance_findings
from policy.section_f.contact import is_address, is_example
from policy.section_f.wording import LONGEST_SHOWN, printable, shown

LONGEST_DEVICE_NAME = 30
"""DUIS 5.4: manufacturer and model, in characters; the hardware version is held to the same."""

LONGEST_FIRMWARE_VERSION = 8
"""DUIS 5.4, sr:FirmwareVersion, in characters."""

LONGEST_CERTIFICATE_NAME = LONGEST_SHOWN
"""X.520, ub-organization-name, in characters."""

MOST_DEVICES = 1_000_000
"""The largest limit of F2.21(d) that anybody can mean for a field trial."""

MOST_FIRMWARE_VERSIONS = 100
"""Approved versions in one certificate; each adds about 50 octets to it."""

_DIGEST = re.compile("[0-9a-fA-F]{64}")
# Version strings of SMETS2 begin "SMETS V1." too ("SMETS V1.58"), so only those that DUIS calls SMETS1, and SMETS
# before 1.58, the first of SMETS2, are the older kind.
_SMETS1 = re.compile(r"SMETS\s*1(\D.*)?", re.IGNORECASE | re.DOTALL)
_SMETS_VERSION = re.compile(r"SMETS\s*V\s*1\.([0-9]{1,4})", re.IGNORECASE)
_FIRST_SMETS2_MINOR = 58
_ANY_VERSION = re.compile(r"(SMETS|CHTS)\s*[12]?\s*V\s*[0-9]{1,2}(?:\.[0-9]{1,4}){1,2}", re.IGNORECASE)
# By which specification a device type is known; a CAD has one of its own (docs/assumptions.md).
_SPECIFIED = {
    **dict.fromkeys(("CHF", "GPF"), "CHTS"),
    **dict.fromkeys(("ESME", "GSME", "HCALCS", "PPMID", "IHD"), "SMETS"),
}
_GBCS_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}")

EXAMPLE_DEVICE = Device(type="ESME", manufacturer="AB01", model="010A030B", hardware_version="01")
EXAMPLE_PURPOSE = "Why the trial is needed, where it takes place, who takes part."
EXAMPLE_CERTIFICATES = ("ZIG-0001", "CPA-0001")
"""What the form of an application shows (app/cli/application_form.py), and nobody means."""


@dataclass(frozen=True, kw_only=True)
class TrialFacts:
    """What any approval says, whether it is applied for, granted or amended.

    Args:
        device: what is to be tried.
        firmware: its versions.
        start, expiry: UTC days, both inclusive.
        maximum_devices: the limit of F2.21(d).
        today: the present UTC day.
        longest_trial: the longest a trial may last (setting).
        issuing_ends: the issuing CA's notAfter.
        issuing_window_end: the last instant at which the issuing CA issues.
        certificate_name: the organisation's name in certificates.
    """

    device: Device
    firmware: tuple[Firmware, ...]
    start: date
    expiry: date
    maximum_devices: int
    today: date
    longest_trial: timedelta
    issuing_ends: datetime
    issuing_window_end: datetime
    certificate_name: str


@dataclass(frozen=True, kw_only=True)
class ApplicationFacts(TrialFacts):
    """What an application asks for, or a proposal to grant would make true.

    Args:
        smets_version: as DUIS writes it, `SMETS V1.58` or `CHTS V1.4`; None if it was not given.
        evidence: the certificates that it names (F2.19).
        gbcs_version: as DUIS writes it, `4.2`; empty if it was not given.
        contact: the e-mail address for notices; empty if none was given.
        contact_held: the one that the organisation has; None if it never named any.
        purpose: why, where, who.
        live: whether this is a live authority's, which takes no example for what is meant.
    """

    smets_version: str | None
    evidence: AssuranceFacts
    gbcs_version: str = ""
    contact: str = ""
    contact_held: str | None = None
    purpose: str = ""
    live: bool = False


def application_findings(facts: ApplicationFacts) -> tuple[Finding, ...]:
    """Return everything that Section F and the certificate's form have against an application."""
    return (*judge(APPLICATION_RULES, facts), *assurance_findings(facts.evidence))


def grant_findings(facts: ApplicationFacts) -> tuple[Finding, ...]:
    """Return everything against a proposal to grant; run when proposed and again when seconded (`today` has moved)."""
    return (*judge(GRANT_RULES, facts), *assurance_findings(facts.evidence))


# --- the device --------------------------------------------------------------------------------------------------


@rule("smets-1", "F2.18", Severity.FATAL, "Trial Device Approvals exist for SMETS2+ Device Models only.")
def _smets_1(facts: ApplicationFacts) -> Iterator[str]:
    version = (facts.smets_version or "").strip()
    if _is_smets1(version):
        yield f"{shown(version)} is a SMETS1 version."


@rule("smets-version", "F2.18", Severity.WARNING, "Give it as the DCC's systems hold it, for example SMETS V1.58.")
def _smets_version(facts: ApplicationFacts) -> Iterator[str]:
    version = (facts.smets_version or "").strip()
    named = _ANY_VERSION.fullmatch(version)
    if not version:
        yield "No SMETS or CHTS version is given, so nothing shows that it is a SMETS2+ Device Model."
    elif named is None and not _is_smets1(version):
        yield f"{shown(version)} is no SMETS or CHTS version."
    elif named is not None and named[1].upper() != _SPECIFIED.get(facts.device.type, named[1].upper()):
        yield f"{shown(version)} is not for a device of type {facts.device.type}."


@rule("gbcs-version", "F2.18", Severity.FATAL, "Give the version as the DCC's systems hold it, for example 4.2.")
def _gbcs_version(facts: ApplicationFacts) -> Iterator[str]:
    if facts.gbcs_version and not _GBCS_VERSION.fullmatch(facts.gbcs_version):
        yield f"{shown(facts.gbcs_version)} is not a GBCS version."


@rule("device-type", "F2.18", Severity.FATAL, f"Choose one of {', '.join(DEVICE_TYPES)}.")
def _device_type(facts: TrialFacts) -> Iterator[str]:
    if facts.device.type not in DEVICE_TYPES:
        yield f"{shown(facts.device.type)} is not a device type."


@rule("device-name-length", "F2.18", Severity.FATAL, "Give the names exactly as the DCC's systems hold them.")
def _device_name_length(facts: TrialFacts) -> Iterator[str]:
    for label, value in _device_names(facts.device):
        if not 1 <= len(value) <= LONGEST_DEVICE_NAME:
            yield f"The {label} has {len(value)} characters; it must have 1 to {LONGEST_DEVICE_NAME}."


@rule("name-unprintable", "F2.18", Severity.FATAL, "Write it with printable characters, without blanks at its ends.")
def _name_unprintable(facts: TrialFacts) -> Iterator[str]:
    for label, value in (
        *_device_names(facts.device),
        *((f"firmware version {place}", each.version) for place, each in enumerate(facts.firmware, 1)),
        ("certificate name", facts.certificate_name),
    ):
        if not printable(value):
            yield f"The {label} {shown(value)} has unprintable characters, or blanks at its ends."


@rule("firmware-missing", "F2.25", Severity.FATAL, "Name each firmware version of the trial.")
def _firmware_missing(facts: TrialFacts) -> Iterator[str]:
    if not facts.firmware:
        yield "No firmware version is named."


@rule("firmware-too-many", "F2.25", Severity.FATAL, "Name the versions that the trial starts with; others are added.")
def _firmware_too_many(facts: TrialFacts) -> Iterator[str]:
    if len(facts.firmware) > MOST_FIRMWARE_VERSIONS:
        yield f"{len(facts.firmware)} firmware versions are named; at most {MOST_FIRMWARE_VERSIONS} can be."


@rule("firmware-version-length", "F2.25", Severity.FATAL, "Give the version as the DCC's systems hold it.")
def _firmware_version_length(facts: TrialFacts) -> Iterator[str]:
    for place, each in enumerate(facts.firmware, 1):
        if not 1 <= len(each.version) <= LONGEST_FIRMWARE_VERSION:
            yield (
                f"Firmware version {place} has {len(each.version)} characters; "
                f"it must have 1 to {LONGEST_FIRMWARE_VERSION}."
            )


@rule("firmware-digest", "F2.25", Severity.FATAL, "Give the SHA-256 of the image as 64 hexadecimal digits.")
def _firmware_digest(facts: TrialFacts) -> Iterator[str]:
    for each in facts.firmware:
        if not _DIGEST.fullmatch(each.image_digest):
            yield f"The image digest of firmware {shown(each.version)} is not a SHA-256."


@rule("firmware-repeated", "F2.25", Severity.FATAL, "Name each version once; case makes no difference.")
def _firmware_repeated(facts: TrialFacts) -> Iterator[str]:
    seen: set[str] = set()
    for each in facts.firmware:
        key = each.version.casefold()
        if key in seen:
            yield f"Firmware version {shown(each.version)} is named more than once."
        seen.add(key)


# --- the terms ---------------------------------------------------------------------------------------------------


@rule("maximum-devices", "F2.21(d)", Severity.FATAL, f"Name a limit from 1 to {MOST_DEVICES:,}.")
def _maximum_devices(facts: TrialFacts) -> Iterator[str]:
    if not 1 <= facts.maximum_devices <= MOST_DEVICES:
        # A hostile number can have thousands of digits; it is not repeated.
        yield f"The maximum number of devices is not between 1 and {MOST_DEVICES:,}."


@rule("start-before-today", "F2.21(c)", Severity.FATAL, "Choose a start date of today or later (UTC).")
def _start_before_today(facts: TrialFacts) -> Iterator[str]:
    if facts.start < facts.today:
        yield f"The start date {facts.start.isoformat()} has passed; today is {facts.today.isoformat()}."


@rule("expiry-before-start", "F2.21(c)", Severity.FATAL, "Choose an expiry date on or after the start date.")
def _expiry_before_start(facts: TrialFacts) -> Iterator[str]:
    if facts.expiry < facts.start:
        yield f"The expiry date {facts.expiry.isoformat()} lies before the start date {facts.start.isoformat()}."


@rule("trial-too-long", "F2.21(c)", Severity.FATAL, "Choose an earlier expiry date.")
def _trial_too_long(facts: TrialFacts) -> Iterator[str]:
    # Both ends are inclusive; subtracting never leaves the calendar, adding to 9999-12-31 would.
    length = last_second(facts.expiry) - first_second(facts.start) + ONE_SECOND
    if length > facts.longest_trial:
        yield f"The trial would last {length.days} days; at most {facts.longest_trial.days} are allowed."


@rule("beyond-issuing-ca", "F2.25", Severity.FATAL, "Choose an expiry date before the issuing CA's own end.")
def _beyond_issuing_ca(facts: TrialFacts) -> Iterator[str]:
    if last_second(facts.expiry) > facts.issuing_ends:
        yield (
            f"The expiry date {facts.expiry.isoformat()} lies beyond the end of the issuing CA, "
            f"{text(facts.issuing_ends)}."
        )


@rule("issuing-window-closed", "F2.25", Severity.FATAL, "The operator must make a new issuing CA first.")
def _issuing_window_closed(facts: TrialFacts) -> Iterator[str]:
    if first_second(facts.today) > facts.issuing_window_end:
        yield f"The issuing CA has issued nothing since {text(facts.issuing_window_end)}."


@rule("certificate-name-length", "F2.25", Severity.FATAL, "Have the organisation's certificate name shortened.")
def _certificate_name_length(facts: TrialFacts) -> Iterator[str]:
    if not 1 <= len(facts.certificate_name) <= LONGEST_CERTIFICATE_NAME:
        yield (
            f"The organisation's certificate name has {len(facts.certificate_name)} characters; "
            f"it must have 1 to {LONGEST_CERTIFICATE_NAME}."
        )


@rule("contact-malformed", "F2.21", Severity.FATAL, "Give one address, name@company.example, or leave it out.")
def _contact_malformed(facts: ApplicationFacts) -> Iterator[str]:
    if facts.contact and not is_address(facts.contact):
        yield "The contact is not an e-mail address that notices can be sent to."


@rule("contact-not-the-one-held", "F2.21", Severity.NOTICE, "To change it for all: trialcpa contacts change.")
def _contact_not_the_one_held(facts: ApplicationFacts) -> Iterator[str]:
    if facts.contact and facts.contact_held not in (None, facts.contact):
        yield "Notices go to the contact that the organisation has; the one that the application names is another."


@rule("example-value", "F2.18", Severity.FATAL, "Write what is meant; forms and documentation show examples.")
def _example_value(facts: ApplicationFacts) -> Iterator[str]:
    if not facts.live:
        return
    earlier = facts.evidence.earlier
    named = [each.certificate for each in facts.evidence.held] + ([] if earlier is None else [earlier.certificate])
    if facts.device == EXAMPLE_DEVICE:
        yield "The device is the one that the form shows as an example."
    if " ".join(facts.purpose.split()) == EXAMPLE_PURPOSE:
        yield "The purpose still says what the form says there."
    for each in EXAMPLE_CERTIFICATES:
        if each in named:
            yield f"The certificate {each} is the one that the form shows as an example."
    if is_example(facts.contact):
        yield "The contact is at a domain that is reserved for examples (RFC 2606)."


TRIAL_RULES: tuple[Rule[TrialFacts], ...] = (
    _device_type,
    _device_name_length,
    _name_unprintable,
    _firmware_missing,
    _firmware_too_many,
    _firmware_version_length,
    _firmware_digest,
    _firmware_repeated,
    _maximum_devices,
    _start_before_today,
    _expiry_before_start,
    _trial_too_long,
    _beyond_issuing_ca,
    _issuing_window_closed,
    _certificate_name_length,
)
"""What any approval must satisfy."""

APPLICATION_RULES: tuple[Rule[ApplicationFacts], ...] = (
    _smets_1,
    _smets_version,
    _gbcs_version,
    *TRIAL_RULES,
    _contact_malformed,
    _contact_not_the_one_held,
    _example_value,
)

GRANT_RULES = APPLICATION_RULES
"""A grant must satisfy all that an application must: what was true when it was asked for may not be any more."""


def _is_smets1(version: str) -> bool:
    named = _SMETS_VERSION.fullmatch(version)
    return _SMETS1.fullmatch(version) is not None or (named is not None and int(named[1]) < _FIRST_SMETS2_MINOR)


def _device_names(device: Device) -> tuple[tuple[str, str], ...]:
    return tuple((words, getattr(device, name)) for name, words in DEVICE_WORDS.items() if name != "type")
