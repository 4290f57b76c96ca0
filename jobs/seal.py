"""seal: the journal's facts get their number, their link to the row before, and a signed head.

Everything from the remembered head on is read and linked again: a head is signed over what the rows say, never over
what they say their links are. If we die between sealing and the head's signature, the next turn signs a head over
what is sealed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.alarms import AlarmCode
from core.chain import DATED_AHEAD, head_statement, link
from core.errors import JournalChanged
from core.instants import parse, text
from jobs.acts import to_seal
from jobs.behind_head import require_as_sealed, take_back
from jobs.duty import Duty
from jobs.evidence import links_behind
from jobs.recall import signed_by_us
from memory.records import Head
from store.reading import journal
from store.reading.authority import authority_row
from store.reading.journal import Unsealed
from store.transactions import Transaction
from store.verbs import sealing

_MOST = 1_000
"""Facts sealed in one transaction."""


def seal(duty: Duty, at: datetime) -> int:
    """Seal what waits and sign the head; return how many facts were sealed.

    Raises:
        StoreWentBack: the row of the remembered head is not there any more.
        JournalChanged: its row, or one behind it, does not say what its link says.
    """
    take_back(duty, at)
    sealed = _seal_waiting(duty, at)
    _head(duty, at)
    return sealed


def _seal_waiting(duty: Duty, at: datetime) -> int:
    with duty.store.read() as tx:
        if not to_seal(duty, tx, 1):
            return 0  # an idle turn writes nothing, not even that it holds the lease
    with duty.begin("seal") as tx:
        number, digest, last_at = journal.last_sealed(tx)
        require_as_sealed(tx, duty.memory, number)  # its date is what all that follows is not dated behind
        waiting = to_seal(duty, tx, _MOST)
        if not waiting:
            return 0
        sealed_at = _sealed_at(duty, tx, waiting, at)
        if last_at is not None:
            sealed_at = max(sealed_at, parse(last_at))  # the order never runs backwards
        rows = []
        for each in waiting:
            number += 1
            digest = link(digest, replace(each.row, number=number, sealed_at=text(sealed_at)))
            rows.append((each.row_id, number, digest))
        return len(rows) if sealing.seal(tx, rows, at=sealed_at) else 0


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
            f"{len(ahead)} facts were dated ahead, as late as {text(max(ahead))}, when the authority's clock was at "
            f"{text(at)}; they are sealed with that instant.",
        )
    return max([at, *(each for each in dated if each - at <= DATED_AHEAD)])


def _head(duty: Duty, at: datetime) -> None:
    """Sign a head over what is sealed, if there is none."""
    known = duty.memory.head
    with duty.read() as tx:
        require_as_sealed(tx, duty.memory, known.number)
        rows = journal.sealed_after(tx, known.number, _MOST)
    links = links_behind(known.link, rows)
    for each, (number, digest) in zip(rows, links, strict=True):
        if (each.row.number, each.link) != (number, digest) or number != known.number + 1:
            raise JournalChanged(number=known.number + 1)
        known = Head(number=number, link=digest)
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
    # Before the signature: if we die behind it, this head is signed again, and no other one.
    duty.memory.remember([known], now=at, links=links)
    statement = head_statement(duty.keyring.profile.journal_name, known.number, known.link)
    signature = duty.keyring.journal.sign(statement)
    with duty.begin("keep head") as tx:
        sealing.keep_head(tx, number=known.number, link=known.link, signature=signature, at=at)
