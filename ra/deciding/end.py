"""end: an approval is revoked or withdrawn, or its compromised certificate cancelled; one conditional write each.

From the commit on, every verification says so; the signed channels follow (core/status.py decides, no job does).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from core.actors import Actor
from core.approval import ApprovalRecord, EndCause
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.errors import AlreadyEnded, Finding
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import parse, text
from core.kinds import DecisionKind, EndRequestState
from core.status import certificate_end
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra.grounds import NO_MINUTES, Grounds, Minutes
from ra.proposal import Tabled, new_decision, said_in
from ra.reporting.breach import answer
from ra.standing import why_ended
from ra.telling.listing import Foreseen, instruct
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import approvals, end_requests, facts, receipts


@dataclass(frozen=True)
class Revoke:
    """A revocation (F2.30), or the cancelling of a compromised certificate.

    Args:
        approval: its identifier.
        cause: `ssc`, `breach` or `key-compromise`; the last cancels the certificate and leaves the approval, so
            that a new key can be certified under it.
        reasons: a summary of why; words alone are Amber, for all three recipients.
        invalidity_date: since when a compromised key is known to be.
        breach: the confirmed breach of a condition that this revocation answers (F2.23); its cause is then `breach`.
        request: the Manufacturer's request for the end, if it is granted by this; an urgent revocation names none.
        minutes: what comes with the decision.
    """

    approval: str
    cause: EndCause
    reasons: str | Passage
    invalidity_date: datetime | None = None
    breach: str | None = None
    request: str | None = None
    minutes: Minutes = NO_MINUTES


@dataclass(frozen=True)
class Ending:
    """How a decision ends an approval or its certificate; read back from its proposal.

    Args:
        approval: its identifier.
        cause: of a compromised key the certificate ends and the approval stands.
        invalidity_date: since when that key is known to be; None where it is not said, or nothing is compromised.
        request: the Manufacturer's, which is granted by this; None where it names none.
    """

    approval: str
    cause: EndCause
    invalidity_date: datetime | None
    request: str | None = None


def ending_findings(command: Revoke, at: datetime) -> Sequence[Finding]:
    """Return what the rules have against an end."""
    cited = command.breach is not None
    named = command.request is not None
    judged = RevocationFacts(command.cause, command.invalidity_date, at, breach_cited=cited, request_named=named)
    return revocation_findings(judged)


def decision_to_end(
    kind: DecisionKind, ending: Ending, grounds: Grounds, tabled: Tabled, *, breach: str | None = None
) -> Decision:
    """Return the decision to end an approval, as it is proposed.

    Args:
        kind: to revoke or to withdraw.
        ending: of which approval, and why.
        grounds: the words for it.
        tabled: by whom, when and under which rules.
        breach: that it answers, if it does.
    """
    said: dict[str, Json] = {
        "approval": ending.approval,
        "cause": ending.cause.value,
        "invalidity_date": text(ending.invalidity_date) if ending.invalidity_date else None,
        "breach": breach,
        **({} if ending.request is None else {"request": ending.request}),
    }
    return replace(new_decision(kind, said, grounds, tabled), approval=ending.approval, breach=breach)


def ending_of(decision: Decision) -> Ending:
    """Return the end that a proposal says."""
    said = said_in(decision)
    since = parse(said["invalidity_date"]) if said["invalidity_date"] else None
    return Ending(said["approval"], EndCause(said["cause"]), since, request=said.get("request"))


def why_passed(tx: Transaction, decision: Decision, at: datetime) -> str | None:
    """Return, in words, why an approval can no longer be ended; None if it can."""
    return why_ended(approval_reading.record(tx, ending_of(decision).approval), at)


def foreseen(tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
    """Return the approval as it would be after the end; None where nothing leaves the list."""
    ending = ending_of(decision)
    standing = approval_reading.record(tx, ending.approval)
    # A compromised key ends no approval, and the first end stands.
    if ending.cause is EndCause.KEY_COMPROMISE or standing.ended_at is not None:
        return None
    return Foreseen(replace(standing, ended_at=at, end_cause=ending.cause))


@serves("F2.30", "F2.31")
def end_approval(
    tx: Transaction, ending: Ending, *, decision: Decision, actor: Actor, at: datetime, instructs: bool = True
) -> list[Serial]:
    """Write an end and its facts, and tell the Panel; return the serials cancelled.

    Args:
        tx: open.
        ending: of which approval, and why.
        decision: the one that is done by this; it is in the register already.
        actor: who.
        at: now; it becomes the end.
        instructs: whether the Panel is told with it; if not, the caller does so next (jobs/carry_out.py).

    Raises:
        NoSuchThing: there is no such approval.
        AlreadyEnded: it has ended, or no certificate of it stands that could be compromised.
        WrongState: the breach that it cites is not confirmed, or was answered already.
    """
    approval, cause = ending.approval, ending.cause
    approval_reading.hold(tx, [approval])
    if cause is EndCause.KEY_COMPROMISE:
        since, key = ending.invalidity_date, compromised(approval_reading.record(tx, approval), at)
        serials = approvals.cancel_certificates(tx, approval, cause=cause, at=at, key=key, invalidity_date=since)
        if not serials:
            raise AlreadyEnded(identifier=approval, state=approvals.last_end(tx, approval))
    else:
        serials = approvals.end(tx, approval, cause=cause, by=actor.name, at=at)
    facts.record(tx, *facts_of(ending, serials, decision=decision, actor=actor, at=at))
    if decision.breach is not None:
        answer(tx, decision.breach, approval, decision=decision.id, at=at)
    if ending.request is not None:
        held, granted = EndRequestState.PROPOSED, EndRequestState.GRANTED
        end_requests.move(tx, ending.request, needed=held, to=granted, decision_id=decision.id, at=at)
    if instructs:
        instruct(tx, approval, cause=decision.id, actor=actor, at=at)
    receipts.open_receipts(tx, {approval: len(serials)}, decision=decision.id, at=at)
    return serials


def facts_of(
    ending: Ending, serials: Sequence[Serial], *, decision: Decision, actor: Actor, at: datetime
) -> list[Fact]:
    """Return the facts of an end: of the approval, unless only a key is compromised, and of each certificate.

    Args:
        ending: of which approval, and why.
        serials: cancelled by it.
        decision: the one that is done by it.
        actor: who.
        at: the end.
    """
    said = partial(_fact, ending, decision, actor, at)
    every = [said(FactKind.CERTIFICATE_REVOKED, {"serial": each}) for each in serials]
    if ending.cause is EndCause.KEY_COMPROMISE:
        return every
    kind = FactKind.APPROVAL_WITHDRAWN if ending.cause is EndCause.MANUFACTURER else FactKind.APPROVAL_REVOKED
    request: dict[str, Json] = {} if ending.request is None else {"request": ending.request}
    return [said(kind, {"breach": decision.breach, **request}), *every]


def _fact(
    ending: Ending, decision: Decision, actor: Actor, at: datetime, kind: FactKind, more: Mapping[str, Json]
) -> Fact:
    payload: dict[str, Json] = {
        "cause": ending.cause.value,
        "decision": decision.id,
        "proposal_sha256": decision.proposal_sha256,
        **more,
    }
    return Fact(kind, at, actor, subject=ending.approval, approvals=(ending.approval,), payload=payload)


def compromised(record: ApprovalRecord, at: datetime) -> str | None:
    """Return the digest of the key that is compromised: the one in use, else the one that will be first.

    What waits under the same key ends with it; what waits for a new key goes on waiting. None where nothing stands.
    """
    standing = [each for each in record.certificates if certificate_end(each).at > at]
    first = min(standing, key=lambda each: (each.not_before, each.issue), default=None)
    return None if first is None else first.public_key_sha256
