"""Everything that one Trial CPA Certificate says."""

from dataclasses import dataclass
from datetime import datetime

from core.approval import Device, Firmware
from core.identifiers import Serial


@dataclass(frozen=True)
class Order:
    """What is to be certified, decided elsewhere and complete: nothing is looked up while it is built.

    Args:
        serial: reserved for this certificate.
        approval: the approval identifier (F2.25), for example `TDT-2027-0042-5`.
        issue: 1, then one more with each certificate under the approval.
        certificate_name: the organisation's O, 1 to 64 characters.
        device: what is approved.
        firmware: the approved versions, at least one.
        start, expiry: the approval's, aware UTC whole seconds, both inclusive.
        not_before: the start for issue 1, else the effective instant.
        not_after: the last second of validity; equals `expiry`.
        maximum_devices: the limit of F2.21(d), at least 1.
        public_key: the manufacturer's SubjectPublicKeyInfo, DER, P-256 or P-384.
        proposal_digest: SHA-256 of the canonical proposal, 32 octets.
        issuer: the issuing CA's certificate, DER.
    """

    serial: Serial
    approval: str
    issue: int
    certificate_name: str
    device: Device
    firmware: tuple[Firmware, ...]
    start: datetime
    expiry: datetime
    not_before: datetime
    not_after: datetime
    maximum_devices: int
    public_key: bytes
    proposal_digest: bytes
    issuer: bytes
