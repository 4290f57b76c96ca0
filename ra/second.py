"""second: another officer accepts this proposal with these bytes, or rejects it.

Both digests are repeated, the rules run again, and one conditional write decides; two seconders at the same moment
get one decision and one conflict.
"""

from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json
from core.errors import DecisionLapsed, DigestMismatch, SamePerson, WrongState
from core.facts import Fact, FactKind
from policy.roles import Operation
from ra import lapse as lapsing
from ra.access import authorise
from ra.desk import Desk
from ra.end import end_approval
from ra.proposal import certified_terms, ending_of, rekey_cause
from ra.repeat import RequestKey, keep, recall
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Approval, Decision
from store.transactions import Transaction
from store.verbs import applications, approvals, decisions, facts

_ISSUING = ("grant", "rekey")


def second(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    proposal_sha256: str,
    tbs_sha256: str | None,
    request: RequestKey | None = None,
) -> dict[str, Json]:
    """Second a proposal.

    Args:
        desk: where.
        actor: an officer who did not propose it.
        identifier: of the decision.
        proposal_sha256: the digest of the proposal accepted, hex.
        tbs_sha256: the digest of the bytes to be signed, hex; None for kinds that issue nothing.
        request: the Idempotency-Key, if one was sent.

    Returns:
        `{"decision", "kind", "state", "approval"}`.

    Raises:
        SamePerson: proposer and seconder are one.
        DigestMismatch: other digests than those on record.
        DecisionLapsed: its dates have passed; that is recorded.
        WrongState: it has no draft yet, or was ended or seconded at the same moment.
        DeviceAlreadyApproved: another approval of the device was granted meanwhile.
    """
    authorise(actor, Operation.SECOND)
    with desk.store.begin("second") as tx:
        at = desk.clock.now()  # only now: waiting for our turn to write must not backdate what is decided
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        decision = requests.decision(tx, identifier)
        _require_acceptable(tx, decision, actor, proposal_sha256=proposal_sha256, tbs_sha256=tbs_sha256)
        why = lapsing.passed(tx, decision, at)
        if why is None:
            _decide(tx, decision, actor, tbs_sha256=tbs_sha256, at=at)
        else:
            lapsing.lapse(tx, decision, why=why, actor=actor, at=at)
        state = "seconded" if decision.kind in _ISSUING else "done"
        outcome: dict[str, Json] = {
            "decision": decision.id,
            "kind": decision.kind,
            "state": state,
            "approval": decision.approval,
        }
        if why is None:
            keep(tx, actor, request, outcome, at=at)
    if why is not None:
        # The lapse is a fact and is committed; only then is the officer told.
        raise DecisionLapsed(identifier=identifier, detail=why)
    return outcome


def reject(
    desk: Desk, actor: Actor, identifier: str, *, why: str, request: RequestKey | None = None
) -> dict[str, Json]:
    """Reject a proposal, or take one's own back; WrongState once it is seconded or ended."""
    authorise(actor, Operation.REJECT)
    at = desk.clock.now()
    with desk.store.begin("reject") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        decision = requests.decision(tx, identifier)
        done = lapsing.reject(tx, decision, why=why, actor=actor, at=at)
        decisions.require_closed(tx, identifier, closed=done, needed="proposed or drafted")
        outcome: dict[str, Json] = {"decision": identifier, "kind": decision.kind, "state": "rejected"}
        keep(tx, actor, request, outcome, at=at)
    return outcome


def _require_acceptable(
    tx: Transaction, decision: Decision, actor: Actor, *, proposal_sha256: str, tbs_sha256: str | None
) -> None:
    if decision.proposer == actor.name:
        raise SamePerson(person=actor.name)
    needed = "drafted" if decision.kind in _ISSUING else "proposed"
    if decision.state != needed:
        raise WrongState(kind="Decision", identifier=decision.id, state=decision.state, needed=needed)
    if proposal_sha256.lower() != decision.proposal_sha256:
        raise DigestMismatch(which="proposal")
    draft = requests.draft_of(tx, decision.id)
    on_record = None if draft is None else draft.tbs_sha256
    if (tbs_sha256.lower() if tbs_sha256 else None) != on_record:
        raise DigestMismatch(which="certificate to be signed")


def _decide(tx: Transaction, decision: Decision, actor: Actor, *, tbs_sha256: str | None, at: datetime) -> None:
    decisions.second(
        tx,
        decision,
        seconder=actor.name,
        tbs_sha256=tbs_sha256.lower() if tbs_sha256 else None,
        at=at,
        closes=decision.kind not in _ISSUING,
    )
    seconded = {"kind": decision.kind, "proposal_sha256": decision.proposal_sha256, "tbs_sha256": tbs_sha256}
    facts.record(tx, Fact(FactKind.DECISION_SECONDED, at, actor, decision.id, payload=seconded))
    match decision.kind:
        case "grant":
            _grant(tx, decision, actor, at)
        case "refuse":
            _refuse(tx, decision, actor, at)
        case "rekey":
            _rekey(tx, decision, actor, at)
        case _:
            cause, invalidity_date = ending_of(decision)
            end_approval(
                tx,
                decision.approval or "",
                cause=cause,
                invalidity_date=invalidity_date,
                decision=decision.id,
                actor=actor,
                at=at,
            )


def _grant(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    said = certified_terms(decision)
    application = requests.application(tx, decision.application_id or "")
    applications.move(tx, application.id, needed="proposed", to="granted")
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
    granted = {"decision": decision.id, "application": application.id}
    facts.record(tx, Fact(FactKind.APPROVAL_GRANTED, at, actor, said.approval, (said.approval,), granted))


def _refuse(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    identifier = decision.application_id or ""
    applications.move(tx, identifier, needed="proposed", to="refused")
    refused = {"decision": decision.id}
    facts.record(tx, Fact(FactKind.APPLICATION_REFUSED, at, actor, identifier, payload=refused))


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
        decision=decision.id,
        actor=actor,
        at=at,
    )
