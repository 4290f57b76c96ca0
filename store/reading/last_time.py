"""What was asked and proposed before: for officers, who want to know what is different this time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from core.canonical import read_json
from core.facts import FactKind
from store.reading.requests import application as application_by
from store.reading.requests import decision_row
from store.rows import Application, Decision
from store.tables import applications, decisions, journal
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A version of an application, and the members by which it differs from the one before."""

    at: datetime
    version: int
    members: tuple[str, ...]


def changes_of(tx: Transaction, application: str) -> list[Changed]:
    """Return each change of what an application says, oldest first."""
    c = journal.c
    query = select(c.at, c.payload).where(c.subject == application, c.kind == FactKind.APPLICATION_CHANGED)
    said = [(row.at, read_json(row.payload)) for row in tx.connection.execute(query)]
    made = [Changed(at=at, version=each["version"], members=tuple(each["members"])) for at, each in said]
    return sorted(made, key=lambda each: each.version)


def application_before(tx: Transaction, application: Application) -> Application | None:
    """Return the application of the same Manufacturer for the same Device Model that came last before one."""
    c = applications.c
    query = (
        select(c.id)
        .where(
            c.organisation_id == application.organisation_id,
            c.device_key == application.device.key,
            c.id != application.id,
            c.submitted_at <= application.submitted_at,
        )
        .order_by(c.submitted_at.desc(), c.id.desc())
        .limit(1)
    )
    before = tx.connection.execute(query).scalar_one_or_none()
    return None if before is None else application_by(tx, before)


def decision_before(tx: Transaction, decision: Decision) -> Decision | None:
    """Return the decision about the same application or approval that was proposed last before one."""
    c = decisions.c
    about: list[ColumnElement[bool]] = []
    if decision.application_id is not None:
        about.append(c.application_id == decision.application_id)
    if decision.approval is not None:
        about.append(c.approval == decision.approval)
    if not about:
        return None
    query = (
        select(decisions)
        .where(or_(*about), c.id != decision.id, c.proposed_at <= decision.proposed_at)
        .order_by(c.proposed_at.desc(), c.id.desc())
        .limit(1)
    )
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else decision_row(row)
