"""The ceremony's keys: root apart from the others, each sealed in a file of its own, or made in a token.

What the keys then certify is the business of ca/ and the ceremony in jobs/.
"""

from dataclasses import dataclass

from core.errors import KeyUnusable
from keys.log_key import LOG_FILE, LogSigner
from keys.place import KeyPlace
from keys.record_key import RecordKey
from keys.signer import Signer

ROOT_FILE = "root.key"
JOURNAL_FILE = "journal.key"
RECORD_FILE = "memory.key"


def issuing_file(number: int) -> str:
    """Return the file name of the key of issuing CA `number` (1, 2, …)."""
    return f"issuing-{number}.key"


def responder_file(number: int) -> str:
    """Return the file name of the key of OCSP responder `number` (1, 2, …)."""
    return f"responder-{number}.key"


def statement_file(number: int) -> str:
    """Return the file name of the key of statement signer `number` (1, 2, …)."""
    return f"statement-{number}.key"


@dataclass(frozen=True)
class CeremonyKeys:
    """What the ceremony made.

    Args:
        root: signs the issuing CA and the root's CRL, then goes offline.
        issuing: signs certificates and the CRL.
        responder: signs OCSP answers.
        statement: signs what the authority states as a file.
        journal: signs the journal's heads; outside the hierarchy.
        log: signs the public log's checkpoints; outside the hierarchy.
        record: seals what the authority remembers; signs nothing.
    """

    root: Signer
    issuing: Signer
    responder: Signer
    statement: Signer
    journal: Signer
    log: LogSigner
    record: RecordKey


def make_keys(place: KeyPlace, root_place: KeyPlace) -> CeremonyKeys:
    """Make the seven keys, or open those that an earlier ceremony made before it died.

    Args:
        place: only the authority process reads it.
        root_place: of the root's key: another one, so that it can be taken away as a whole.

    Raises:
        KeyUnusable: a file cannot be written, or one that is there cannot be opened; also if both folders are one.
        TokenLacksMechanism: one is to be made in a token that makes none of its kind.
        TokenOutOfUse, TokenAbsent, TokenPinWrong: of a key in a token, and further errors as of KeyPlace.opened.
    """
    if place.folder.resolve() == root_place.folder.resolve():
        raise KeyUnusable(path=root_place.folder / ROOT_FILE, detail="the root's key needs a folder of its own")
    return CeremonyKeys(
        root=root_place.made(ROOT_FILE),
        issuing=place.made(issuing_file(1)),
        responder=place.made(responder_file(1)),
        statement=place.made(statement_file(1)),
        journal=place.made(JOURNAL_FILE),
        log=place.made_log_key(LOG_FILE),
        record=place.made_record_key(RECORD_FILE),
    )
