"""settle: an operator looks where the register and what was published say different ends, and chooses a date.

An end that was published is never taken back, and its reason stays. What is chosen holds in both places afterwards, so
that nothing contradicts itself any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.actors import CONSOLE
from core.approval import EndCause, RevocationReason
from core.canonical import Json, read_json
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.instants import seconds, text
from core.kinds import HierarchyRole
from core.status import Revoked
from core.words import required
from jobs.acts import digest_of
from jobs.evidence import proved_facts
from jobs.publish import joined
from jobs.recall import require_not_behind
from memory.beliefs import Certified
from memory.memory import Memory
from memory.records import Acceptance, Accepted
from store.reading import approvals as approval_reading
from store.reading import work
from store.transactions import Store, Transaction
from store.verbs import approvals, facts


class Choice(StrEnum):
    """Whose date is to hold."""

    PUBLISHED = "published"
    REGISTER = "register"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A certificate whose end is published otherwise than the register has it.

    Args:
        approval: whose it is.
        published: the end that lists and answers say, from the authority's memory.
        register: as the register says it; None where it says that the certificate holds, or has none.
        listed_in: the newest list in force, if it says the published end.
        by_act: whether somebody made the end, in both; an expiry follows from the certificate and moves nothing.
    """

    approval: str
    published: Revoked
    register: Revoked | None
    listed_in: int | None
    by_act: bool

    @property
    def movable(self) -> bool:
        """Whether the register's date can be chosen."""
        return self.by_act and self.register is not None and self.register.at != self.published.at

    @property
    def later(self) -> bool:
        """Whether the register's date would make the end later than it was published."""
        return self.register is not None and self.register.at > self.published.at


def differences(store: Store, memory: Memory, at: datetime) -> list[Difference]:
    """Return every certificate whose published end the register does not have, in order of serial.

    Args:
        store: the register.
        memory: what the authority has published.
        at: now.
    """
    found = []
    for issuing in memory.hierarchy(HierarchyRole.ISSUING):
        newest = memory.newest_list(issuing.key_id, at)
        with store.read(whole=True) as tx:
            for ours, theirs in joined(_remembered(memory, issuing, at), approval_reading.ended(tx, at)):
                known = None if ours is None else memory.certificate(ours.serial)
                if ours is None or known is None or ours == theirs:
                    continue
                listed = newest is not None and ours.at <= newest.this_update
                difference = Difference(
                    approval=known.approval,
                    published=ours,
                    register=theirs,
                    listed_in=newest.number if newest is not None and listed else None,
                    by_act=memory.end(ours.serial) is not None and (theirs is None or theirs.at <= known.not_after),
                )
                found.append(difference)
    return found


def _remembered(memory: Memory, issuing: Certified, at: datetime) -> Iterator[Revoked]:
    return (ending.of(serial) for serial, ending in memory.endings(issuing.key_id, at))


def settle(
    store: Store, memory: Memory, difference: Difference, choice: Choice, at: datetime, sentence: str
) -> Revoked:
    """Let one date hold in the register and in what is published from now on; return the end.

    It is remembered before it is committed: no fact says so that the authority would not seal (jobs/acts.py). If we die
    between the two, the memory has the date that was chosen and no fact tells of it, but the memory's record; where the
    register differs still, it is settled again.

    Args:
        store: the register.
        memory: the authority's.
        difference: as it was shown.
        choice: whose date holds.
        at: now.
        sentence: why, in the operator's words.

    Raises:
        NothingSaid: there is no word in the sentence.
        WrongState: the difference is another one by now, or the register's date cannot be chosen.
        StoreWentBack: the register is older than what was sealed; that is accepted first, or put right.
    """
    required(sentence, of="why")
    published, register = difference.published, difference.register
    wrong = WrongState(
        kind="Certificate", identifier=published.serial, state="otherwise by now", needed="as it was shown"
    )
    if choice is Choice.REGISTER and not difference.movable:
        raise WrongState(
            kind="Certificate", identifier=published.serial, state="without a date to choose", needed="ended by an act"
        )
    end = published if choice is Choice.PUBLISHED or register is None else replace(published, at=register.at)
    said: dict[str, Json] = {
        "serial": end.serial,
        "published": text(published.at),
        "register": None if register is None else text(register.at),
        "settled": text(end.at),
        "reason": int(end.reason),
    }
    with store.begin("settle end") as tx:
        require_not_behind(tx, memory)
        approval_reading.hold(tx, [difference.approval])
        claim = work.claim_of(tx, end.serial)
        if claim is None or (claim.end if claim.end.at <= at else None) != register:
            raise wrong
        known = memory.certificate(end.serial)
        if known is None or memory.status(known, at) != published:
            raise wrong
        cause = _cause(end, claim.cause) if difference.by_act else None
        if not approvals.write_end(tx, end, fate=claim.fate, cause=cause, by_act=difference.by_act, at=at):
            raise wrong
        _end_approval_again(tx, memory, difference)
        fact = Fact(
            kind=FactKind.END_SETTLED,
            at=at,
            actor=CONSOLE,
            subject=difference.approval,
            approvals=(difference.approval,),
            payload=said,
        )
        facts.record(tx, fact)
        acceptance = Acceptance(
            what=Accepted.LIST,
            before={"serial": end.serial, "at": str(seconds(published.at))},
            after={"serial": end.serial, "at": str(seconds(end.at))},
            sentence=sentence,
            fact=digest_of(fact),
        )
        memory.remember([acceptance], now=at)
    return end


def _end_approval_again(tx: Transaction, memory: Memory, difference: Difference) -> None:
    """Let the register have the end of the approval that a sealed fact says, and the published end came of."""
    ends = (FactKind.APPROVAL_REVOKED, FactKind.APPROVAL_WITHDRAWN)
    for each in proved_facts(tx, memory, [difference.approval], ends):
        if each.row.at == text(difference.published.at):
            cause = EndCause(read_json(each.row.payload)["cause"])
            approvals.restore_end(tx, difference.approval, cause=cause, by=each.row.actor, at=difference.published.at)


def _cause(end: Revoked, register: EndCause | None) -> EndCause | None:
    """Return the cause that the register is to have: its own where that agrees with the published reason."""
    causes = {
        RevocationReason.KEY_COMPROMISE: (EndCause.KEY_COMPROMISE,),
        RevocationReason.PRIVILEGE_WITHDRAWN: (EndCause.SSC, EndCause.BREACH),
        RevocationReason.CESSATION_OF_OPERATION: (EndCause.MANUFACTURER,),
        RevocationReason.SUPERSEDED: (None,),
    }[end.reason]
    return register if register in causes else causes[0]
