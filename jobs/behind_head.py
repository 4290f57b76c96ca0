"""behind_head: rows that carry a number behind the last signed head, as nobody of ours would have sealed them.

Nothing was signed over them, so nothing is contradicted: the number is taken from them, and the facts wait to be sealed
as all others do. Otherwise one row of somebody's would stop the journal for ever, or date all that follows.
"""

from datetime import datetime

from core.alarms import AlarmCode
from core.chain import DATED_AHEAD, SealedRow, link
from core.errors import JournalChanged
from core.instants import text
from jobs.acts import pretended
from jobs.duty import Duty, later
from jobs.weigh import weighed
from memory.memory import Memory
from store.reading import journal
from store.reading.journal import Sealed
from store.transactions import Transaction
from store.verbs import sealing

_MOST = 1_000
"""Rows that are looked at in one turn: as many as get a number in one transaction."""


def take_back(duty: Duty, at: datetime) -> bool:
    """Take the number from every row behind the head, from the first on that is not as we would have sealed it.

    Rows that we sealed before we died, and before their head was signed, are right and stay. If we die here, the facts
    wait, and the next turn seals them.

    Returns:
        Whether a number was taken.

    Raises:
        JournalChanged: the row of the head itself does not say what was sealed: that is for people to put right.
    """
    with duty.read() as tx:
        if journal.last_sealed(tx)[0] <= duty.memory.head.number:
            return False
        right, number = _right_up_to(duty, tx, at)
    # What a row rests upon is asked outside of any transaction: what is consumed is remembered.
    flawed = weighed(duty, right, at)
    if flawed:
        number = right[min(flawed)].number - 1
    if number is None:
        return False
    duty.notice(
        AlarmCode.JOURNAL_CHANGED,
        f"Row {number + 1} of the journal carries a number or a date that the authority did not give it; what stands "
        "from there on is sealed anew. Look for whoever writes rows.",
        subject="behind the head",
    )
    with duty.begin("take back numbers") as tx:
        sealing.take_back(tx, behind=number)
    return True


def _right_up_to(duty: Duty, tx: Transaction, at: datetime) -> tuple[list[SealedRow], int | None]:
    """Return the rows that are linked and dated right, and the number of the last if one behind it is wrong."""
    head = duty.memory.head
    require_as_sealed(tx, duty.memory, head.number)
    number, digest = head.number, head.link
    newest = journal.sealed_after(tx, number - 1, 1)[0].row.sealed_at if number else ""
    latest = max(newest, text(later(at, DATED_AHEAD)))
    right: list[SealedRow] = []
    for each in journal.sealed_after(tx, number, _MOST):
        if each.row.number != number + 1 or not newest <= each.row.sealed_at <= latest:
            return right, number
        digest = link(digest, each.row)
        if each.link != digest or pretended(duty.memory, each.row):
            return right, number
        right.append(each.row)
        number, newest = each.row.number, each.row.sealed_at
    return right, None


def require_as_sealed(tx: Transaction, memory: Memory, number: int) -> None:
    """Raise JournalChanged unless a sealed row says what its link says, and that is the one that is remembered."""
    rows_behind(tx, memory, number, 0)


def rows_behind(tx: Transaction, memory: Memory, number: int, most: int) -> list[Sealed]:
    """Return sealed rows behind one that must be as it was sealed; JournalChanged as of `require_as_sealed`.

    Args:
        tx: open.
        memory: knows the links.
        number: the row that is required; 0 before the first.
        most: so many behind it.
    """
    if not number:
        return journal.sealed_after(tx, 0, most) if most else []
    before = memory.link_of(number - 1) or journal.link_of(tx, number - 1)
    found = journal.sealed_after(tx, number - 1, 1 + most)
    if before is None or not found or found[0].row.number != number:
        raise JournalChanged(number=number)
    computed = link(before, found[0].row)
    if computed != found[0].link or computed != (memory.link_of(number) or computed):
        raise JournalChanged(number=number)
    return found[1:]
