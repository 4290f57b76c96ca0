"""Deployments: batches as they come in, and stints, which begin, end or are taken back and are never changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import DBAPIError

from core.deployments import Form, Stint
from core.errors import WrongState
from store.transactions import Transaction, violated
from store.trial_tables import deployment_batches, deployments


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
    written = [
        {
            "device_id": each.device_id,
            "approval": each.approval,
            "firmware_version": each.firmware,
            "deployed_at": each.deployed_at,
            "recorded_at": at,
            "batch_id": batch,
            **_fate(each, batch, at),
        }
        for each in stints
    ]
    try:
        tx.connection.execute(insert(deployments), written)
    except DBAPIError as error:
        if "uq_deployments_device" in violated(error) or "deployments.device_id" in violated(error):
            # What the database says repeats the device; it is not kept.
            raise DeviceTaken from None
        raise


def end_stints(tx: Transaction, batch: str, stints: Sequence[Stint], *, at: datetime) -> None:
    """Write the ends and corrections of stints that were open when they were read.

    Raises:
        WrongState: one of them was not open any more; nothing of the transaction stands.
    """
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
