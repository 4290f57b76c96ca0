"""Sealing the journal: one process numbers the facts, links each to the one before and signs the head."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError

from store.tables import cursors, journal, journal_heads, waits_to_be_sealed
from store.transactions import Transaction
from store.verbs.log import take_back_leaves

_SEAL = (
    update(journal)
    .where(journal.c.id == bindparam("row_id"), waits_to_be_sealed)
    .values(seal_number=bindparam("number"), link=bindparam("digest"), sealed_at=bindparam("at_"))
)
_HEAD = insert(journal_heads)
_HEAD_INSTEAD = (
    update(journal_heads)
    .where(journal_heads.c.number == bindparam("of"), journal_heads.c.link != bindparam("as_linked"))
    .values(link=bindparam("as_linked"), signature=bindparam("signed"), signed_at=bindparam("at"))
)


def seal(tx: Transaction, rows: Sequence[tuple[int, int, bytes]], *, at: datetime) -> bool:
    """Number and link facts: (row id, number, link) each; False, and none is, if one was sealed or refused since."""
    values = [{"row_id": row_id, "number": number, "digest": digest, "at_": at} for row_id, number, digest in rows]
    numbered = tx.connection.begin_nested()
    try:
        whole = tx.connection.execute(_SEAL, values).rowcount == len(rows)
    except IntegrityError:
        whole = False
    if whole:
        numbered.commit()
    else:
        numbered.rollback()
    return whole


def refuse(tx: Transaction, row_id: int, *, why: str) -> bool:
    """Say why a fact is never sealed; False if it was sealed or refused meanwhile."""
    statement = update(journal).where(journal.c.id == row_id, waits_to_be_sealed).values(refused=why)
    return bool(tx.connection.execute(statement).rowcount)


def take_back(tx: Transaction, *, behind: int) -> None:
    """Let every fact that carries a number behind `behind` wait to be sealed: no head was signed over any of them.

    Their leaves go with the numbers: another row will have them.
    """
    take_back_leaves(tx, behind=behind)
    numbered = journal.c.seal_number > behind
    tx.connection.execute(update(journal).where(numbered).values(seal_number=None, link=None, sealed_at=None))


def keep_head(tx: Transaction, *, number: int, link: bytes, signature: bytes, at: datetime) -> None:
    """Keep a signed head, in the place of one for another link that somebody else put there."""
    said = {"of": number, "as_linked": link, "signed": signature, "at": at}
    if not tx.connection.execute(_HEAD_INSTEAD, said).rowcount:
        values = {"number": number, "link": link, "signature": signature, "signed_at": at}
        tx.connection.execute(_HEAD, values)


def advance_cursor(tx: Transaction, reader: str, *, expected: int, to: int) -> bool:
    """Move a reader's cursor on; False if another instance of the reader moved it meanwhile."""
    if expected == 0:
        try:
            tx.connection.execute(insert(cursors).values(reader=reader, number=to))
        except IntegrityError:
            return False
        return True
    return bool(
        tx.connection.execute(
            update(cursors).where(cursors.c.reader == reader, cursors.c.number == expected).values(number=to)
        ).rowcount
    )
