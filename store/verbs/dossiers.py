"""Dossiers of approvals are asked for and signed."""

from datetime import datetime

from sqlalchemy import insert, update

from core.identifiers import Serial
from store.reading.dossiers import Asked
from store.tables import dossiers
from store.transactions import Transaction


def ask(tx: Transaction, asked: Asked, *, parts: bytes) -> None:
    """Write a dossier down, to be signed.

    Args:
        tx: open.
        asked: the dossier.
        parts: the files that its manifest names, as a ZIP.
    """
    tx.connection.execute(insert(dossiers).values(**vars(asked), parts=parts))


def sign(tx: Transaction, identifier: str, *, signature: bytes, signer: Serial, at: datetime) -> bool:
    """Record the signature of a dossier; return whether there was none."""
    unsigned = update(dossiers).where(dossiers.c.id == identifier, dossiers.c.signature.is_(None))
    done = tx.connection.execute(unsigned.values(signature=signature, signer_serial=signer, signed_at=at))
    return done.rowcount == 1
