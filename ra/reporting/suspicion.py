"""suspicion: a Manufacturer sees the suspected breaches that it was told of, and answers them (F2.23).

Of how the SSC judges one it sees no more than whether it may still answer; what it was not told of is not there.
"""

import secrets
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, salted_digest
from core.classification import SALT_OCTETS
from core.clauses import serves
from core.errors import NoSuchThing, WrongState
from core.facts import Fact, FactKind
from core.kinds import OPEN_BREACH
from core.words import required
from policy.roles import Operation, permitted
from ra.access import authorise, authorise_approval, authorise_own, own_organisation
from ra.desk import Desk
from ra.repeat import RequestKey, once
from ra.reporting.views import SuspicionAnswer, SuspicionMoved, SuspicionPage
from ra.standing import suspicion_settled
from ra.views import page
from store.reading import approvals as approval_reading
from store.reading import suspicions as reading
from store.reading.breaches import SaltedWords
from store.reading.suspicions import Suspicion
from store.transactions import Transaction
from store.verbs import facts, suspicions


@serves("F2.23")
def answer_suspicion(
    desk: Desk, actor: Actor, identifier: str, words: str, request: RequestKey | None = None
) -> SuspicionMoved:
    """Answer a suspicion, once; files are attached to it beside.

    Args:
        desk: where.
        actor: for the Manufacturer whose approval it is.
        identifier: of the breach.
        words: the answer.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: it was told of none, or it is another Manufacturer's.
        WrongState: it is settled, or was answered before.
    """
    at = desk.clock.now()
    with desk.store.begin("answer suspicion") as tx:
        return once(
            desk, tx, actor, request, SuspicionMoved, lambda: _answer(tx, actor, identifier, words, at=at), at=at
        )


def suspicions_of(desk: Desk, actor: Actor, *, approval: str | None = None, after: str, limit: int) -> SuspicionPage:
    """Return a page of suspicions that were told; a Manufacturer sees its own.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
    """
    only = own_organisation(actor, Operation.READ_SUSPICIONS)
    with desk.store.read() as tx:
        if approval is not None:
            authorise_approval(actor, Operation.READ_SUSPICIONS, approval_reading.record(tx, approval))
        rows = page(
            limit,
            lambda most: reading.suspicion_list(tx, organisation_id=only, approval=approval, after=after, limit=most),
            lambda each: each.breach,
        )
    return SuspicionPage(suspicions=tuple(map(_shown, rows.found)), next=rows.next, truncated=rows.truncated)


def show_suspicion(desk: Desk, actor: Actor, identifier: str) -> SuspicionAnswer:
    """Return a suspicion as it was told, and its answer; what was not told, or is another's, is as if not there."""
    with desk.store.read() as tx:
        return _shown(_authorised(tx, actor, Operation.READ_SUSPICIONS, identifier))


def _authorised(tx: Transaction, actor: Actor, operation: Operation, identifier: str) -> Suspicion:
    found = reading.suspicion(tx, identifier)
    if found is None:
        if not permitted(actor, operation, owner=actor.organisation):
            authorise(actor, operation)
        raise NoSuchThing(kind="suspicion", identifier=identifier)
    authorise_own(actor, operation, kind="suspicion", identifier=identifier, owner=found.organisation)
    return found


def _answer(tx: Transaction, actor: Actor, identifier: str, words: str, *, at: datetime) -> SuspicionMoved:
    found = _authorised(tx, actor, Operation.ANSWER_SUSPICION, identifier)
    approval_reading.locked(tx, found.approval)
    found = _authorised(tx, actor, Operation.ANSWER_SUSPICION, identifier)
    if found.state not in OPEN_BREACH:
        raise suspicion_settled(identifier)
    answer = SaltedWords(required(words, of="the answer"), secrets.token_bytes(SALT_OCTETS))
    if not suspicions.answer(tx, identifier, answer, by=actor.name, at=at):
        raise WrongState(kind="Suspicion", identifier=identifier, state="answered", needed="not answered before")
    said: dict[str, Json] = {
        "breach": identifier,
        "answer_salted_sha256": salted_digest(answer.text, answer.salt),
    }
    facts.record(tx, Fact(FactKind.SUSPICION_ANSWERED, at, actor, subject=found.approval, payload=said))
    return SuspicionMoved(breach=identifier, approval=found.approval, notice=found.notice)


def _shown(found: Suspicion) -> SuspicionAnswer:
    return SuspicionAnswer(
        breach=found.breach,
        approval=found.approval,
        condition=found.condition,
        text=found.told.text,
        told_at=found.told_at,
        notice=found.notice,
        open=found.state in OPEN_BREACH,
        answer=None if found.answer is None else found.answer.text,
        answered_at=found.answered_at,
        answered_by=found.answered_by,
    )
