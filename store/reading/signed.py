"""Everything that was signed and is kept, portion by portion: for whoever proves all of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from core.identifiers import Serial
from store.tables import certificates, ocsp_answers
from store.transactions import Transaction

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A Trial CPA Certificate by its serial, DER."""

    serial: Serial
    der: bytes


def certificates_after(tx: Transaction, serial: str, limit: int) -> list[Issued]:
    """Return certificates behind a serial, in order of serials."""
    c = certificates.c
    rows = tx.connection.execute(select(c.serial, c.der).where(c.serial > serial).order_by(c.serial).limit(limit))
    return [Issued(serial=Serial(row.serial), der=bytes(row.der)) for row in rows]


def answers(tx: Transaction) -> Iterator[tuple[Serial, Serial, bytes]]:
    """Yield every OCSP answer: whose it is, the serial of the responder's certificate, and its bytes."""
    c = ocsp_answers.c
    query = select(c.serial, c.responder_serial, c.der).order_by(c.id)
    for row in tx.connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        yield Serial(row.serial), Serial(row.responder_serial), bytes(row.der)
