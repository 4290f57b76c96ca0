"""What officers say of the decisions by which something was issued or ended; one row for each officer."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from core.kinds import Witnessed
from store.transactions import Transaction
from store.trial_tables import witnesses


def say(tx: Transaction, decision_id: str, *, officer: str, saw: Witnessed, why: str | None, at: datetime) -> None:
    """Write what an officer says of a decision.

    Args:
        tx: open.
        decision_id: of the decision.
        officer: who.
        saw: what they say.
        why: in a sentence, if they disown it; None otherwise.
        at: now.

    Raises:
        WrongState: this officer has said it before, or has disowned the decision.
    """
    columns = witnesses.c
    if saw is Witnessed.DISOWNED:
        turned = tx.connection.execute(
            update(witnesses)
            .where(columns.decision_id == decision_id, columns.officer == officer, columns.saw == Witnessed.SEEN)
            .values(saw=saw, why=why, at=at)
        ).rowcount
        if turned:
            return
    try:
        tx.connection.execute(
            insert(witnesses).values(decision_id=decision_id, officer=officer, saw=saw, why=why, at=at)
        )
    except IntegrityError as error:
        raise WrongState(
            kind="Decision", identifier=decision_id, state="witnessed by you", needed="not yet so"
        ) from error
