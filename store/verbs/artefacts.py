"""What was signed and published: OCSP answers and CRLs. Each one is kept, so that the past can be proved."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, tuple_, update
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from core.identifiers import Serial
from core.mirror import PublishedCrl, SignedAnswer
from store.portions import portions
from store.rows import DUE_NOW
from store.tables import certificates, crls, ocsp_answers
from store.transactions import Transaction

_ANSWERS, _LIST = insert(ocsp_answers), insert(crls)
_PRESIGNED = (
    update(certificates)
    .where(certificates.c.serial == bindparam("of"), certificates.c.fate == bindparam("judged"))
    .values(presign_due=bindparam("due"))
)
_LISTED = (
    update(certificates)
    .where(certificates.c.listed_in.is_(None), certificates.c.serial.in_(bindparam("serials", expanding=True)))
    .values(listed_in=bindparam("in_number"))
)


def keep_answers(tx: Transaction, answers: Sequence[SignedAnswer], *, responder: Serial) -> None:
    """Keep OCSP answers; the newest of a serial and hash is the one that is served."""
    tx.connection.execute(
        _ANSWERS,
        [
            {
                "serial": answer.serial,
                "hash_name": answer.hash_name,
                "responder_serial": responder,
                "this_update": answer.this_update,
                "next_update": answer.next_update,
                "revoked_at": answer.revoked_at,
                "der": answer.der,
            }
            for answer in answers
        ],
    )


def presigned_together(tx: Transaction, fates: Mapping[Serial, int], *, due: datetime) -> set[Serial]:
    """Say when the answers of certificates are due again, as `presigned` does; return those whose fate is the same."""
    same: set[Serial] = set()
    for some in portions(list(fates.items())):
        named = tuple_(certificates.c.serial, certificates.c.fate).in_(some)
        said = update(certificates).where(named).values(presign_due=due).returning(certificates.c.serial)
        same.update(Serial(each) for each in tx.connection.execute(said).scalars())
    return same


def presigned(tx: Transaction, serial: Serial, *, fate: int, due: datetime) -> bool:
    """Say when a certificate's answers are due again; False if its fate changed meanwhile: then they are due now."""
    return bool(tx.connection.execute(_PRESIGNED, {"of": serial, "judged": fate, "due": due}).rowcount)


def all_due(tx: Transaction) -> None:
    """Let the answers of every certificate be due: those at hand are of before a backup was put back."""
    tx.connection.execute(update(certificates).values(presign_due=DUE_NOW))


def publish_crl(tx: Transaction, crl: PublishedCrl, *, at: datetime) -> None:
    """Publish a CRL that has passed the gate, and mark what it lists for the first time.

    Raises:
        WrongState: the number is taken; another authority published meanwhile.
    """
    try:
        tx.connection.execute(
            _LIST,
            {
                "key_id": crl.key_id,
                "number": crl.number,
                "this_update": crl.this_update,
                "next_update": crl.next_update,
                "entries": crl.entries,
                "der": crl.der,
                "published_at": at,
            },
        )
    except IntegrityError as error:
        raise WrongState(kind="CRL number", identifier=crl.number, state="taken", needed="free") from error


def mark_listed(tx: Transaction, serials: Sequence[Serial], *, number: int) -> None:
    """Mark certificates that were on no list as listed in `number`."""
    for portion in portions(serials):
        tx.connection.execute(_LISTED, {"serials": list(portion), "in_number": number})
