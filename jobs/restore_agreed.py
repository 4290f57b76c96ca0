"""restore_agreed: officers have signed for what a register that went back gets again, before any of it is entered.

What they signed for is the digest of the whole difference, roster included. It is consumed before anything happens: the
same bytes count again after we died, and never others of theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import CONSOLE
from core.alarms import Alarm, AlarmCode, printable
from core.canonical import Json
from core.errors import AuthorisationMissing, AuthorisationRefused, MemoryContradicted
from core.facts import Fact, FactKind
from core.kinds import AuthorisationFlaw, AuthorisedAct, DecisionKind, ProcessRole
from core.words import counted
from jobs.lost import Difference
from jobs.resting import said_by
from jobs.roster import authority_begun, roster_counting
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import Accepted, Consumed
from officers.means import WANTING, with_a_key
from officers.proof import Asked, prove
from officers.roster import Roster
from officers.statement import Authorisation
from ra.authorising import Signed, row_of
from ra.desk import Rules
from store.reading import journal
from store.rows import Authorised
from store.transactions import Store, Transaction
from store.verbs import facts, watching

_ACT = frozenset({AuthorisedAct.ACCEPT_RESTORE})
_MOST = 1_000

_MOST_SAID = 300
"""Characters of what is told of a file that somebody handed in."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What officers agreed to.

    Args:
        difference_sha256: the digest that their statements are about; without a roster that of what is entered.
        statements: digests of what they signed, hex; none where no roster asks for it.
        rows: the same as they are kept; none where they were kept before we died.
    """

    difference_sha256: str
    statements: tuple[str, ...] = ()
    rows: tuple[Authorised, ...] = ()


def officers_wanted(rules: Rules) -> int:
    """Return how many officers must agree: as many as to whatever a restore may enter, the largest number counts."""
    return max(rules.officers_for(each) for each in DecisionKind)


def agree(
    store: Store, memory: Memory, rules: Rules, lost: Difference, signed: Sequence[Authorisation], at: datetime
) -> Agreement:
    """Require that officers have signed for what is entered again, and consume what they signed.

    Args:
        store: the register, where what is refused is told.
        memory: knows whose keys count, and what was consumed.
        rules: from the settings: how many must agree.
        lost: everything that is entered.
        signed: what was handed in.
        at: now.

    Raises:
        AuthorisationMissing: nothing was handed in, and there is a roster.
        AuthorisationRefused: something of it does not count, or too few have signed.
    """
    roster = roster_counting(memory, at)
    if roster is None:
        return Agreement(difference_sha256=lost.sha256)
    before = None if lost.certificates or lost.ends else _agreed_before(store, memory, rules, lost)
    if before is not None:
        return before
    if not signed:
        raise AuthorisationMissing(act=AuthorisedAct.ACCEPT_RESTORE)
    try:
        new = _counted(memory, rules, lost, signed, roster, at)
        memory.remember(new, now=at)
    except (AuthorisationRefused, MemoryContradicted) as error:
        refused = error if isinstance(error, AuthorisationRefused) else _refused(AuthorisationFlaw.USED, str(error))
        _tell(store, lost, signed, refused, at)
        raise refused from None
    return Agreement(
        difference_sha256=lost.sha256,
        statements=tuple(sorted({each.statement.sha256 for each in signed})),
        rows=tuple(row_of(Signed(authorisation=each)) for each in signed),
    )


def _counted(
    memory: Memory,
    rules: Rules,
    lost: Difference,
    signed: Sequence[Authorisation],
    roster: Roster,
    at: datetime,
) -> list[Consumed]:
    """Return what is to be consumed; what was consumed for the same before we died counts as it did then."""
    claim, authority = lost.agreed.claim(), authority_begun(memory)
    rosters = {each.number: roster_of(each) for each in memory.rosters()}
    used = {each.officer: each for each in memory.consumed(claim.subject, _ACT)}
    people: set[str] = set()
    keyed = False
    new: dict[str, Consumed] = {}
    for each in signed:
        officer, sha256 = each.statement.officer, each.statement.sha256
        before = used.get(officer)
        asked = Asked(authority=authority, officer=officer, claim=claim)
        if before is not None and before.statement_sha256 == sha256:
            # It was in time, and on the roster, when it was consumed.
            prove(each, asked, rosters[before.roster], min(at, each.statement.valid_until))
            keyed = keyed or with_a_key(rosters[before.roster], [each.statement.key])
        else:
            counter = prove(each, asked, roster, at)
            keyed = keyed or with_a_key(roster, [each.statement.key])
            if before is not None:
                raise _refused(AuthorisationFlaw.USED, f"{officer} has agreed to that by another statement before")
            consumed = Consumed(
                statement_sha256=sha256,
                act=claim.act,
                subject=claim.subject,
                officer=officer,
                key=each.statement.key,
                proposal_sha256=claim.proposal_sha256,
                tbs_sha256=claim.tbs_sha256,
                roster=roster.number,
                fact_sha256=claim.subject,
                counter=counter,
            )
            new.setdefault(officer, consumed)  # two keys of one person count once
        people.add(officer)
    if len(people) < officers_wanted(rules):
        raise _refused(
            AuthorisationFlaw.UNDECIDED,
            f"{counted(len(people), 'officer')} signed for it, and {officers_wanted(rules)} must",
        )
    if not keyed:
        raise _refused(AuthorisationFlaw.UNDECIDED, WANTING)
    return list(new.values())


def _agreed_before(store: Store, memory: Memory, rules: Rules, lost: Difference) -> Agreement | None:
    """Return what officers agreed to where all of it was entered before we died: nothing is lost any more.

    The row only says what it was; that officers agreed, and that nothing was sealed since, is remembered.
    """
    with store.read() as tx:
        told = _told(tx, lost.restored_to)
    accepted = [each for each in memory.acceptances() if each.what is Accepted.RESTORE]
    done = {each.after.get("difference_sha256") for each in accepted}
    if accepted and accepted[-1].after["number"] == str(memory.head.number):
        done.discard(accepted[-1].after.get("difference_sha256"))
    for said in told:
        sha256 = said.get("difference_sha256")
        if not isinstance(sha256, str) or sha256 in done:
            continue
        used = memory.consumed(sha256, _ACT)
        if len({each.officer for each in used}) >= officers_wanted(rules):
            return Agreement(difference_sha256=sha256, statements=tuple(sorted(each.statement_sha256 for each in used)))
    return None


def _told(tx: Transaction, restored_to: int) -> list[Mapping[str, object]]:
    waiting = journal.unsealed(tx, _MOST, only=[FactKind.RESTORE_ACCEPTED])
    said = [said_by(each.row) for each in waiting if each.row.actor == CONSOLE.name]
    return [each for each in said if each.get("restored_to") == restored_to]


def _tell(
    store: Store, lost: Difference, signed: Sequence[Authorisation], error: AuthorisationRefused, at: datetime
) -> None:
    """Say in the journal and in an alarm what does not count; the authority tells of it for a day (jobs/seal.py)."""
    people, why = ", ".join(sorted({each.statement.officer for each in signed})), str(error.fields["detail"])
    why = printable(why, _MOST_SAID)
    said: dict[str, Json] = {
        "kind": FactKind.RESTORE_ACCEPTED.value,
        "actor": printable(people, _MOST_SAID),
        "credential": None,
        "decision": None,
        "flaw": str(error.fields["flaw"]),
        "why": why,
        "fact_sha256": lost.sha256,
    }
    sentence = f"What is to authorise a restore does not count ({error.fields['flaw']}): {why}. Nothing was entered."
    alarm = Alarm(code=AlarmCode.ACT_UNPROVED, subject=AuthorisedAct.ACCEPT_RESTORE, since=at, sentence=sentence)
    with store.begin("refuse restore") as tx:
        facts.record(tx, Fact(kind=FactKind.FACT_REFUSED, at=at, actor=CONSOLE, payload=said))
        watching.raise_alarm(tx, ProcessRole.AUTHORITY, alarm)


def _refused(flaw: AuthorisationFlaw, detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=flaw, detail=detail)
