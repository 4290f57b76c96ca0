"""Who agreed to a proposal beside its proposer; one row for each officer."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Text, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from store.tables import decisions
from store.transactions import Transaction
from store.trial_tables import secondings

_DECISION = bindparam("decision_id", type_=Text())
_HOLD = select(decisions.c.id).where(decisions.c.id == _DECISION).with_for_update()
_INSERT = insert(secondings)
_OFFICERS = select(secondings.c.officer).where(secondings.c.decision_id == _DECISION)


def agree(tx: Transaction, decision_id: str, *, officer: str, tbs: Sequence[str], at: datetime) -> int:
    """Write that an officer agrees; return how many do, the proposer not counted.

    The decision's row is held until the commit: two who agree at the same moment are counted one after the other.

    Raises:
        WrongState: this officer has agreed before.
    """
    if tx.dialect == "postgresql":
        tx.connection.execute(_HOLD, {"decision_id": decision_id})
    if officer in officers_of(tx, decision_id):
        raise WrongState(kind="Decision", identifier=decision_id, state="seconded by you", needed="another officer")
    try:
        tx.connection.execute(
            _INSERT, {"decision_id": decision_id, "officer": officer, "tbs_sha256": " ".join(tbs) or None, "at": at}
        )
    except IntegrityError as error:
        raise WrongState(
            kind="Decision", identifier=decision_id, state="seconded by you", needed="another officer"
        ) from error
    return len(officers_of(tx, decision_id))


def officers_of(tx: Transaction, decision_id: str) -> frozenset[str]:
    """Return who has agreed, the proposer not counted."""
    return frozenset(tx.connection.execute(_OFFICERS, {"decision_id": decision_id}).scalars())
