"""undone: many approvals that officers have revoked by one decision, and that stand all the same.

How far such an act has come is a row: whoever can write rows can say that it is finished, or take the row away. What
was decided is in the sealed journal. Whoever reads that again for ever (jobs/audit.py) finds the act here, says so, and
has it carried out from the beginning: whether it was decided is proved then as ever (jobs/carry_out.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.alarms import AlarmCode, first_of
from core.approval import EndCause
from core.facts import FactKind
from core.instants import parse
from jobs.duty import Duty, later
from jobs.evidence import payload
from ra.deciding.many import listed_in
from ra.proposal import is_as_decided, said_in
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


_MOST_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class _Undone:
    """An act of which approvals stand, and of how many it was."""

    decision: str
    total: int
    standing: Sequence[str]


def carry_out_undone(duty: Duty, rows: Sequence[Sealed], at: datetime) -> None:
    """Look whether what was decided by some sealed rows is what the register has, and of many whether it has been done.

    Args:
        duty: whose alarms.
        rows: of the journal, as they are read again.
        at: now.
    """
    seconded = [
        each
        for each in rows
        if each.row.kind == FactKind.DECISION_SECONDED and later(parse(each.row.sealed_at), _SETTLED) <= at
    ]
    if not seconded:
        return
    with duty.read() as tx:
        decided = proof.decisions_called(tx, [each.row.subject or "" for each in seconded])
        found, other = list[_Undone](), list[str]()
        for each in seconded:
            decision = decided.get(each.row.subject or "")
            if decision is None or not _is_what_was_seconded(decision, each):
                other.append(f"{each.row.subject}.")
            else:
                found += _undone(tx, decision, parse(each.row.at), at)
    if other:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"The register has another proposal than officers have seconded, or none: {first_of(other, _MOST_TOLD)}",
            subject="decisions",
        )
    for act in found:
        with duty.begin("carry out revocations") as tx:
            verbs.reopen(tx, act.decision, total=act.total, at=at)
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"Officers revoked {act.total} approvals by {act.decision}, the register says that it was carried out or "
            f"does not say so, and {len(act.standing)} of them stand, the first {act.standing[0]}. It is carried out "
            "again.",
            subject=act.decision,
        )


def _is_what_was_seconded(decision: Decision, fact: Sealed) -> bool:
    return is_as_decided(decision) and payload(fact).get("proposal_sha256") == decision.proposal_sha256


def _undone(tx: Transaction, decision: Decision, since: datetime, at: datetime) -> Iterator[_Undone]:
    listed, under_way = listed_in(decision), reading.find(tx, decision.id)
    if not listed or (under_way is not None and under_way.finished_at is None):
        return  # it is of one, or whoever carries it out says what is wrong with it
    if said_in(decision)["cause"] == EndCause.KEY_COMPROMISE:
        standing = reading.uncancelled(tx, listed, since - _EARLIER, at)
    else:
        standing = reading.standing(tx, listed, at)
    if standing:
        yield _Undone(decision=decision.id, total=len(listed), standing=standing)
