"""The authority: its row and its certificates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from core.approval import RevocationReason
from core.errors import HomeMissing
from core.identifiers import Environment, Serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from core.status import Revoked
from store.tables import authority, authority_certificates, authority_ends, ocsp_answers
from store.transactions import Store, Transaction, read_once

_C = authority_certificates.c
_AUTHORITY = select(authority).where(authority.c.id == 1)
_CERTIFICATES = select(authority_certificates).where(_C.der.is_not(None)).order_by(_C.issued_at, _C.serial)
_INTENDED = select(authority_certificates).where(_C.der.is_(None)).order_by(_C.intended_at)
_OFFSET = select(authority.c.clock_offset).where(authority.c.id == 1)
_ENDS = select(authority_ends).order_by(authority_ends.c.serial)
_OF_ROLE = _C.role == bindparam("role")
_CERTIFICATES_OF_ROLE, _INTENDED_OF_ROLE = _CERTIFICATES.where(_OF_ROLE), _INTENDED.where(_OF_ROLE)


@dataclass(frozen=True, kw_only=True)
class AuthorityRow:
    """The authority's one row."""

    name: str
    environment: Environment
    arc: str
    base_url: str
    created_at: datetime
    clock_offset: timedelta
    journal_key: bytes


@dataclass(frozen=True, kw_only=True)
class IntendedCertificate:
    """A certificate of the hierarchy that is written and not signed: the ceremony or a renewal died there."""

    serial: Serial
    role: HierarchyRole
    tbs: bytes
    key_id: str
    intended_at: datetime


@read_once
def authority_row(tx: Transaction) -> AuthorityRow:
    """Return the authority's row; HomeMissing if the store holds none."""
    row = tx.connection.execute(_AUTHORITY).one_or_none()
    if row is None:
        raise HomeMissing(path="the store")
    return AuthorityRow(
        name=row.name,
        environment=row.environment,
        arc=row.arc,
        base_url=row.base_url,
        created_at=row.created_at,
        clock_offset=timedelta(seconds=row.clock_offset),
        journal_key=bytes(row.journal_key),
    )


def clock_offset(store: Store) -> timedelta:
    """Return how far the test clock runs ahead; zero before there is an authority."""
    with store.read() as tx:
        value = tx.connection.execute(_OFFSET).scalar()
    return timedelta(seconds=int(value or 0))


def certificates(tx: Transaction, role: HierarchyRole | None = None) -> list[AuthorityCertificate]:
    """Return the signed certificates of the hierarchy, oldest first, of one role or all."""
    rows = tx.connection.execute(*((_CERTIFICATES,) if role is None else (_CERTIFICATES_OF_ROLE, {"role": role})))
    return [_certificate(row) for row in rows]


def ends(tx: Transaction) -> list[Revoked]:
    """Return what was ended in the hierarchy before its time, in order of serials."""
    rows = tx.connection.execute(_ENDS)
    return [Revoked(serial=Serial(row.serial), at=row.at, reason=RevocationReason(row.reason)) for row in rows]


def answers_under(tx: Transaction) -> dict[Serial, int]:
    """Return how many OCSP answers there are under each responder's certificate, by its serial. It reads them all."""
    c = ocsp_answers.c
    rows = tx.connection.execute(select(c.responder_serial, func.count().label("held")).group_by(c.responder_serial))
    return {Serial(row.responder_serial): int(row.held) for row in rows}


def intended(tx: Transaction, role: HierarchyRole | None = None) -> list[IntendedCertificate]:
    """Return certificates of the hierarchy that are written and not signed, oldest first, of one role or all."""
    rows = tx.connection.execute(*((_INTENDED,) if role is None else (_INTENDED_OF_ROLE, {"role": role})))
    return [
        IntendedCertificate(
            serial=Serial(row.serial),
            role=row.role,
            tbs=bytes(row.tbs),
            key_id=row.key_id,
            intended_at=row.intended_at,
        )
        for row in rows
    ]


def _certificate(row: Row[Any]) -> AuthorityCertificate:
    return AuthorityCertificate(
        role=row.role,
        key_id=row.key_id,
        subject=row.subject,
        serial=Serial(row.serial),
        not_before=row.not_before,
        not_after=row.not_after,
        der=bytes(row.der),
    )
