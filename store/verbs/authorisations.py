"""What officers have signed, as it was sent; what counts of it is for the authority to say."""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, update

from store.officers_tables import authorisations, rosters
from store.rows import Authorised
from store.tables import decisions
from store.transactions import Transaction
from store.verbs.conflicts import INSERT

# Two acts under one statement at the same moment, each in its own transaction, keep it once.
_KEEP = {dialect: into(authorisations).on_conflict_do_nothing() for dialect, into in INSERT.items()}
_AUTHORISED = update(decisions).where(decisions.c.id == bindparam("decision_id"), decisions.c.authorised_at.is_(None))


def keep(tx: Transaction, kept: Authorised, *, at: datetime) -> None:
    """Keep an authorisation in the transaction of its act; one about several things is kept with the first."""
    tx.connection.execute(
        _KEEP[tx.dialect],
        {
            "statement_sha256": kept.statement_sha256,
            "statement": kept.statement,
            "proof": kept.proof,
            "act": kept.act,
            "officer": kept.officer,
            "key": kept.key,
            "members": kept.members,
            "taken_at": at,
        },
    )


def authorised(tx: Transaction, decision: str, *, at: datetime) -> bool:
    """Write that its proposer has signed for a decision; False if that was written before."""
    return bool(tx.connection.execute(_AUTHORISED, {"decision_id": decision, "authorised_at": at}).rowcount)


def show_roster(
    tx: Transaction, number: int, *, members: str, effective_at: datetime, cause: str, at: datetime
) -> None:
    """Write a roster that the authority remembers, for everybody to look at; what stands there otherwise gives way."""
    values = {"members": members, "effective_at": effective_at, "cause": cause, "set_at": at}
    known = update(rosters).where(rosters.c.number == number).values(values)
    if not tx.connection.execute(known).rowcount:
        tx.connection.execute(insert(rosters).values(number=number, **values))


def forget_roster(tx: Transaction, number: int) -> None:
    """Take away a roster that the authority does not remember."""
    tx.connection.execute(delete(rosters).where(rosters.c.number == number))
