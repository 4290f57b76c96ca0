"""What of the register has an end and has to be renewed before it (core/renewal.py)."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from core.kinds import CAS
from core.mirror import PublishedCrl
from core.renewal import Lasting, Span, lasting
from store.reading.authority import certificates as hierarchy
from store.reading.authority import ends
from store.reading.status import standing_credentials
from store.reading.work import last_crl
from store.tables import certificates, ocsp_answers
from store.transactions import Transaction

DUE_FOR = timedelta(seconds=60)
"""How long an OCSP answer may be due before it counts as not renewed: one that ended with its certificate is in a
moment."""


def everything_lasting(tx: Transaction, at: datetime) -> list[Lasting]:
    """Return everything that has an end, as the register has it at `at`."""
    ended = {each.serial for each in ends(tx)}
    every = [each for each in hierarchy(tx) if each.serial not in ended]
    keys = {each.key_id for each in every if each.role in CAS}
    found = {key: last_crl(tx, key, with_bytes=False) for key in keys}
    crls: dict[str, PublishedCrl] = {key: crl for key, crl in found.items() if crl is not None}
    return lasting(every, crls, standing_credentials(tx).values(), overdue_answer(tx, at), at)


def overdue_answer(tx: Transaction, at: datetime) -> Span | None:
    """Return the validity of the OCSP answer that ends first of those that should have been renewed by `at`.

    Returns:
        None if each was renewed in time.
    """
    c, o = certificates.c, ocsp_answers.c
    # All of them, in 130 ms of 50,000: what is due for longest need not have the answer that ends first.
    due = select(c.serial).where(c.presign_due <= at - DUE_FOR)
    newest = select(func.max(o.id)).where(o.serial.in_(due)).group_by(o.serial, o.hash_name)
    query = select(o.this_update, o.next_update).where(o.id.in_(newest)).order_by(o.next_update).limit(1)
    row = tx.connection.execute(query).one_or_none()
    return None if row is None else Span(begins=row.this_update, ends=row.next_update)
