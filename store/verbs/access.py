"""Organisations and credentials."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from core.errors import NameTaken, WrongState
from store.rows import Credential, Organisation
from store.tables import credentials, organisations
from store.transactions import Transaction


def add_organisation(tx: Transaction, organisation: Organisation, *, at: datetime) -> None:
    """Add an organisation; NameTaken if its name or identifier is in use."""
    try:
        tx.connection.execute(
            insert(organisations).values(
                id=organisation.id,
                name=organisation.name,
                certificate_name=organisation.certificate_name,
                created_at=at,
            )
        )
    except IntegrityError as error:
        raise NameTaken(kind="organisation", name=organisation.name) from error


def add_credential(tx: Transaction, credential: Credential, *, key_sha256: str) -> None:
    """Add a credential by the digest of its key."""
    tx.connection.execute(
        insert(credentials).values(
            id=credential.id,
            key_sha256=key_sha256,
            name=credential.name,
            role=credential.role,
            organisation_id=credential.organisation_id,
            created_at=credential.created_at,
            expires_at=credential.expires_at,
        )
    )


def revoke_credential(tx: Transaction, identifier: str, *, at: datetime) -> None:
    """Revoke a credential that is not revoked; WrongState otherwise."""
    won = tx.connection.execute(
        update(credentials)
        .where(credentials.c.id == identifier, credentials.c.revoked_at.is_(None))
        .values(revoked_at=at)
    ).rowcount
    if not won:
        raise WrongState(kind="credential", identifier=identifier, state="unknown or revoked", needed="in force")
