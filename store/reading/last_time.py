"""What was asked and proposed before: for officers, who want to know what is different this time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, bindparam, or_, select

from core.canonical import read_json
from core.facts import FactKind
from store.reading.requests import application as application_by
from store.reading.requests import decision_row
from store.rows import Application, Decision
from store.tables import applications, decisions, journal
from store.transactions import Transaction
from store.trial_tables import application_versions
from store.types import Instant

_OTHER_THAN, _UNTIL = bindparam("other_than", type_=Text()), bindparam("until", type_=Instant())
_APPLICATION_BEFORE = (
    select(applications.c.id)
    .where(
        applications.c.organisation_id == bindparam("organisation"),
        applications.c.device_key == bindparam("device"),
        applications.c.id != _OTHER_THAN,
        applications.c.submitted_at <= _UNTIL,
    )
    .order_by(applications.c.submitted_at.desc(), applications.c.id.desc())
    .limit(1)
)
# Nothing equals what is not there: a decision about an application alone, or an approval alone, finds what it should.
_DECISION_BEFORE = (
    select(decisions)
    .where(
        or_(
            decisions.c.application_id == bindparam("application"),
            decisions.c.approval == bindparam("approval"),
        ),
        decisions.c.id != _OTHER_THAN,
        decisions.c.proposed_at <= _UNTIL,
    )
    .order_by(decisions.c.proposed_at.desc(), decisions.c.id.desc())
    .limit(1)
)


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


def versions_of(tx: Transaction, application: str, *, limit: int) -> dict[int, str]:
    """Return what an application said before it was changed, in words, by version: the newest that are kept."""
    c = application_versions.c
    query = select(c.version, c.said).where(c.application_id == application).order_by(c.version.desc()).limit(limit)
    return {row.version: row.said for row in tx.connection.execute(query)}


def application_before(tx: Transaction, application: Application) -> Application | None:
    """Return the application of the same Manufacturer for the same Device Model that came last before one."""
    asked = {
        "organisation": application.organisation_id,
        "device": application.device.key,
        "other_than": application.id,
        "until": application.submitted_at,
    }
    before = tx.connection.execute(_APPLICATION_BEFORE, asked).scalar_one_or_none()
    return None if before is None else application_by(tx, before)


def decision_before(tx: Transaction, decision: Decision) -> Decision | None:
    """Return the decision about the same application or approval that was proposed last before one."""
    asked = {
        "application": decision.application_id,
        "approval": decision.approval,
        "other_than": decision.id,
        "until": decision.proposed_at,
    }
    row = tx.connection.execute(_DECISION_BEFORE, asked).one_or_none()
    return None if row is None else decision_row(row)
