"""What auditors are answered: the journal in pages, a dossier that waits for its signature."""

from dataclasses import dataclass
from datetime import datetime

from ra.deciding.views import JournalHeadAnswer, JournalRowAnswer
from ra.views import Page


@dataclass(frozen=True, kw_only=True)
class LoggedRowAnswer(JournalRowAnswer):
    """A row with its link, and with what opens its commitment in the public log.

    Args:
        salt: hexadecimal: the SHA-256 of it and the row in the canonical form is the `commitment` of the row's leaf.
        leaf: the number of its leaf, the first is 0; null with the salt where the row has none yet.
    """

    salt: str | None
    leaf: int | None


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
    rows: tuple[LoggedRowAnswer, ...]
    heads: tuple[JournalHeadAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class DossierAsked:
    """A dossier was put together and is not signed yet: ask again in a second."""

    dossier: str
    approval: str
    asked_at: datetime
