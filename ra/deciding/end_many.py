"""end_many: a portion of the approvals that one decision revokes is ended, with the same facts as one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.actors import Actor
from core.approval import EndCause
from core.clauses import serves
from core.identifiers import Serial
from ra.deciding.end import Ending, compromised, ending_of, facts_of
from ra.deciding.many import of_one
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import facts, many_ends, receipts


@serves("F2.30", "F2.31")
def end_approvals(
    tx: Transaction, portion: Sequence[str], *, decision: Decision, actor: Actor, at: datetime
) -> dict[str, datetime | None]:
    """Write the ends of approvals and their facts, as `end_approval` does of each; the caller tells the Panel next.

    Args:
        tx: open.
        portion: the approvals, in order, each once.
        decision: which revokes them all; it cites no breach and no request, which are an approval's own.
        actor: who.
        at: now; it becomes the end.

    Returns:
        Of each, in that order, when it ended by this; None where it had ended before: the first end stands.

    Raises:
        NoSuchThing: one of them is no approval.
    """
    if not portion:
        return {}
    approval_reading.hold(tx, portion)
    how = ending_of(of_one(decision, portion[0]))
    ended = _ended(tx, portion, how, actor, at)
    every = [
        fact
        for each, serials in ended.items()
        for fact in facts_of(replace(how, approval=each), serials, decision=decision, actor=actor, at=at)
    ]
    if every:
        facts.record(tx, *every)
    many = {approval: len(serials) for approval, serials in ended.items()}
    receipts.open_receipts(tx, many, decision=decision.id, at=at)
    return {each: at if each in ended else None for each in portion}


def _ended(tx: Transaction, portion: Sequence[str], how: Ending, actor: Actor, at: datetime) -> dict[str, list[Serial]]:
    """End what has not ended; return the serials cancelled of each that was ended by this."""
    if how.cause is not EndCause.KEY_COMPROMISE:
        return many_ends.end(tx, portion, cause=how.cause, by=actor.name, at=at)
    found = {each.identifier: each for each in approval_reading.records(tx, portion)}
    known = {each: found.get(each) or approval_reading.record(tx, each) for each in portion}
    keys = {each: key for each, record in known.items() if (key := compromised(record, at)) is not None}
    return many_ends.cancel_of_keys(tx, keys, at=at, invalidity_date=how.invalidity_date)
