"""authorise: the proposer signs, with a key of their own, for the proposal that the register holds.

A proposal is written first, so that what is signed are the digests of what stands there; nobody seconds it before its
proposer has signed for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, read_json
from core.clauses import serves
from core.errors import AuthorisationRefused, DigestMismatch, NotTheProposer, TrialCpaError, WrongState
from core.facts import Fact, FactKind
from core.kinds import OPEN_DECISION, AuthorisationFlaw, AuthorisedAct
from officers.claims import about
from officers.means import WANTING, key_wanted, with_a_key
from officers.statement import Claim, Listed
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import Signed, authorised, roster_shown
from ra.deciding.views import Accepted, DecisionAuthorised
from ra.desk import Desk
from ra.repeat import RequestKey, nth, once
from store.reading import requests
from store.reading.authorisations import kept
from store.reading.proof import statements_about
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import authorisations, facts

_AGREEING = (FactKind.DECISION_AUTHORISED, FactKind.DECISION_SUPPORTED)
"""Facts of those who have agreed before the last of them does."""


@serves("F2.18")
def sign_for(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    proposal_sha256: str,
    signed: Signed | None,
    request: RequestKey | None = None,
) -> DecisionAuthorised:
    """Sign for one's own proposal.

    Args:
        desk: where.
        actor: who proposed it.
        identifier: of the decision.
        proposal_sha256: the digest of the proposal signed for, hex.
        signed: the statement and its proof.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NotTheProposer: another officer proposed it.
        DigestMismatch: the register holds another proposal.
        AuthorisationMissing, AuthorisationRefused: nothing was signed, or something else.
        WrongState: it was signed for before, seconded or ended.
    """
    authorise(actor, Operation.PROPOSE)
    at = desk.clock.now()
    with desk.store.begin("authorise decision") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            DecisionAuthorised,
            lambda: _sign_for(tx, actor, identifier, proposal_sha256.lower(), signed, at),
            at=at,
        )


def sign_for_batch(
    desk: Desk, actor: Actor, proposed: Sequence[Accepted], request: RequestKey | None = None, *, signed: Signed | None
) -> list[DecisionAuthorised | TrialCpaError]:
    """Sign for several proposals of one's own by one statement; return the outcome of each, or what stood against."""
    authorise(actor, Operation.PROPOSE)
    outcomes: list[DecisionAuthorised | TrialCpaError] = []
    for place, each in enumerate(proposed):
        key = nth(request, place)
        try:
            outcomes.append(
                sign_for(desk, actor, each.decision, proposal_sha256=each.proposal_sha256, signed=signed, request=key)
            )
        except TrialCpaError as error:
            outcomes.append(error)
    return outcomes


def _sign_for(
    tx: Transaction, actor: Actor, identifier: str, proposal_sha256: str, signed: Signed | None, at: datetime
) -> DecisionAuthorised:
    decision = requests.decision(tx, identifier)
    if decision.proposer != actor.name:
        raise NotTheProposer(identifier=decision.id, proposer=decision.proposer)
    if decision.state not in OPEN_DECISION:
        needed = " or ".join(OPEN_DECISION)
        raise WrongState(kind="Decision", identifier=decision.id, state=decision.state, needed=needed)
    if proposal_sha256 != decision.proposal_sha256:
        raise DigestMismatch(which="proposal")
    statement = authorised(tx, actor, claim_of(AuthorisedAct.PROPOSE, decision), signed, at)
    if not authorisations.authorised(tx, decision.id, at=at):
        raise WrongState(kind="Decision", identifier=decision.id, state="signed for", needed="not signed for yet")
    said: dict[str, Json] = {
        "kind": decision.kind,
        "proposal_sha256": decision.proposal_sha256,
        "credential": actor.credential,
        **named(statement),
    }
    facts.record(tx, Fact(FactKind.DECISION_AUTHORISED, at, actor, subject=decision.id, payload=said))
    return DecisionAuthorised(
        decision=decision.id,
        kind=decision.kind,
        approval=decision.approval,
        authorised_by=actor.name,
        authorised_at=at,
    )


def require_authorised(tx: Transaction, decision: Decision, at: datetime) -> None:
    """Require that the proposer of a decision has signed for it, where there is a roster of officers' keys.

    Raises:
        WrongState: they have not.
    """
    if decision.authorised_at is None and roster_shown(tx, at) is not None:
        state = f"not signed for by {decision.proposer}"
        raise WrongState(kind="Decision", identifier=decision.id, state=state, needed="signed for by its proposer")


def require_a_key(tx: Transaction, decision: Decision, last: str | None, at: datetime) -> None:
    """Require that one at least of those who agree signed with a key in a file or a token, where that is wanted.

    The authority asks it of its memory; here it is asked before something is decided that nothing will come of.

    Args:
        tx: open.
        decision: that enough officers agree to.
        last: the digest of what the last of them signed; None where no roster asks for it.
        at: now.

    Raises:
        AuthorisationRefused: all of them signed by passkeys.
    """
    roster = roster_shown(tx, at)
    if roster is None or last is None or not key_wanted(decision.kind):
        return
    said = [read_json(each) for each in statements_about(tx, decision.id, _AGREEING)]
    digests = {last, *(each["authorisation"] for each in said if isinstance(each.get("authorisation"), str))}
    if not with_a_key(roster, (each.key for each in kept(tx, digests).values())):
        raise AuthorisationRefused(flaw=AuthorisationFlaw.UNDECIDED, detail=WANTING)


def claim_of(act: AuthorisedAct, decision: Decision, tbs: Sequence[str] = ()) -> Claim:
    """Return what an act about a decision says of itself.

    Args:
        act: what is done.
        decision: to which.
        tbs: digests of the bytes to be signed that are accepted, hex, in order of issue; none where there are none.
    """
    listed = Listed(decision=decision.id, proposal_sha256=decision.proposal_sha256, tbs_sha256=tuple(tbs) or None)
    return about(act, listed)


def digests_of(said: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the digests that somebody repeats: one alone is a list of one."""
    every = () if said is None else (said,) if isinstance(said, str) else tuple(said)
    return tuple(each.lower() for each in every)


def digests_said(tbs: Sequence[str]) -> Json:
    """Return the digests of bytes to be signed as facts say them: one alone by itself, as before there were several."""
    return None if not tbs else tbs[0] if len(tbs) == 1 else list(tbs)


def named(statement: str | None) -> Mapping[str, Json]:
    """Return the member of a fact that names the statement by which its act is authorised; none without one."""
    return {} if statement is None else {"authorisation": statement}
