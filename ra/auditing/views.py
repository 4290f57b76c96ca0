"""What auditors are answered: the journal in pages, a dossier that waits for its signature, what the log proves."""

from dataclasses import dataclass
from datetime import datetime

from ra.deciding.views import JournalHeadAnswer, JournalRowAnswer
from ra.views import Page


@dataclass(frozen=True, kw_only=True)
class JournalPage(Page):
    """Sealed rows in order, and the heads that were signed for rows among them.

    Args:
        journal: the name that heads are signed under.
        public_key: of the journal: SubjectPublicKeyInfo, DER, hexadecimal. Trust the one that you hold.
        next: the number of the last row, with which the next page is asked for, as `after`; null if there is none.
    """

    journal: str
    public_key: str
    rows: tuple[JournalRowAnswer, ...]
    heads: tuple[JournalHeadAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class DossierAsked:
    """A dossier was put together and is not signed yet: ask again in a second."""

    dossier: str
    approval: str
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class InclusionAnswer:
    """That a row is in a tree: its leaf data, in the canonical form, the audit path, base64, and the signed note.

    The note is None for a size that no checkpoint was signed for.
    """

    row: int
    size: int
    leaf_data: str
    hashes: tuple[str, ...]
    checkpoint: str | None
