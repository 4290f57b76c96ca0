"""The proposal: a canonical document (RFC 8785) that says everything that will be true if the decision is made.

Its digest is what the second officer repeats, what the certificate carries and what the journal shows. Words that may
be withheld are in it as salted digests only, so that a public digest never confirms a guess (F2.22).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.approval import Device, Firmware, Terms, device_said
from core.canonical import Json, canonical, read_json
from core.errors import DecisionIncomplete
from core.identifiers import Environment
from core.instants import parse, text
from core.kinds import DecisionKind, DecisionState
from ra.desk import new_identifier
from ra.grounds import Grounds
from store.rows import Decision, Organisation

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


def new_decision(kind: DecisionKind, said: Mapping[str, Json], grounds: Grounds, tabled: Tabled) -> Decision:
    """Return a decision as it is proposed: its document in canonical form, and what it rests on.

    Args:
        kind: of the decision.
        said: what only a proposal of its kind says.
        grounds: what it rests on.
        tabled: how it is put.
    """
    proposal = canonical({**_head(kind, grounds, tabled), **said})
    return Decision(
        id=new_identifier("dec", tabled.at),
        kind=kind,
        state=DecisionState.PROPOSED,
        application_id=None,
        approval=None,
        issue=None,
        proposal=proposal.decode(),
        proposal_sha256=sha256(proposal),
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
    if len(decision.proposal) < _LONG:
        said: dict[str, Any] = read_json(decision.proposal)
        return said
    return dict(_read_once(decision.proposal))


def is_as_decided(decision: Decision) -> bool:
    """Return whether a proposal is the one whose digest officers repeat: its words are what the digest says."""
    return _sha256_once(decision.proposal) == decision.proposal_sha256


_LONG = 16 * 1024
"""Characters of a proposal that lists many approvals: it is read once, and not for each of them."""


@lru_cache(maxsize=4)
def _read_once(proposal: str) -> Mapping[str, Any]:
    said: dict[str, Any] = read_json(proposal)
    return said


@lru_cache(maxsize=64)
def _sha256_once(proposal: str) -> str:
    return hashlib.sha256(proposal.encode()).hexdigest()


def approval_of(decision: Decision) -> str:
    """Return the approval that a decision is about; DecisionIncomplete where its kind has one and it names none."""
    if decision.approval is None:
        raise DecisionIncomplete(identifier=decision.id, kind=decision.kind, missing="approval")
    return decision.approval


def application_of(decision: Decision) -> str:
    """Return the application that a decision is about; DecisionIncomplete where its kind has one and it names none."""
    if decision.application_id is None:
        raise DecisionIncomplete(identifier=decision.id, kind=decision.kind, missing="application")
    return decision.application_id


def issues_of(decision: Decision) -> tuple[int, ...]:
    """Return the issues that a decision leads to, in order: its own, and those that it carries; none if it has none."""
    if decision.issue is None:
        return ()
    return decision.issue, *(int(each["issue"]) for each in said_in(decision).get("carried") or ())


def said_of(decision: Decision, issue: int) -> Mapping[str, Any]:
    """Return what a proposal says of the certificate of one of its issues.

    Raises:
        DecisionIncomplete: it leads to no such issue.
    """
    said = said_in(decision)
    for each in (said, *(said.get("carried") or ())):
        if each.get("issue") == issue:
            return dict(each)
    raise DecisionIncomplete(identifier=decision.id, kind=decision.kind, missing=f"issue {issue}")


def certified_terms(decision: Decision, issue: int | None = None) -> Certified:
    """Return what the certificate of a proposal will say.

    Args:
        decision: the proposal.
        issue: one of `issues_of`; None for the one that takes effect first.
    """
    said = said_in(decision) if issue is None else said_of(decision, issue)
    return Certified(
        approval=said["approval"],
        device=device_said(said["device"]),
        start=parse(said["start"]),
        expiry=parse(said["expiry"]),
        terms=Terms(
            issue=said["issue"],
            effective=parse(said["not_before"]),
            expiry=parse(said["not_after"]),
            maximum_devices=said["maximum_devices"],
            firmware=tuple(Firmware(each["version"], each["image_sha256"]) for each in said["firmware"]),
            decision=decision.id,
        ),
        certificate_name=said["organisation"]["certificate_name"],
        public_key_sha256=said["public_key_sha256"],
    )


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


def _head(kind: DecisionKind, grounds: Grounds, tabled: Tabled) -> dict[str, Json]:
    return {
        "version": VERSION,
        "environment": tabled.environment,
        "kind": kind.value,
        "proposed_by": tabled.by,
        "proposed_at": text(tabled.at),
        "officers": tabled.officers,
        "lapses_at": text(tabled.lapses_at),
        **grounds.outline(),
    }
