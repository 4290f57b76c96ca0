"""Breaches: written once, moved from state to state by conditional writes. Words are kept with their salt."""

from datetime import datetime

from sqlalchemy import insert, select, update

from core.canonical import canonical
from core.errors import NoSuchThing, WrongState
from core.kinds import OPEN_BREACH, BreachState
from store.reading.breaches import SaltedWords
from store.transactions import Transaction
from store.trial_tables import breaches, limit_comparisons


def suspect(
    tx: Transaction,
    identifier: str,
    approval: str,
    condition: int | None,
    note: SaltedWords,
    *,
    by: str,
    at: datetime,
    excess: tuple[int, datetime] | None = None,
) -> None:
    """Write a suspected breach; a second open one of the limit breaks a constraint, so the caller holds the approval.

    Args:
        tx: open.
        identifier: new.
        approval: whose condition it is.
        condition: its number; None for the limit of F2.21(d).
        note: what is suspected.
        by: who suspects it.
        at: now.
        excess: of the limit: how many devices were deployed, and since when.
    """
    tx.connection.execute(
        insert(breaches).values(
            id=identifier,
            approval=approval,
            condition=condition,
            state=BreachState.SUSPECTED,
            note=_kept(note),
            suspected_at=at,
            suspected_by=by,
            deployed=excess[0] if excess else None,
            since=excess[1] if excess else None,
        )
    )


def judge(tx: Transaction, identifier: str, *, confirmed: bool, why: SaltedWords, by: str, at: datetime) -> None:
    """Confirm or dismiss a suspected breach.

    Raises:
        NoSuchThing: there is none.
        WrongState: it has been judged.
    """
    won = tx.connection.execute(
        update(breaches)
        .where(breaches.c.id == identifier, breaches.c.state == BreachState.SUSPECTED)
        .values(
            state=BreachState.CONFIRMED if confirmed else BreachState.DISMISSED,
            judged_at=at,
            judged_by=by,
            why=_kept(why),
        )
    ).rowcount
    if not won:
        raise _wrong_state(tx, identifier, BreachState.SUSPECTED)


def close(tx: Transaction, identifier: str, *, why: SaltedWords, at: datetime) -> None:
    """Close a confirmed breach that no revocation can answer any more; NoSuchThing, WrongState as `judge`."""
    won = tx.connection.execute(
        update(breaches)
        .where(breaches.c.id == identifier, breaches.c.state == BreachState.CONFIRMED)
        .values(state=BreachState.CLOSED, closed_at=at, why=_kept(why))
    ).rowcount
    if not won:
        raise _wrong_state(tx, identifier, BreachState.CONFIRMED)


def answer(tx: Transaction, identifier: str, approval: str, *, decision: str, at: datetime) -> None:
    """Let a revocation answer a confirmed breach of the approval that it ends.

    Raises:
        NoSuchThing: there is none, or it is another approval's.
        WrongState: it is not confirmed, or was answered already.
    """
    c = breaches.c
    won = tx.connection.execute(
        update(breaches)
        .where(c.id == identifier, c.approval == approval, c.state == BreachState.CONFIRMED)
        .values(state=BreachState.ANSWERED, closed_at=at, decision_id=decision)
    ).rowcount
    if not won:
        raise _wrong_state(tx, identifier, BreachState.CONFIRMED, approval)


def keep_limit(tx: Transaction, identifier: str, *, at: datetime | None) -> bool:
    """Write that an open breach of the limit is none any more as far as is known (None: that it is again).

    Returns:
        Whether that is new.
    """
    c = breaches.c
    otherwise = c.kept_at.is_(None) if at is not None else c.kept_at.is_not(None)
    moved = update(breaches).where(c.id == identifier, c.state.in_(OPEN_BREACH), otherwise).values(kept_at=at)
    return tx.connection.execute(moved).rowcount == 1


def record_comparison(tx: Transaction, approval: str, issue: int, *, at: datetime) -> None:
    """Write that the limit of a later issue has been compared; a second one breaks a constraint."""
    tx.connection.execute(insert(limit_comparisons).values(approval=approval, issue=issue, compared_at=at))


def _kept(words: SaltedWords) -> str:
    return canonical({"text": words.text, "salt": words.salt.hex()}).decode()


def _wrong_state(tx: Transaction, identifier: str, needed: BreachState, approval: str | None = None) -> Exception:
    query = select(breaches.c.state).where(breaches.c.id == identifier)
    if approval is not None:
        query = query.where(breaches.c.approval == approval)
    state = tx.connection.execute(query).scalar()
    if state is None:
        return NoSuchThing(kind="breach", identifier=identifier)
    return WrongState(kind="Breach", identifier=identifier, state=state, needed=needed)
