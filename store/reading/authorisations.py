"""What officers have signed, and the roster as the authority shows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from store.officers_tables import authorisations, rosters
from store.rows import Authorised
from store.transactions import Transaction

_SHOWN = select(rosters).order_by(rosters.c.number)

_LONGEST = 8_192
"""Characters of a statement, or of a proof (officers/statement.py)."""

_LONGEST_LIST = 512 * 1024
"""Characters of what a statement lists; 2,000 decisions with their drafts have 350,000."""

_KEPT = select(authorisations).where(
    authorisations.c.statement_sha256.in_(bindparam("digests", expanding=True)),
    func.length(authorisations.c.statement) <= _LONGEST,
    func.length(authorisations.c.proof) <= _LONGEST,
    func.coalesce(func.length(authorisations.c.members), 0) <= _LONGEST_LIST,
)


@dataclass(frozen=True, kw_only=True)
class ShownRoster:
    """A roster as the authority shows it; members are canonical JSON."""

    number: int
    members: str
    effective_at: datetime
    cause: str
    set_at: datetime


def kept(tx: Transaction, digests: Collection[str]) -> Mapping[str, Authorised]:
    """Return authorisations by the digests of their statements; those that there are, and that are no larger than any.

    Whoever writes rows may write what no memory holds; the database alone looks at that.
    """
    if not digests:
        return {}
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
        for row in tx.connection.execute(_KEPT, {"digests": list(digests)})
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
        for row in tx.connection.execute(_SHOWN)
    ]
