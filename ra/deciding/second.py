"""second: another officer accepts this proposal with these bytes, or rejects it.

Both digests are repeated, the rules run again, and one conditional write decides; two seconders at the same moment
get one decision and one conflict.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.errors import DecisionLapsed, DigestMismatch, SamePerson, TrialCpaError, WrongState
from core.facts import Fact, FactKind
from core.kinds import OPEN_DECISION, AuthorisedAct, DecisionState
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import Signed, authorised
from ra.deciding import lapse as lapsing
from ra.deciding import notice
from ra.deciding.authorise import claim_of, digests_of, digests_said, named, require_a_key, require_authorised
from ra.deciding.every_kind import kind_of
from ra.deciding.many import is_of_many
from ra.deciding.quorum import is_another, officers_needed
from ra.deciding.views import Accepted, DecisionRejected, DecisionSeconded
from ra.desk import Desk
from ra.instant import instant_of
from ra.issuing import require_issuing
from ra.repeat import RequestKey, earlier, nth, once, remember, wait_for_the_same
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions, facts, secondings


@serves("F2.18")
def second(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    proposal_sha256: str,
    tbs_sha256: str | Sequence[str] | None,
    signed: Signed | None = None,
    request: RequestKey | None = None,
) -> DecisionSeconded:
    """Second a proposal.

    Args:
        desk: where.
        actor: an officer who did not propose it.
        identifier: of the decision.
        proposal_sha256: the digest of the proposal accepted, hex.
        tbs_sha256: the digests of the bytes to be signed, hex, in order of issue, one alone by itself; None for kinds
            that issue nothing.
        signed: what the officer signed for it with a key of their own.
        request: the Idempotency-Key, if one was sent.

    Raises:
        AuthorisationMissing, AuthorisationRefused: nothing was signed, or something else.
        SamePerson: proposer and seconder are one.
        DigestMismatch: other digests than those on record.
        IssuingStopped: it ends in a certificate, and an officer has stopped issuing.
        ClockDoubtful: it is no end, and what date it would have is in doubt.
        DecisionLapsed: its dates have passed; that is recorded.
        WrongState: it has no draft yet, or was ended or seconded at the same moment.
        DeviceAlreadyApproved: another approval of the device was granted meanwhile.
    """
    authorise(actor, Operation.SECOND)
    accepted = digests_of(tbs_sha256)
    with desk.store.begin("second") as tx:
        wait_for_the_same(tx, actor, request)
        # Not `once`: a lapse is written too, and is told by an error behind the commit; it is no outcome to be kept.
        known = earlier(tx, actor, request, DecisionSeconded)
        if known is not None:
            return known
        decision = requests.decision(tx, identifier)
        if decision.issue is not None:
            require_issuing(tx)
        at = instant_of(desk, tx, decision)  # only now: waiting for our turn to write must not backdate it
        _require_acceptable(tx, decision, actor, proposal_sha256=proposal_sha256, accepted=accepted)
        why = lapsing.passed(tx, decision, at)
        state, wanting = decision.state, 0
        if why is None:
            kind_of(decision.kind).require_still_right(tx, decision)
            statement = authorised(tx, actor, claim_of(AuthorisedAct.SECOND, decision, accepted), signed, at)
            require_authorised(tx, decision, at)
            state, wanting = _agree(desk, tx, decision, actor, accepted=accepted, statement=statement, at=at)
        else:
            lapsing.lapse(tx, decision, why=why, actor=actor, at=at)
        outcome = DecisionSeconded(
            decision=decision.id,
            kind=decision.kind,
            state=state,
            approval=decision.approval,
            officers_wanting=wanting,
        )
        if why is None:
            remember(tx, actor, request, outcome, at=at)
    if why is not None:
        # The lapse is a fact and is committed; only then is the officer told.
        raise DecisionLapsed(identifier=identifier, detail=why)
    return outcome


def reject(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    why: str,
    signed: Signed | None = None,
    request: RequestKey | None = None,
) -> DecisionRejected:
    """Reject a proposal, or take one's own back.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the decision.
        why: a sentence, for the record.
        signed: what the officer signed for it with a key of their own.
        request: the Idempotency-Key, if one was sent.

    Raises:
        AuthorisationMissing, AuthorisationRefused: nothing was signed, or something else.
        NothingSaid: no word of why.
        WrongState: it was seconded or ended.
    """
    authorise(actor, Operation.REJECT)
    required(why, of="why")
    at = desk.clock.now()
    with desk.store.begin("reject") as tx:
        return once(
            desk, tx, actor, request, DecisionRejected, lambda: _reject(tx, actor, identifier, why, signed, at), at=at
        )


def _reject(
    tx: Transaction, actor: Actor, identifier: str, why: str, signed: Signed | None, at: datetime
) -> DecisionRejected:
    decision = requests.decision(tx, identifier)
    statement = authorised(tx, actor, claim_of(AuthorisedAct.REJECT, decision), signed, at)
    done = lapsing.reject(tx, decision, why=why, actor=actor, statement=statement, at=at)
    decisions.require_closed(tx, identifier, closed=done, needed=OPEN_DECISION)
    return DecisionRejected(identifier, decision.kind, DecisionState.REJECTED)


def _require_acceptable(
    tx: Transaction, decision: Decision, actor: Actor, *, proposal_sha256: str, accepted: tuple[str, ...]
) -> None:
    if not is_another(actor, decision.proposer):
        raise SamePerson(person=actor.name)
    needed = DecisionState.PROPOSED if decision.issue is None else DecisionState.DRAFTED
    if decision.state is not needed:
        raise WrongState(kind="Decision", identifier=decision.id, state=decision.state, needed=needed)
    if proposal_sha256.lower() != decision.proposal_sha256:
        raise DigestMismatch(which="proposal")
    if accepted != tuple(each.tbs_sha256 for each in requests.drafts_of(tx, decision.id)):
        raise DigestMismatch(which="certificate to be signed")


def _agree(
    desk: Desk,
    tx: Transaction,
    decision: Decision,
    actor: Actor,
    *,
    accepted: tuple[str, ...],
    statement: str | None,
    at: datetime,
) -> tuple[DecisionState, int]:
    """Write that an officer agrees, and decide if they are enough; return the state and how many are wanting."""
    agreed = secondings.agree(tx, decision.id, officer=actor.name, tbs=accepted, at=at)
    said: dict[str, Json] = {
        "kind": decision.kind,
        "proposal_sha256": decision.proposal_sha256,
        "tbs_sha256": digests_said(accepted),
        "credential": actor.credential,
        **named(statement),
    }
    wanting = officers_needed(decision, desk.rules) - 1 - agreed
    if wanting <= 0:
        require_a_key(tx, decision, statement, at)
    if wanting > 0:
        facts.record(tx, Fact(FactKind.DECISION_SUPPORTED, at, actor, subject=decision.id, payload=said))
        return decision.state, wanting
    closes = decision.issue is None
    decisions.second(tx, decision, seconder=actor.name, tbs=accepted, at=at, closes=closes)
    facts.record(tx, Fact(FactKind.DECISION_SECONDED, at, actor, subject=decision.id, payload=said))
    kind_of(decision.kind).decide(tx, decision, actor, at)
    if not closes:
        # Its notice is written with the certificate that travels with it (ra/deciding/certified.py).
        return DecisionState.SECONDED, 0
    if not is_of_many(decision):  # each has a notice of its own, when it has ended (jobs/carry_out.py)
        notice.write(tx, decision, actor=actor, at=at)
    return DecisionState.DONE, 0


def second_batch(
    desk: Desk,
    actor: Actor,
    accepted: Sequence[Accepted],
    request: RequestKey | None = None,
    *,
    signed: Signed | None = None,
) -> list[DecisionSeconded | TrialCpaError]:
    """Second several proposals, each in a transaction of its own; return the outcome of each, or what stood against.

    One statement over the digest of their list authorises all of them.
    """
    authorise(actor, Operation.SECOND)
    outcomes: list[DecisionSeconded | TrialCpaError] = []
    for place, each in enumerate(accepted):
        try:
            outcomes.append(
                second(
                    desk,
                    actor,
                    each.decision,
                    proposal_sha256=each.proposal_sha256,
                    tbs_sha256=each.tbs_sha256,
                    signed=signed,
                    request=nth(request, place),
                )
            )
        except TrialCpaError as error:
            outcomes.append(error)
    return outcomes
