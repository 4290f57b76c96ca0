"""look: decisions with everything that will be true if they are made, for the officers who make them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.actors import Actor
from core.classification import Classification, Recipient
from core.errors import Finding
from core.identifiers import Serial
from core.kinds import OPEN_DECISION, DecisionKind, DecisionState, DraftState
from policy.roles import Operation
from ra.access import authorise
from ra.deciding import notice
from ra.deciding.every_kind import kind_of
from ra.desk import Desk
from ra.findings import findings_of
from ra.proposal import said_in
from ra.telling.listing import StepForeseen, would_follow
from ra.views import LARGEST_PAGE, next_cursor, view_of
from store.reading import requests
from store.rows import Decision, DraftRow
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class DecidedPassage:
    """Words of a decision, and who gets them; nobody else outside the SSC does (F2.22)."""

    classification: Classification
    recipients: tuple[Recipient, ...]
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DecidedCondition:
    """A condition that a decision sets (F2.21(e)), under its number in the approval."""

    classification: Classification
    number: int
    recipients: tuple[Recipient, ...]
    subject: str
    text: str


@dataclass(frozen=True)
class DecidedChange:
    """What an amendment makes different (F2.29)."""

    after: str
    before: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class DraftAnswer:
    """What is to be signed: the digest of its exact bytes, and what the lint found.

    Args:
        tbs: The exact bytes to be signed, base64: their SHA-256 is `tbs_sha256`.
    """

    serial: Serial
    tbs_sha256: str
    tbs: str
    in_words: tuple[str, ...]
    lint: Any
    not_before: datetime
    not_after: datetime
    drafted_at: datetime
    state: DraftState


@dataclass(frozen=True, kw_only=True)
class PreviewAnswer:
    """Everything that will be true if the decision is made.

    Args:
        certificate: The certificate in words; empty if none is issued.
        difference: What changes, each with before and after.
        notices: By recipient, the notice as it will get it (F2.22).
        cpl: Instructions to the Panel (F2.27, F2.29, F2.31).
    """

    certificate: tuple[str, ...]
    difference: tuple[DecidedChange, ...]
    notices: dict[str, Any]
    cpl: tuple[StepForeseen, ...]


@dataclass(frozen=True, kw_only=True)
class DecisionAnswer:
    """A decision with everything that will be true: proposal, findings, draft and both digests.

    Args:
        preview: while it is open; null in a list.
    """

    decision: str
    kind: DecisionKind
    state: DecisionState
    application: str | None
    approval: str | None
    issue: int | None
    proposal: dict[str, Any]
    proposal_sha256: str
    findings: tuple[Finding, ...]
    tbs_sha256: str | None
    reasons: str
    passages: tuple[DecidedPassage, ...]
    conditions: tuple[DecidedCondition, ...]
    meeting: str
    minute: str
    officers: int
    amendment_request: str | None
    breach: str | None
    lapses_at: datetime | None
    draft: DraftAnswer | None
    proposer: str
    proposed_at: datetime
    seconder: str | None
    seconded_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    urgent: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    preview: PreviewAnswer | None


@dataclass(frozen=True)
class DecisionPage:
    """Decisions in order; `next` is the cursor of the next page."""

    decisions: tuple[DecisionAnswer, ...]
    next: str | None


def decision(desk: Desk, actor: Actor, identifier: str) -> DecisionAnswer:
    """Return a decision: proposal, draft, lint result, both digests, and while it is open what it would lead to."""
    authorise(actor, Operation.READ_DECISION)
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = requests.decision(tx, identifier)
        preview = _preview(tx, found, at) if found.state in OPEN_DECISION else None
        return _decision(found, requests.draft_of(tx, identifier), preview)


def decisions(desk: Desk, actor: Actor, *, after: str, limit: int) -> DecisionPage:
    """Return a page of decisions, without previews, and the cursor for the next."""
    authorise(actor, Operation.READ_DECISION)
    with desk.store.read() as tx:
        found = requests.decision_list(tx, after=after, limit=min(limit, LARGEST_PAGE))
        listed = tuple(_decision(each, requests.draft_of(tx, each.id), None) for each in found)
    return DecisionPage(listed, next_cursor([each.id for each in found], limit))


def _preview(tx: Transaction, found: Decision, at: datetime) -> PreviewAnswer:
    """What will be true: the certificate in words, what changes, each notice as it will be read, the CPL."""
    said = said_in(found)
    listed = kind_of(found.kind).foreseen(tx, found, at)
    return PreviewAnswer(
        certificate=in_words(said) if found.issue is not None else (),
        difference=tuple(
            DecidedChange(each["after"], each["before"], each["subject"]) for each in said.get("changes", [])
        ),
        notices=notice.foreseen(tx, found, at=at),
        cpl=() if listed is None else would_follow(tx, listed, at),
    )


def _decision(found: Decision, draft: DraftRow | None, preview: PreviewAnswer | None) -> DecisionAnswer:
    said = said_in(found)
    return DecisionAnswer(
        decision=found.id,
        kind=found.kind,
        state=found.state,
        application=found.application_id,
        approval=found.approval,
        issue=found.issue,
        proposal=said,
        proposal_sha256=found.proposal_sha256,
        findings=findings_of(found.findings),
        tbs_sha256=draft.tbs_sha256 if draft else None,
        reasons=found.reasons,
        # Their salts stay in the register: a view has no member for them.
        passages=view_of(tuple[DecidedPassage, ...], found.passages),
        conditions=view_of(tuple[DecidedCondition, ...], found.conditions),
        meeting=found.meeting,
        minute=found.minute,
        officers=found.officers,
        amendment_request=found.amendment_request,
        breach=found.breach,
        lapses_at=found.lapses_at,
        draft=None if draft is None else _draft(draft, said),
        proposer=found.proposer,
        proposed_at=found.proposed_at,
        seconder=found.seconder,
        seconded_at=found.seconded_at,
        closed_at=found.closed_at,
        outcome=found.outcome,
        urgent=found.urgent,
        acknowledged_by=found.acknowledged_by,
        acknowledged_at=found.acknowledged_at,
        preview=preview,
    )


def _draft(draft: DraftRow, said: Mapping[str, Any]) -> DraftAnswer:
    return DraftAnswer(
        serial=draft.serial,
        tbs_sha256=draft.tbs_sha256,
        tbs=base64.b64encode(draft.tbs).decode(),
        in_words=in_words(said),
        lint=json.loads(draft.lint),
        not_before=draft.not_before,
        not_after=draft.not_after,
        drafted_at=draft.drafted_at,
        state=draft.state,
    )


def in_words(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the certificate will say, a sentence each, for the officer who has to accept its bytes."""
    device, organisation = said["device"], said["organisation"]
    return (
        f"Trial CPA Certificate {said['approval']}, issue {said['issue']}, for {organisation['certificate_name']}.",
        (
            f"Device: {device['type']}, manufacturer {device['manufacturer']}, model {device['model']}, "
            f"hardware version {device['hardware_version']}."
        ),
        *(f"Firmware {each['version']}, image SHA-256 {each['image_sha256']}." for each in said["firmware"]),
        f"At most {said['maximum_devices']} devices; anybody who reads the certificate sees limit and firmware.",
        f"Valid from {said['not_before']} to {said['not_after']}, both inclusive; it ends with the approval (F2.25).",
        f"Public key SHA-256 {said['public_key_sha256']}.",
    )
