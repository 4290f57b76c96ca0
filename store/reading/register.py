"""The public register at a checkpoint, as it is read."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, bindparam, select

from core.instants import text
from core.note import parse_checkpoint
from core.register import Moment
from store.reading.log import Checkpoint, documents_after
from store.tables import journal
from store.transactions import Store, Transaction

_SEALED = select(journal.c.sealed_at).where(journal.c.seal_number == bindparam("number", type_=BigInteger()))


def moment(tx: Transaction, of: Checkpoint) -> Moment:
    """Return the moment of a checkpoint."""
    at = tx.connection.execute(_SEALED, {"number": of.size}).scalar_one()
    return Moment(log=parse_checkpoint(of.note.encode()).origin, size=of.size, root=of.root, at=text(at))


def each_document(store: Store, upto: int) -> Iterator[tuple[str, str]]:
    """Give each approval with its last document up to a row that a checkpoint covers, by identifier.

    A page in a transaction of its own: what a checkpoint covers never changes, and nobody is held up by a long reader.
    """
    after = ""
    while True:
        with store.read() as tx:
            page = documents_after(tx, after, upto)
        if not page:
            return
        yield from page
        after = page[-1][0]
