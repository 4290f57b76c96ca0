"""roster: officers' keys begin to count, by the memory first; the register shows them so that web can be courteous."""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.facts import Fact, FactKind
from core.instants import text
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import RosterCause, RosterKey, RosterSet
from officers.roster import Member, members_digest, members_text
from store.transactions import Store, Transaction
from store.verbs import authorisations, facts


def roster_record(
    members: Sequence[Member],
    cause: RosterCause,
    *,
    number: int,
    at: datetime,
    statements: Sequence[str] = (),
) -> RosterSet:
    """Return a roster as it is remembered.

    Args:
        members: whose keys count.
        cause: by what.
        number: 1 for the first; each later one has the next.
        at: from when.
        statements: digests of the statements that it rests upon, hex.
    """
    keys = sorted(members, key=lambda each: each.key)
    return RosterSet(
        number=number,
        members=tuple(RosterKey(officer=each.officer, key=each.key, public_key=each.public_key) for each in keys),
        effective_at=at,
        cause=cause,
        statements=tuple(statements),
    )


def set_roster(store: Store, memory: Memory, record: RosterSet, actor: Actor, at: datetime) -> None:
    """Let officers' keys count.

    If we die behind the memory, the register does not show it: web asks for what counted before, the authority for
    what counts, and its next turn shows it (show_rosters).

    Args:
        store: where it is shown.
        memory: where it counts.
        record: the roster.
        actor: by whom.
        at: now.

    Raises:
        MemoryContradicted: it does not follow the newest roster.
    """
    if memory.remember([record], now=at):
        with store.begin("set roster") as tx:
            show(tx, record, actor, at)


def show(tx: Transaction, record: RosterSet, actor: Actor, at: datetime) -> None:
    """Write a roster that counts into the register, with its fact."""
    roster = roster_of(record)
    authorisations.show_roster(
        tx,
        record.number,
        members=members_text(roster.members),
        effective_at=record.effective_at,
        cause=record.cause,
        at=at,
    )
    said: dict[str, Json] = {
        "number": record.number,
        "members_sha256": members_digest(roster.members),
        "members": [{"officer": each.officer, "key": each.key} for each in roster.members],
        "effective_at": text(record.effective_at),
        "cause": record.cause.value,
        "statements": list(record.statements),
    }
    facts.record(tx, Fact(FactKind.ROSTER_SET, at, actor, payload=said))
