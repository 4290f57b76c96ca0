"""interests: who says of themselves that an application concerns them beside their office.

The Code leaves it to the Committee what follows. The authority records it and shows it beside the decision; it counts
nobody's authorisation less for it.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.facts import Fact, FactKind
from core.plain_text import trimmed
from policy.roles import Operation
from ra.access import authorise
from ra.committee.saying import name_of, require_room, said, salted
from ra.committee.views import InterestAnswer, InterestDeclared, InterestList
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from store.reading import committee as reading
from store.reading import requests
from store.reading.committee import Interest
from store.transactions import Transaction
from store.verbs import committee, facts

MOST_INTERESTS = 100
"""Interests in one application; chosen: more than a committee has members."""


def declare_interest(
    desk: Desk, actor: Actor, application: str, *, officer: str, words: str, request: RequestKey | None = None
) -> InterestDeclared:
    """Declare an interest in an application, one's own or that of somebody who said so.

    Args:
        desk: where.
        actor: an officer.
        application: in which.
        officer: whose interest it is; empty for the actor's own.
        words: what it is.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such application.
        NothingSaid: it does not say what it is.
        BodyMalformed: it is longer than it may be.
        BoundReached: as many are declared as may be.
    """
    authorise(actor, Operation.DECLARE_INTEREST)
    at = desk.clock.now()
    whose = name_of(trimmed(officer) or actor.name, of="whose interest it is")
    with desk.store.begin("declare interest") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            InterestDeclared,
            lambda: _declare(tx, actor, application, whose, said(words, of="the interest"), at=at),
            at=at,
        )


def withdraw_interest(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> InterestDeclared:
    """Withdraw an interest: it was declared in error, or is over. That it was declared stays.

    Raises:
        NoSuchThing: there is none.
        WrongState: it was withdrawn before.
    """
    authorise(actor, Operation.DECLARE_INTEREST)
    at = desk.clock.now()
    with desk.store.begin("withdraw interest") as tx:
        return once(desk, tx, actor, request, InterestDeclared, lambda: _withdraw(tx, actor, identifier, at=at), at=at)


def interests_of(desk: Desk, actor: Actor, application: str) -> InterestList:
    """Return the interests in an application, those that were withdrawn too; NoSuchThing if there is none such."""
    authorise(actor, Operation.READ_COMMITTEE)
    with desk.store.read() as tx:
        requests.application(tx, application)
        return InterestList(interests_in(tx, application))


def interests_in(tx: Transaction, application: str | None) -> tuple[InterestAnswer, ...]:
    """Return the interests in an application as they are shown beside it; none where it comes from none."""
    return () if application is None else tuple(map(_shown, reading.interests_in(tx, application)))


def interests_in_each(tx: Transaction, applications: Sequence[str]) -> dict[str, tuple[InterestAnswer, ...]]:
    """Return the interests in each of some applications as they are shown beside it."""
    found = reading.interests_in_each(tx, applications)
    return {application: tuple(map(_shown, each)) for application, each in found.items()}


def _declare(
    tx: Transaction, actor: Actor, application: str, officer: str, words: str, *, at: datetime
) -> InterestDeclared:
    requests.locked_application(tx, application)
    require_room(reading.interests_in(tx, application), 1, MOST_INTERESTS, what="interests in one application")
    salt, digest = salted(words)
    made = Interest(
        id=new_identifier("int", at),
        application=application,
        officer=officer,
        text=words,
        salt=salt,
        declared_at=at,
        declared_by=actor.name,
    )
    committee.declare(tx, made)
    payload: dict[str, Json] = {"interest": made.id, "officer": officer, "salted_sha256": digest}
    facts.record(tx, Fact(FactKind.INTEREST_DECLARED, at, actor, subject=application, payload=payload))
    return InterestDeclared(interest=made.id, application=application)


def _withdraw(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> InterestDeclared:
    found = reading.interest(tx, identifier)
    committee.withdraw(tx, identifier, by=actor.name, at=at)
    payload: dict[str, Json] = {"interest": identifier}
    facts.record(tx, Fact(FactKind.INTEREST_WITHDRAWN, at, actor, subject=found.application, payload=payload))
    return InterestDeclared(interest=identifier, application=found.application, withdrawn_at=at)


def _shown(found: Interest) -> InterestAnswer:
    return InterestAnswer(
        interest=found.id,
        application=found.application,
        officer=found.officer,
        text=found.text,
        declared_at=found.declared_at,
        declared_by=found.declared_by,
        withdrawn_at=found.withdrawn_at,
        withdrawn_by=found.withdrawn_by,
    )
