"""Evidence: a file is kept once, by its SHA-256; each attachment of it is a row of its own. Nothing is taken away."""

from store.reading.evidence import Attachment
from store.transactions import Transaction
from store.trial_tables import evidence, evidence_files
from store.verbs.conflicts import INSERT


def keep(tx: Transaction, sha256: str, octets: bytes) -> None:
    """Keep a file, unless it is kept already: two who bring one file at the same moment keep it once.

    Args:
        tx: open.
        sha256: of the octets, hex.
        octets: the file, not empty.
    """
    insert = INSERT[tx.dialect](evidence_files).values(sha256=sha256, size=len(octets), octets=octets)
    tx.connection.execute(insert.on_conflict_do_nothing())


def attach(tx: Transaction, attachment: Attachment) -> bool:
    """Attach a file that is kept; return whether this call did it, False if it was attached already."""
    insert = INSERT[tx.dialect](evidence).values(
        id=attachment.id,
        subject_kind=attachment.subject_kind,
        subject=attachment.subject,
        sha256=attachment.sha256,
        name=attachment.name,
        media_type=attachment.media_type,
        size=attachment.size,
        salt=attachment.salt,
        attached_at=attachment.attached_at,
        attached_by=attachment.attached_by,
        party=attachment.party,
        classification=attachment.classification,
    )
    return bool(tx.connection.execute(insert.on_conflict_do_nothing()).rowcount)
