"""What the register says of how the service is doing: the lease, what waits to be sealed, listed or signed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from store.tables import certificates, journal, lease
from store.transactions import Transaction


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What the authority process has left to do, and whether there is one.

    Args:
        lease_until: when the lease runs out, by the machine's clock; None if there never was one.
        unsealed: facts without a number.
        unsealed_since: the instant of the oldest of them, by the authority's clock.
        unlisted: certificates that have ended and are on no CRL.
        unlisted_since: the earliest of their ends.
        presign_due: certificates whose OCSP answers are due to be signed.
        presign_due_since: the earliest instant at which one became due.
    """

    lease_until: datetime | None
    unsealed: int
    unsealed_since: datetime | None
    unlisted: int
    unlisted_since: datetime | None
    presign_due: int
    presign_due_since: datetime | None


def backlog(tx: Transaction, at: datetime) -> Backlog:
    """Return what is left to do at `at`, by the authority's clock."""
    c, j = certificates.c, journal.c
    until = tx.connection.execute(select(func.max(lease.c.expires_at, type_=lease.c.expires_at.type))).scalar()
    unsealed = tx.connection.execute(
        select(func.count(), func.min(j.at, type_=j.at.type)).where(j.seal_number.is_(None))
    ).one()
    unlisted = tx.connection.execute(
        select(func.count(), func.min(c.ends_at, type_=c.ends_at.type)).where(c.listed_in.is_(None), c.ends_at <= at)
    ).one()
    due = tx.connection.execute(
        select(func.count(), func.min(c.presign_due, type_=c.presign_due.type)).where(c.presign_due <= at)
    ).one()
    return Backlog(
        lease_until=until,
        unsealed=int(unsealed[0]),
        unsealed_since=unsealed[1],
        unlisted=int(unlisted[0]),
        unlisted_since=unlisted[1],
        presign_due=int(due[0]),
        presign_due_since=due[1],
    )
