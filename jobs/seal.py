"""seal: the journal's facts get their number, their link to the row before, and a signed head.

If we die between sealing and the head's signature, the next turn signs a head over what is sealed.
"""

from dataclasses import replace
from datetime import datetime

from core.chain import head_statement, link
from core.instants import parse, text
from jobs.duty import Duty
from store.reading import journal
from store.verbs import sealing

_MOST = 1_000
"""Facts sealed in one transaction."""


def seal(duty: Duty, at: datetime) -> int:
    """Seal what waits and sign the head; return how many facts were sealed."""
    sealed = _seal_waiting(duty, at)
    with duty.store.read() as tx:
        number, digest, _ = journal.last_sealed(tx)
        signed = journal.last_head(tx)
    if number > signed:
        signature = duty.keyring.journal.sign(head_statement(duty.keyring.profile.journal_name, number, digest))
        with duty.begin("keep head") as tx:
            sealing.keep_head(tx, number=number, link=digest, signature=signature, at=at)
    if sealed and duty.watermark is not None:
        # After the commit: what it names is in the register. If we die here it names a row that still is.
        duty.watermark.write(number, digest)
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
