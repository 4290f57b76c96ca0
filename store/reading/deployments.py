"""Deployments as they are counted and looked up: a stint that a correction took back never counts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all

from core.deployments import Form, Stint, UndoneEnd
from core.errors import NoSuchThing
from core.mirror import Units
from core.status import first_second_after
from store.portions import portions
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import deployment_batches, deployments, undone_ends


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A report of deployments and what became of its lines.

    Args:
        id: its identifier.
        form: in which it came.
        content_sha256: hex digest of the octets that were sent.
        received_at, received_by: when and by whom.
        lines, recorded, known, refused: how many; what is in none of the last three was ignored.
    """

    id: str
    form: Form
    content_sha256: str
    received_at: datetime
    received_by: str
    lines: int
    recorded: int
    known: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class AfterEnd:
    """An approval that has ended, since when, and how many devices are still deployed under it."""

    approval: str
    ended_at: datetime
    devices: int


def batch(tx: Transaction, identifier: str) -> Batch:
    """Return a batch; NoSuchThing if there is none."""
    row = tx.connection.execute(select(deployment_batches).where(deployment_batches.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="batch of deployments", identifier=identifier)
    return Batch(
        id=row.id,
        form=row.form,
        content_sha256=row.content_sha256,
        received_at=row.received_at,
        received_by=row.received_by,
        lines=row.lines,
        recorded=row.recorded,
        known=row.known,
        refused=row.refused,
    )


def stints_of(tx: Transaction, devices: Iterable[str], *, hold: bool = False) -> list[Stint]:
    """Return every stint of some devices, those taken back included, in order of device.

    Args:
        tx: the transaction.
        devices: EUI-64s, upper case.
        hold: whether the rows are held until the commit, so that none of them ends meanwhile.
    """
    found: list[Stint] = []
    columns = deployments.c
    for some in portions(sorted(devices)):
        query = select(
            columns.id,
            columns.device_id,
            columns.approval,
            columns.firmware_version,
            columns.deployed_at,
            columns.decommissioned_at,
            columns.decommission_recorded_at,
            columns.replaced_by,
            columns.void_reason,
        ).where(columns.device_id.in_(some))
        query = query.order_by(columns.device_id, columns.id)
        if hold:
            query = query.with_for_update()
        undone = _undone_ends(tx, some)
        found += [
            Stint(
                id=row.id,
                device_id=row.device_id,
                approval=row.approval,
                firmware=row.firmware_version,
                deployed_at=row.deployed_at,
                decommissioned_at=row.decommissioned_at,
                replaced_by=row.replaced_by,
                void_reason=row.void_reason,
                undone=tuple(undone[row.id]),
                ended_before=row.decommissioned_at,
                end_recorded=row.decommission_recorded_at,
                undone_before=len(undone[row.id]),
            )
            for row in tx.connection.execute(query)
        ]
    return found


def _undone_ends(tx: Transaction, devices: Sequence[str]) -> defaultdict[int, list[UndoneEnd]]:
    """The ends that were taken back, by stint."""
    c, stints = undone_ends.c, deployments.c
    query = (
        select(c.deployment_id, c.decommissioned_at, c.replaced_by, c.reason)
        .join(deployments, stints.id == c.deployment_id)
        .where(stints.device_id.in_(devices))
        .order_by(c.undone_at, c.decommissioned_at, c.reason)
    )
    found: defaultdict[int, list[UndoneEnd]] = defaultdict(list)
    for row in tx.connection.execute(query):
        found[row.deployment_id].append(UndoneEnd(row.decommissioned_at, row.replaced_by, row.reason))
    return found


def deployed_at(tx: Transaction, identifiers: Iterable[str], at: datetime) -> dict[str, int]:
    """Return how many devices are deployed under each of some approvals at an instant, as far as is known now."""
    columns = deployments.c
    counts = dict.fromkeys(identifiers, 0)
    for some in portions(sorted(counts)):
        query = select(columns.approval, func.count()).where(columns.approval.in_(some), _standing(at))
        for approval, number in tx.connection.execute(query.group_by(columns.approval)):
            counts[approval] = number
    return counts


def deployed_after_end(tx: Transaction, at: datetime, *, limit: int) -> list[AfterEnd]:
    """Return the approvals that have ended and under which devices are still deployed (F2.31), the oldest end first."""
    c, a = deployments.c, approvals.c
    over = (a.ended_at.is_not(None)) | (a.expiry < at)
    query = (
        select(a.identifier, a.expiry, a.ended_at, func.count().label("devices"))
        .join(deployments, c.approval == a.identifier)
        .where(over, c.decommissioned_at.is_(None), c.voided_at.is_(None))
        .group_by(a.identifier, a.expiry, a.ended_at)
        .order_by(a.expiry, a.identifier)
        .limit(limit)
    )
    return [
        AfterEnd(
            approval=row.identifier,
            ended_at=row.ended_at if row.ended_at is not None else first_second_after(row.expiry),
            devices=row.devices,
        )
        for row in tx.connection.execute(query)
    ]


def ever_standing(tx: Transaction, approval: str, *, since: datetime) -> int:
    """Return how many stints under an approval stood at some time from an instant on: at no instant were there more."""
    columns = deployments.c
    lasting = or_(columns.decommissioned_at.is_(None), columns.decommissioned_at > since)
    query = select(func.count()).where(columns.approval == approval, columns.voided_at.is_(None), lasting)
    return int(tx.connection.execute(query).scalar() or 0)


def first_deployed(tx: Transaction, approval: str) -> datetime | None:
    """Return the first instant at which a device was deployed under an approval, as far as is known now."""
    columns = deployments.c
    first = func.min(columns.deployed_at, type_=columns.deployed_at.type)
    return tx.connection.execute(
        select(first).where(columns.approval == approval, columns.voided_at.is_(None))
    ).scalar()


def peak(tx: Transaction, approval: str, first: datetime, last: datetime) -> tuple[int, datetime]:
    """Return the most devices deployed under an approval at once between two instants, both included, and since when.

    Args:
        tx: the transaction.
        approval: its identifier.
        first: second that is looked at.
        last: second that is looked at.
    """
    columns = deployments.c

    def moves(at: ColumnElement[datetime], change: int) -> Select[datetime, int]:
        mine = (columns.approval == approval, columns.voided_at.is_(None), at > first, at <= last)
        return select(at.label("at"), literal(change).label("change")).where(*mine)

    every = union_all(moves(columns.deployed_at, 1), moves(columns.decommissioned_at, -1)).subquery()
    # What happens in one second happens at once: a device that takes another's place is none more.
    change = func.sum(every.c.change).label("change")
    turns = select(every.c.at, change).group_by(every.c.at).subquery()
    more = func.sum(turns.c.change).over(order_by=turns.c.at).label("more")
    running = select(turns.c.at, more).subquery()
    query = select(running.c.at, running.c.more).order_by(running.c.more.desc(), running.c.at).limit(1)
    before = deployed_at(tx, [approval], first)[approval]
    found = tx.connection.execute(query).one_or_none()
    if found is None or found.more <= 0:
        return before, first
    return before + int(found.more), found.at


def ever_decommissioned(tx: Transaction, approval: str) -> int:
    """Return how many devices have been taken out under an approval."""
    columns = deployments.c
    ended = columns.decommissioned_at.is_not(None)
    query = select(func.count()).where(columns.approval == approval, columns.voided_at.is_(None), ended)
    return int(tx.connection.execute(query).scalar() or 0)


def units(tx: Transaction, approval: str, device_id: str, at: datetime) -> Units:
    """Return whether a device is deployed under an approval at an instant and, if it is not, how many are.

    Args:
        tx: the transaction.
        approval: its identifier.
        device_id: EUI-64, upper case.
        at: the present, or a past instant.
    """
    columns = deployments.c
    mine = select(columns.id).where(columns.device_id == device_id, columns.approval == approval, _standing(at))
    if tx.connection.execute(mine.limit(1)).scalar() is not None:
        return Units(among=True)
    return Units(among=False, deployed=deployed_at(tx, [approval], at)[approval])


def _standing(at: datetime) -> ColumnElement[bool]:
    columns = deployments.c
    return and_(
        columns.deployed_at <= at,
        columns.voided_at.is_(None),
        or_(columns.decommissioned_at.is_(None), columns.decommissioned_at > at),
    )
