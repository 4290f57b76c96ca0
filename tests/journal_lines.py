"""The journal as whoever may read all of it sees it: payloads, in order of writing."""

from sqlalchemy import select

from core.facts import FactKind
from store.tables import journal
from tests.world import World


def lines(world: World, kind: FactKind | None = None) -> list[str]:
    """The payloads of the facts of a kind, or of all."""
    query = select(journal.c.payload).order_by(journal.c.id)
    if kind is not None:
        query = query.where(journal.c.kind == kind.value)
    with world.store.read() as tx:
        return [str(payload) for payload in tx.connection.execute(query).scalars()]
