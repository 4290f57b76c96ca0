"""root_roster: officers' keys come to count by the root's word, where no two officers can say so.

For an authority that was made before there were rosters its first one, at once. For one whose officers have lost their
keys another one, after a wait in which everybody is told, and any two who still have keys can stop it.
"""

from datetime import datetime, timedelta

from core.actors import CONSOLE
from core.canonical import Json
from core.errors import RosterStatementRefused
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import RosterCause
from jobs.duty import later
from jobs.roster import authority_begun, roster_record, set_roster
from keys.signer import Signer
from memory.memory import Memory
from memory.records import RosterSet
from officers.root_statement import RosterStatement, SignedRoster, require_from_root
from officers.roster import require_usable
from store.transactions import Store
from store.verbs import facts


def next_number(memory: Memory) -> int:
    """Return the number of the roster that would follow the newest."""
    newest = memory.newest_roster
    return 1 if newest is None else newest.number + 1


def sign_roster(statement: RosterStatement, root: Signer) -> SignedRoster:
    """Sign a statement with the root's key.

    Raises:
        RosterUnusable: what it names can be no roster.
        RosterStatementRefused: the key is not the root of the authority that it is for.
    """
    require_usable(statement.members)
    signed = SignedRoster(statement=statement, root_key=root.public_key, signature=root.sign(statement.octets()))
    require_from_root(signed, statement.authority)
    return signed


def accept_roster(store: Store, memory: Memory, signed: SignedRoster, wait: timedelta, at: datetime) -> RosterSet:
    """Let the keys count that the root's statement names: the first ones at once, others after a wait.

    If we die behind the memory, they count as they will; the next turn of the authority shows them (jobs/roster.py).

    Args:
        store: the register.
        memory: of the authority, which knows its root.
        signed: as it was carried here.
        wait: how long until it comes into force; a live authority does wait.
        at: now.

    Raises:
        RosterStatementRefused: another authority's, another root's, cut, old, or used before; that is recorded.
    """
    statement = signed.statement
    try:
        cause = _require_counts(memory, signed, wait, at)
    except RosterStatementRefused as error:
        said: dict[str, Json] = {"statement": statement.sha256, "number": statement.number, "why": str(error)}
        with store.begin("refuse roster") as tx:
            facts.record(tx, Fact(FactKind.ROSTER_REFUSED, at, CONSOLE, payload=said))
        raise
    effective = at if cause is RosterCause.BEGUN else later(at, wait)
    record = roster_record(
        statement.members, cause, number=statement.number, at=effective, statements=[statement.sha256]
    )
    set_roster(store, memory, record, CONSOLE, at, signed)
    return record


def _require_counts(memory: Memory, signed: SignedRoster, wait: timedelta, at: datetime) -> RosterCause:
    """Return by what a statement comes to count."""
    statement, begun = signed.statement, memory.newest_roster is None
    require_from_root(signed, authority_begun(memory))
    if statement.valid_until < at:
        raise RosterStatementRefused(detail=f"it was valid until {text(statement.valid_until)}")
    if statement.number != next_number(memory):
        raise RosterStatementRefused(
            detail=f"it is for roster {statement.number}, and the next is roster {next_number(memory)}: an old "
            "statement counts once"
        )
    if not begun and not wait and memory.begun.environment != "test":
        raise RosterStatementRefused(detail="officers.root_statement_wait_hours is 0, and this is a live authority")
    return RosterCause.BEGUN if begun else RosterCause.ROOT
