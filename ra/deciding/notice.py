"""The notice that a decision leads to: its kind says how it is called, ra/telling/ writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.errors import Finding
from core.identifiers import Serial
from ra.deciding.every_kind import kind_of
from ra.deciding.many import is_of_many
from ra.telling.matter import matter_of
from ra.telling.wanting import wanting
from ra.telling.writing import drafted_copies, write_notice
from store.rows import Decision
from store.transactions import Transaction


def write(tx: Transaction, decision: Decision, *, actor: Actor, at: datetime, serials: Sequence[Serial] = ()) -> str:
    """Write the notice of a decision that is done, in the transaction of its act; return its number.

    Args:
        tx: the transaction of the act.
        decision: what was decided.
        actor: whose act it is.
        at: the instant of the act.
        serials: the certificates that travel with it (F2.25), in order of issue.
    """
    told = kind_of(decision.kind).told(decision, at)
    return write_notice(tx, matter_of(tx, decision, told, at=at, written=True), actor=actor, serials=serials)


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
    told = kind_of(decision.kind).told(decision, None)
    matter = matter_of(tx, decision, told, at=at, written=False)
    return Foreseen(drafted_copies(matter), wanting(matter))


def lacking(tx: Transaction, decision: Decision, *, at: datetime) -> tuple[Finding, ...]:
    """Return what recipients of the notice that a proposal would lead to would not get, and the Code has it told."""
    if is_of_many(decision):
        return ()
    told = kind_of(decision.kind).told(decision, None)
    return wanting(matter_of(tx, decision, told, at=at, written=False))
