"""requirements: what an application must evidence beside F2.19, because the SSC says so (F2.20).

One requirement belongs to one application; a standing one becomes a requirement of every application. Their words are
between the SSC and the applicant, so the journal names them and never repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from core.actors import Actor, PartyKind
from core.canonical import Json
from core.classification import Classification
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.kinds import UNDECIDED, RequirementState
from core.words import required
from policy.roles import Operation, permitted, sees
from ra.access import authorise
from ra.applying.views import (
    RequirementAnswer,
    RequirementSet,
    StandingAnswer,
    StandingEnded,
    StandingList,
    StandingSet,
)
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from store.reading import requests
from store.reading import requirements as reading
from store.reading.requirements import Requirement, StandingRequirement
from store.transactions import Transaction
from store.verbs import facts, requirements

RequirementClosed: TypeAlias = Literal[RequirementState.MET, RequirementState.WAIVED]
"""How a requirement ceases to stand in the way."""


@dataclass(frozen=True)
class _Reason:
    """Why a requirement is closed, in words with their class."""

    words: str
    classification: Classification


@serves("F2.20")
def set_requirement(
    desk: Desk, actor: Actor, application: str, words: str, request: RequestKey | None = None
) -> RequirementSet:
    """Require something more of an application.

    Args:
        desk: where.
        actor: an officer.
        application: of which application.
        words: what must be evidenced.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such application.
        WrongState: it is decided or cancelled.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("set requirement") as tx:
        return once(desk, tx, actor, request, RequirementSet, lambda: _set(tx, actor, application, words, at=at), at=at)


@serves("F2.20")
def close_requirement(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    outcome: RequirementClosed,
    reason: str,
    classification: Classification | None = None,
    request: RequestKey | None = None,
) -> RequirementSet:
    """Record a requirement as met, or waive it.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the requirement.
        outcome: which.
        reason: what shows that it is met, or why it is waived.
        classification: of the reason; by default Red where it is waived, which the applicant is not told, else Amber.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is met or waived already, or its application is decided or cancelled.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    # Why it is waived is the SSC's judgement of another thing than the applicant's.
    waived = outcome == RequirementState.WAIVED
    said = _Reason(reason, classification or (Classification.RED if waived else Classification.AMBER))
    with desk.store.begin("close requirement") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            RequirementSet,
            lambda: _close(tx, actor, identifier, outcome, said, at=at),
            at=at,
        )


@serves("F2.20")
def set_standing(desk: Desk, actor: Actor, words: str, request: RequestKey | None = None) -> StandingSet:
    """Require something of every application, from now on, and of those that are not decided.

    One whose grant is proposed is among them: the grant is asked for it again when it is seconded.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("set standing requirement") as tx:
        return once(desk, tx, actor, request, StandingSet, lambda: _set_standing(tx, actor, words, at=at), at=at)


@serves("F2.20")
def end_standing(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> StandingEnded:
    """End a standing requirement: later applications do not get it. Where it is open already it stays so until it is
    met or waived, application by application.

    Raises:
        NoSuchThing: there is none.
        WrongState: it has ended.
    """
    authorise(actor, Operation.SET_REQUIREMENT)
    at = desk.clock.now()
    with desk.store.begin("end standing requirement") as tx:
        return once(desk, tx, actor, request, StandingEnded, lambda: _end_standing(tx, actor, identifier, at=at), at=at)


def standing(desk: Desk, actor: Actor) -> StandingList:
    """Return the standing requirements; who set and ended them is told to the SSC and the auditor only."""
    authorise(actor, Operation.READ_STANDING_REQUIREMENTS)
    with desk.store.read() as tx:
        found = reading.standing_list(tx)
    named = permitted(actor, Operation.READ_NAMES, owner=None)
    return StandingList(
        tuple(
            StandingAnswer(
                standing=each.id,
                text=each.text,
                set_at=each.set_at,
                set_by=each.set_by if named else None,
                ended_at=each.ended_at,
                ended_by=each.ended_by if named else None,
            )
            for each in found
        )
    )


def held_open_of(tx: Transaction, application_id: str) -> list[Requirement]:
    """Return the open requirements of an application, and hold the application until the commit.

    Asked when a grant is proposed and when it is seconded: with any open, it is refused (F2.20).

    Args:
        tx: writing; a requirement that is set at the same moment waits for it, or is seen.
        application_id: of the application.
    """
    requests.locked_application(tx, application_id)
    return open_of(tx, application_id)


def open_of(tx: Transaction, application_id: str) -> list[Requirement]:
    """Return the open requirements of an application, oldest first."""
    return [each for each in reading.requirements_of(tx, application_id) if each.state is RequirementState.OPEN]


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


def requirement_shown(found: Requirement, reader: Actor) -> RequirementAnswer:
    """Return a requirement as it is shown to somebody who may read its application.

    Officers are named to the SSC and the auditor only; an applicant deals with the SSC. The words for which it is
    closed are told to whomever their class leaves them.
    """
    named = permitted(reader, Operation.READ_NAMES, owner=None)
    kept = found.reason_class is None or not sees(reader, of=PartyKind.SSC, classification=found.reason_class)
    return RequirementAnswer(
        requirement=found.id,
        text=found.text,
        state=found.state,
        standing=found.standing,
        set_at=found.set_at,
        set_by=found.set_by if named else None,
        closed_at=found.closed_at,
        closed_by=found.closed_by if named else None,
        reason=None if kept else found.reason,
        reason_class=found.reason_class,
    )


def _set(tx: Transaction, actor: Actor, application: str, words: str, *, at: datetime) -> RequirementSet:
    _hold_undecided(tx, application)
    made = Requirement(
        id=new_identifier("req", at),
        application=application,
        standing=None,
        text=required(words, of="the requirement"),
        state=RequirementState.OPEN,
        set_at=at,
        set_by=actor.name,
    )
    _write(tx, [made], actor=actor, at=at)
    return RequirementSet(requirement=made.id, application=application, state=made.state)


def _close(
    tx: Transaction, actor: Actor, identifier: str, outcome: RequirementClosed, reason: _Reason, *, at: datetime
) -> RequirementSet:
    application = reading.requirement(tx, identifier).application
    _hold_undecided(tx, application)
    words = required(reason.words, of="the reason")
    requirements.close(
        tx, identifier, to=outcome, reason=words, reason_class=reason.classification, by=actor.name, at=at
    )
    kind = FactKind.REQUIREMENT_MET if outcome == RequirementState.MET else FactKind.REQUIREMENT_WAIVED
    said: dict[str, Json] = {"requirement": identifier, "classification": reason.classification.value}
    facts.record(tx, Fact(kind, at, actor, subject=application, payload=said))
    return RequirementSet(requirement=identifier, application=application, state=outcome)


def _set_standing(tx: Transaction, actor: Actor, words: str, *, at: datetime) -> StandingSet:
    text = required(words, of="the requirement")
    made = StandingRequirement(id=new_identifier("std", at), text=text, set_at=at, set_by=actor.name)
    # Written before applications are looked for: whichever is being taken in at this moment is then either seen
    # here or sees it itself (hold_standing).
    requirements.set_standing(tx, made)
    waiting = requests.locked_undecided(tx)
    facts.record(tx, Fact(FactKind.STANDING_REQUIREMENT_SET, at, actor, subject=made.id))
    _write(tx, [_instance(made, each, at) for each in waiting], actor=actor, at=at)
    return StandingSet(made.id, len(waiting))


def _end_standing(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> StandingEnded:
    requirements.end_standing(tx, identifier, by=actor.name, at=at)
    facts.record(tx, Fact(FactKind.STANDING_REQUIREMENT_ENDED, at, actor, subject=identifier))
    return StandingEnded(identifier, at)


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
