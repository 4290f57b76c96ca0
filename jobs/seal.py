"""seal: the journal's facts get their number, their link to the row before, and a signed head.

Everything from the remembered head on is read and linked again: a head is signed over what the rows say, never over
what they say their links are. If we die between sealing and the head's signature, the next turn signs a head over
what is sealed.
"""

from dataclasses import replace
from datetime import datetime

from core.chain import head_statement, link
from core.errors import JournalChanged
from core.instants import parse, text
from jobs.duty import Duty
from jobs.evidence import links_behind
from memory.records import Head
from store.reading import journal
from store.verbs import sealing

_MOST = 1_000
"""Facts sealed in one transaction."""


def seal(duty: Duty, at: datetime) -> int:
    """Seal what waits and sign the head; return how many facts were sealed.

    Raises:
        StoreWentBack: the row of the remembered head is not there any more.
        JournalChanged: a row behind it does not say what its link says.
    """
    sealed = _seal_waiting(duty, at)
    _head(duty, at)
    return sealed


def _seal_waiting(duty: Duty, at: datetime) -> int:
    with duty.store.read() as tx:
        if not journal.unsealed(tx, 1):
            return 0  # an idle turn writes nothing, not even that it holds the lease
    with duty.begin("seal") as tx:
        number, digest, last_at = journal.last_sealed(tx)
        waiting = journal.unsealed(tx, _MOST)
        if not waiting:
            return 0
        # The order never runs backwards: not behind the row before, nor behind what it seals.
        sealed_at = max([at, *([parse(last_at)] if last_at else []), *(parse(each.row.at) for each in waiting)])
        rows = []
        for each in waiting:
            number += 1
            digest = link(digest, replace(each.row, number=number, sealed_at=text(sealed_at)))
            rows.append((each.row_id, number, digest))
        return len(rows) if sealing.seal(tx, rows, at=sealed_at) else 0


def _head(duty: Duty, at: datetime) -> None:
    """Sign a head over what is sealed, if there is none."""
    known = duty.memory.head
    with duty.read() as tx:
        rows = journal.sealed_after(tx, known.number, _MOST)
        signed = journal.last_head(tx)
    links = links_behind(known.link, rows)
    for each, (number, digest) in zip(rows, links, strict=True):
        if (each.row.number, each.link) != (number, digest) or number != known.number + 1:
            raise JournalChanged(number=known.number + 1)
        known = Head(number=number, link=digest)
    if known.number <= signed:
        return
    # Before the signature: if we die behind it, this head is signed again, and no other one.
    duty.memory.remember([known], now=at, links=links)
    statement = head_statement(duty.keyring.profile.journal_name, known.number, known.link)
    signature = duty.keyring.journal.sign(statement)
    with duty.begin("keep head") as tx:
        sealing.keep_head(tx, number=known.number, link=known.link, signature=signature, at=at)
