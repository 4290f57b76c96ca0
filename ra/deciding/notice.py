"""The notice that a decision leads to: its kind says how it is called, ra/telling/ writes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import Finding
from core.identifiers import Serial
from ra.deciding.every_kind import kind_of
from ra.deciding.many import is_of_many
from ra.telling.matter import Matter, matter_of
from ra.telling.wanting import wanting
from ra.telling.writing import drafted_copies, write_notice
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction


def write(
    tx: Transaction,
    decision: Decision,
    *,
    actor: Actor,
    at: datetime,
    serials: Sequence[Serial] = (),
    before: Matter | None = None,
) -> str:
    """Write the notice of a decision that is done, in the transaction of its act; return its number.

    Args:
        tx: the transaction of the act.
        decision: what was decided.
        actor: whose act it is.
        at: the instant of the act.
        serials: the certificates that travel with it (F2.25), in order of issue.
        before: what it is about as it was read before the act, in the same transaction: of an act that changes nothing
            of it but the approval itself; None to read it.
    """
    told = kind_of(decision.kind).told(decision, at)
    if before is None:
        matter = matter_of(tx, decision, told, at=at, written=True)
    else:
        approval = None if decision.approval is None else approval_reading.find(tx, decision.approval)
        matter = replace(before, decision=decision, told=told, approval=approval, at=at, written=True)
    return write_notice(tx, matter, actor=actor, serials=serials)


@dataclass(frozen=True)
class Foreseen:
    """The notice that a proposal would lead to.

    Args:
        copies: by recipient, as each would get it (F2.22).
        lacking: what recipients would not get, and the Code has it told.
    """

    copies: dict[str, Json]
    lacking: tuple[Finding, ...]


def foreseen(tx: Transaction, decision: Decision, *, at: datetime) -> Foreseen:
    """Return the notice that a proposal would lead to: what it is about is read once. Of many, none is shown."""
    if is_of_many(decision):
        return Foreseen({}, ())
    matter = about(tx, decision, at=at)
    return Foreseen(drafted_copies(matter), wanting(matter))


def lacking(tx: Transaction, decision: Decision, *, at: datetime) -> tuple[Finding, ...]:
    """Return what recipients of the notice that a proposal would lead to would not get, and the Code has it told."""
    return () if is_of_many(decision) else wanting(about(tx, decision, at=at))


def about(tx: Transaction, decision: Decision, *, at: datetime) -> Matter:
    """Return what the notice that a proposal would lead to is about, as things are before it is decided."""
    return matter_of(tx, decision, kind_of(decision.kind).told(decision, None), at=at, written=False)
