"""What a Trial CPA Certificate says of its approval: the TrialDeviceApproval extension, read strictly (F2.25)."""

from dataclasses import dataclass
from datetime import datetime

from core.approval import Device, Firmware
from core.errors import IdentifierMalformed
from core.identifiers import ApprovalIdentifier
from verify.der import DerMalformed, Reader

_VERSION = 1
_DIGEST_OCTETS = 32


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
        identifier = ApprovalIdentifier.parse(value)
    except IdentifierMalformed as malformed:
        raise DerMalformed(str(malformed)) from None
    if str(identifier) != value:  # people may write it as they like, a certificate may not
        raise DerMalformed("the approval identifier is not in its canonical form")
    return identifier


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
