"""end: an approval is revoked or withdrawn, or its compromised certificate cancelled; one conditional write each.

From the commit on, every verification says so; the signed channels follow (core/status.py decides, no job does).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.errors import AlreadyEnded, Finding, OperationNotPermitted
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import DecisionKind, DecisionState
from policy.roles import Operation
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra import proposal as proposals
from ra.access import authorise
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, new_decision
from ra.repeat import RequestKey, keep, recall
from ra.reporting.breach import answer
from ra.telling.listing import instruct
from ra.telling.writing import write_notice
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
        reasons: a summary of why; words alone are Amber, for all three recipients.
        invalidity_date: since when a compromised key is known to be.
        breach: the confirmed breach of a condition that this revocation answers (F2.23); its cause is then `breach`.
        minutes: what comes with the decision.
    """

    approval: str
    cause: EndCause
    reasons: str | Passage
    invalidity_date: datetime | None = None
    breach: str | None = None
    minutes: Minutes = NO_MINUTES


@serves("F2.30")
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
        refuse_fatal(ending_findings(command, at))
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        decision = _urgent_decision(desk, tx, actor, command, at)
        decisions.propose(tx, decision)
        serials = end_approval(
            tx,
            command.approval,
            cause=command.cause,
            invalidity_date=command.invalidity_date,
            decision=decision,
            actor=actor,
            at=at,
        )
        write_notice(tx, decision, actor=actor, at=at)
        outcome: dict[str, Json] = {
            "approval": command.approval,
            "cause": command.cause.value,
            "revoked_at": text(at),
            "serials": serials,
            "decision": decision.id,
        }
        keep(tx, actor, request, outcome, at=at)
    return outcome


def ending_findings(command: Revoke, at: datetime) -> Sequence[Finding]:
    """Return what the rules have against an end."""
    cited = command.breach is not None
    return revocation_findings(RevocationFacts(command.cause, command.invalidity_date, at, breach_cited=cited))


@serves("F2.30", "F2.31")
def end_approval(
    tx: Transaction,
    approval: str,
    *,
    cause: EndCause,
    invalidity_date: datetime | None,
    decision: Decision,
    actor: Actor,
    at: datetime,
) -> list[str]:
    """Write an end and its facts, and tell whom it concerns; return the serials cancelled.

    Args:
        tx: open.
        approval: its identifier.
        cause: why.
        invalidity_date: since when a compromised key is known to be.
        decision: the one that is done by this; it is in the register already.
        actor: who.
        at: now; it becomes the end.

    Raises:
        NoSuchThing: there is no such approval.
        AlreadyEnded: it has ended, or no certificate of it stands that could be compromised.
        WrongState: the breach that it cites is not confirmed, or was answered already.
    """
    approval_reading.locked(tx, approval)
    if cause is EndCause.KEY_COMPROMISE:
        serials = approvals.cancel_certificates(tx, approval, cause=cause, at=at, invalidity_date=invalidity_date)
        if not serials:
            raise AlreadyEnded(identifier=approval, state="no certificate of it stands")
    else:
        serials = approvals.end(tx, approval, cause=cause, by=actor.name, at=at)
        kind = FactKind.APPROVAL_WITHDRAWN if cause is EndCause.MANUFACTURER else FactKind.APPROVAL_REVOKED
        ended: dict[str, Json] = {"cause": cause.value, "decision": decision.id, "breach": decision.breach}
        facts.record(tx, Fact(kind=kind, at=at, actor=actor, subject=approval, approvals=(approval,), payload=ended))
    for serial in serials:
        cancelled: dict[str, Json] = {"serial": serial, "cause": cause.value, "decision": decision.id}
        facts.record(
            tx,
            Fact(
                kind=FactKind.CERTIFICATE_REVOKED,
                at=at,
                actor=actor,
                subject=approval,
                approvals=(approval,),
                payload=cancelled,
            ),
        )
    if decision.breach is not None:
        answer(tx, decision.breach, approval, decision=decision.id, at=at)
    instruct(tx, approval, cause=decision.id, actor=actor, at=at)
    return [str(serial) for serial in serials]


def _urgent_decision(desk: Desk, tx: Transaction, actor: Actor, command: Revoke, at: datetime) -> Decision:
    """The decision of one officer: done when it is written; another is informed of it (ra/deciding/acknowledge.py)."""
    tabled = Tabled(
        environment=authority_row(tx).environment,
        by=actor.name,
        at=at,
        officers=1,
        lapses_at=at + desk.rules.proposal_life,
    )
    grounds = grounds_of(command.reasons, command.minutes)
    cause, since = command.cause, command.invalidity_date
    document = proposals.ending(tabled, grounds, command.approval, cause, since, command.breach)
    decided = new_decision(DecisionKind.REVOKE, document, grounds, tabled)
    return replace(
        decided, state=DecisionState.DONE, approval=command.approval, closed_at=at, urgent=True, breach=command.breach
    )
