"""Dossiers of approvals: what was asked for, and what the authority has signed of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from core.identifiers import Serial
from store.tables import authority_certificates, dossiers
from store.transactions import Transaction

_SAID = tuple(each for each in dossiers.c if each.name not in {"parts", "signer_serial"})
_PAGE = 20
_UNSIGNED = (
    select(*_SAID)
    .where(dossiers.c.signature.is_(None), dossiers.c.asked_at.between(bindparam("since"), bindparam("at")))
    .where(dossiers.c.id > bindparam("behind"))
    .order_by(dossiers.c.id)
    .limit(_PAGE)
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A dossier that was put together.

    Args:
        id: its identifier.
        approval: whose it is.
        asked_by, asked_at: by whom and when.
        manifest: what is signed: canonical JSON that names each file with its digest.
        manifest_sha256: of that, hex.
        signature: CMS, DER; None before it is signed.
        signed_at: None before.
    """

    id: str
    approval: str
    asked_by: str
    asked_at: datetime
    manifest: str
    manifest_sha256: str
    signature: bytes | None
    signed_at: datetime | None


def newest(tx: Transaction, approval: str, *, since: datetime, until: datetime) -> Asked | None:
    """Return the last dossier of an approval that was asked for between two instants, if there is one."""
    c = dossiers.c
    query = select(*_SAID).where(c.approval == approval, c.asked_at.between(since, until))
    row = tx.connection.execute(query.order_by(c.asked_at.desc(), c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _asked(row)


def unsigned(tx: Transaction, *, since: datetime, at: datetime) -> Iterator[Asked]:
    """Yield the dossiers that wait for a signature and are still handed out, by their identifiers.

    All of them, some at a time: those that nothing proves, or that are not what was asked for, hold up no other.

    Args:
        tx: open for as long as more are wanted.
        since: what was asked for before is not handed out.
        at: now.
    """
    behind = ""
    while rows := tx.connection.execute(_UNSIGNED, {"since": since, "at": at, "behind": behind}).all():
        yield from map(_asked, rows)
        behind = rows[-1].id


def parts(tx: Transaction, identifier: str) -> bytes:
    """Return the files that the manifest of a dossier names, as a ZIP."""
    return bytes(tx.connection.execute(select(dossiers.c.parts).where(dossiers.c.id == identifier)).scalar_one())


def signer(tx: Transaction, identifier: str) -> bytes:
    """Return the certificate under which a dossier was signed, DER."""
    query = select(authority_certificates.c.der).join(
        dossiers, dossiers.c.signer_serial == authority_certificates.c.serial
    )
    return bytes(tx.connection.execute(query.where(dossiers.c.id == identifier)).scalar_one())


def signed_under(tx: Transaction) -> dict[Serial, int]:
    """Return how many dossiers were signed under each certificate of a statement signer, by its serial."""
    c = dossiers.c
    query = select(c.signer_serial, func.count().label("held")).where(c.signer_serial.is_not(None))
    rows = tx.connection.execute(query.group_by(c.signer_serial))
    return {Serial(row.signer_serial): int(row.held) for row in rows}


def _asked(row: Row[Any]) -> Asked:
    return Asked(
        id=row.id,
        approval=row.approval,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        manifest=row.manifest,
        manifest_sha256=row.manifest_sha256,
        signature=None if row.signature is None else bytes(row.signature),
        signed_at=row.signed_at,
    )
