"""requirements: what an application must evidence beside F2.19, because the SSC says so (F2.20).

One requirement belongs to one application; a standing one becomes a requirement of every application. Their words are
between the SSC and the applicant, so the journal names them and never repeats them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import UNDECIDED, RequirementState
from policy.roles import Operation, permitted
from ra.access import authorise
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, keep, recall
from store.reading import requests
from store.reading import requirements as reading
from store.reading.requirements import Requirement, StandingRequirement
from store.transactions import Transaction
from store.verbs import facts, requirements

RequirementClosed: TypeAlias = Literal[RequirementState.MET, RequirementState.WAIVED]
"""How a requirement ceases to stand in the way."""


@serves("F2.20")
def set_requirement(
    desk: Desk, actor: Actor, application: str, words: str, request: RequestKey | None = None
) -> dict[str, Json]:
    """Require something more of an application.

    Args:
        desk: where.
        actor: an officer.
        application: of which application.
        words: what must be evidenced.
        request: the Idempotency-Key, if one was sent.

    Returns:
        `{"requirement", "application", "state"}`.

    Raises:
        NoSuchThing: there is no such application.
        WrongState: it is decided or cancelled.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("set requirement") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        _hold_undecided(tx, application)
        made = Requirement(
            id=new_identifier("req", at),
            application=application,
            standing=None,
            text=words,
            state=RequirementState.OPEN,
            set_at=at,
            set_by=actor.name,
        )
        _write(tx, [made], actor=actor, at=at)
        outcome: dict[str, Json] = {"requirement": made.id, "application": application, "state": made.state}
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.20")
def close_requirement(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    outcome: RequirementClosed,
    reason: str,
    request: RequestKey | None = None,
) -> dict[str, Json]:
    """Record a requirement as met, or waive it.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the requirement.
        outcome: which.
        reason: what shows that it is met, or why it is waived.
        request: the Idempotency-Key, if one was sent.

    Returns:
        `{"requirement", "application", "state"}`.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is met or waived already, or its application is decided or cancelled.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("close requirement") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        found = reading.requirement(tx, identifier)
        _hold_undecided(tx, found.application)
        requirements.close(tx, identifier, to=outcome, reason=reason, by=actor.name, at=at)
        kind = FactKind.REQUIREMENT_MET if outcome == RequirementState.MET else FactKind.REQUIREMENT_WAIVED
        facts.record(
            tx, Fact(kind=kind, at=at, actor=actor, subject=found.application, payload={"requirement": identifier})
        )
        answer: dict[str, Json] = {"requirement": identifier, "application": found.application, "state": outcome}
        keep(tx, actor, request, answer, at=at)
    return answer


@serves("F2.20")
def set_standing(desk: Desk, actor: Actor, words: str, request: RequestKey | None = None) -> dict[str, Json]:
    """Require something of every application, from now on, and of those that wait for a proposal.

    Returns:
        `{"standing", "applications"}`: its identifier, and how many applications got it at once.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("set standing requirement") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        standing = StandingRequirement(id=new_identifier("std", at), text=words, set_at=at, set_by=actor.name)
        # Written before applications are looked for: whichever is being taken in at this moment is then either seen
        # here or sees it itself (hold_standing).
        requirements.set_standing(tx, standing)
        waiting = requests.locked_submitted(tx)
        facts.record(tx, Fact(kind=FactKind.STANDING_REQUIREMENT_SET, at=at, actor=actor, subject=standing.id))
        _write(tx, [_instance(standing, each, at) for each in waiting], actor=actor, at=at)
        outcome: dict[str, Json] = {"standing": standing.id, "applications": len(waiting)}
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.20")
def end_standing(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> dict[str, Json]:
    """End a standing requirement: later applications do not get it. Where it is open already it stays so until it is
    met or waived, application by application.

    Raises:
        NoSuchThing: there is none.
        WrongState: it has ended.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("end standing requirement") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        requirements.end_standing(tx, identifier, by=actor.name, at=at)
        facts.record(tx, Fact(kind=FactKind.STANDING_REQUIREMENT_ENDED, at=at, actor=actor, subject=identifier))
        outcome: dict[str, Json] = {"standing": identifier, "ended_at": text(at)}
        keep(tx, actor, request, outcome, at=at)
    return outcome


def standing(desk: Desk, actor: Actor) -> dict[str, Json]:
    """Return the standing requirements; who set and ended them is told to the SSC and the auditor only."""
    authorise(actor, Operation.READ_STANDING_REQUIREMENTS)
    with desk.store.read() as tx:
        found = reading.standing_list(tx)
    named = permitted(actor, Operation.READ_NAMES, owner=None)
    listed: list[Json] = [
        {
            "standing": each.id,
            "text": each.text,
            "set_at": text(each.set_at),
            "set_by": each.set_by if named else None,
            "ended_at": text(each.ended_at) if each.ended_at else None,
            "ended_by": each.ended_by if named else None,
        }
        for each in found
    ]
    return {"standing": listed}


def open_of(tx: Transaction, application_id: str) -> list[str]:
    """Return the words of each open requirement of an application, and hold the application until the commit.

    Asked when a grant is proposed and when it is seconded: with any open, it is refused (F2.20).

    Args:
        tx: writing; a requirement that is set at the same moment waits for it, or is seen.
        application_id: of the application.
    """
    requests.locked_application(tx, application_id)
    return [each.text for each in reading.requirements_of(tx, application_id) if each.state == RequirementState.OPEN]


@serves("F2.20")
def instantiate_standing(tx: Transaction, application: str, *, actor: Actor, at: datetime) -> None:
    """Make a requirement of a new application out of each standing one, in the transaction that takes it in.

    Args:
        tx: writing; the application is in it.
        application: its identifier.
        actor: whose act this is a part of; who set the standing requirement is in its own fact.
        at: now.
    """
    requirements.hold_standing(tx)
    in_force = reading.standing_list(tx, ended=False)
    _write(tx, [_instance(each, application, at) for each in in_force], actor=actor, at=at)


def requirement_document(found: Requirement, *, named: bool) -> dict[str, Json]:
    """Return a requirement as it is shown.

    Args:
        found: the requirement.
        named: whether the officers are named; an applicant deals with the SSC.
    """
    return {
        "requirement": found.id,
        "text": found.text,
        "state": found.state,
        "standing": found.standing,
        "set_at": text(found.set_at),
        "set_by": found.set_by if named else None,
        "closed_at": text(found.closed_at) if found.closed_at else None,
        "closed_by": found.closed_by if named else None,
        "reason": found.reason,
    }


def _hold_undecided(tx: Transaction, application: str) -> None:
    found = requests.locked_application(tx, application)
    if found.state not in UNDECIDED:
        raise WrongState(kind="Application", identifier=application, state=found.state, needed=" or ".join(UNDECIDED))


def _instance(standing: StandingRequirement, application: str, at: datetime) -> Requirement:
    return Requirement(
        id=new_identifier("req", at),
        application=application,
        standing=standing.id,
        text=standing.text,
        state=RequirementState.OPEN,
        set_at=at,
        set_by=standing.set_by,
    )


def _write(tx: Transaction, made: Sequence[Requirement], *, actor: Actor, at: datetime) -> None:
    requirements.set_requirements(tx, made)
    if made:
        facts.record(
            tx,
            *(
                Fact(
                    kind=FactKind.REQUIREMENT_SET,
                    at=at,
                    actor=actor,
                    subject=each.application,
                    payload={"requirement": each.id, "standing": each.standing},
                )
                for each in made
            ),
        )
