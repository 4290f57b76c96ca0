"""The ceremony's keys: root apart from the others, each sealed in a file of its own.

What the keys then certify is the business of ca/ and the ceremony in jobs/.
"""

from dataclasses import dataclass
from pathlib import Path

from core.errors import KeyUnusable
from keys.log_key import LOG_FILE, LogKey, make_log_key
from keys.record_key import RecordKey, make_record_key
from keys.sealed import generate
from keys.signer import SoftwareSigner

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

    root: SoftwareSigner
    issuing: SoftwareSigner
    responder: SoftwareSigner
    statement: SoftwareSigner
    journal: SoftwareSigner
    log: LogKey
    record: RecordKey


def make_keys(keys_dir: Path, root_dir: Path, *, passphrase: bytes, root_passphrase: bytes) -> CeremonyKeys:
    """Make the seven keys, or open those that an earlier ceremony made before it died.

    Args:
        keys_dir: only the authority process reads it.
        root_dir: another place, so that it can be taken away as a whole.
        passphrase: seals all but the root's.
        root_passphrase: seals the root key.

    Raises:
        KeyUnusable: a file cannot be written, or one that is there cannot be opened; also if both folders are one.
    """
    if keys_dir.resolve() == root_dir.resolve():
        raise KeyUnusable(path=root_dir / ROOT_FILE, detail="the root's key needs a folder of its own")
    return CeremonyKeys(
        root=generate(root_dir / ROOT_FILE, root_passphrase, exist_ok=True),
        issuing=generate(keys_dir / issuing_file(1), passphrase, exist_ok=True),
        responder=generate(keys_dir / responder_file(1), passphrase, exist_ok=True),
        statement=generate(keys_dir / statement_file(1), passphrase, exist_ok=True),
        journal=generate(keys_dir / JOURNAL_FILE, passphrase, exist_ok=True),
        log=make_log_key(keys_dir / LOG_FILE, passphrase),
        record=make_record_key(keys_dir / RECORD_FILE, passphrase),
    )
