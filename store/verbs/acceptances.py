"""The Manufacturer's word on a certificate it got: accepted or rejected, once."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from core.identifiers import Serial
from store.tables import acceptances
from store.transactions import Transaction


def answer(tx: Transaction, serial: Serial, *, accepted: bool, reason: str, by: str, at: datetime) -> None:
    """Write the answer; WrongState if there is one already: the first stands."""
    try:
        tx.connection.execute(
            insert(acceptances).values(serial=serial, accepted=int(accepted), reason=reason, by=by, at=at)
        )
    except IntegrityError as error:
        raise WrongState(kind="Certificate", identifier=serial, state="answered already", needed="new") from error
