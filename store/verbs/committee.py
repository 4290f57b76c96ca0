"""Interests and comments: written once, withdrawn or retracted once by conditional writes, and never changed."""

from datetime import datetime

from sqlalchemy import insert, update

from core.errors import WrongState
from store.committee_tables import comments, interests
from store.reading.committee import Comment, Interest
from store.transactions import Transaction


def declare(tx: Transaction, wanted: Interest) -> None:
    """Write an interest."""
    tx.connection.execute(
        insert(interests).values(
            id=wanted.id,
            application_id=wanted.application,
            officer=wanted.officer,
            text=wanted.text,
            salt=wanted.salt,
            declared_at=wanted.declared_at,
            declared_by=wanted.declared_by,
        )
    )


def withdraw(tx: Transaction, identifier: str, *, by: str, at: datetime) -> None:
    """Withdraw an interest, which there is; WrongState if it was withdrawn before."""
    c = interests.c
    won = tx.connection.execute(
        update(interests).where(c.id == identifier, c.withdrawn_at.is_(None)).values(withdrawn_at=at, withdrawn_by=by)
    ).rowcount
    if not won:
        raise WrongState(kind="Interest", identifier=identifier, state="withdrawn", needed="declared")


def say(tx: Transaction, wanted: Comment) -> None:
    """Write a comment."""
    tx.connection.execute(
        insert(comments).values(
            id=wanted.id,
            application_id=wanted.application,
            text=wanted.text,
            salt=wanted.salt,
            made_at=wanted.made_at,
            made_by=wanted.made_by,
        )
    )


def retract(tx: Transaction, identifier: str, *, at: datetime) -> None:
    """Retract a comment, which there is; WrongState if it was retracted before."""
    c = comments.c
    won = tx.connection.execute(
        update(comments).where(c.id == identifier, c.retracted_at.is_(None)).values(retracted_at=at)
    ).rowcount
    if not won:
        raise WrongState(kind="Comment", identifier=identifier, state="retracted", needed="made")
