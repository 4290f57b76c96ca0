"""The authority itself: its one row, its clock, its certificates, its lease."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.approval import RevocationReason
from core.errors import ClockRefused, HomeOccupied, LeaseLost
from core.identifiers import Environment, Serial
from core.instants import ONE_SECOND
from core.kinds import HierarchyRole
from store.tables import authority, authority_certificates, authority_ends, lease
from store.transactions import Transaction

LEASE_NAME = "authority"

_LAST_EPOCH = 2**62
"""An epoch that no number of changes reaches."""

_HELD = (
    update(lease)
    .where(lease.c.name == LEASE_NAME, lease.c.holder == bindparam("by"), lease.c.epoch == bindparam("under"))
    .values(epoch=bindparam("under"))
)

CLOCKS_DIFFER = timedelta(seconds=5)
"""How far the clocks of two machines may differ before one holds the other's lease for void."""


def create(
    tx: Transaction,
    *,
    name: str,
    environment: Environment,
    arc: str,
    base_url: str,
    journal_key: bytes,
    clock_offset: timedelta,
    at: datetime,
) -> None:
    """Write the authority's row; HomeOccupied if there is one."""
    try:
        tx.connection.execute(
            insert(authority).values(
                id=1,
                name=name,
                environment=environment,
                arc=arc,
                base_url=base_url,
                created_at=at,
                clock_offset=clock_offset // ONE_SECOND,
                journal_key=journal_key,
            )
        )
    except IntegrityError as error:
        raise HomeOccupied(path="the store") from error


def advance_clock(tx: Transaction, *, offset: timedelta) -> None:
    """Set the test clock's offset to a larger one; ClockRefused if it would run backwards or the authority is live."""
    won = tx.connection.execute(
        update(authority)
        .where(authority.c.environment == "test", authority.c.clock_offset <= offset // ONE_SECOND)
        .values(clock_offset=offset // ONE_SECOND)
    ).rowcount
    if not won:
        raise ClockRefused(detail="it would run backwards, or this is a live authority")


def intend_certificate(  # noqa: PLR0913 - what is meant to be signed, each column said once
    tx: Transaction,
    *,
    serial: Serial,
    role: HierarchyRole,
    tbs: bytes,
    tbs_sha256: str,
    key_id: str,
    subject: str,
    not_before: datetime,
    not_after: datetime,
    at: datetime,
) -> None:
    """Write a certificate of the hierarchy that is about to be signed."""
    tx.connection.execute(
        insert(authority_certificates).values(
            serial=serial,
            role=role,
            tbs=tbs,
            tbs_sha256=tbs_sha256,
            key_id=key_id,
            subject=subject,
            not_before=not_before,
            not_after=not_after,
            intended_at=at,
        )
    )


def issue_certificate(tx: Transaction, serial: Serial, *, der: bytes, at: datetime) -> bool:
    """Record a signed certificate of the hierarchy; return whether this call did it."""
    return bool(
        tx.connection.execute(
            update(authority_certificates)
            .where(authority_certificates.c.serial == serial, authority_certificates.c.der.is_(None))
            .values(der=der, issued_at=at)
        ).rowcount
    )


def take_lease(tx: Transaction, holder: str, *, real: datetime, length: timedelta) -> int | None:
    """Take or renew the lease under which one authority process signs.

    Args:
        tx: open.
        holder: this process; a name no other process has.
        real: the machine's instant: a lease is about machines, so a test clock does not touch it.
        length: how long it holds without renewal.

    Returns:
        The epoch, larger at each change of holder; None while another process holds it. A lease that ends later than
        any that is taken now is void: a wrong clock wrote it, or somebody who is no authority.
    """
    row = tx.connection.execute(select(lease).where(lease.c.name == LEASE_NAME)).one_or_none()
    if row is None:
        try:
            tx.connection.execute(
                insert(lease).values(name=LEASE_NAME, holder=holder, epoch=1, expires_at=real + length)
            )
        except IntegrityError:
            return None
        return 1
    if row.holder != holder and row.expires_at > real and not _void(row.expires_at, real=real, length=length):
        return None
    # No two holders have one name, so an epoch that was written by hand and cannot grow begins anew.
    next_epoch = int(row.epoch) + 1 if 0 <= row.epoch < _LAST_EPOCH else 1
    epoch = int(row.epoch) if row.holder == holder else next_epoch
    won = tx.connection.execute(
        update(lease)
        .where(lease.c.name == LEASE_NAME, lease.c.holder == row.holder, lease.c.epoch == row.epoch)
        .values(holder=holder, epoch=epoch, expires_at=real + length)
    ).rowcount
    return epoch if won else None


def end_certificate(tx: Transaction, serial: Serial, *, at: datetime, reason: RevocationReason) -> bool:
    """Record that a certificate of the hierarchy was ended before its time; return whether this call did it."""
    held = tx.connection.execute(select(authority_ends.c.serial).where(authority_ends.c.serial == serial)).scalar()
    if held is None:
        tx.connection.execute(insert(authority_ends).values(serial=serial, at=at, reason=int(reason)))
    return held is None


def void_lease(tx: Transaction, *, real: datetime, length: timedelta) -> datetime | None:
    """Return when the lease on record ends if that is so late that it is void; None if it is not."""
    until: datetime | None = tx.connection.execute(
        select(lease.c.expires_at).where(lease.c.name == LEASE_NAME)
    ).scalar_one_or_none()
    return until if until is not None and _void(until, real=real, length=length) else None


def _void(until: datetime, *, real: datetime, length: timedelta) -> bool:
    return until - real > length + CLOCKS_DIFFER


def require_lease(tx: Transaction, holder: str, epoch: int) -> None:
    """Raise LeaseLost unless this process holds the lease; locks the row, so nobody takes it before the commit."""
    if not tx.connection.execute(_HELD, {"by": holder, "under": epoch}).rowcount:
        raise LeaseLost(holder=holder)


def release_lease(tx: Transaction, holder: str, *, real: datetime) -> None:
    """Give the lease back, so that the next authority process need not wait for it to run out."""
    tx.connection.execute(
        update(lease).where(lease.c.name == LEASE_NAME, lease.c.holder == holder).values(expires_at=real - ONE_SECOND)
    )
