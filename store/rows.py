"""Rows as plain values: what use cases and jobs get instead of SQLAlchemy's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from core.actors import Role
from core.approval import DEVICE_COLUMNS, Device, EndCause, Firmware, device_listed
from core.canonical import canonical, read_json
from core.identifiers import Serial
from core.instants import from_seconds
from core.kinds import ApplicationState, AuthorisedAct, DecisionKind, DecisionState, DraftState

DUE_NOW = from_seconds(0)
"""An instant that has always come: the answers must be signed anew at once."""


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """An organisation; a Manufacturer has the name that its certificates carry."""

    id: str
    name: str
    certificate_name: str | None


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential as it is listed; the key itself is nowhere."""

    id: str
    name: str
    role: Role
    organisation_id: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application for a Trial Device Approval (F2.18)."""

    id: str
    organisation_id: str
    state: ApplicationState
    device: Device
    smets_version: str
    purpose: str
    start: datetime
    expiry: datetime
    maximum_devices: int
    firmware: tuple[Firmware, ...]
    csr: bytes
    public_key: bytes
    public_key_sha256: str
    findings: str
    submitted_at: datetime
    submitted_by: str
    gbcs_version: str = ""
    contact: str = ""
    assurance: str = "[]"
    earlier_cpa: str = "null"
    version: int = 1
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision, from its proposal to its end."""

    id: str
    kind: DecisionKind
    state: DecisionState
    application_id: str | None
    approval: str | None
    issue: int | None
    proposal: str
    proposal_sha256: str
    reasons: str
    reasons_salt: bytes
    public_key: bytes | None
    proposer: str
    proposed_at: datetime
    seconder: str | None = None
    seconded_tbs_sha256: str | None = None
    seconded_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    urgent: bool = False
    findings: str = "[]"
    officers: int = 2
    meeting: str = ""
    minute: str = ""
    passages: str = "[]"
    conditions: str = "[]"
    amendment_request: str | None = None
    breach: str | None = None
    lapses_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    authorised_at: datetime | None = None

    @property
    def seconded_tbs(self) -> tuple[str, ...]:
        """The digests of the bytes that were accepted, hex, in order of issue; none for kinds that issue nothing."""
        return () if self.seconded_tbs_sha256 is None else tuple(self.seconded_tbs_sha256.split())


@dataclass(frozen=True, kw_only=True)
class DraftRow:
    """A draft: the exact bytes that are meant to be signed, durable before any signature exists."""

    serial: Serial
    decision_id: str
    approval: str
    issue: int
    issuer_serial: Serial
    state: DraftState
    tbs: bytes
    tbs_sha256: str
    preview: bytes
    lint: str
    not_before: datetime
    not_after: datetime
    public_key_sha256: str
    drafted_at: datetime


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The Manufacturer's word on a certificate it got."""

    accepted: bool
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A Trial Device Approval as it is listed."""

    identifier: str
    decision_id: str
    application_id: str
    organisation_id: str
    device: Device
    granted_at: datetime
    start: datetime
    expiry: datetime
    ended_at: datetime | None
    end_cause: EndCause | None


def device_of(row: Row[Any]) -> Device:
    """Return the device that a row of applications or approvals names."""
    return device_listed({name: getattr(row, name) for name in DEVICE_COLUMNS})


def firmware_text(firmware: Sequence[Firmware]) -> str:
    """Return approved firmware as canonical JSON."""
    return canonical([{"version": item.version, "image_sha256": item.image_digest} for item in firmware]).decode()


def firmware_of(text: str) -> tuple[Firmware, ...]:
    """Return approved firmware from its JSON."""
    return tuple(Firmware(item["version"], item["image_sha256"]) for item in read_json(text))


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """An authorisation as it is kept.

    Args:
        statement_sha256: the digest of what was signed, hex.
        statement: what was signed, canonical JSON.
        proof: the compact JWS.
        act: what it authorises.
        officer, key: who signed, and with which key.
        members: canonical JSON of what it lists, for one about several things; None otherwise.
    """

    statement_sha256: str
    statement: str
    proof: str
    act: AuthorisedAct
    officer: str
    key: str
    members: str | None
