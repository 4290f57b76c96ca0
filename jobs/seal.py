"""seal: the journal's facts get their number, their link to the row before, and a signed head.

Everything from the remembered head on is read and linked again: a head is signed over what the rows say, never over
what they say their links are. If we die between sealing and the head's signature, the next turn signs a head over
what is sealed.

Before a fact gets its number, what it rests upon is proved (jobs/weigh.py). A fact that rests upon nothing is refused:
it never gets one, and a fact of ours says which it was and why. A row that somebody else has numbered is weighed before
a head is signed over it.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from ca.signing import verified_signature
from core.actors import AUTHORITY, CONSOLE
from core.alarms import AlarmCode
from core.chain import DATED_AHEAD, head_statement, link
from core.errors import JournalChanged
from core.facts import Fact, FactKind
from core.instants import parse, text
from core.words import counted
from jobs.acts import to_seal
from jobs.behind_head import require_as_sealed, rows_behind, take_back
from jobs.duty import Duty
from jobs.evidence import links_behind
from jobs.leaves import Numbered, StillWaiting, make_leaves
from jobs.log import tip_under
from jobs.recall import signed_by_us
from jobs.resting import said_by
from jobs.weigh import Flawed, weighed
from memory.records import Head
from store.reading import journal
from store.reading import log as reading
from store.reading.authority import authority_row
from store.reading.journal import Unsealed
from store.transactions import Transaction
from store.verbs import facts, sealing

_MOST = 1_000
"""Facts sealed in one transaction."""

SECONDS = 1.0
"""For how long one call goes on with portions that are full: behind an act upon many approvals."""


def seal(duty: Duty, at: datetime) -> int:
    """Seal what waits and sign the head; return how many facts were sealed.

    Raises:
        StoreWentBack: the row of the remembered head is not there any more.
        JournalChanged: its row, or one behind it, does not say what its link says.
    """
    take_back(duty, at)
    done, until = 0, time.monotonic() + SECONDS
    while True:
        some, own = _seal_waiting(duty, at)
        _head(duty, own, at)
        done += some
        if some < _MOST or time.monotonic() >= until:
            return done


def seal_own(duty: Duty, at: datetime) -> int:
    """Seal what the jobs of this turn have written, so that nobody has to take another turn for it.

    Where somebody else has acted meanwhile, nothing is sealed twice within a moment: the next turn, which follows at
    once, seals theirs with ours.

    Returns:
        How many facts were sealed.
    """
    done, own = _seal_waiting(duty, at, own=True)
    if done:
        _head(duty, own, at)
    return done


def _seal_waiting(duty: Duty, at: datetime, *, own: bool = False) -> tuple[int, frozenset[bytes]]:
    """Seal what waits; return how many facts were sealed or refused, and the links of those that were sealed.

    Args:
        duty: who seals.
        at: now.
        own: whether nothing is sealed where what somebody else has done waits.
    """
    with duty.read() as tx:
        found = to_seal(duty, tx, _MOST)
    if own and any(each.row.actor != AUTHORITY.name for each in found):
        return 0, frozenset()
    if not found:
        return 0, frozenset()  # an idle turn writes nothing, not even that it holds the lease
    flawed = weighed(duty, [each.row for each in found], at)
    known = {each.row_id: (each.row, flawed.get(place)) for place, each in enumerate(found)}
    with duty.begin("seal") as tx:
        number, digest, last_at = journal.last_sealed(tx)
        require_as_sealed(tx, duty.memory, number)  # its date is what all that follows is not dated behind
        # What came since, or is another fact since, is weighed in the next turn.
        standing = to_seal(duty, tx, _MOST)
        same = [each for each in standing if known.get(each.row_id, (None,))[0] == each.row]
        refused = [(each, flaw) for each in same if (flaw := known[each.row_id][1]) is not None]
        for each, flaw in refused:
            _refuse(duty, tx, each, flaw, at)
        waiting = [each for each in same if known[each.row_id][1] is None]
        if not waiting:
            return len(refused), frozenset()
        sealed_at = _sealed_at(duty, tx, waiting, at)
        if last_at is not None:
            sealed_at = max(sealed_at, parse(last_at))  # the order never runs backwards
        rows, numbered = [], []
        for each in waiting:
            number += 1
            row = replace(each.row, number=number, sealed_at=text(sealed_at))
            digest = link(digest, row)
            rows.append((each.row_id, number, digest))
            numbered.append(Numbered(row=row, approvals=each.approvals))
        if not sealing.seal(tx, rows, at=sealed_at):
            return len(refused), frozenset()
        made = make_leaves(tx, numbered, _still_waiting(tx, standing, waiting))
        _tell_unsayable(duty, made.unsayable)
        _tell_refused(duty, waiting)
        return len(refused) + len(rows), frozenset(each for _, _, each in rows)


def _refuse(duty: Duty, tx: Transaction, fact: Unsealed, flaw: Flawed, at: datetime) -> None:
    """Never seal a fact, and say so: in the journal, in an alarm, and to whoever answers about what it touches."""
    row = fact.row
    sealing.refuse(tx, fact.row_id, why=f"{flaw.flaw}: {flaw.why}")
    facts.record(
        tx,
        Fact(
            kind=FactKind.FACT_REFUSED,
            at=at,
            actor=AUTHORITY,
            subject=row.subject,
            approvals=fact.approvals,
            payload=flaw.told(row),
        ),
    )
    duty.notice(
        AlarmCode.ACT_UNPROVED,
        f"The register says {row.kind} of {row.subject}, by {row.actor}, and that is not proved ({flaw.flaw}): "
        f"{flaw.why}. It is not sealed, and nothing follows from it.",
        subject=row.subject or row.kind,
    )


def _still_waiting(tx: Transaction, standing: Sequence[Unsealed], sealed: Sequence[Unsealed]) -> StillWaiting:
    """Return how it is told which approvals a fact touches that waits behind those that are sealed.

    Args:
        tx: open, in which they were sealed.
        standing: what waited, in this transaction; all of it, if it is less than a portion.
        sealed: those that are.
    """
    if len(standing) >= _MOST:
        return partial(reading.touched_by_waiting, tx)
    done = {each.row_id for each in sealed}
    # What is refused is among them: the fact that says so waits, and touches the same.
    left = {approval for each in standing if each.row_id not in done for approval in each.approvals}
    return lambda _: left


def _tell_unsayable(duty: Duty, approvals: Sequence[str]) -> None:
    if approvals:
        duty.notice(
            AlarmCode.REGISTER_CONTRADICTS,
            f"What the register says of {approvals[0]} cannot be said in public ({len(approvals)} such approvals): the "
            "log says nothing new of it. Look for whoever writes rows.",
            subject="what the log carries",
        )


def _tell_refused(duty: Duty, sealed: Sequence[Unsealed]) -> None:
    """Tell of what an operator's command has refused while no authority was at work (jobs/restore_agreed.py)."""
    for each in sealed:
        if each.row.kind == FactKind.FACT_REFUSED and each.row.actor == CONSOLE.name:
            said = said_by(each.row)
            duty.notice(
                AlarmCode.ACT_UNPROVED,
                f"What was to authorise {said.get('kind')}, by {said.get('actor')}, did not count "
                f"({said.get('flaw')}): {said.get('why')}. Nothing followed from it.",
                subject=str(said.get("kind")),
            )


def _sealed_at(duty: Duty, tx: Transaction, waiting: Sequence[Unsealed], at: datetime) -> datetime:
    """Return the sealer's instant: not behind what it seals, but for what is dated ahead by more than clocks differ."""
    dated = [parse(each.row.at) for each in waiting]
    if max(dated) - at > DATED_AHEAD and duty.memory.begun.environment == "test":
        # A test authority's clock was moved on in the instant since our own was asked.
        at = max(at, duty.machine.now() + authority_row(tx).clock_offset)
    ahead = [each for each in dated if each - at > DATED_AHEAD]
    if ahead:
        duty.notice(
            AlarmCode.FACT_AHEAD,
            f"{counted(len(ahead), 'fact')} dated ahead, as late as {text(max(ahead))}, when the authority's clock was "
            f"at {text(at)}: sealed with that instant.",
        )
    return max([at, *(each for each in dated if each - at <= DATED_AHEAD)])


def _head(duty: Duty, own: Collection[bytes], at: datetime) -> None:
    """Sign a head over what is sealed, if there is none.

    Args:
        duty: who signs.
        own: the links of rows that this turn has weighed and sealed.
        at: now.
    """
    known = duty.memory.head
    with duty.read() as tx:
        rows = rows_behind(tx, duty.memory, known.number, _MOST)
    links = links_behind(known.link, rows)
    for each, (number, digest) in zip(rows, links, strict=True):
        if (each.row.number, each.link) != (number, digest) or number != known.number + 1:
            raise JournalChanged(number=known.number + 1)
        known = Head(number=number, link=digest)
    if any(each.link not in own for each in rows) and take_back(duty, at):
        return  # somebody has numbered a row since this turn began
    if not known.number:
        return
    with duty.read() as tx:
        held = journal.head_link(tx, known.number)
        above = journal.heads_after(tx, known.number, _MOST)
    # Another process of ours may have signed one since it was asked: that is no forgery.
    forged = next((each.number for each in above if not signed_by_us(duty.keyring, each)), None)
    if forged is not None:
        duty.notice(
            AlarmCode.JOURNAL_CHANGED,
            f"The register has a head for row {forged} of the journal, and the authority has signed none.",
            subject="heads",
        )
    if held == known.link:
        return
    tip = tip_under(duty, known, rows)
    # Before the signatures: if we die behind it, this head and this tree are signed again, and no other ones.
    duty.memory.remember([known] if tip is None else [known, tip.tree], now=at, links=links)
    statement = head_statement(duty.keyring.profile.journal_name, known.number, known.link)
    signature = verified_signature(duty.keyring.journal, statement, "a head of the journal")
    checkpoint = None if tip is None else tip.signed()
    with duty.begin("keep head") as tx:
        sealing.keep_head(tx, number=known.number, link=known.link, signature=signature, at=at)
        if tip is not None and checkpoint is not None:
            tip.keep(tx, checkpoint, at)
    if tip is not None:
        tip.shown()
