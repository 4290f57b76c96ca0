"""What was approved and what was issued: the values that every channel's answer is computed from.

Plain values; nothing here says what is true at an instant (see core/status.py).
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from core.identifiers import Serial


@dataclass(frozen=True)
class Device:
    """One device model (F2.18): the thing that is approved. Strings are kept as given, compared without case.

    Args:
        type: ESME, GSME, GPF, CHF, HCALCS, PPMID, IHD or CAD (DUIS 5.4, sr:DeviceType).
        manufacturer: up to 30 characters (DUIS), often hex: never a number, leading zeros matter.
        model: up to 30 characters.
        hardware_version: up to 30 characters.
    """

    type: str
    manufacturer: str
    model: str
    hardware_version: str

    @property
    def key(self) -> str:
        """The form in which two devices are compared: case folded, joined by a character none may contain."""
        return "\x1f".join(part.casefold() for part in astuple(self))

    @property
    def words(self) -> str:
        """The model in one line for people: type, manufacturer, model, hardware version."""
        return f"{self.type} {self.manufacturer} {self.model}, hardware {self.hardware_version}"

    def said(self) -> dict[str, str]:
        """Return it as an object with DEVICE_MEMBERS."""
        return {name: getattr(self, name) for name in DEVICE_MEMBERS}

    def listed(self) -> dict[str, str]:
        """Return it as columns, of the register and of the Panel's list, by their names."""
        return dict(zip(DEVICE_COLUMNS, astuple(self), strict=True))


DEVICE_MEMBERS = tuple(each.name for each in fields(Device))
"""What a device is said to be, in order; what adds a member to Device adds it everywhere."""

DEVICE_COLUMNS = tuple("device_type" if name == "type" else name for name in DEVICE_MEMBERS)
"""The same where they are columns among others."""

DEVICE_WORDS = {name: name.replace("_", " ") for name in DEVICE_MEMBERS}
"""By member, what people call it."""

DEVICE_TYPES = ("ESME", "GSME", "GPF", "CHF", "HCALCS", "PPMID", "IHD", "CAD")
"""DUIS 5.4, sr:DeviceType."""

VARIANT_MEMBERS = tuple(name for name in DEVICE_MEMBERS if name not in ("manufacturer", "model"))
"""What tells the variants of one model apart; whoever names a model may leave it unsaid."""


def device_said(said: Mapping[str, Any]) -> Device:
    """Return the device that an object with DEVICE_MEMBERS names."""
    return Device(**{name: said[name] for name in DEVICE_MEMBERS})


def device_listed(columns: Mapping[str, Any]) -> Device:
    """Return the device that a row with DEVICE_COLUMNS names."""
    return Device(**{name: columns[column] for name, column in zip(DEVICE_MEMBERS, DEVICE_COLUMNS, strict=True)})


@dataclass(frozen=True)
class Firmware:
    """One approved firmware version: each is a CPL entry of its own.

    Args:
        version: 1 to 8 characters (DUIS 5.4, sr:FirmwareVersion).
        image_digest: SHA-256 of the image, 64 lower-case hexadecimal digits.
    """

    version: str
    image_digest: str


class EndCause(StrEnum):
    """Why an approval or a certificate was ended by somebody. Chosen by cause, never typed as a reason."""

    SSC = "ssc"
    BREACH = "breach"
    KEY_COMPROMISE = "key-compromise"
    MANUFACTURER = "manufacturer"
    CHANGE_WITHDRAWN = "change-withdrawn"


OF_A_CERTIFICATE = (EndCause.KEY_COMPROMISE, EndCause.CHANGE_WITHDRAWN)
"""Each of these ends a certificate and leaves the approval."""

OFFICERS_CAUSES = (EndCause.SSC, EndCause.BREACH, EndCause.KEY_COMPROMISE)
"""Why officers revoke; for the Manufacturer's own request they withdraw."""


class RevocationReason(IntEnum):
    """CRLReason (RFC 5280, 5.3.1): those that we use. removeFromCRL (8) has no place in a full CRL."""

    KEY_COMPROMISE = 1
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    PRIVILEGE_WITHDRAWN = 9


@dataclass(frozen=True)
class CertificateRecord:
    """One Trial CPA Certificate and its later fate.

    Args:
        serial: its serial number.
        issue: 1, then one more with each certificate under the approval.
        fingerprint: SHA-256 of the DER, 64 lower-case hexadecimal digits: what a certificate is recognised by.
        not_before, not_after: its validity, both inclusive.
        signed_at: when it was recorded as signed; before that instant nobody had it.
        revoked_at, cause: the cancelling commit and its cause.
        invalidity_date: since when the key is known to be compromised, if known.
        superseded_at: the later issue's effective instant.
        issuer_ended_at: when the issuing CA that signed it was ended before its time; None if it was not.
        public_key_sha256: of its public key, hex; empty where nobody asks.
    """

    serial: Serial
    issue: int
    fingerprint: str
    not_before: datetime
    not_after: datetime
    signed_at: datetime
    revoked_at: datetime | None = None
    cause: EndCause | None = None
    invalidity_date: datetime | None = None
    superseded_at: datetime | None = None
    issuer_ended_at: datetime | None = None
    public_key_sha256: str = field(default="", compare=False)


@dataclass(frozen=True)
class Terms:
    """What one issue's certificate says.

    Args:
        issue: the certificate's issue.
        effective: its notBefore: the start for issue 1, else the effective instant.
        expiry: the last second in which it holds.
        maximum_devices: the limit of F2.21(d).
        firmware: the approved versions.
        decision: the identifier of the one that decided them; empty before there is one.
    """

    issue: int
    effective: datetime
    expiry: datetime
    maximum_devices: int
    firmware: tuple[Firmware, ...]
    decision: str = field(default="", compare=False)


@dataclass(frozen=True)
class ApprovalRecord:
    """A Trial Device Approval, with everything its status depends on.

    Args:
        identifier: the identifier code of F2.25.
        organisation: the Manufacturer's identifier.
        device: what is approved.
        granted_at: the commit that granted it.
        start: 00:00:00Z of the start date.
        terms: one for each issue ever decided, in order; never empty.
        certificates: those recorded as signed, in order of issue.
        ended_at, end_cause: the commit that ended the approval before its expiry.
    """

    identifier: str
    organisation: str
    device: Device
    granted_at: datetime
    start: datetime
    terms: tuple[Terms, ...]
    certificates: tuple[CertificateRecord, ...] = ()
    ended_at: datetime | None = None
    end_cause: EndCause | None = None


def ended_by_act(record: ApprovalRecord) -> bool:
    """Return whether somebody has ended the approval, or a certificate of it; what ends by time needs no memory."""
    return record.ended_at is not None or any(
        each.revoked_at is not None or each.superseded_at is not None for each in record.certificates
    )
