"""Applications: submitted, and moved from state to state by conditional writes."""

from typing import Any

from sqlalchemy import bindparam, insert, select, update

from core.errors import NoSuchThing, WrongState
from core.kinds import ApplicationState
from store.rows import Application, firmware_text
from store.tables import applications
from store.transactions import Transaction
from store.trial_tables import application_versions

_INSERT = insert(applications)
_MOVE = update(applications).where(
    applications.c.id == bindparam("application"), applications.c.state == bindparam("needed")
)
_MOVE_VERSION = _MOVE.where(applications.c.version == bindparam("version_read"))


def submit(tx: Transaction, application: Application) -> None:
    """Write a new application."""
    tx.connection.execute(
        _INSERT,
        {
            "id": application.id,
            "organisation_id": application.organisation_id,
            "state": application.state,
            "submitted_at": application.submitted_at,
            "submitted_by": application.submitted_by,
            **_said(application),
        },
    )


def change(tx: Transaction, application: Application, *, version: int) -> None:
    """Write what an application says now, as its next version.

    Args:
        tx: open.
        application: as it is to be.
        version: the one that was read; the write repeats it.

    Raises:
        WrongState: it is not `submitted` any more, or another change came first.
    """
    won = tx.connection.execute(
        update(applications)
        .where(applications.c.id == application.id, applications.c.state == ApplicationState.SUBMITTED)
        .where(applications.c.version == version)
        .values(**_said(application), version=application.version, changed_at=application.changed_at)
    ).rowcount
    if not won:
        raise _wrong_state(tx, application.id, ApplicationState.SUBMITTED, version)


def keep_version(tx: Transaction, application: str, version: int, said: str) -> None:
    """Keep what an application says in words, before it is changed."""
    tx.connection.execute(insert(application_versions).values(application_id=application, version=version, said=said))


def move(
    tx: Transaction, identifier: str, *, needed: ApplicationState, to: ApplicationState, version: int | None = None
) -> None:
    """Move an application from state `needed` to state `to`.

    Args:
        tx: open.
        identifier: of the application.
        needed: the state it must be in.
        to: the state it is to be in.
        version: the version that was read, where what follows rests on what it says; None if nothing does.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is in another state, or another version of it; somebody acted at the same moment.
    """
    asked = {"application": identifier, "needed": needed, "state": to}
    moved = (
        tx.connection.execute(_MOVE, asked)
        if version is None
        else tx.connection.execute(_MOVE_VERSION, {**asked, "version_read": version})
    )
    if not moved.rowcount:
        raise _wrong_state(tx, identifier, needed, version)


def _said(application: Application) -> dict[str, Any]:
    """The columns that hold what the Manufacturer says, and what the rules find about it."""
    return {
        **application.device.listed(),
        "device_key": application.device.key,
        "smets_version": application.smets_version,
        "purpose": application.purpose,
        "start": application.start,
        "expiry": application.expiry,
        "maximum_devices": application.maximum_devices,
        "firmware": firmware_text(application.firmware),
        "csr": application.csr,
        "public_key": application.public_key,
        "public_key_sha256": application.public_key_sha256,
        "findings": application.findings,
        "gbcs_version": application.gbcs_version,
        "contact": application.contact,
        "assurance": application.assurance,
        "earlier_cpa": application.earlier_cpa,
    }


def _wrong_state(tx: Transaction, identifier: str, needed: ApplicationState, version: int | None) -> Exception:
    c = applications.c
    row = tx.connection.execute(select(c.state, c.version).where(c.id == identifier)).one_or_none()
    if row is None:
        return NoSuchThing(kind="application", identifier=identifier)
    found, wanted = str(row.state), str(needed)
    if version is not None and found == wanted:
        found, wanted = f"at version {row.version}", f"at version {version}"
    return WrongState(kind="Application", identifier=identifier, state=found, needed=wanted)
