"""The proposal: a canonical document (RFC 8785) that says everything that will be true if the decision is made.

Its digest is what the second officer repeats, what the certificate carries and what the journal shows. Words that may
be withheld are in it as salted digests only, so that a public digest never confirms a guess (F2.22).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.approval import ApprovalRecord, Device, EndCause, Firmware, Terms
from core.canonical import Json, canonical, digest
from core.identifiers import Environment
from core.instants import parse, text
from core.kinds import DecisionKind, DecisionState
from ra.desk import new_identifier
from ra.grounds import Grounds
from store.rows import Application, Decision, Organisation

VERSION = 2
"""2 since passages, conditions, meeting and minute are part of it."""


@dataclass(frozen=True)
class Tabled:
    """How a proposal is put.

    Args:
        environment: of the authority.
        by: the proposing officer.
        at: when.
        officers: how many must agree, the proposer included.
        lapses_at: when it comes to nothing if they have not.
    """

    environment: Environment
    by: str
    at: datetime
    officers: int
    lapses_at: datetime


@dataclass(frozen=True)
class Certified:
    """What a certificate will make true; read back from its proposal."""

    approval: str
    device: Device
    start: datetime
    expiry: datetime
    terms: Terms
    certificate_name: str
    public_key_sha256: str


@dataclass(frozen=True)
class NewKey:
    """A new key for an approval that stands.

    Args:
        cause: `key-compromise` (the old key is) or `replacement`.
        invalidity_date: since when the old key is known to be compromised.
        csr: the request, DER.
        public_key_sha256: hex digest of the new key.
    """

    cause: str
    invalidity_date: datetime | None
    csr: bytes
    public_key_sha256: str


def grant(
    tabled: Tabled, grounds: Grounds, approval: str, application: Application, organisation: Organisation, terms: Terms
) -> dict[str, Json]:
    """Return the proposal to grant an application (F2.21)."""
    return {
        **_head(tabled, DecisionKind.GRANT, grounds),
        "application": application.id,
        **certified(approval, application.device, organisation, terms.effective, terms),
        "smets_version": application.smets_version,
        "gbcs_version": application.gbcs_version,
        "csr_sha256": sha256(application.csr),
        "public_key_sha256": application.public_key_sha256,
    }


def refusal(tabled: Tabled, grounds: Grounds, application: Application) -> dict[str, Json]:
    """Return the proposal to refuse an application (F2.24)."""
    return {**_head(tabled, DecisionKind.REFUSE, grounds), "application": application.id}


def rekey(
    tabled: Tabled, grounds: Grounds, approval: ApprovalRecord, organisation: Organisation, terms: Terms, key: NewKey
) -> dict[str, Json]:
    """Return the proposal to certify a new key under the same approval."""
    return {
        **_head(tabled, DecisionKind.REKEY, grounds),
        **certified(approval.identifier, approval.device, organisation, approval.start, terms),
        "cause": key.cause,
        "invalidity_date": text(key.invalidity_date) if key.invalidity_date else None,
        "csr_sha256": sha256(key.csr),
        "public_key_sha256": key.public_key_sha256,
    }


def ending(
    tabled: Tabled,
    grounds: Grounds,
    approval: str,
    cause: EndCause,
    invalidity_date: datetime | None,
    breach: str | None,
) -> dict[str, Json]:
    """Return the proposal to revoke (F2.30) or withdraw an approval, or to cancel its compromised certificate."""
    return {
        **_head(tabled, ending_kind(cause), grounds),
        "approval": approval,
        "cause": cause.value,
        "invalidity_date": text(invalidity_date) if invalidity_date else None,
        "breach": breach,
    }


def amendment(tabled: Tabled, grounds: Grounds, said: dict[str, Json]) -> dict[str, Json]:
    """Return the proposal to amend an approval (F2.29); `said` is what ra/deciding/kinds/amendment.py worked out."""
    return {**_head(tabled, DecisionKind.AMEND, grounds), **said}


def amendment_refusal(tabled: Tabled, grounds: Grounds, approval: str, request: str) -> dict[str, Json]:
    """Return the proposal to refuse an amendment that the Manufacturer asked for (F2.29)."""
    return {**_head(tabled, DecisionKind.REFUSE_AMENDMENT, grounds), "approval": approval, "request": request}


def ending_kind(cause: EndCause) -> DecisionKind:
    """Return what kind of decision ends an approval for a cause."""
    return DecisionKind.WITHDRAW if cause is EndCause.MANUFACTURER else DecisionKind.REVOKE


def new_decision(kind: DecisionKind, document: dict[str, Json], grounds: Grounds, tabled: Tabled) -> Decision:
    """Return a decision as it is proposed: its document in canonical form, and what it rests on."""
    return Decision(
        id=new_identifier("dec", tabled.at),
        kind=DecisionKind(kind),
        state=DecisionState.PROPOSED,
        application_id=None,
        approval=None,
        issue=None,
        proposal=canonical(document).decode(),
        proposal_sha256=digest(document).hex(),
        reasons=grounds.reasons.text,
        reasons_salt=grounds.reasons.salt,
        public_key=None,
        proposer=tabled.by,
        proposed_at=tabled.at,
        officers=tabled.officers,
        meeting=grounds.meeting,
        minute=grounds.minute,
        passages=grounds.kept_passages(),
        conditions=grounds.kept_conditions(),
        lapses_at=tabled.lapses_at,
    )


# --- read back ---------------------------------------------------------------------------------------------------


def said_in(decision: Decision) -> dict[str, Any]:
    """Return what a proposal says."""
    said: dict[str, Any] = json.loads(decision.proposal)
    return said


def certified_terms(decision: Decision) -> Certified:
    """Return what the certificate of a proposal will say."""
    said = said_in(decision)
    device = said["device"]
    return Certified(
        approval=said["approval"],
        device=Device(
            type=device["type"],
            manufacturer=device["manufacturer"],
            model=device["model"],
            hardware_version=device["hardware_version"],
        ),
        start=parse(said["start"]),
        expiry=parse(said["expiry"]),
        terms=Terms(
            issue=said["issue"],
            effective=parse(said["not_before"]),
            expiry=parse(said["not_after"]),
            maximum_devices=said["maximum_devices"],
            firmware=tuple(Firmware(each["version"], each["image_sha256"]) for each in said["firmware"]),
        ),
        certificate_name=said["organisation"]["certificate_name"],
        public_key_sha256=said["public_key_sha256"],
    )


def ending_of(decision: Decision) -> tuple[EndCause, datetime | None]:
    """Return the cause and invalidity date that a proposal to end says."""
    said = said_in(decision)
    return EndCause(said["cause"]), parse(said["invalidity_date"]) if said["invalidity_date"] else None


def rekey_cause(decision: Decision) -> tuple[bool, datetime | None]:
    """Return whether a rekey says that the old key is compromised, and since when."""
    said = said_in(decision)
    since = parse(said["invalidity_date"]) if said["invalidity_date"] else None
    return said["cause"] == EndCause.KEY_COMPROMISE.value, since


# --- parts -------------------------------------------------------------------------------------------------------


def certified(
    approval: str, device: Device, organisation: Organisation, start: datetime, terms: Terms
) -> dict[str, Json]:
    """Return the members that say what a certificate will say."""
    return {
        "approval": approval,
        "issue": terms.issue,
        "organisation": {
            "id": organisation.id,
            "name": organisation.name,
            "certificate_name": organisation.certificate_name or organisation.name,
        },
        "device": asdict(device),
        "firmware": firmware_json(terms.firmware),
        "start": text(start),
        "expiry": text(terms.expiry),
        "not_before": text(terms.effective),
        "not_after": text(terms.expiry),
        "maximum_devices": terms.maximum_devices,
    }


def firmware_json(firmware: tuple[Firmware, ...]) -> list[Json]:
    """Return firmware as proposals write it."""
    return [{"version": each.version, "image_sha256": each.image_digest} for each in firmware]


def sha256(octets: bytes) -> str:
    """Return the hex SHA-256 of some octets."""
    return hashlib.sha256(octets).hexdigest()


def _head(tabled: Tabled, kind: DecisionKind, grounds: Grounds) -> dict[str, Json]:
    return {
        "version": VERSION,
        "environment": tabled.environment,
        "kind": kind,
        "proposed_by": tabled.by,
        "proposed_at": text(tabled.at),
        "officers": tabled.officers,
        "lapses_at": text(tabled.lapses_at),
        **grounds.outline(),
    }
