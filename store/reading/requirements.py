"""Further requirements of applications, and the standing ones that every application gets (F2.20)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from core.classification import Classification
from core.errors import NoSuchThing
from core.kinds import RequirementState
from store.transactions import Transaction
from store.trial_tables import requirements, standing_requirements

_REQUIREMENTS = (
    select(requirements)
    .where(requirements.c.application_id == bindparam("application"))
    .order_by(requirements.c.set_at, requirements.c.id)
)
_EVER_STANDING = select(standing_requirements).order_by(standing_requirements.c.set_at, standing_requirements.c.id)
_STANDING = _EVER_STANDING.where(standing_requirements.c.ended_at.is_(None))


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What an application must evidence beside F2.19.

    Args:
        id: of the requirement.
        application: whose.
        standing: the standing requirement that it comes from, if it does.
        text: what is required, in the officers' words; between the SSC and the applicant.
        state: whether it still stands in the way.
        set_at, set_by: when, and the officer.
        closed_at, closed_by, reason: when it was met or waived, by whom and why.
        reason_class: from whom the reason is kept.
    """

    id: str
    application: str
    standing: str | None
    text: str
    state: RequirementState
    set_at: datetime
    set_by: str
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason: str | None = None
    reason_class: Classification | None = None


@dataclass(frozen=True, kw_only=True)
class StandingRequirement:
    """What every application must evidence, until it is ended."""

    id: str
    text: str
    set_at: datetime
    set_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None


def requirement(tx: Transaction, identifier: str) -> Requirement:
    """Return a requirement; NoSuchThing if there is none."""
    row = tx.connection.execute(select(requirements).where(requirements.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="requirement", identifier=identifier)
    return _requirement(row)


def requirements_of(tx: Transaction, application: str) -> list[Requirement]:
    """Return the requirements of an application, oldest first."""
    return [_requirement(row) for row in tx.connection.execute(_REQUIREMENTS, {"application": application})]


def standing_list(tx: Transaction, *, ended: bool = True) -> list[StandingRequirement]:
    """Return the standing requirements, oldest first.

    Args:
        tx: open.
        ended: also those that hold no more.
    """
    rows = tx.connection.execute(_EVER_STANDING if ended else _STANDING)
    return [
        StandingRequirement(
            id=row.id, text=row.text, set_at=row.set_at, set_by=row.set_by, ended_at=row.ended_at, ended_by=row.ended_by
        )
        for row in rows
    ]


def _requirement(row: Row[Any]) -> Requirement:
    return Requirement(
        id=row.id,
        application=row.application_id,
        standing=row.standing_id,
        text=row.text,
        state=row.state,
        set_at=row.set_at,
        set_by=row.set_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        reason=row.reason,
        reason_class=row.reason_class,
    )
