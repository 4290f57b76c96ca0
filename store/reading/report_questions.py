"""What the SSC asks the DCC to tell in the monthly report, once or in each, and what was answered (F2.28(h))."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select

from core.errors import NoSuchThing
from store.transactions import Transaction
from store.trial_tables import report_answers, report_questions


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question.

    Args:
        id: its identifier.
        month: for whose report it is; None for a standing one, which each report answers.
        text: what the SSC asks.
        asked_at, asked_by: when, and the officer.
        ended_at: when a standing one was ended.
    """

    id: str
    month: str | None
    text: str
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, and what one report answers; None before it does."""

    question: Question
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


def question(tx: Transaction, identifier: str) -> Question:
    """Return a question; NoSuchThing if there is none."""
    row = tx.connection.execute(select(report_questions).where(report_questions.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="question", identifier=identifier)
    return _question(row)


def question_list(tx: Transaction) -> list[Question]:
    """Return every question there ever was, oldest first."""
    c = report_questions.c
    return [_question(row) for row in tx.connection.execute(select(report_questions).order_by(c.asked_at, c.id))]


def asked_of(tx: Transaction, month: str, *, after: str) -> list[Asked]:
    """Return what a month's report, which is not issued, has to answer.

    Args:
        tx: a transaction.
        month: of the report.
        after: the month of the report before; empty for the first. What was asked for a month between is not lost.
    """
    c, given = report_questions.c, report_answers.c
    single = and_(c.month > after, c.month <= month)
    return _asked(tx, month, or_(single, and_(c.month.is_(None), c.ended_at.is_(None)), given.text.is_not(None)))


def _asked(tx: Transaction, month: str, so: ColumnElement[bool]) -> list[Asked]:
    c, given = report_questions.c, report_answers.c
    mine = and_(given.question_id == c.id, given.month == month)
    columns = (given.text.label("answer"), given.answered_at, given.answered_by)
    query = select(report_questions, *columns).outerjoin(report_answers, mine).where(so).order_by(c.asked_at, c.id)
    return [
        Asked(question=_question(row), answer=row.answer, answered_at=row.answered_at, answered_by=row.answered_by)
        for row in tx.connection.execute(query)
    ]


def _question(row: Row[Any]) -> Question:
    return Question(
        id=row.id,
        month=row.month,
        text=row.text,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        ended_at=row.ended_at,
    )
