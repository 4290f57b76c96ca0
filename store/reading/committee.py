"""What the committee says of an application beside its decisions: interests that are declared, and comments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, bindparam, select

from core.errors import NoSuchThing
from store.committee_tables import comments, interests
from store.portions import portions
from store.transactions import Transaction

_APPLICATION = bindparam("application", type_=Text())
_IDENTIFIER = bindparam("identifier", type_=Text())
_INTERESTS = (
    select(interests)
    .where(interests.c.application_id == _APPLICATION)
    .order_by(interests.c.declared_at, interests.c.id)
)
_INTERESTS_IN = (
    select(interests)
    .where(interests.c.application_id.in_(bindparam("applications", expanding=True)))
    .order_by(interests.c.declared_at, interests.c.id)
)
_COMMENTS = (
    select(comments).where(comments.c.application_id == _APPLICATION).order_by(comments.c.made_at, comments.c.id)
)
_INTEREST = select(interests).where(interests.c.id == _IDENTIFIER)
_COMMENT = select(comments).where(comments.c.id == _IDENTIFIER)


@dataclass(frozen=True, kw_only=True)
class Interest:
    """An interest that somebody has in an application.

    Args:
        id: its identifier.
        application: in which.
        officer: whose it is.
        text: what it is.
        salt: with the words, what its fact has the digest of.
        declared_at, declared_by: when, and who recorded it.
        withdrawn_at, withdrawn_by: when it was withdrawn, and by whom.
    """

    id: str
    application: str
    officer: str
    text: str
    salt: bytes
    declared_at: datetime
    declared_by: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What an officer says to the others of an application.

    Args:
        id: its identifier.
        application: of which.
        text: the words.
        salt: with the words, what its fact has the digest of.
        made_at, made_by: when, and the officer.
        retracted_at: when its author took it back.
    """

    id: str
    application: str
    text: str
    salt: bytes
    made_at: datetime
    made_by: str
    retracted_at: datetime | None = None


def interests_in(tx: Transaction, application: str) -> list[Interest]:
    """Return the interests in an application, the oldest first, those that were withdrawn too."""
    return [_interest(row) for row in tx.connection.execute(_INTERESTS, {"application": application})]


def interests_in_each(tx: Transaction, applications: Sequence[str]) -> dict[str, list[Interest]]:
    """Return the interests in each of some applications, the oldest first, those that were withdrawn too."""
    found: dict[str, list[Interest]] = {each: [] for each in applications}
    for some in portions(applications):
        for row in tx.connection.execute(_INTERESTS_IN, {"applications": list(some)}):
            found[row.application_id].append(_interest(row))
    return found


def interest(tx: Transaction, identifier: str) -> Interest:
    """Return an interest; NoSuchThing if there is none."""
    row = tx.connection.execute(_INTEREST, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="interest", identifier=identifier)
    return _interest(row)


def comments_on(tx: Transaction, application: str) -> list[Comment]:
    """Return the comments on an application, the oldest first, those that were retracted too."""
    return [_comment(row) for row in tx.connection.execute(_COMMENTS, {"application": application})]


def comment(tx: Transaction, identifier: str) -> Comment:
    """Return a comment; NoSuchThing if there is none."""
    row = tx.connection.execute(_COMMENT, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="comment", identifier=identifier)
    return _comment(row)


def _interest(row: Row[Any]) -> Interest:
    return Interest(
        id=row.id,
        application=row.application_id,
        officer=row.officer,
        text=row.text,
        salt=bytes(row.salt),
        declared_at=row.declared_at,
        declared_by=row.declared_by,
        withdrawn_at=row.withdrawn_at,
        withdrawn_by=row.withdrawn_by,
    )


def _comment(row: Row[Any]) -> Comment:
    return Comment(
        id=row.id,
        application=row.application_id,
        text=row.text,
        salt=bytes(row.salt),
        made_at=row.made_at,
        made_by=row.made_by,
        retracted_at=row.retracted_at,
    )
