"""undone: many approvals that officers have revoked by one decision, and that stand all the same.

How far such an act has come is a row: whoever can write rows can say that it is finished, or take the row away. What
was decided is in the sealed journal. Whoever reads that again for ever (jobs/audit.py) finds the act here, says so, and
has it carried out from the beginning: whether it was decided is proved then as ever (jobs/carry_out.py).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.alarms import AlarmCode
from core.approval import EndCause
from core.facts import FactKind
from core.instants import parse
from jobs.duty import Duty, later
from ra.deciding.many import is_of_many, listed_in
from ra.proposal import said_in
from store.reading import proof
from store.reading import revocations as reading
from store.reading.journal import Sealed
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import revocations as verbs

_SETTLED = timedelta(minutes=1)
"""What was sealed that long ago is under way at least."""

_EARLIER = timedelta(minutes=1)
"""An end so long before a decision was seconded is taken for one that came of it: an urgent one may have been first."""


def carry_out_undone(duty: Duty, rows: Sequence[Sealed], at: datetime) -> None:
    """Look whether what was decided by some sealed rows has been done; where it has not, say so and have it done.

    Args:
        duty: whose alarms.
        rows: of the journal, as they are read again.
        at: now.
    """
    seconded = {
        each.row.subject: parse(each.row.at)
        for each in rows
        if each.row.kind == FactKind.DECISION_SECONDED
        and each.row.subject is not None
        and later(parse(each.row.sealed_at), _SETTLED) <= at
    }
    if not seconded:
        return
    with duty.read() as tx:
        found = list(_undone(tx, [(each, seconded[each.id]) for each in _of_many(tx, list(seconded))], at))
    for decision, total, standing in found:
        with duty.begin("carry out revocations") as tx:
            verbs.reopen(tx, decision.id, total=total, at=at)
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"Officers revoked {total} approvals by {decision.id}, the register says that it was carried out or does "
            f"not say so, and {len(standing)} of them stand, the first {standing[0]}. It is carried out again.",
            subject=decision.id,
        )


def _of_many(tx: Transaction, identifiers: Sequence[str]) -> list[Decision]:
    return [each for each in proof.decisions_called(tx, identifiers).values() if is_of_many(each)]


def _undone(
    tx: Transaction, decided: Sequence[tuple[Decision, datetime]], at: datetime
) -> Iterator[tuple[Decision, int, Sequence[str]]]:
    for decision, since in decided:
        listed, under_way = listed_in(decision), reading.find(tx, decision.id)
        if not listed or (under_way is not None and under_way.finished_at is None):
            continue  # whoever carries it out says what is wrong with it
        if said_in(decision)["cause"] == EndCause.KEY_COMPROMISE:
            standing = reading.uncancelled(tx, listed, since - _EARLIER, at)
        else:
            standing = reading.standing(tx, listed, at)
        if standing:
            yield decision, len(listed), standing
