"""decide: what becomes true when enough officers have agreed, by kind, in the transaction of the last one.

What certifies becomes true in two steps: the decision here, the certificate when the authority records it
(ra/deciding/certified.py).
"""

from datetime import datetime
from typing import assert_never

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json
from core.clauses import serves
from core.facts import Fact, FactKind
from core.kinds import AmendmentRequestState, ApplicationState, DecisionKind
from ra.deciding.certified import amend_words
from ra.deciding.end import end_approval
from ra.grounds import conditions_of
from ra.proposal import certified_terms, ending_of, rekey_cause
from ra.telling.writing import write_notice
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Approval, Decision
from store.transactions import Transaction
from store.verbs import amendment_requests, applications, approvals, conditions, facts


def decide(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    """Make a seconded decision true."""
    match decision.kind:
        case DecisionKind.GRANT:
            _grant(tx, decision, actor, at)
        case DecisionKind.REFUSE:
            _refuse(tx, decision, actor, at)
        case DecisionKind.AMEND:
            _amend(tx, decision, actor, at)
        case DecisionKind.REFUSE_AMENDMENT:
            _refuse_amendment(tx, decision, actor, at)
        case DecisionKind.REKEY:
            _rekey(tx, decision, actor, at)
        case DecisionKind.REVOKE | DecisionKind.WITHDRAW:
            cause, invalidity_date = ending_of(decision)
            end_approval(
                tx,
                decision.approval or "",
                cause=cause,
                invalidity_date=invalidity_date,
                decision=decision,
                actor=actor,
                at=at,
            )
        case _:
            assert_never(decision.kind)
    if decision.issue is None:
        # Of what certifies, the notice is written with the certificate that travels with it (ra/deciding/certified.py).
        write_notice(tx, decision, actor=actor, at=at)


@serves("F2.21(a)", "F2.21(c)", "F2.21(d)", "F2.21(e)")
def _grant(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    said = certified_terms(decision)
    application = requests.application(tx, decision.application_id or "")
    applications.move(tx, application.id, needed=ApplicationState.PROPOSED, to=ApplicationState.GRANTED)
    approvals.grant(
        tx,
        Approval(
            identifier=said.approval,
            decision_id=decision.id,
            application_id=application.id,
            organisation_id=application.organisation_id,
            device=said.device,
            granted_at=at,
            start=said.start,
            expiry=said.expiry,
            ended_at=None,
            end_cause=None,
        ),
    )
    approvals.add_terms(tx, said.approval, decision.id, said.terms)
    conditions.set_conditions(tx, said.approval, decision.id, conditions_of(decision), at=at)
    granted = {"decision": decision.id, "application": application.id}
    facts.record(
        tx,
        Fact(
            kind=FactKind.APPROVAL_GRANTED,
            at=at,
            actor=actor,
            subject=said.approval,
            approvals=(said.approval,),
            payload=granted,
        ),
    )


@serves("F2.24")
def _refuse(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    identifier = decision.application_id or ""
    applications.move(tx, identifier, needed=ApplicationState.PROPOSED, to=ApplicationState.REFUSED)
    refused = {"decision": decision.id}
    facts.record(tx, Fact(kind=FactKind.APPLICATION_REFUSED, at=at, actor=actor, subject=identifier, payload=refused))


def _rekey(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    compromised, since = rekey_cause(decision)
    approval = decision.approval or ""
    if not compromised or not approval_reading.standing(tx, approval, at):
        return  # superseded when the new certificate is recorded, or cancelled already
    end_approval(
        tx,
        approval,
        cause=EndCause.KEY_COMPROMISE,
        invalidity_date=since,
        decision=decision,
        actor=actor,
        at=at,
    )


@serves("F2.29")
def _amend(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    if decision.issue is None:
        # Nothing that the certificate says: it holds from now on.
        approval_reading.locked(tx, decision.approval or "")
        amend_words(tx, decision, actor, at)


@serves("F2.29")
def _refuse_amendment(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    request, approval = decision.amendment_request or "", decision.approval
    amendment_requests.move(
        tx,
        request,
        needed=AmendmentRequestState.PROPOSED,
        to=AmendmentRequestState.REFUSED,
        at=at,
        decision_id=decision.id,
    )
    refused: dict[str, Json] = {"request": request, "decision": decision.id}
    facts.record(tx, Fact(kind=FactKind.AMENDMENT_REFUSED, at=at, actor=actor, subject=approval, payload=refused))
