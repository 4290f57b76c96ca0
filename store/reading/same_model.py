"""What else the register knows of a Device Model or a key: other applications, approvals, the NCSC's certificates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, select

from core.approval import Device
from core.kinds import UNDECIDED, ApplicationState
from store.tables import applications, approvals, organisations
from store.transactions import Transaction
from store.trial_tables import ncsc_certificates

MOST = 20
"""Of each what is told, the newest, and whether there is more: nobody compares more."""

# Looked at whenever a decision is shown or proposed: put together once.
_MOST, _DEVICE = bindparam("most", type_=Integer()), bindparam("device", type_=Text())
_APPROVALS = (
    select(approvals.c.identifier, organisations.c.name)
    .join(organisations, organisations.c.id == approvals.c.organisation_id)
    .where(approvals.c.device_key == _DEVICE)
    .order_by(approvals.c.granted_at.desc(), approvals.c.identifier.desc())
    .limit(_MOST)
)
_CERTIFIED = (
    select(ncsc_certificates.c.certificate, ncsc_certificates.c.approval)
    .join(approvals, approvals.c.identifier == ncsc_certificates.c.approval)
    .where(approvals.c.device_key == _DEVICE)
    .order_by(ncsc_certificates.c.approval)
    .limit(_MOST)
)


def _other_applications(so: ColumnElement[bool]) -> Select[Any]:
    c = applications.c
    return (
        select(c.id, organisations.c.name, c.state)
        .join(organisations, organisations.c.id == c.organisation_id)
        .where(so, c.id != bindparam("other_than"), c.state.in_(UNDECIDED))
        .order_by(c.submitted_at.desc(), c.id.desc())
        .limit(_MOST)
    )


_OF_DEVICE = _other_applications(applications.c.device_key == _DEVICE)
_WITH_KEY = _other_applications(applications.c.public_key_sha256 == bindparam("key"))


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
    return _applications(tx, _OF_DEVICE, {"device": device.key, "other_than": other_than, "most": limit})


def applications_with_key(
    tx: Transaction, public_key_sha256: str, *, other_than: str, limit: int
) -> list[OtherApplication]:
    """Return the applications that ask for a certificate of a public key and are not decided, the newest first."""
    return _applications(tx, _WITH_KEY, {"key": public_key_sha256, "other_than": other_than, "most": limit})


def approvals_of(tx: Transaction, device: Device, *, limit: int) -> list[tuple[str, str]]:
    """Return (identifier, Manufacturer's name) of each approval of a Device Model there ever was, the newest first."""
    rows = tx.connection.execute(_APPROVALS, {"device": device.key, "most": limit})
    return [(str(row.identifier), str(row.name)) for row in rows]


def certificates_for(tx: Transaction, device: Device, *, limit: int) -> list[NcscCertificate]:
    """Return the NCSC's certificates for a Device Model that are recorded, in order of approval."""
    rows = tx.connection.execute(_CERTIFIED, {"device": device.key, "most": limit})
    return [NcscCertificate(certificate=row.certificate, approval=row.approval) for row in rows]


def _applications(tx: Transaction, query: Select[Any], asked: Mapping[str, object]) -> list[OtherApplication]:
    rows = tx.connection.execute(query, asked)
    return [OtherApplication(id=row.id, organisation=row.name, state=row.state) for row in rows]
