"""Drafts of applications are begun, kept part by part, and deleted."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, insert, update

from core.kinds import DraftPart
from store.console_tables import application_drafts, draft_changes
from store.transactions import Transaction


def begin(
    tx: Transaction,
    draft: str,
    *,
    organisation: str,
    by: str,
    at: datetime,
    said: Mapping[DraftPart, str] = MappingProxyType({}),
) -> None:
    """Write every part of a draft, with nothing in it yet but what is given."""
    whose = {"draft": draft, "organisation_id": organisation, "kept_at": at, "kept_by": by}
    parts = [{"part": each, "said": said.get(each, "{}"), "version": 1, **whose} for each in DraftPart]
    tx.connection.execute(insert(application_drafts), parts)


def changes(tx: Transaction, draft: str, *, application: str, version: int) -> None:
    """Write that a draft changes an application, and from which version it was begun; no other changes it any more."""
    tx.connection.execute(delete(draft_changes).where(draft_changes.c.application_id == application))
    tx.connection.execute(insert(draft_changes).values(draft=draft, application_id=application, version=version))


def keep(tx: Transaction, draft: str, part: DraftPart, said: str, *, version: int, by: str, at: datetime) -> bool:
    """Write over a part; return False if somebody has done so since `version`, or there is no such draft."""
    c = application_drafts.c
    statement = update(application_drafts).where(c.draft == draft, c.part == part, c.version == version)
    kept = statement.values(said=said, version=version + 1, kept_at=at, kept_by=by)
    return bool(tx.connection.execute(kept).rowcount)


def throw_away(tx: Transaction, draft: str) -> bool:
    """Delete a draft; return whether this call did it."""
    tx.connection.execute(delete(draft_changes).where(draft_changes.c.draft == draft))
    statement = delete(application_drafts).where(application_drafts.c.draft == draft)
    return bool(tx.connection.execute(statement).rowcount)
