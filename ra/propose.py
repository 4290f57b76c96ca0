"""propose: an officer proposes a decision; the rules run, and a fatal finding refuses it.

What is proposed becomes true only when another officer seconds it (ra/second.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.actors import Actor
from core.approval import EndCause, Terms
from core.canonical import Json, canonical
from core.errors import AlreadyEnded, DeviceAlreadyApproved, Finding, RulesRefused, Severity, WrongState
from core.facts import Fact, FactKind
from core.identifiers import ApprovalIdentifier
from core.instants import first_second, last_second, next_midnight
from core.status import approval_status, open_at
from policy import csr as csr_policy
from policy.roles import Operation
from policy.section_f.application import grant_findings
from policy.section_f.new_key import RekeyFacts, rekey_findings
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra import proposal as proposals
from ra.access import authorise
from ra.apply import Apply, application_facts, findings_json, require_key_free
from ra.desk import Desk
from ra.end import Revoke
from ra.issuing import issuing_ca
from ra.proposal import Reasons, new_decision
from ra.repeat import RequestKey, keep, recall
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import applications, decisions, facts


@dataclass(frozen=True)
class ProposeGrant:
    """Grant an application. What is None is as the application says.

    Args:
        application: its identifier.
        start, expiry: UTC days.
        maximum_devices: the limit of F2.21(d).
        reasons: why, and the assessment undertaken (F2.21(b)).
    """

    application: str
    reasons: str
    start: date | None = None
    expiry: date | None = None
    maximum_devices: int | None = None


@dataclass(frozen=True)
class ProposeRefusal:
    """Refuse an application (F2.24)."""

    application: str
    reasons: str


@dataclass(frozen=True)
class ProposeEnd(Revoke):
    """The same words as an urgent revocation, for two officers; cause `manufacturer` ends it at its request (F2.30)."""


@dataclass(frozen=True)
class ProposeRekey:
    """Certify a new key under the same approval.

    Args:
        approval: its identifier.
        csr: one PKCS#10 request for the new key.
        compromised: the old key is; its certificate is cancelled when this is seconded. Otherwise the old
            certificate is superseded at the effective instant.
        effective: the new certificate's notBefore; by default the next 00:00:00Z, and never before the start.
        invalidity_date: since when the old key is known to be compromised.
        reasons: a summary of why.
    """

    approval: str
    csr: bytes
    compromised: bool
    reasons: str
    effective: datetime | None = None
    invalidity_date: datetime | None = None


Proposal = ProposeGrant | ProposeRefusal | ProposeEnd | ProposeRekey


def propose(desk: Desk, actor: Actor, command: Proposal, request: RequestKey | None = None) -> dict[str, Json]:
    """Propose a decision.

    Returns:
        `{"decision", "kind", "state", "approval", "proposal_sha256", "findings"}`.

    Raises:
        RulesRefused: at least one fatal finding; all are told.
        WrongState: another decision about the same thing is open, or the thing is not in a state for it.
        DeviceAlreadyApproved, KeyTaken, AlreadyEnded: what stands in the way.
    """
    authorise(actor, Operation.PROPOSE)
    at = desk.clock.now()
    with desk.store.begin("propose") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        match command:
            case ProposeGrant():
                decision, found = _grant(desk, tx, actor, command, at)
            case ProposeRefusal():
                decision, found = _refusal(tx, actor, command, at)
            case ProposeEnd():
                decision, found = _end(tx, actor, command, at)
            case ProposeRekey():
                decision, found = _rekey(tx, actor, command, at)
        decisions.propose(tx, replace(decision, findings=canonical(findings_json(found)).decode()))
        proposed = {"kind": decision.kind, "approval": decision.approval, "proposal_sha256": decision.proposal_sha256}
        facts.record(tx, Fact(FactKind.DECISION_PROPOSED, at, actor, decision.id, payload=proposed))
        outcome: dict[str, Json] = {
            "decision": decision.id,
            "state": decision.state,
            **proposed,
            "findings": findings_json(found),
        }
        keep(tx, actor, request, outcome, at=at)
    return outcome


def _grant(
    desk: Desk, tx: Transaction, actor: Actor, command: ProposeGrant, at: datetime
) -> tuple[Decision, Sequence[Finding]]:
    application = requests.application(tx, command.application)
    if application.state != "submitted":
        raise WrongState(kind="Application", identifier=application.id, state=application.state, needed="submitted")
    organisation = requests.organisation(tx, application.organisation_id)
    start = command.start or application.start.date()
    expiry = command.expiry or application.expiry.date()
    limit = application.maximum_devices if command.maximum_devices is None else command.maximum_devices
    wanted = Apply(application.device, application.smets_version, application.firmware, start, expiry, limit, "", b"")
    found = grant_findings(application_facts(desk, tx, wanted, organisation, at=at))
    _refuse_fatal(found)
    terms = Terms(1, first_second(start), last_second(expiry), limit, application.firmware)
    other = approval_reading.overlapping(tx, application.device, start=terms.effective, expiry=terms.expiry)
    if other is not None:
        raise DeviceAlreadyApproved(other=other)
    require_key_free(tx, application.public_key_sha256)
    environment = authority_row(tx).environment
    identifier = str(ApprovalIdentifier(environment, at.year, decisions.next_number(tx, at.year)))
    applications.move(tx, application.id, needed="submitted", to="proposed")
    reasons = Reasons.of(command.reasons)
    document = proposals.grant(environment, identifier, application, organisation, terms, reasons, by=actor.name, at=at)
    decision = new_decision("grant", document, reasons, by=actor.name, at=at)
    return (
        replace(
            decision,
            application_id=application.id,
            approval=identifier,
            issue=1,
            public_key=application.public_key,
        ),
        found,
    )


def _refusal(
    tx: Transaction, actor: Actor, command: ProposeRefusal, at: datetime
) -> tuple[Decision, Sequence[Finding]]:
    application = requests.application(tx, command.application)
    applications.move(tx, application.id, needed="submitted", to="proposed")
    reasons = Reasons.of(command.reasons)
    document = proposals.refusal(authority_row(tx).environment, application, reasons, by=actor.name, at=at)
    return replace(new_decision("refuse", document, reasons, by=actor.name, at=at), application_id=application.id), ()


def _end(tx: Transaction, actor: Actor, command: ProposeEnd, at: datetime) -> tuple[Decision, Sequence[Finding]]:
    found = revocation_findings(RevocationFacts(command.cause, command.invalidity_date, at))
    _refuse_fatal(found)
    approval = approval_reading.record(tx, command.approval)
    if not open_at(approval, at):
        raise AlreadyEnded(identifier=command.approval, state=approval_status(approval, at).state.value)
    kind = "withdraw" if command.cause is EndCause.MANUFACTURER else "revoke"
    reasons = Reasons.of(command.reasons)
    document = proposals.ending(
        authority_row(tx).environment,
        kind,
        command.approval,
        command.cause,
        command.invalidity_date,
        reasons,
        by=actor.name,
        at=at,
    )
    return replace(new_decision(kind, document, reasons, by=actor.name, at=at), approval=command.approval), found


def _rekey(tx: Transaction, actor: Actor, command: ProposeRekey, at: datetime) -> tuple[Decision, Sequence[Finding]]:
    parsed = csr_policy.parse(command.csr)
    approval = approval_reading.record(tx, command.approval)
    if not open_at(approval, at):
        raise AlreadyEnded(identifier=command.approval, state=approval_status(approval, at).state.value)
    if not approval.certificates:
        raise WrongState(
            kind="Approval", identifier=command.approval, state="without a certificate", needed="issued first"
        )
    last = approval.terms[-1]
    issuing = issuing_ca(tx)
    effective = command.effective or max(next_midnight(at), approval.start)
    found = (
        *rekey_findings(
            RekeyFacts(
                effective,
                at,
                approval.start.date(),
                last.expiry.date(),
                issuing.not_after,
                issuing.window_end,
            )
        ),
        *revocation_findings(
            RevocationFacts(
                EndCause.KEY_COMPROMISE if command.compromised else EndCause.SSC, command.invalidity_date, at
            )
        ),
    )
    _refuse_fatal(found)
    # A new key is what this is for: even this approval's own old key is no new one.
    require_key_free(tx, parsed.public_key_sha256)
    terms = replace(last, issue=last.issue + 1, effective=effective)
    reasons = Reasons.of(command.reasons)
    document = proposals.rekey(
        authority_row(tx).environment,
        approval,
        requests.organisation(tx, approval.organisation),
        terms,
        proposals.NewKey(
            EndCause.KEY_COMPROMISE.value if command.compromised else "replacement",
            command.invalidity_date,
            parsed.der,
            parsed.public_key_sha256,
        ),
        reasons,
        by=actor.name,
        at=at,
    )
    decision = new_decision("rekey", document, reasons, by=actor.name, at=at)
    return (
        replace(decision, approval=approval.identifier, issue=terms.issue, public_key=parsed.public_key),
        found,
    )


def _refuse_fatal(found: Sequence[Finding]) -> None:
    if any(finding.severity is Severity.FATAL for finding in found):
        raise RulesRefused(found)
