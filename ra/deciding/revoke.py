"""revoke: the urgent revocation by one officer, where the settings allow it (F2.30); another is informed of it.

What it shares with a revocation by several is in ra/deciding/end.py.
"""

from dataclasses import replace
from datetime import datetime

from core.actors import Actor
from core.approval import OFFICERS_CAUSES
from core.canonical import Json, canonical
from core.clauses import serves
from core.facts import Fact, FactKind
from core.kinds import DecisionKind, DecisionState
from officers.claims import to_revoke
from officers.statement import revocation_digest
from policy.roles import Operation
from ra.access import authorise, not_permitted
from ra.authorising import Signed, authorised
from ra.deciding import notice
from ra.deciding.authorise import named
from ra.deciding.beside import beside
from ra.deciding.end import Ending, Revoke, decision_to_end, end_approval, ending_findings, ending_of
from ra.deciding.views import ApprovalRevoked
from ra.desk import Desk
from ra.findings import findings_json, refuse_fatal
from ra.grounds import grounds_of
from ra.instant import instant_of_end
from ra.proposal import Tabled
from ra.repeat import RequestKey, once
from ra.telling.wanting import wanting
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions, facts


@serves("F2.30")
def revoke(
    desk: Desk, actor: Actor, command: Revoke, request: RequestKey | None = None, *, signed: Signed | None = None
) -> ApprovalRevoked:
    """Revoke at once, where the settings allow one officer to.

    Args:
        desk: where.
        actor: an officer.
        command: what ends, and why.
        request: the Idempotency-Key, if one was sent.
        signed: what the officer signed for it with a key of their own: the approval, and the digest of the order.

    Raises:
        AuthorisationMissing, AuthorisationRefused: nothing was signed, or something else.
        OperationNotPermitted: the role, or the settings, do not allow it.
        AlreadyEnded: it has ended; the first end stands.
        NoSuchThing: there is no such approval.
        RulesRefused: an invalidity date that cannot be.
    """
    authorise(actor, Operation.REVOKE)
    if not desk.rules.urgent_revocation_by_one or command.cause not in OFFICERS_CAUSES:
        raise not_permitted(actor, "revoke alone")
    with desk.store.begin("revoke") as tx:
        at = instant_of_end(desk, tx)  # only now: waiting for our turn to write must not backdate the end
        refuse_fatal(ending_findings(command, at))  # what is not fatal is told with the outcome
        return once(
            desk, tx, actor, request, ApprovalRevoked, lambda: _revoke(desk, tx, actor, command, signed, at), at=at
        )


def _revoke(
    desk: Desk, tx: Transaction, actor: Actor, command: Revoke, signed: Signed | None, at: datetime
) -> ApprovalRevoked:
    made = _urgent_decision(desk, tx, actor, command, at)
    # As things are before it: by the end itself a breach may be answered, and the notice is written.
    found = (*ending_findings(command, at), *beside(tx, made, at))
    before = notice.about(tx, made, at=at)
    decision = replace(made, findings=canonical(findings_json(found)).decode())
    order = revocation_digest(
        command.approval,
        cause=command.cause,
        invalidity_date=command.invalidity_date,
        breach=command.breach,
    )
    statement = authorised(tx, actor, to_revoke(command.approval, order), signed, at)
    decisions.propose(tx, decision)
    alone: dict[str, Json] = {
        "kind": decision.kind,
        "approval": command.approval,
        "proposal_sha256": decision.proposal_sha256,
        "order_sha256": order,
        "credential": actor.credential,
        **named(statement),
    }
    facts.record(tx, Fact(FactKind.DECISION_MADE_ALONE, at, actor, subject=decision.id, payload=alone))
    serials = end_approval(tx, ending_of(decision), decision=decision, actor=actor, at=at)
    notice.write(tx, decision, actor=actor, at=at, before=before)
    return ApprovalRevoked(
        approval=command.approval,
        cause=command.cause,
        revoked_at=at,
        serials=tuple(serials),
        decision=decision.id,
        findings=found,
        wanting=wanting(before),
    )


def _urgent_decision(desk: Desk, tx: Transaction, actor: Actor, command: Revoke, at: datetime) -> Decision:
    """The decision of one officer: done when it is written; another is informed of it (ra/deciding/acknowledge.py)."""
    tabled = Tabled(
        environment=authority_row(tx).environment,
        by=actor.name,
        at=at,
        officers=1,
        lapses_at=at + desk.rules.proposal_life,
    )
    ending = Ending(command.approval, command.cause, command.invalidity_date)
    grounds = grounds_of(command.reasons, command.minutes)
    decided = decision_to_end(DecisionKind.REVOKE, ending, grounds, tabled, breach=command.breach)
    return replace(decided, state=DecisionState.DONE, closed_at=at, urgent=True)
