"""The extension trialDeviceApproval: what an approval says, inside the certificate. Module: docs/trialcpa.asn1.

The reader is for our own bytes: the lint and the tests. Bytes from outside are read by verify/, which shares no code
with this on purpose.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from asn1crypto import core as asn1

from core.approval import Device, Firmware

VERSION = 1


class _Device(asn1.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [
        ("type", asn1.UTF8String),
        ("manufacturer", asn1.UTF8String),
        ("model", asn1.UTF8String),
        ("hardwareVersion", asn1.UTF8String),
    ]


class _Firmware(asn1.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [("version", asn1.UTF8String), ("imageDigest", asn1.OctetString)]


class _FirmwareList(asn1.SequenceOf):  # type: ignore[misc]
    _child_spec = _Firmware


class _TrialDeviceApproval(asn1.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [
        ("version", asn1.Integer),
        ("approvalIdentifier", asn1.UTF8String),
        ("issue", asn1.Integer),
        ("start", asn1.GeneralizedTime),
        ("expiry", asn1.GeneralizedTime),
        ("maximumDevices", asn1.Integer),
        ("device", _Device),
        ("firmware", _FirmwareList),
        ("proposalDigest", asn1.OctetString),
    ]


@dataclass(frozen=True)
class TrialDeviceApproval:
    """What the extension says.

    Args:
        approval: the approval identifier.
        issue: of the certificate, from 1.
        start, expiry: the approval's, both inclusive, aware UTC whole seconds.
        maximum_devices: the limit of F2.21(d), from 1.
        device: what is approved.
        firmware: the approved versions, at least one.
        proposal_digest: SHA-256 of the canonical proposal, 32 octets.
    """

    approval: str
    issue: int
    start: datetime
    expiry: datetime
    maximum_devices: int
    device: Device
    firmware: tuple[Firmware, ...]
    proposal_digest: bytes


def encode(value: TrialDeviceApproval) -> bytes:
    """Return the extension's value, DER.

    Raises:
        ValueError: a value that the module does not allow.
    """
    _check(value)
    device = value.device
    built = _TrialDeviceApproval(
        {
            "version": VERSION,
            "approvalIdentifier": value.approval,
            "issue": value.issue,
            "start": value.start,
            "expiry": value.expiry,
            "maximumDevices": value.maximum_devices,
            "device": {
                "type": device.type,
                "manufacturer": device.manufacturer,
                "model": device.model,
                "hardwareVersion": device.hardware_version,
            },
            "firmware": [
                {"version": each.version, "imageDigest": bytes.fromhex(each.image_digest)} for each in value.firmware
            ],
            "proposalDigest": value.proposal_digest,
        },
    )
    return bytes(built.dump(force=True))


def decode(der: bytes) -> TrialDeviceApproval:
    """Read what `encode` wrote.

    Raises:
        ValueError: anything that `encode` would not have written, octet by octet.
    """
    try:
        read = _TrialDeviceApproval.load(der, strict=True).native
        if read["version"] != VERSION:
            raise ValueError(f"version {read['version']}")
        device = read["device"]
        value = TrialDeviceApproval(
            approval=read["approvalIdentifier"],
            issue=read["issue"],
            start=read["start"],
            expiry=read["expiry"],
            maximum_devices=read["maximumDevices"],
            device=Device(
                type=device["type"],
                manufacturer=device["manufacturer"],
                model=device["model"],
                hardware_version=device["hardwareVersion"],
            ),
            firmware=tuple(Firmware(each["version"], each["imageDigest"].hex()) for each in read["firmware"]),
            proposal_digest=read["proposalDigest"],
        )
        again = encode(value)
    # asn1crypto raises what it happens to stumble over; from our own bytes it does not, and a lint must not crash.
    except (KeyError, IndexError, AttributeError, TypeError, OverflowError) as error:
        raise ValueError("not a TrialDeviceApproval") from error
    if again != der:
        raise ValueError("not the DER of this TrialDeviceApproval")
    return value


def _check(value: TrialDeviceApproval) -> None:
    for field, number in (("issue", value.issue), ("maximumDevices", value.maximum_devices)):
        if number < 1:
            raise ValueError(f"{field} is {number} and begins at 1")
    for field, instant in (("start", value.start), ("expiry", value.expiry)):
        # asn1crypto writes fractions where there are any, and RFC 5280 (4.1.2.5.2) forbids them.
        if instant.microsecond or instant.utcoffset() is None or instant.utcoffset():
            raise ValueError(f"{field} is not in UTC and whole seconds")
    if not value.firmware:
        raise ValueError("at least one firmware version is approved")
    for digest in (value.proposal_digest, *(bytes.fromhex(each.image_digest) for each in value.firmware)):
        if len(digest) != 32:
            raise ValueError("a SHA-256 has 32 octets")
