"""end: an approval is revoked or withdrawn, or its compromised certificate cancelled; one conditional write each.

From the commit on, every verification says so; the signed channels follow (core/status.py decides, no job does).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json
from core.errors import AlreadyEnded, OperationNotPermitted, RulesRefused, Severity
from core.facts import Fact, FactKind
from core.instants import text
from policy.roles import Operation
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra import proposal as proposals
from ra.access import authorise
from ra.desk import Desk
from ra.proposal import Reasons, new_decision
from ra.repeat import RequestKey, keep, recall
from store.reading import approvals as approval_reading
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import approvals, decisions, facts


@dataclass(frozen=True)
class Revoke:
    """An urgent revocation by one officer (F2.30).

    Args:
        approval: its identifier.
        cause: `ssc`, `breach` or `key-compromise`; the last cancels the certificate and leaves the approval, so
            that a new key can be certified under it.
        reasons: a summary of why.
        invalidity_date: since when a compromised key is known to be.
    """

    approval: str
    cause: EndCause
    reasons: str
    invalidity_date: datetime | None = None


def revoke(desk: Desk, actor: Actor, command: Revoke, request: RequestKey | None = None) -> dict[str, Json]:
    """Revoke at once, where the settings allow one officer to.

    Returns:
        `{"approval", "cause", "revoked_at", "serials", "decision"}`.

    Raises:
        OperationNotPermitted: the role, or the settings, do not allow it.
        AlreadyEnded: it has ended; the first end stands.
        NoSuchThing: there is no such approval.
        RulesRefused: an invalidity date that cannot be.
    """
    authorise(actor, Operation.REVOKE)
    if not desk.rules.urgent_revocation_by_one or command.cause is EndCause.MANUFACTURER:
        raise OperationNotPermitted(role=actor.role.value if actor.role else "none", operation="revoke alone")
    with desk.store.begin("revoke") as tx:
        at = desk.clock.now()  # only now: waiting for our turn to write must not backdate the end
        found = revocation_findings(RevocationFacts(command.cause, command.invalidity_date, at))
        if any(finding.severity is Severity.FATAL for finding in found):
            raise RulesRefused(found)
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        decision = _urgent_decision(tx, actor, command, at)
        serials = end_approval(
            tx,
            command.approval,
            cause=command.cause,
            invalidity_date=command.invalidity_date,
            decision=decision.id,
            actor=actor,
            at=at,
        )
        decisions.propose(tx, decision)
        outcome: dict[str, Json] = {
            "approval": command.approval,
            "cause": command.cause.value,
            "revoked_at": text(at),
            "serials": serials,
            "decision": decision.id,
        }
        keep(tx, actor, request, outcome, at=at)
    return outcome


def end_approval(
    tx: Transaction,
    approval: str,
    *,
    cause: EndCause,
    invalidity_date: datetime | None,
    decision: str,
    actor: Actor,
    at: datetime,
) -> list[str]:
    """Write an end and its facts; return the serials cancelled.

    Raises:
        NoSuchThing: there is no such approval.
        AlreadyEnded: it has ended, or no certificate of it stands that could be compromised.
    """
    approval_reading.locked(tx, approval)
    if cause is EndCause.KEY_COMPROMISE:
        serials = approvals.cancel_certificates(tx, approval, cause=cause, at=at, invalidity_date=invalidity_date)
        if not serials:
            raise AlreadyEnded(identifier=approval, state="no certificate of it stands")
    else:
        serials = approvals.end(tx, approval, cause=cause, by=actor.name, at=at)
        kind = FactKind.APPROVAL_WITHDRAWN if cause is EndCause.MANUFACTURER else FactKind.APPROVAL_REVOKED
        ended: dict[str, Json] = {"cause": cause.value, "decision": decision}
        facts.record(tx, Fact(kind, at, actor, approval, (approval,), ended))
    for serial in serials:
        cancelled: dict[str, Json] = {"serial": serial, "cause": cause.value, "decision": decision}
        facts.record(tx, Fact(FactKind.CERTIFICATE_REVOKED, at, actor, approval, (approval,), cancelled))
    return [str(serial) for serial in serials]


def _urgent_decision(tx: Transaction, actor: Actor, command: Revoke, at: datetime) -> Decision:
    """The decision of one officer: done when it is written."""
    reasons = Reasons.of(command.reasons)
    document = proposals.ending(
        authority_row(tx).environment,
        "revoke",
        command.approval,
        command.cause,
        command.invalidity_date,
        reasons,
        by=actor.name,
        at=at,
    )
    reasoned = new_decision("revoke", document, reasons, by=actor.name, at=at)
    return replace(reasoned, state="done", approval=command.approval, closed_at=at, urgent=True)
