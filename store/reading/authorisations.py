"""What officers have signed, and the roster as the authority shows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from store.officers_tables import authorisations, rosters
from store.rows import Authorised
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class ShownRoster:
    """A roster as the authority shows it; members are canonical JSON."""

    number: int
    members: str
    effective_at: datetime
    cause: str
    set_at: datetime


def kept(tx: Transaction, digests: Collection[str]) -> Mapping[str, Authorised]:
    """Return authorisations by the digests of their statements; those that there are."""
    if not digests:
        return {}
    query = select(authorisations).where(authorisations.c.statement_sha256.in_(digests))
    return {
        row.statement_sha256: Authorised(
            statement_sha256=row.statement_sha256,
            statement=row.statement,
            proof=row.proof,
            act=row.act,
            officer=row.officer,
            key=row.key,
            members=row.members,
        )
        for row in tx.connection.execute(query)
    }


def shown_rosters(tx: Transaction) -> list[ShownRoster]:
    """Return every roster that was shown, in order."""
    return [
        ShownRoster(
            number=int(row.number),
            members=row.members,
            effective_at=row.effective_at,
            cause=row.cause,
            set_at=row.set_at,
        )
        for row in tx.connection.execute(select(rosters).order_by(rosters.c.number))
    ]
