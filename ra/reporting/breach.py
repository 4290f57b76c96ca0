"""breach: a condition is not complied with: suspected, confirmed or dismissed, and answered by a revocation (F2.23).

A confirmed breach owes a revocation, and stays on the officers' list until that is done *for* it. What the SSC writes
about a breach is its own: the journal holds salted digests, and no Manufacturer sees it before the notice.
"""

import secrets
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, salted_digest
from core.classification import SALT_OCTETS
from core.clauses import serves
from core.errors import NoSuchThing, WrongState
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import BreachState
from core.status import open_at
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk, new_identifier
from ra.paging import LARGEST_PAGE
from ra.repeat import RequestKey, keep, recall
from store.reading import approvals as approval_reading
from store.reading import breaches as reading
from store.reading.breaches import Breach, OwedRevocation, SaltedWords
from store.transactions import Transaction
from store.verbs import breaches, facts

LIMIT_CLAUSE = "F2.21(d)"


@serves("F2.23")
def suspect(
    desk: Desk, actor: Actor, approval: str, condition: int, note: str, request: RequestKey | None = None
) -> dict[str, Json]:
    """Record that a condition may have been breached; of an approval that has ended too, for what comes after.

    Args:
        desk: where.
        actor: an officer.
        approval: its identifier.
        condition: the number of the condition, whether or not it still holds.
        note: what is suspected, in the SSC's words.
        request: the Idempotency-Key, if one was sent.

    Returns:
        `{"breach", "approval", "condition", "state"}`.

    Raises:
        NoSuchThing: there is no such approval, or it never had that condition.
    """
    authorise(actor, Operation.RECORD_BREACH)
    at = desk.clock.now()
    with desk.store.begin("suspect breach") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        approval_reading.record(tx, approval)
        if not reading.condition_exists(tx, approval, condition):
            raise NoSuchThing(kind="condition", identifier=f"{condition} of {approval}")
        identifier, words = new_identifier("breach", at), _salted(note)
        breaches.suspect(tx, identifier, approval, condition, words, by=actor.name, at=at)
        said: dict[str, Json] = {"breach": identifier, "condition": condition, "note_salted_sha256": _digest(words)}
        facts.record(tx, Fact(kind=FactKind.BREACH_SUSPECTED, at=at, actor=actor, subject=approval, payload=said))
        outcome = _outcome(identifier, approval, condition, BreachState.SUSPECTED)
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.23", "F2.21(d)")
def suspect_limit(
    tx: Transaction, approval: str, *, deployed: int, maximum: int, actor: Actor, at: datetime
) -> str | None:
    """Record, in the transaction of a report of deployments, that there are more devices than F2.21(d) allows.

    Args:
        tx: the caller's.
        approval: its identifier.
        deployed: how many devices are deployed now.
        maximum: how many may be.
        actor: who reported them.
        at: now.

    Returns:
        The new breach; None if one of the limit is suspected or confirmed already: this says nothing new.
    """
    # Held until the commit: two reports at the same moment record one suspicion.
    approval_reading.locked(tx, approval)
    if reading.open_limit_breach(tx, approval) is not None:
        return None
    identifier = new_identifier("breach", at)
    note = _salted(f"{deployed} devices are reported as deployed; the approval allows {maximum}.")
    breaches.suspect(tx, identifier, approval, None, note, by=actor.name, at=at)
    said: dict[str, Json] = {
        "breach": identifier,
        "clause": LIMIT_CLAUSE,
        "deployed": deployed,
        "maximum": maximum,
    }
    facts.record(tx, Fact(kind=FactKind.BREACH_SUSPECTED, at=at, actor=actor, subject=approval, payload=said))
    return identifier


@serves("F2.23")
def judge(
    desk: Desk, actor: Actor, identifier: str, *, confirmed: bool, why: str, request: RequestKey | None = None
) -> dict[str, Json]:
    """Confirm a suspected breach, which owes a revocation from then on, or dismiss it.

    Raises:
        NoSuchThing: there is none.
        WrongState: it has been judged.
    """
    authorise(actor, Operation.RECORD_BREACH)
    at = desk.clock.now()
    with desk.store.begin("judge breach") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        words = _salted(why)
        breaches.judge(tx, identifier, confirmed=confirmed, why=words, by=actor.name, at=at)
        kind = FactKind.BREACH_CONFIRMED if confirmed else FactKind.BREACH_DISMISSED
        outcome = _moved(tx, identifier, kind, words, actor, at)
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.23")
def close(desk: Desk, actor: Actor, identifier: str, *, why: str, request: RequestKey | None = None) -> dict[str, Json]:
    """Close a confirmed breach whose approval has ended otherwise: there is nothing left to revoke.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is not confirmed, or its approval still stands: then the revocation is owed.
    """
    authorise(actor, Operation.RECORD_BREACH)
    with desk.store.begin("close breach") as tx:
        at = desk.clock.now()
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        found = reading.breach(tx, identifier)
        if open_at(approval_reading.locked(tx, found.approval), at):
            raise WrongState(kind="Approval", identifier=found.approval, state="not ended", needed="ended")
        words = _salted(why)
        breaches.close(tx, identifier, why=words, at=at)
        outcome = _moved(tx, identifier, FactKind.BREACH_CLOSED, words, actor, at)
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.23")
def answer(tx: Transaction, breach: str, approval: str, *, decision: str, at: datetime) -> None:
    """Let the revocation of an approval answer a breach of it: the obligation of F2.23 is met.

    Its fact is the revocation's own, which names the breach and is written by the caller in the same transaction.

    Args:
        tx: the caller's, in which the approval is ended.
        breach: the breach that the decision cites.
        approval: the approval that is ended.
        decision: the identifier of the decision, which is in the register already.
        at: now.

    Raises:
        NoSuchThing: there is no such breach of this approval.
        WrongState: it is not confirmed, or was answered already.
    """
    breaches.answer(tx, breach, approval, decision=decision, at=at)


@serves("F2.23")
def owed(tx: Transaction) -> list[OwedRevocation]:
    """Return every confirmed breach whose revocation is owed, the oldest first."""
    return reading.owed(tx)


def shown(desk: Desk, actor: Actor, identifier: str) -> dict[str, Json]:
    """Return one breach; NoSuchThing if there is none."""
    authorise(actor, Operation.READ_BREACHES)
    with desk.store.read() as tx:
        return _breach(reading.breach(tx, identifier))


def listed(
    desk: Desk, actor: Actor, *, approval: str | None = None, state: BreachState | None = None, after: str, limit: int
) -> dict[str, Json]:
    """Return a page of breaches, of one approval or all, and the cursor for the next.

    Raises:
        NoSuchThing: there is no such approval.
    """
    authorise(actor, Operation.READ_BREACHES)
    most = min(limit, LARGEST_PAGE)
    with desk.store.read() as tx:
        if approval is not None:
            approval_reading.approval(tx, approval)
        found = reading.breach_list(
            tx, approval=approval, state=BreachState(state) if state else None, after=after, limit=most
        )
    return {"breaches": [_breach(each) for each in found], "next": found[-1].id if len(found) == most else None}


def _salted(words: str) -> SaltedWords:
    return SaltedWords(words, secrets.token_bytes(SALT_OCTETS))


def _digest(words: SaltedWords) -> str:
    return salted_digest(words.text, words.salt)


def _moved(
    tx: Transaction, identifier: str, kind: FactKind, words: SaltedWords, actor: Actor, at: datetime
) -> dict[str, Json]:
    """Write the fact of a breach's new state, and return the outcome."""
    found = reading.breach(tx, identifier)
    said: dict[str, Json] = {"breach": identifier, "why_salted_sha256": _digest(words)}
    facts.record(tx, Fact(kind=kind, at=at, actor=actor, subject=found.approval, payload=said))
    return _outcome(identifier, found.approval, found.condition, found.state)


def _outcome(identifier: str, approval: str, condition: int | None, state: BreachState) -> dict[str, Json]:
    return {"breach": identifier, "approval": approval, "condition": condition, "state": state}


def _breach(found: Breach) -> dict[str, Json]:
    return {
        **_outcome(found.id, found.approval, found.condition, found.state),
        "clause": LIMIT_CLAUSE if found.condition is None else "F2.21(e)",
        "note": found.note.text,
        "suspected_at": text(found.suspected_at),
        "suspected_by": found.suspected_by,
        "judged_at": text(found.judged_at) if found.judged_at else None,
        "judged_by": found.judged_by,
        "why": found.why.text if found.why else None,
        "closed_at": text(found.closed_at) if found.closed_at else None,
        "decision": found.decision,
    }
