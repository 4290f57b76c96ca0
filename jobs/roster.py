"""roster: officers' keys begin to count, by the memory first; the register shows them so that web can be courteous.

What it shows otherwise than it is remembered is put right, with an alarm: somebody writes rows.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import AUTHORITY, Actor
from core.alarms import AlarmCode
from core.canonical import Json
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import RosterCause
from jobs.duty import Duty
from jobs.resting import said_by
from keys.ceremony import ROOT_FILE
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import RosterSet
from officers.root_statement import SignedRoster
from officers.roster import ADVISED, Member, Roster, members_digest, members_text
from officers.statement import Authority
from store.reading import authorisations as reading
from store.reading import journal
from store.transactions import Store, Transaction
from store.verbs import authorisations, facts


def authority_begun(memory: Memory) -> Authority:
    """Return this authority as statements name it, by what it began with."""
    begun = memory.begun
    return Authority(name=begun.name, root_key_sha256=begun.keys[ROOT_FILE])


def roster_counting(memory: Memory, at: datetime) -> Roster | None:
    """Return whose keys count; by a clock that is behind the beginning of the first roster, those on that one.

    None where there never was a roster: nobody is asked to sign.
    """
    if memory.newest_roster is None:
        return None
    return memory.roster(at) or roster_of(memory.rosters()[0])


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
    return RosterSet(
        number=number,
        members=tuple(sorted(members, key=lambda each: each.key)),
        effective_at=at,
        cause=cause,
        statements=tuple(statements),
    )


def set_roster(
    store: Store, memory: Memory, record: RosterSet, actor: Actor, at: datetime, signed: SignedRoster | None = None
) -> None:
    """Let officers' keys count.

    If we die behind the memory, the register does not show it: web asks for what counted before, the authority for
    what counts, and its next turn shows it (show_rosters).

    Args:
        store: where it is shown.
        memory: where it counts.
        record: the roster.
        actor: by whom.
        at: now.
        signed: the root's statement that it rests upon, if it does.

    Raises:
        MemoryContradicted: it does not follow the newest roster.
    """
    if memory.remember([record], now=at):
        with store.begin("set roster") as tx:
            show(tx, record, actor, at, signed)


def show(tx: Transaction, record: RosterSet, actor: Actor, at: datetime, signed: SignedRoster | None = None) -> None:
    """Write a roster that counts into the register, with its fact, and with the root's statement if that is at hand."""
    roster = roster_of(record)
    authorisations.show_roster(
        tx,
        record.number,
        members=members_text(roster.members),
        effective_at=record.effective_at,
        cause=record.cause,
        at=at,
    )
    said = told(record)
    if signed is not None:
        said["signed"] = signed.document()
    facts.record(tx, Fact(FactKind.ROSTER_SET, at, actor, payload=said))


def told(record: RosterSet) -> dict[str, Json]:
    """Return what the journal says of a roster; a fact that says anything else is not sealed.

    Beside it may stand the root's statement, which proves itself.
    """
    roster = roster_of(record)
    return {
        "number": record.number,
        "members_sha256": members_digest(roster.members),
        "members": [{"officer": each.officer, "key": each.key} for each in roster.members],
        "effective_at": text(record.effective_at),
        "cause": record.cause.value,
        "statements": list(record.statements),
    }


def show_rosters(duty: Duty, at: datetime) -> int:
    """Let the register show what is remembered, and say what is wrong with the roster itself; return how many were put
    right.
    """
    _notice_state(duty, at)
    remembered = {each.number: each for each in duty.memory.rosters()}
    with duty.read() as tx:
        shown = {each.number: _said(each) for each in reading.shown_rosters(tx)}
    wrong = [each for each in remembered.values() if shown.get(each.number) != _kept(each)]
    strange = sorted(set(shown) - set(remembered))
    if not wrong and not strange:
        return 0
    newest = max(remembered, default=0)
    with duty.read() as tx:
        told_of = journal.last_of(tx, FactKind.ROSTER_SET)  # which may read the whole journal
    # We died behind the memory if the newest was never told; otherwise somebody has taken its row out.
    died = newest if told_of is None or said_by(told_of).get("number") != newest else None
    for number in (*(each.number for each in wrong if each.number in shown or each.number != died), *strange):
        said = f"The register has roster {number} of officers' keys otherwise than the authority: it was put right."
        duty.notice(AlarmCode.REGISTER_CONTRADICTS, said, subject=f"roster {number}")
    with duty.begin("show rosters") as tx:
        for number in strange:
            authorisations.forget_roster(tx, number)
        for each in wrong:
            show(tx, each, AUTHORITY, at)
    return len(wrong) + len(strange)


def _kept(record: RosterSet) -> tuple[str, datetime, str]:
    return members_text(roster_of(record).members), record.effective_at, record.cause.value


def _said(shown: reading.ShownRoster) -> tuple[str, datetime, str]:
    return shown.members, shown.effective_at, shown.cause


def _notice_state(duty: Duty, at: datetime) -> None:
    newest, held = duty.memory.newest_roster, duty.memory.roster(at)
    if newest is None:
        said = "The authority knows no officers' keys: acts count by API keys alone. See trialcpa roster begin."
        duty.notice(AlarmCode.ROSTER_MISSING, said)
        return
    if held is not None and len(held.officers) < ADVISED:
        said = f"{len(held.officers)} officers have keys on the roster, and {ADVISED} are advised."
        duty.notice(AlarmCode.ROSTER_SMALL, said)
    if newest.effective_at > at:
        said = (
            f"Roster {newest.number}, which the root's key has signed, comes into force at "
            f"{text(newest.effective_at)}. Two officers can stop it: trialcpa roster change --keep."
        )
        duty.notice(AlarmCode.ROSTER_WAITS, said, subject=str(newest.number))
