"""What Manufacturers have written of applications that they have not sent yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from core.kinds import DraftPart
from store.console_tables import application_drafts, draft_changes
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class DraftRow:
    """A part of a draft.

    Args:
        draft: of which.
        part: which.
        organisation: whose.
        said: as it was typed, canonical JSON.
        version: how often it was kept.
        kept_at, kept_by: the last time, and who did.
        application: that it changes; None if it is to be a new one.
        upon: the version of that from which it was begun.
    """

    draft: str
    part: DraftPart
    organisation: str
    said: str
    version: int
    kept_at: datetime
    kept_by: str
    application: str | None = None
    upon: int | None = None


_ROWS = (
    select(application_drafts, draft_changes.c.application_id, draft_changes.c.version.label("upon"))
    .outerjoin(draft_changes, draft_changes.c.draft == application_drafts.c.draft)
    .order_by(application_drafts.c.draft, application_drafts.c.part)
)


def parts_of(tx: Transaction, draft: str, *, hold: bool = False) -> list[DraftRow]:
    """Return the parts of a draft; none if there is no such draft.

    Args:
        tx: the transaction.
        draft: its name.
        hold: nobody keeps or deletes a part of it until the transaction ends.
    """
    query = _ROWS.where(application_drafts.c.draft == draft)
    return _read(tx, query.with_for_update(of=application_drafts) if hold else query)


def drafts_of(tx: Transaction, organisation: str) -> list[DraftRow]:
    """Return the parts of all drafts of an organisation, draft by draft, oldest first."""
    return _read(tx, _ROWS.where(application_drafts.c.organisation_id == organisation))


def draft_that_changes(tx: Transaction, application: str, organisation: str) -> str | None:
    """Return the draft of an organisation that changes an application; None if there is none, or it is another's."""
    query = (
        select(draft_changes.c.draft)
        .join(application_drafts, application_drafts.c.draft == draft_changes.c.draft)
        .where(draft_changes.c.application_id == application, application_drafts.c.organisation_id == organisation)
        .limit(1)
    )
    return tx.connection.execute(query).scalar_one_or_none()


def draft_count(tx: Transaction, organisation: str) -> int:
    """Return how many drafts an organisation keeps."""
    c = application_drafts.c
    query = select(func.count(c.draft.distinct())).where(c.organisation_id == organisation)
    return int(tx.connection.execute(query).scalar_one())


def _read(tx: Transaction, query: Select[Any]) -> list[DraftRow]:
    return [
        DraftRow(
            draft=each.draft,
            part=each.part,
            organisation=each.organisation_id,
            said=each.said,
            version=each.version,
            kept_at=each.kept_at,
            kept_by=each.kept_by,
            application=each.application_id,
            upon=each.upon,
        )
        for each in tx.connection.execute(query)
    ]
