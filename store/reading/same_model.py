"""What else the register knows of a Device Model or a key: other applications, approvals, the NCSC's certificates."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from core.approval import Device
from core.kinds import UNDECIDED, ApplicationState
from store.tables import applications, approvals, organisations
from store.transactions import Transaction
from store.trial_tables import ncsc_certificates

MOST = 20
"""Of each what is told, the newest, and whether there is more: nobody compares more."""


@dataclass(frozen=True, kw_only=True)
class OtherApplication:
    """An application that is not decided, and whose it is."""

    id: str
    organisation: str
    state: ApplicationState


@dataclass(frozen=True, kw_only=True)
class NcscCertificate:
    """A certificate of the NCSC for the model, and for which approval it was recorded."""

    certificate: str
    approval: str


def applications_for(tx: Transaction, device: Device, *, other_than: str, limit: int) -> list[OtherApplication]:
    """Return the applications for a Device Model that are not decided, the newest first."""
    return _applications(tx, applications.c.device_key == device.key, other_than, limit)


def applications_with_key(
    tx: Transaction, public_key_sha256: str, *, other_than: str, limit: int
) -> list[OtherApplication]:
    """Return the applications that ask for a certificate of a public key and are not decided, the newest first."""
    return _applications(tx, applications.c.public_key_sha256 == public_key_sha256, other_than, limit)


def approvals_of(tx: Transaction, device: Device, *, limit: int) -> list[tuple[str, str]]:
    """Return (identifier, Manufacturer's name) of each approval of a Device Model there ever was, the newest first."""
    c = approvals.c
    query = (
        select(c.identifier, organisations.c.name)
        .join(organisations, organisations.c.id == c.organisation_id)
        .where(c.device_key == device.key)
        .order_by(c.granted_at.desc(), c.identifier.desc())
    )
    return [(str(row.identifier), str(row.name)) for row in tx.connection.execute(query.limit(limit))]


def certificates_for(tx: Transaction, device: Device, *, limit: int) -> list[NcscCertificate]:
    """Return the NCSC's certificates for a Device Model that are recorded, in order of approval."""
    c = ncsc_certificates.c
    query = (
        select(c.certificate, c.approval)
        .join(approvals, approvals.c.identifier == c.approval)
        .where(approvals.c.device_key == device.key)
        .order_by(c.approval)
    )
    return [
        NcscCertificate(certificate=row.certificate, approval=row.approval)
        for row in tx.connection.execute(query.limit(limit))
    ]


def _applications(tx: Transaction, so: ColumnElement[bool], other_than: str, limit: int) -> list[OtherApplication]:
    c = applications.c
    query = (
        select(c.id, organisations.c.name, c.state)
        .join(organisations, organisations.c.id == c.organisation_id)
        .where(so, c.id != other_than, c.state.in_(UNDECIDED))
        .order_by(c.submitted_at.desc(), c.id.desc())
    )
    rows = tx.connection.execute(query.limit(limit))
    return [OtherApplication(id=row.id, organisation=row.name, state=row.state) for row in rows]
