"""Further requirements (F2.20): set, met or waived by conditional writes; standing ones set and ended."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, text, update

from core.classification import Classification
from core.errors import NoSuchThing, WrongState
from core.kinds import RequirementState
from store.reading.requirements import Requirement, StandingRequirement
from store.transactions import Transaction
from store.trial_tables import requirements, standing_requirements

_HOLD_STANDING = text("LOCK TABLE standing_requirements IN SHARE MODE")
"""Waits for whoever sets or ends one at this moment, and lets nobody do so until the commit."""


def set_requirements(tx: Transaction, wanted: Sequence[Requirement]) -> None:
    """Write requirements of applications, each of them open."""
    if not wanted:
        return
    tx.connection.execute(
        insert(requirements),
        [
            {
                "id": each.id,
                "application_id": each.application,
                "standing_id": each.standing,
                "text": each.text,
                "state": each.state,
                "set_at": each.set_at,
                "set_by": each.set_by,
            }
            for each in wanted
        ],
    )


def close(
    tx: Transaction,
    identifier: str,
    *,
    to: RequirementState,
    reason: str,
    reason_class: Classification,
    by: str,
    at: datetime,
) -> None:
    """Record a requirement as met or waived.

    Args:
        tx: open.
        identifier: of the requirement.
        to: met or waived.
        reason: why; not empty.
        reason_class: from whom the reason is kept.
        by: the officer.
        at: now.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is met or waived already; the first outcome stands.
    """
    c = requirements.c
    won = tx.connection.execute(
        update(requirements)
        .where(c.id == identifier, c.state == RequirementState.OPEN)
        .values(state=to, reason=reason, reason_class=reason_class, closed_by=by, closed_at=at)
    ).rowcount
    if won:
        return
    state = tx.connection.execute(select(c.state).where(c.id == identifier)).scalar()
    if state is None:
        raise NoSuchThing(kind="requirement", identifier=identifier)
    raise WrongState(kind="Requirement", identifier=identifier, state=state, needed=RequirementState.OPEN)


def hold_standing(tx: Transaction) -> None:
    """Hold the standing requirements as they are until the commit.

    An application that is taken in and a standing requirement that is set at the same moment must not miss each
    other. On SQLite a writing transaction has the whole store to itself; there is nothing more to hold.
    """
    if tx.dialect == "postgresql":
        tx.connection.execute(_HOLD_STANDING)


def set_standing(tx: Transaction, wanted: StandingRequirement) -> None:
    """Write a standing requirement; waits for applications that are being taken in."""
    tx.connection.execute(
        insert(standing_requirements).values(id=wanted.id, text=wanted.text, set_at=wanted.set_at, set_by=wanted.set_by)
    )


def end_standing(tx: Transaction, identifier: str, *, by: str, at: datetime) -> None:
    """End a standing requirement.

    Raises:
        NoSuchThing: there is none.
        WrongState: it has ended already.
    """
    c = standing_requirements.c
    won = tx.connection.execute(
        update(standing_requirements).where(c.id == identifier, c.ended_at.is_(None)).values(ended_at=at, ended_by=by)
    ).rowcount
    if won:
        return
    if tx.connection.execute(select(c.id).where(c.id == identifier)).scalar() is None:
        raise NoSuchThing(kind="standing requirement", identifier=identifier)
    raise WrongState(kind="Standing requirement", identifier=identifier, state="ended", needed="in force")
