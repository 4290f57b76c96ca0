"""Questions for the monthly report: asked, ended and answered once for each report by conditional writes."""

from datetime import datetime

from sqlalchemy import insert, select, update

from core.errors import NoSuchThing, WrongState
from store.reading.report_questions import Question
from store.transactions import Transaction
from store.trial_tables import report_answers, report_questions


def ask(tx: Transaction, wanted: Question) -> None:
    """Write a question."""
    tx.connection.execute(insert(report_questions).values(**vars(wanted)))


def end(tx: Transaction, identifier: str, *, at: datetime) -> None:
    """End a standing question; NoSuchThing if there is none, WrongState if it is a single one or has ended."""
    c = report_questions.c
    standing = update(report_questions).where(c.id == identifier, c.month.is_(None), c.ended_at.is_(None))
    if tx.connection.execute(standing.values(ended_at=at)).rowcount:
        return
    row = tx.connection.execute(select(c.month).where(c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="question", identifier=identifier)
    state = "ended" if row.month is None else "for one report"
    raise WrongState(kind="Question", identifier=identifier, state=state, needed="standing")


def answer(tx: Transaction, identifier: str, month: str, *, text: str, by: str, at: datetime) -> None:
    """Write what a report answers to a question; WrongState if it does already. The caller holds the reports."""
    c = report_answers.c
    if tx.connection.execute(select(c.month).where(c.question_id == identifier, c.month == month)).scalar() is not None:
        raise WrongState(kind="Question", identifier=identifier, state=f"answered for {month}", needed="unanswered")
    tx.connection.execute(
        insert(report_answers).values(question_id=identifier, month=month, text=text, answered_at=at, answered_by=by)
    )
