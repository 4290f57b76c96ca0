"""tell_breach: the SSC lets a Manufacturer know that a breach is suspected (F2.23), when it records that or later.

Whether, when and in which words is the SSC's to choose; its own note stays its own. Nothing is decided by it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.classification import SALT_OCTETS, Classification, Passage, Recipient
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import BreachState, NoticeKind
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.repeat import RequestKey, once
from ra.reporting.breach import LIMIT_CLAUSE, suspect, suspected
from ra.reporting.views import BreachMoved, SuspicionMoved
from ra.telling.undecided import Undecided, write_undecided
from store.reading import approvals as approval_reading
from store.reading.breaches import Breach, SaltedWords, breach
from store.reading.suspicions import suspicion
from store.transactions import Transaction
from store.verbs import facts, suspicions


@dataclass(frozen=True)
class Suspected:
    """What is recorded of a suspicion.

    Args:
        condition: the number of the condition, whether or not it still holds.
        note: what is suspected, for the SSC.
        told: what its Manufacturer is told at once; None for nothing.
    """

    condition: int
    note: str
    told: str | None = None


@serves("F2.23")
def record_suspicion(
    desk: Desk, actor: Actor, approval: str, said: Suspected, request: RequestKey | None = None
) -> BreachMoved:
    """Record that a condition may have been breached, and tell its Manufacturer in the same act if that is wanted.

    Raises:
        NoSuchThing: there is no such approval, or it never had that condition.
    """
    if said.told is None:
        return suspect(desk, actor, approval, said.condition, said.note, request)
    authorise(actor, Operation.RECORD_BREACH)
    at, told = desk.clock.now(), said.told

    def act() -> BreachMoved:
        approval_reading.locked(tx, approval)
        moved = suspected(tx, actor, approval, said.condition, said.note, at=at)
        _tell(tx, actor, breach(tx, moved.breach), told, at)
        return moved

    with desk.store.begin("suspect breach") as tx:
        return once(desk, tx, actor, request, BreachMoved, act, at=at)


@serves("F2.23")
def tell_of(desk: Desk, actor: Actor, identifier: str, words: str, request: RequestKey | None = None) -> SuspicionMoved:
    """Tell a Manufacturer of a breach that was suspected before.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the breach.
        words: what it is told.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is none.
        WrongState: it was told before, or the breach has been judged.
    """
    authorise(actor, Operation.RECORD_BREACH)
    at = desk.clock.now()

    def act() -> SuspicionMoved:
        found = breach(tx, identifier)
        approval_reading.locked(tx, found.approval)
        return _tell(tx, actor, breach(tx, identifier), words, at)

    with desk.store.begin("tell of breach") as tx:
        return once(desk, tx, actor, request, SuspicionMoved, act, at=at)


def _tell(tx: Transaction, actor: Actor, found: Breach, words: str, at: datetime) -> SuspicionMoved:
    if suspicion(tx, found.id) is not None:
        raise WrongState(kind="Breach", identifier=found.id, state="told", needed="not told before")
    if found.state is not BreachState.SUSPECTED:
        raise WrongState(kind="Breach", identifier=found.id, state=found.state, needed=BreachState.SUSPECTED)
    told = SaltedWords(required(words, of="what is told"), secrets.token_bytes(SALT_OCTETS))
    passage = Passage(
        subject="suspicion",
        text=told.text,
        classification=Classification.AMBER,
        recipients=(Recipient.MANUFACTURER,),
        salt=told.salt,
    )
    of = "The maximum number of Trial Devices" if found.condition is None else f"Condition {found.condition}"
    clause = LIMIT_CLAUSE if found.condition is None else "F2.21(e)"
    notice = write_undecided(
        tx,
        Undecided(
            kind=NoticeKind.SUSPICION,
            title="A breach of conditions is suspected",
            clause="F2.23",
            facts=[
                {"clause": clause, "label": "Suspected breach of", "value": of},
                {"clause": "F2.23", "label": "To answer, name", "value": found.id},
                {"clause": "F2.23", "label": "Told", "instant": text(at)},
            ],
            named={"breach": found.id},
            passages=[("What is suspected", passage)],
            recipients=(Recipient.MANUFACTURER,),
        ),
        found.approval,
        actor=actor,
        at=at,
    )
    suspicions.tell(tx, found.id, told, notice=notice, by=actor.name, at=at)
    said: dict[str, Json] = {"breach": found.id, "notice": notice, "told_salted_sha256": passage.digest}
    facts.record(tx, Fact(FactKind.SUSPICION_TOLD, at, actor, subject=found.approval, payload=said))
    return SuspicionMoved(breach=found.id, approval=found.approval, notice=notice)
