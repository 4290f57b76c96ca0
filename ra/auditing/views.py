"""What auditors are answered: the journal in pages, a dossier that waits for its signature."""

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
class AuditPortion:
    """Some lines of an export of the whole register (`trialcpa audit verify`).

    Args:
        lines: each a JSON object, in order.
        next: what the next portion is asked for with, as `after`; null if this is the last.
    """

    lines: tuple[str, ...]
    next: str | None
