"""The proposal: a canonical document (RFC 8785) that says everything that will be true if the decision is made.

Its digest is what the second officer repeats, what the certificate carries and what the journal shows. Withheld
passages are in it as salted digests only, so that a public digest never confirms a guess (F2.22).
"""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.approval import ApprovalRecord, Device, EndCause, Firmware, Terms
from core.canonical import Json, canonical, digest, salted_digest
from core.identifiers import Environment
from core.instants import parse, text
from ra.desk import new_identifier
from store.rows import Application, Decision, Organisation

SALT_OCTETS = 16
"""NIST SP 800-132 (5.1) asks for at least 16."""

VERSION = 1


@dataclass(frozen=True)
class Reasons:
    """The summary of reasons that a decision rests on (F2.21(b), F2.24, F2.29, F2.30).

    Args:
        text: in the officers' words; leaves the register only as policy on notices allows.
        salt: random, for its digest.
    """

    text: str
    salt: bytes

    @classmethod
    def of(cls, text: str) -> "Reasons":
        """Return reasons under a fresh salt."""
        return cls(text, secrets.token_bytes(SALT_OCTETS))

    @property
    def digest(self) -> str:
        """The salted digest that stands for the text."""
        return salted_digest(self.text, self.salt)


@dataclass(frozen=True)
class Grant:
    """What a grant will make true; read back from its proposal."""

    approval: str
    device: Device
    start: datetime
    expiry: datetime
    terms: Terms
    certificate_name: str
    public_key_sha256: str


def grant(
    environment: Environment,
    approval: str,
    application: Application,
    organisation: Organisation,
    terms: Terms,
    reasons: Reasons,
    *,
    by: str,
    at: datetime,
) -> dict[str, Json]:
    """Return the proposal to grant an application (F2.21)."""
    return {
        **_head(environment, "grant", reasons, by=by, at=at),
        "application": application.id,
        **_certified(approval, application.device, organisation, application.start, terms),
        "start": text(terms.effective),
        "csr_sha256": _sha256(application.csr),
        "public_key_sha256": application.public_key_sha256,
    }


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


def rekey(
    environment: Environment,
    approval: ApprovalRecord,
    organisation: Organisation,
    terms: Terms,
    key: NewKey,
    reasons: Reasons,
    *,
    by: str,
    at: datetime,
) -> dict[str, Json]:
    """Return the proposal to certify a new key under the same approval."""
    return {
        **_head(environment, "rekey", reasons, by=by, at=at),
        **_certified(approval.identifier, approval.device, organisation, approval.start, terms),
        "cause": key.cause,
        "invalidity_date": text(key.invalidity_date) if key.invalidity_date else None,
        "csr_sha256": _sha256(key.csr),
        "public_key_sha256": key.public_key_sha256,
    }


def refusal(
    environment: Environment, application: Application, reasons: Reasons, *, by: str, at: datetime
) -> dict[str, Json]:
    """Return the proposal to refuse an application (F2.24)."""
    return {**_head(environment, "refuse", reasons, by=by, at=at), "application": application.id}


def ending(
    environment: Environment,
    kind: str,
    approval: str,
    cause: EndCause,
    invalidity_date: datetime | None,
    reasons: Reasons,
    *,
    by: str,
    at: datetime,
) -> dict[str, Json]:
    """Return the proposal to revoke (F2.30) or withdraw an approval, or to cancel its compromised certificate."""
    return {
        **_head(environment, kind, reasons, by=by, at=at),
        "approval": approval,
        "cause": cause.value,
        "invalidity_date": text(invalidity_date) if invalidity_date else None,
    }


def sealed(document: dict[str, Json]) -> tuple[str, str]:
    """Return the canonical text of a proposal and the hex SHA-256 of it."""
    return canonical(document).decode(), digest(document).hex()


def new_decision(kind: str, document: dict[str, Json], reasons: Reasons, *, by: str, at: datetime) -> Decision:
    """Return a decision as it is proposed: its document in canonical form, and what it rests on."""
    written, sha256 = sealed(document)
    return Decision(
        id=new_identifier("dec", at),
        kind=kind,
        state="proposed",
        application_id=None,
        approval=None,
        issue=None,
        proposal=written,
        proposal_sha256=sha256,
        reasons=reasons.text,
        reasons_salt=reasons.salt,
        public_key=None,
        proposer=by,
        proposed_at=at,
    )


def certified_terms(decision: Decision) -> Grant:
    """Return what a proposal to grant or rekey says, read back from its text."""
    said: dict[str, Any] = json.loads(decision.proposal)
    device = said["device"]
    return Grant(
        approval=said["approval"],
        device=Device(device["type"], device["manufacturer"], device["model"], device["hardware_version"]),
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
    said: dict[str, Any] = json.loads(decision.proposal)
    return EndCause(said["cause"]), parse(said["invalidity_date"]) if said["invalidity_date"] else None


def rekey_cause(decision: Decision) -> tuple[bool, datetime | None]:
    """Return whether a rekey says that the old key is compromised, and since when."""
    said: dict[str, Any] = json.loads(decision.proposal)
    since = parse(said["invalidity_date"]) if said["invalidity_date"] else None
    return said["cause"] == EndCause.KEY_COMPROMISE.value, since


def _head(environment: Environment, kind: str, reasons: Reasons, *, by: str, at: datetime) -> dict[str, Json]:
    return {
        "version": VERSION,
        "environment": environment,
        "kind": kind,
        "proposed_by": by,
        "proposed_at": text(at),
        "reasons_salted_sha256": reasons.digest,
    }


def _certified(
    approval: str, device: Device, organisation: Organisation, start: datetime, terms: Terms
) -> dict[str, Json]:
    return {
        "approval": approval,
        "issue": terms.issue,
        "organisation": {
            "id": organisation.id,
            "name": organisation.name,
            "certificate_name": organisation.certificate_name or organisation.name,
        },
        "device": asdict(device),
        "firmware": [{"version": each.version, "image_sha256": each.image_digest} for each in terms.firmware],
        "start": text(start),
        "expiry": text(terms.expiry),
        "not_before": text(terms.effective),
        "not_after": text(terms.expiry),
        "maximum_devices": terms.maximum_devices,
    }


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
