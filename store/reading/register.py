"""The public register as it was signed, and the documents that its octets are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Row, bindparam, select

from core.instants import text
from core.register import Moment
from store.log_tables import registers
from store.reading.log import documents_after
from store.tables import journal
from store.transactions import Store, Transaction

_SIZE = bindparam("size", type_=BigInteger())
_SEALED = select(journal.c.sealed_at).where(journal.c.seal_number == _SIZE)
_NEWEST = select(registers).order_by(registers.c.size.desc()).limit(1)
_OF_SIZE = select(registers).where(registers.c.size == _SIZE)


@dataclass(frozen=True, kw_only=True)
class SignedRegister:
    """What was signed of a register.

    Args:
        moment: of which it is.
        sha256: of its octets.
        signature: over them, CMS, DER.
        signer: serial of the statement signer's certificate.
        signed_at: when.
    """

    moment: Moment
    sha256: bytes
    signature: bytes
    signer: str
    signed_at: datetime


def newest_register(tx: Transaction) -> SignedRegister | None:
    """Return the newest register that was signed; None before the first."""
    return _signed(tx.connection.execute(_NEWEST).one_or_none())


def register_of(tx: Transaction, size: int) -> SignedRegister | None:
    """Return what was signed of the register at a size, as long as that is kept; None if nothing is."""
    return _signed(tx.connection.execute(_OF_SIZE, {"size": size}).one_or_none())


def sealed_at(tx: Transaction, number: int) -> datetime | None:
    """Return when a row was sealed; None if there is none."""
    return tx.connection.execute(_SEALED, {"size": number}).scalar()


def pages(store: Store, upto: int) -> Iterator[list[str]]:
    """Give the last document of each approval up to a row that a checkpoint covers, by identifier, page by page.

    Each in a transaction of its own: what a checkpoint covers never changes, and nobody is held up by a long reader.
    """
    after = ""
    while True:
        with store.read() as tx:
            page = documents_after(tx, after, upto)
        if not page:
            return
        yield [document for _, document in page]
        after = page[-1][0]


def _signed(row: Row[tuple[object, ...]] | None) -> SignedRegister | None:
    if row is None:
        return None
    return SignedRegister(
        moment=Moment(log=row.log, size=int(row.size), root=bytes(row.root), at=text(row.at)),
        sha256=bytes(row.sha256),
        signature=bytes(row.signature),
        signer=row.signer,
        signed_at=row.signed_at,
    )
