"""A Manufacturer is told of a suspected breach, once, and answers it, once (F2.23)."""

from datetime import datetime

from sqlalchemy import insert, update

from store.reading.breaches import SaltedWords
from store.transactions import Transaction
from store.trial_tables import suspicions


def tell(tx: Transaction, breach: str, told: SaltedWords, *, notice: str, by: str, at: datetime) -> None:
    """Write what a Manufacturer is told; a second time breaks the key, so the caller holds the approval."""
    tx.connection.execute(
        insert(suspicions).values(
            breach_id=breach, told=told.text, told_salt=told.salt, told_at=at, told_by=by, notice=notice
        )
    )


def answer(tx: Transaction, breach: str, said: SaltedWords, *, by: str, at: datetime) -> bool:
    """Write what a Manufacturer answers; return whether it had not answered before."""
    c = suspicions.c
    won = tx.connection.execute(
        update(suspicions)
        .where(c.breach_id == breach, c.answer.is_(None))
        .values(answer=said.text, answer_salt=said.salt, answered_at=at, answered_by=by)
    ).rowcount
    return won == 1
