"""How much somebody keeps open and stored, counted at the moment it is asked, and held still until the commit."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, or_, select

from core.kinds import OPEN_REQUEST, UNDECIDED
from store.tables import applications, approvals, credentials, idempotency, journal, organisations
from store.transactions import Transaction
from store.trial_tables import amendment_requests, deployment_batches, evidence
from store.types import Instant

# What is asked before whatever somebody adds is put together once, for those of an organisation and for others.
_NAME, _ORGANISATION = bindparam("name", type_=Text()), bindparam("organisation", type_=Text())
_SINCE = bindparam("since", type_=Instant())
_OPEN_APPLICATIONS = (
    select(func.count())
    .select_from(applications)
    .where(applications.c.organisation_id == _ORGANISATION, applications.c.state.in_(UNDECIDED))
)


@dataclass(frozen=True)
class Holder:
    """Whose things are counted together.

    Args:
        name: the person or system that acts.
        organisation: for which it acts, with everybody else who does; None if it acts for itself.
    """

    name: str
    organisation: str | None


def hold(tx: Transaction, holder: Holder) -> None:
    """Let nobody else of the holder's add anything until the commit: of two at once, one gets the last place.

    On SQLite a writing transaction has the whole store to itself. On PostgreSQL references to the organisation, and to
    its credentials, stay possible (FOR NO KEY UPDATE): whoever decides about its things does not wait for it.
    """
    if tx.dialect == "postgresql":
        tx.connection.execute(_held(alone=holder.organisation is None), _asked(holder)).all()


def open_applications(tx: Transaction, organisation: str) -> int:
    """Return how many applications of an organisation nobody has decided."""
    return int(tx.connection.execute(_OPEN_APPLICATIONS, {"organisation": organisation}).scalar_one())


def open_amendment_requests(tx: Transaction, organisation: str) -> int:
    """Return how many requests about an organisation's approvals nobody has decided."""
    mine = select(approvals.c.identifier).where(approvals.c.organisation_id == organisation)
    c = amendment_requests.c
    query = select(func.count()).where(c.approval.in_(mine), c.state.in_(OPEN_REQUEST))
    return int(tx.connection.execute(query).scalar_one())


def stored_octets(tx: Transaction, holder: Holder, *, but: str) -> int:
    """Return how many octets of files a holder has attached; a file that is attached several times is kept once.

    Args:
        tx: open.
        holder: whose.
        but: SHA-256 of a file that is not counted: the one that is to be attached.
    """
    c, alone = evidence.c, holder.organisation is None
    files = select(c.sha256, func.max(c.size).label("size")).where(_by(c.attached_by, alone=alone), c.sha256 != but)
    kept = files.group_by(c.sha256).subquery()
    query = select(func.coalesce(func.sum(kept.c.size), 0))
    return int(tx.connection.execute(query, _asked(holder)).scalar_one())


def acts_since(tx: Transaction, holder: Holder, since: datetime) -> int:
    """Return how many facts a holder has made, or outcomes had remembered, since an instant: whichever is more."""
    asked = {**_asked(holder), "since": since}
    counts = _acts(alone=holder.organisation is None)
    return max(int(tx.connection.execute(each, asked).scalar_one()) for each in counts)


def lines_since(tx: Transaction, holder: Holder, since: datetime) -> int:
    """Return how many lines of reports of deployments have been taken from a holder since an instant."""
    c, alone = deployment_batches.c, holder.organisation is None
    query = select(func.coalesce(func.sum(c.lines), 0)).where(_by(c.received_by, alone=alone), c.received_at > since)
    return int(tx.connection.execute(query, _asked(holder)).scalar_one())


@cache
def _held(*, alone: bool) -> Select[Any]:
    if alone:
        query = select(credentials.c.id).where(_theirs(alone=True)).order_by(credentials.c.id)
    else:
        query = select(organisations.c.id).where(organisations.c.id == _ORGANISATION)
    return query.with_for_update(key_share=True)


@cache
def _acts(*, alone: bool) -> tuple[Select[Any], Select[Any]]:
    """Return the statements that count what was done since an instant, and the outcomes that were remembered."""
    j, kept = journal.c, idempotency.c
    made = select(func.count()).where(
        _by(j.actor, alone=alone), j.organisation.is_not_distinct_from(_ORGANISATION), j.at > _SINCE
    )
    theirs = select(credentials.c.id).where(_theirs(alone=alone))
    return made, select(func.count()).where(kept.credential.in_(theirs), kept.at > _SINCE)


def _theirs(*, alone: bool) -> ColumnElement[bool]:
    """Whether a credential is the holder's; `alone` says that it acts for no organisation."""
    c = credentials.c
    return (c.name == _NAME) & c.organisation_id.is_(None) if alone else c.organisation_id == _ORGANISATION


def _by(column: ColumnElement[Any], *, alone: bool) -> ColumnElement[bool]:
    """Whether a column names somebody who acts for the holder; who acts for two is counted for both."""
    return or_(column == _NAME, column.in_(select(credentials.c.name).where(_theirs(alone=alone))))


def _asked(holder: Holder) -> dict[str, object]:
    return {"name": holder.name, "organisation": holder.organisation}
