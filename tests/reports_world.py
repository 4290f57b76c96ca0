"""Deployments and entries of the Central Products List as the register would hold them, written without their acts."""

import hashlib
from datetime import datetime
from itertools import count

from sqlalchemy import delete, insert, update

from store.transactions import Transaction
from store.trial_tables import cpl_instructions, deployment_batches, deployments, reports

_number = count(1)


def forgotten(tx: Transaction) -> None:
    """Empty what reports are made from, and the reports."""
    for table in (reports, deployments, deployment_batches, cpl_instructions):
        tx.connection.execute(delete(table))


def device_id(number: int) -> str:
    digits = f"{number:016X}"
    return "-".join(digits[place : place + 2] for place in range(0, 16, 2))


def deployed(tx: Transaction, approval: str, devices: int, *, on: datetime, recorded: datetime) -> list[int]:
    """Devices that were deployed `on` and reported when; returns the numbers of their rows."""
    batch = f"batch-{next(_number)}"
    tx.connection.execute(
        insert(deployment_batches).values(
            id=batch,
            form="json",
            content_sha256=hashlib.sha256(batch.encode()).hexdigest(),
            received_at=recorded,
            received_by="dcc-system",
        )
    )
    made = [next(_number) for _ in range(devices)]
    if made:
        tx.connection.execute(
            insert(deployments),
            [
                {
                    "id": number,
                    "device_id": device_id(number),
                    "approval": approval,
                    "firmware_version": "0002012F",
                    "deployed_at": on,
                    "recorded_at": recorded,
                    "batch_id": batch,
                }
                for number in made
            ],
        )
    return made


def decommissioned(tx: Transaction, rows: list[int], *, on: datetime, recorded: datetime) -> None:
    tx.connection.execute(
        update(deployments)
        .where(deployments.c.id.in_(rows))
        .values(decommissioned_at=on, decommission_recorded_at=recorded)
    )


def voided(tx: Transaction, rows: list[int], *, at: datetime) -> None:
    tx.connection.execute(
        update(deployments).where(deployments.c.id.in_(rows)).values(voided_at=at, void_reason="It was another's.")
    )


def instruction(
    tx: Transaction, approval: str, kind: str, *, at: datetime, firmware: str = "0002012F", due: datetime | None = None
) -> str:
    """An instruction to the Panel, pending; returns its identifier."""
    identifier = f"cpl-{next(_number):08d}"
    tx.connection.execute(
        insert(cpl_instructions).values(
            id=identifier,
            approval=approval,
            firmware_version=firmware,
            firmware_key=firmware.casefold(),
            kind=kind,
            entry="{}",
            due=due or at,
            cause="expiry",
            instructed_at=at,
            state="pending",
        )
    )
    return identifier


def loaded(tx: Transaction, *identifiers: str, at: datetime) -> None:
    """The Panel acknowledges."""
    tx.connection.execute(
        update(cpl_instructions)
        .where(cpl_instructions.c.id.in_(identifiers))
        .values(state="loaded", acknowledged_at=at, acknowledged_by="panel-desk")
    )


def refused(tx: Transaction, identifier: str, *, at: datetime) -> None:
    """The Panel cannot load it."""
    tx.connection.execute(
        update(cpl_instructions)
        .where(cpl_instructions.c.id == identifier)
        .values(state="rejected", acknowledged_at=at, acknowledged_by="panel-desk", reason="Unknown model.")
    )
