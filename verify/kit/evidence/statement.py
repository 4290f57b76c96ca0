"""What a Trial CPA Certificate says of its approval: the TrialDeviceApproval extension, read strictly (F2.25)."""

from dataclasses import dataclass, fields
from datetime import datetime

from verify.kit.evidence.der import DerMalformed, Reader
from verify.kit.evidence.identifiers import ApprovalIdentifier, read_identifier

_VERSION = 1
_DIGEST_OCTETS = 32


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device model (F2.18), as the certificate writes it.

    Args:
        type, manufacturer, model, hardware_version: compared without case.
    """

    type: str
    manufacturer: str
    model: str
    hardware_version: str


DEVICE_MEMBERS = tuple(each.name for each in fields(Device))
"""What a device is said to be, in order."""


@dataclass(frozen=True)
class Firmware:
    """One approved firmware version.

    Args:
        version: 1 to 8 characters.
        image_digest: SHA-256 of the image, 64 lower-case hexadecimal digits.
    """

    version: str
    image_digest: str


@dataclass(frozen=True)
class Statement:
    """TrialDeviceApproval, decoded.

    Args:
        identifier: the approval identifier, in its one canonical form.
        issue: 1, then one more with each certificate under the approval.
        start, expiry: the approval's, both inclusive.
        maximum_devices: the limit of F2.21(d).
        device: the approved device model.
        firmware: the approved versions, at least one.
        proposal_digest: SHA-256 of the canonical proposal, 64 lower-case hexadecimal digits.
    """

    identifier: ApprovalIdentifier
    issue: int
    start: datetime
    expiry: datetime
    maximum_devices: int
    device: Device
    firmware: tuple[Firmware, ...]
    proposal_digest: str


@dataclass(frozen=True)
class DeviceClaim:
    """The device that somebody stands before; what is None was not asked (an inventory has no hardware version).

    Args:
        manufacturer, model: as the device reports them; compared without case.
        type, hardware_version: likewise, where known.
        firmware_version: the version that runs.
        image_digest: SHA-256 of the firmware image, hexadecimal, where known.
    """

    manufacturer: str
    model: str
    type: str | None = None
    hardware_version: str | None = None
    firmware_version: str | None = None
    image_digest: str | None = None


def decode(data: bytes) -> Statement:
    """Return what the extension's value says. Strict DER: one statement has one form.

    Raises:
        DerMalformed: anything but a TrialDeviceApproval of version 1.
    """
    outer = Reader(data)
    body = outer.sequence()
    outer.end()
    version = body.integer()
    if version != _VERSION:
        raise DerMalformed(f"version {version} is not known")
    identifier = _identifier(body.text())
    issue = _at_least_one(body.integer(), "issue")
    start, expiry = body.instant(), body.instant()
    maximum = _at_least_one(body.integer(), "maximumDevices")
    device = _device(body.sequence())
    firmware = _firmware(body.sequence())
    proposal_digest = body.octets(_DIGEST_OCTETS).hex()
    body.end()
    return Statement(
        identifier=identifier,
        issue=issue,
        start=start,
        expiry=expiry,
        maximum_devices=maximum,
        device=device,
        firmware=firmware,
        proposal_digest=proposal_digest,
    )


def _identifier(value: str) -> ApprovalIdentifier:
    try:
        return read_identifier(value)
    except ValueError as error:
        raise DerMalformed(str(error)) from None


def _device(body: Reader) -> Device:
    device = Device(type=body.text(), manufacturer=body.text(), model=body.text(), hardware_version=body.text())
    body.end()
    return device


def _firmware(body: Reader) -> tuple[Firmware, ...]:
    versions = []
    while body.more:
        item = body.sequence()
        versions.append(Firmware(item.text(), item.octets(_DIGEST_OCTETS).hex()))
        item.end()
    if not versions:
        raise DerMalformed("no firmware version is named")
    if len({firmware.version.casefold() for firmware in versions}) != len(versions):
        raise DerMalformed("a firmware version is named twice")
    return tuple(versions)


def _at_least_one(value: int, name: str) -> int:
    if value < 1:
        raise DerMalformed(f"{name} is {value}")
    return value
