"""journal: the sealed journal in pages, for officers and auditors, who prove it elsewhere (`trialcpa journal prove`).

What is sealed and under no signed head yet is left out: nobody could prove it.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from core.actors import Actor
from core.chain import journal_name
from policy.roles import Operation
from ra.access import authorise
from ra.auditing.views import JournalPage, LoggedRowAnswer
from ra.deciding.views import JournalHeadAnswer, SealedRowAnswer
from ra.desk import Desk
from ra.views import page
from store.reading import journal as reading
from store.reading import log
from store.reading.authority import authority_row
from store.reading.journal import Sealed
from store.transactions import Transaction


def journal(desk: Desk, actor: Actor, *, after: int, limit: int) -> JournalPage:
    """Return a page of the journal, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        after: the number of the last row of the page before; 0 for the first.
        limit: rows on the page.
    """
    return _page(desk, actor, reading.sealed_after, after=after, limit=limit)


def searched(
    desk: Desk,
    actor: Actor,
    said: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int,
    limit: int,
) -> JournalPage:
    """Return a page of what the journal has about a thing, an approval, a kind of fact or a person, in order.

    Rows that are found prove nothing by themselves: their links go through those between. Heads are those behind them.

    Args:
        desk: where.
        actor: who asks.
        said: an identifier, a kind or a name, whole; empty for all of a time.
        since: of what happened at this instant or later; None from the beginning.
        until: of what happened at this instant or before; None up to now.
        after: the number of the last row of the page before; 0 for the first.
        limit: rows on the page.
    """

    def about(tx: Transaction, behind: int, most: int) -> list[Sealed]:
        return reading.sealed_about(tx, said, behind, most, since=since, until=until)

    return _page(desk, actor, about, after=after, limit=limit)


def _page(
    desk: Desk, actor: Actor, rows_of: Callable[[Transaction, int, int], list[Sealed]], *, after: int, limit: int
) -> JournalPage:
    authorise(actor, Operation.READ_JOURNAL)
    with desk.store.read() as tx:
        authority = authority_row(tx)
        covered = reading.last_head(tx)
        rows = page(
            limit,
            lambda most: [each for each in rows_of(tx, after, most) if each.row.number <= covered],
            lambda each: str(each.row.number),
        )
        last = rows.found[-1].row.number if rows.found else after
        salts = log.salts(tx, [each.row.number for each in rows.found])
        heads = reading.heads_between(tx, after, last)
    return JournalPage(
        journal=journal_name(authority.name),
        public_key=authority.journal_key.hex(),
        rows=tuple(_logged(each, salts.get(each.row.number)) for each in rows.found),
        heads=tuple(
            JournalHeadAnswer(number=each.number, link=each.link.hex(), signature=each.signature.hex())
            for each in heads
        ),
        next=rows.next,
        truncated=rows.truncated,
    )


def _logged(each: reading.Sealed, salt: bytes | None) -> LoggedRowAnswer:
    return LoggedRowAnswer(
        row=SealedRowAnswer(**asdict(each.row)),
        link=each.link.hex(),
        salt=None if salt is None else salt.hex(),
        leaf=None if salt is None else each.row.number - 1,
    )
