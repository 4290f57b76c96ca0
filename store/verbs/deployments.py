"""Deployments: batches as they come in, and stints, which begin, end or are taken back and are never changed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import DBAPIError

from core.deployments import Form, Stint
from core.errors import WrongState
from store.transactions import Transaction, violated
from store.trial_tables import deployment_batches, deployments, undone_ends


class DeviceTaken(Exception):
    """Another transaction has just deployed one of the devices; whoever catches it looks again at what is known."""


def open_batch(tx: Transaction, identifier: str, *, form: Form, content_sha256: str, by: str, at: datetime) -> None:
    """Write a batch of which no line has been taken yet."""
    tx.connection.execute(
        insert(deployment_batches).values(
            id=identifier, form=form, content_sha256=content_sha256, received_at=at, received_by=by
        )
    )


def count(tx: Transaction, batch: str, counts: Mapping[str, int]) -> None:
    """Add to what a batch counts: `lines`, `recorded`, `known`, `refused`."""
    columns = deployment_batches.c
    grown = {columns[name]: columns[name] + number for name, number in counts.items()}
    tx.connection.execute(update(deployment_batches).where(columns.id == batch).values(grown))


def begin_stints(tx: Transaction, batch: str, stints: Sequence[Stint], *, at: datetime) -> None:
    """Write new stints, with the ends and corrections that the same lines brought.

    Args:
        tx: the transaction.
        batch: that reported them.
        stints: in order of device, so that two transactions that want the same devices never wait for each other.
        at: when they are recorded.

    Raises:
        DeviceTaken: one of the devices is deployed already, by constraint; the transaction cannot go on.
    """
    if not stints:
        return
    with _one_stint_a_device():
        plain = [_written(each, batch, at) for each in stints if not each.undone]
        if plain:
            tx.connection.execute(insert(deployments), plain)
        for each in stints:
            if each.undone:  # deployed, taken out and put right within one report
                made = tx.connection.execute(
                    insert(deployments).returning(deployments.c.id), [_written(each, batch, at)]
                )
                _undo(tx, int(made.scalar_one()), each, batch, at)


def end_stints(tx: Transaction, batch: str, stints: Sequence[Stint], *, at: datetime) -> None:
    """Write what became of stints: their ends, and what corrections have taken back.

    Raises:
        WrongState: one of them is not as it was read any more; nothing of the transaction stands.
        DeviceTaken: one of the devices is deployed already, by constraint; the transaction cannot go on.
    """
    _end_open(tx, batch, [each for each in stints if each.ended_before is None and not each.newly_undone], at)
    over = [each for each in stints if each.ended_before is not None or each.newly_undone]
    # What is taken back first: it makes room for what goes on.
    for each in sorted(over, key=lambda stint: stint.open):
        _change(tx, batch, each, at)


def _change(tx: Transaction, batch: str, stint: Stint, at: datetime) -> None:
    """Write what became of a stint that had ended, or whose end is taken back."""
    c = deployments.c
    fate = _fate(stint, batch, at)
    if stint.decommissioned_at == stint.ended_before:
        for name in ("decommissioned_at", "decommission_recorded_at", "decommission_batch_id", "replaced_by"):
            del fate[name]
    as_read = c.decommissioned_at.is_(None) if stint.ended_before is None else c.decommissioned_at == stint.ended_before
    with _one_stint_a_device():
        changed = update(deployments).where(c.id == stint.id, c.voided_at.is_(None), as_read).values(fate)
        if tx.connection.execute(changed).rowcount != 1:
            raise WrongState(kind="Deployment", identifier="of this report", state="corrected", needed="as it was")
    if stint.id is not None:
        _undo(tx, stint.id, stint, batch, at)


def _undo(tx: Transaction, which: int, stint: Stint, batch: str, at: datetime) -> None:
    """Write the ends that are taken back."""
    rows = [
        {
            "deployment_id": which,
            "decommissioned_at": each.at,
            "recorded_at": (stint.end_recorded or at) if each.at == stint.ended_before else at,
            "replaced_by": each.by,
            "undone_at": at,
            "batch_id": batch,
            "reason": each.why,
        }
        for each in stint.newly_undone
    ]
    if rows:
        tx.connection.execute(insert(undone_ends), rows)


def _end_open(tx: Transaction, batch: str, stints: Sequence[Stint], at: datetime) -> None:
    if not stints:
        return
    columns = deployments.c
    fates = [{"which": each.id, **_fate(each, batch, at)} for each in stints]
    # The members of each fate that are columns are what is set.
    statement = update(deployments).where(
        columns.id == bindparam("which"), columns.decommissioned_at.is_(None), columns.voided_at.is_(None)
    )
    if tx.connection.execute(statement, fates).rowcount != len(stints):
        raise WrongState(kind="Deployment", identifier="of this report", state="ended or corrected", needed="open")


@contextmanager
def _one_stint_a_device() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if "uq_deployments_device" in violated(error) or "deployments.device_id" in violated(error):
            # What the database says repeats the device; it is not kept.
            raise DeviceTaken from None
        raise


def _written(stint: Stint, batch: str, at: datetime) -> dict[str, object]:
    return {
        "device_id": stint.device_id,
        "approval": stint.approval,
        "firmware_version": stint.firmware,
        "deployed_at": stint.deployed_at,
        "recorded_at": at,
        "batch_id": batch,
        **_fate(stint, batch, at),
    }


def _fate(stint: Stint, batch: str, at: datetime) -> dict[str, object]:
    ended, voided = stint.decommissioned_at is not None, stint.void_reason is not None
    return {
        "decommissioned_at": stint.decommissioned_at,
        "decommission_recorded_at": at if ended else None,
        "decommission_batch_id": batch if ended else None,
        "replaced_by": stint.replaced_by,
        "voided_at": at if voided else None,
        "void_batch_id": batch if voided else None,
        "void_reason": stint.void_reason,
    }
