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
from core.local_time import utc
from core.status import open_at
from core.words import counted, required
from officers.claims import to_confirm
from policy.roles import Operation
from ra.access import authorise
from ra.authorising import Signed, authorised
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.reporting.views import BreachAnswer, BreachMoved, BreachPage, SuspicionTold
from ra.views import page
from store.reading import approvals as approval_reading
from store.reading import breaches as reading
from store.reading.breaches import Breach, SaltedWords
from store.reading.suspicions import suspicion
from store.transactions import Transaction
from store.verbs import breaches, facts

LIMIT_CLAUSE = "F2.21(d)"


@serves("F2.23")
def suspect(
    desk: Desk, actor: Actor, approval: str, condition: int, note: str, request: RequestKey | None = None
) -> BreachMoved:
    """Record that a condition may have been breached; of an approval that has ended too, for what comes after.

    Args:
        desk: where.
        actor: an officer.
        approval: its identifier.
        condition: the number of the condition, whether or not it still holds.
        note: what is suspected, in the SSC's words.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such approval, or it never had that condition.
    """
    authorise(actor, Operation.RECORD_BREACH)
    at = desk.clock.now()
    with desk.store.begin("suspect breach") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            BreachMoved,
            lambda: suspected(tx, actor, approval, condition, note, at=at),
            at=at,
        )


def suspected(tx: Transaction, actor: Actor, approval: str, condition: int, note: str, *, at: datetime) -> BreachMoved:
    """Record a suspicion in somebody's transaction; for the arguments, and what is refused, see `suspect`."""
    identifier, words = new_identifier("breach", at), _salted(note)
    approval_reading.record(tx, approval)
    if not reading.condition_begun(tx, approval, condition, at):
        raise NoSuchThing(kind="condition", identifier=f"{condition} of {approval}")
    breaches.suspect(tx, identifier, approval, condition, words, by=actor.name, at=at)
    said: dict[str, Json] = {"breach": identifier, "condition": condition, "note_salted_sha256": _digest(words)}
    facts.record(tx, Fact(FactKind.BREACH_SUSPECTED, at, actor, subject=approval, payload=said))
    return BreachMoved(breach=identifier, approval=approval, condition=condition, state=BreachState.SUSPECTED)


@serves("F2.23", "F2.21(d)")
def suspect_limit(
    tx: Transaction,
    approval: str,
    *,
    deployed: int,
    maximum: int,
    actor: Actor,
    at: datetime,
    since: datetime | None = None,
) -> str | None:
    """Record, in the transaction in which it is seen, that there are more devices than F2.21(d) allows.

    Args:
        tx: the caller's.
        approval: its identifier.
        deployed: how many devices are deployed.
        maximum: how many may be.
        actor: who reported them, or noticed it.
        at: now.
        since: from when on so many were; None if they are now.

    Returns:
        The breach; None if one of the limit is suspected or confirmed already: this says nothing new, unless what
        made that one had been corrected.
    """
    # Held until the commit: two reports at the same moment record one suspicion.
    approval_reading.locked(tx, approval)
    known = reading.open_limit_breach(tx, approval)
    if known is not None and not breaches.keep_limit(tx, known, at=None):
        return None
    identifier = known or new_identifier("breach", at)
    if known is None:
        when = "" if since is None else f" since {utc(since)}"
        many = counted(deployed, "device is", "devices are")
        note = _salted(f"{many} reported as deployed{when}; the approval allows {maximum}.")
        excess = deployed, since or at
        breaches.suspect(tx, identifier, approval, None, note, by=actor.name, at=at, excess=excess)
    said: dict[str, Json] = {
        "breach": identifier,
        "clause": LIMIT_CLAUSE,
        "deployed": deployed,
        "maximum": maximum,
    }
    if since is not None:
        said["since"] = text(since)
    facts.record(tx, Fact(FactKind.BREACH_SUSPECTED, at, actor, subject=approval, payload=said))
    return identifier


@serves("F2.21(d)", "F2.23")
def limit_was_kept(tx: Transaction, approval: str, *, actor: Actor, at: datetime) -> None:
    """Record that what made a suspicion of the limit has been corrected; officers still judge it.

    Args:
        tx: the caller's, in which the correction is recorded.
        approval: its identifier; as far as is known now there were never more devices than it allowed.
        actor: who corrected it.
        at: now.
    """
    found = reading.open_limit_breach(tx, approval)
    if found is not None and breaches.keep_limit(tx, found, at=at):
        said: dict[str, Json] = {"breach": found, "clause": LIMIT_CLAUSE}
        facts.record(tx, Fact(FactKind.LIMIT_KEPT, at, actor, subject=approval, payload=said))


@serves("F2.23")
def judge(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    confirmed: bool,
    why: str,
    signed: Signed | None = None,
    request: RequestKey | None = None,
) -> BreachMoved:
    """Confirm a suspected breach, which owes a revocation from then on, or dismiss it.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the breach.
        confirmed: whether it is confirmed, or dismissed.
        why: in the SSC's words.
        signed: what the officer signed for a confirmation with a key of their own.
        request: the Idempotency-Key, if one was sent.

    Raises:
        AuthorisationMissing, AuthorisationRefused: nothing was signed for a confirmation, or something else.
        NoSuchThing: there is none.
        WrongState: it has been judged.
    """
    authorise(actor, Operation.RECORD_BREACH)
    at = desk.clock.now()
    words = _salted(why)
    kind = FactKind.BREACH_CONFIRMED if confirmed else FactKind.BREACH_DISMISSED

    def act() -> BreachMoved:
        statement = authorised(tx, actor, to_confirm(identifier), signed, at) if confirmed else None
        breaches.judge(tx, identifier, confirmed=confirmed, why=words, by=actor.name, at=at)
        return _moved(tx, identifier, kind, words, actor, at, statement=statement)

    with desk.store.begin("judge breach") as tx:
        return once(desk, tx, actor, request, BreachMoved, act, at=at)


@serves("F2.23")
def close(desk: Desk, actor: Actor, identifier: str, *, why: str, request: RequestKey | None = None) -> BreachMoved:
    """Close a confirmed breach whose approval has ended otherwise: there is nothing left to revoke.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is not confirmed, or its approval still stands: then the revocation is owed.
    """
    authorise(actor, Operation.RECORD_BREACH)
    words = _salted(why)

    def act() -> BreachMoved:
        found = reading.breach(tx, identifier)
        if open_at(approval_reading.locked(tx, found.approval), at):
            raise WrongState(kind="Approval", identifier=found.approval, state="not ended", needed="ended")
        breaches.close(tx, identifier, why=words, at=at)
        return _moved(tx, identifier, FactKind.BREACH_CLOSED, words, actor, at)

    with desk.store.begin("close breach") as tx:
        at = desk.clock.now()
        return once(desk, tx, actor, request, BreachMoved, act, at=at)


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


def shown(desk: Desk, actor: Actor, identifier: str) -> BreachAnswer:
    """Return one breach; NoSuchThing if there is none."""
    authorise(actor, Operation.READ_BREACHES)
    with desk.store.read() as tx:
        return breach_shown(tx, reading.breach(tx, identifier))


def listed(
    desk: Desk, actor: Actor, *, approval: str | None = None, state: BreachState | None = None, after: str, limit: int
) -> BreachPage:
    """Return a page of breaches, of one approval or all, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        approval: of this one only.
        state: in this state only.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.

    Raises:
        NoSuchThing: there is no such approval.
    """
    authorise(actor, Operation.READ_BREACHES)
    with desk.store.read() as tx:
        if approval is not None:
            approval_reading.approval(tx, approval)
        rows = page(
            limit,
            lambda most: reading.breach_list(tx, approval=approval, state=state, after=after, limit=most),
            lambda each: each.id,
        )
        found = tuple(breach_shown(tx, each) for each in rows.found)
    return BreachPage(breaches=found, next=rows.next, truncated=rows.truncated)


def _salted(words: str) -> SaltedWords:
    return SaltedWords(required(words, of="what is said of the breach"), secrets.token_bytes(SALT_OCTETS))


def _digest(words: SaltedWords) -> str:
    return salted_digest(words.text, words.salt)


def _moved(
    tx: Transaction,
    identifier: str,
    kind: FactKind,
    words: SaltedWords,
    actor: Actor,
    at: datetime,
    *,
    statement: str | None = None,
) -> BreachMoved:
    """Write the fact of a breach's new state, and return the outcome."""
    found = reading.breach(tx, identifier)
    said: dict[str, Json] = {"breach": identifier, "why_salted_sha256": _digest(words)}
    if statement is not None:
        said["authorisation"] = statement
    facts.record(tx, Fact(kind, at, actor, subject=found.approval, payload=said))
    return BreachMoved(breach=identifier, approval=found.approval, condition=found.condition, state=found.state)


def breach_shown(tx: Transaction, found: Breach) -> BreachAnswer:
    """Return a breach as it is shown to the SSC, with what its Manufacturer was told of it and answers."""
    told = suspicion(tx, found.id)
    return BreachAnswer(
        breach=found.id,
        approval=found.approval,
        condition=found.condition,
        state=found.state,
        clause=LIMIT_CLAUSE if found.condition is None else "F2.21(e)",
        note=found.note.text,
        suspected_at=found.suspected_at,
        suspected_by=found.suspected_by,
        judged_at=found.judged_at,
        judged_by=found.judged_by,
        why=found.why.text if found.why else None,
        closed_at=found.closed_at,
        decision=found.decision,
        kept_at=found.kept_at,
        told=None
        if told is None
        else SuspicionTold(
            text=told.told.text,
            at=told.told_at,
            by=told.told_by,
            notice=told.notice,
            answer=None if told.answer is None else told.answer.text,
            answered_at=told.answered_at,
            answered_by=told.answered_by,
        ),
    )
