"""Applications: submitted, and moved from state to state by conditional writes."""

from datetime import datetime

from sqlalchemy import insert, select, update

from core.errors import NoSuchThing, WrongState
from store.rows import Application, firmware_text
from store.tables import applications
from store.transactions import Transaction


def submit(tx: Transaction, application: Application) -> None:
    """Write a new application."""
    tx.connection.execute(
        insert(applications).values(
            id=application.id,
            organisation_id=application.organisation_id,
            state=application.state,
            device_type=application.device.type,
            manufacturer=application.device.manufacturer,
            model=application.device.model,
            hardware_version=application.device.hardware_version,
            device_key=application.device.key,
            smets_version=application.smets_version,
            purpose=application.purpose,
            start=application.start,
            expiry=application.expiry,
            maximum_devices=application.maximum_devices,
            firmware=firmware_text(application.firmware),
            csr=application.csr,
            public_key=application.public_key,
            public_key_sha256=application.public_key_sha256,
            findings=application.findings,
            submitted_at=application.submitted_at,
            submitted_by=application.submitted_by,
            gbcs_version=application.gbcs_version,
            contact=application.contact,
            assurance=application.assurance,
            earlier_cpa=application.earlier_cpa,
        )
    )


def move(tx: Transaction, identifier: str, *, needed: str, to: str) -> None:
    """Move an application from state `needed` to state `to`.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is in another state; somebody acted at the same moment.
    """
    won = tx.connection.execute(
        update(applications).where(applications.c.id == identifier, applications.c.state == needed).values(state=to)
    ).rowcount
    if won:
        return
    state = tx.connection.execute(select(applications.c.state).where(applications.c.id == identifier)).scalar()
    if state is None:
        raise NoSuchThing(kind="application", identifier=identifier)
    raise WrongState(kind="Application", identifier=identifier, state=state, needed=needed)


def cancel(tx: Transaction, identifier: str, *, at: datetime) -> None:  # noqa: ARG001 - the fact carries the instant
    """Cancel an application that has not been proposed for decision."""
    move(tx, identifier, needed="submitted", to="cancelled")
