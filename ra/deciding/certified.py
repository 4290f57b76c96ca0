"""certified: what becomes true when the certificate of a decision is recorded; called by the authority (jobs/sign.py).

Everything here is in the transaction that records the certificate. If we die before its commit, the same bytes are
signed again and all of it happens then.
"""

from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.kinds import AmendmentRequestState, DecisionKind
from ra.grounds import conditions_of
from ra.proposal import certified_terms, said_in
from ra.telling.listing import instruct
from ra.telling.writing import write_notice
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import amendment_requests, approvals, conditions, facts


def reserve_dates(tx: Transaction, decision: Decision) -> None:
    """Hold the device for the dates that an amendment asks for, before anything is signed.

    The approval holds old and new dates together until the certificate is recorded: no other approval of the device
    can come between a signature and its record.

    Raises:
        DeviceAlreadyApproved: another approval of the device was granted meanwhile.
    """
    if decision.kind != DecisionKind.AMEND:
        return
    said = certified_terms(decision)
    row = approval_reading.approval(tx, said.approval)
    approvals.move_dates(tx, said.approval, start=min(row.start, said.start), expiry=max(row.expiry, said.expiry))


@serves("F2.25", "F2.29")
def later_issue(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> list[Serial]:
    """Let a later issue take its place: dates, words, and the end of the issues before it.

    Returns:
        The serials superseded.
    """
    said = certified_terms(decision)
    # The first issue's terms still say when the trial was to start; the row already holds old and new together.
    moved = decision.kind == DecisionKind.AMEND and any(
        each["subject"] == "start" for each in said_in(decision)["changes"]
    )
    # Signed late, it takes over from the instant it is recorded: no instant at which neither or both hold. A start
    # that moves is not to come with the old certificate, which therefore ends now.
    takes_over = at if moved else max(said.terms.effective, at)
    if decision.kind == DecisionKind.AMEND:
        approvals.move_dates(tx, said.approval, start=said.start, expiry=said.expiry)
        amend_words(tx, decision, actor, at)
    return approvals.supersede(tx, said.approval, by_issue=said.terms.issue, at=takes_over)


@serves("F2.25", "F2.27")
def certified(tx: Transaction, decision: Decision, serial: Serial, actor: Actor, at: datetime) -> None:
    """Tell whom it concerns that a certificate was issued: the Panel what to list, and the notice it travels with."""
    instruct(tx, decision.approval or "", cause=decision.id, actor=actor, at=at)
    write_notice(tx, decision, actor=actor, at=at, serial=serial)


def amend_words(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    """Write what an amendment changes beside the certificate, and the fact (F2.29)."""
    said, approval = said_in(decision), decision.approval or ""
    conditions.set_conditions(tx, approval, decision.id, conditions_of(decision), at=at)
    ended = conditions.end_conditions(tx, approval, said["conditions_removed"], decision_id=decision.id, at=at)
    if decision.amendment_request is not None:
        amendment_requests.move(
            tx,
            decision.amendment_request,
            needed=AmendmentRequestState.PROPOSED,
            to=AmendmentRequestState.GRANTED,
            at=at,
            decision_id=decision.id,
        )
    amended: dict[str, Json] = {
        "decision": decision.id,
        "issue": decision.issue,
        "changed": [each["subject"] for each in said["changes"]],
        "conditions_ended": [*ended],
    }
    facts.record(
        tx,
        Fact(
            kind=FactKind.APPROVAL_AMENDED, at=at, actor=actor, subject=approval, approvals=(approval,), payload=amended
        ),
    )
