"""What auditors are answered: the journal in pages, a dossier that waits for its signature, what the log proves."""

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


@dataclass(frozen=True, kw_only=True)
class AuthorityShown:
    """What anybody may know of the authority.

    Args:
        root_sha256: of the root's certificate, DER.
        journal_key: that signs the heads of the journal; SubjectPublicKeyInfo, hex.
        log_key: of the public log, as verifiers take it; null where there is no log.
        checkpoint: the newest of the log, a signed note; null before the first.
    """

    name: str
    environment: str
    base_url: str
    root_sha256: str
    journal_key: str
    log_key: str | None
    checkpoint: str | None


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


@dataclass(frozen=True, kw_only=True)
class AuditPortion:
    """Some lines of an export of the whole register (`trialcpa audit verify`).

    Args:
        lines: each a JSON object, in order.
        next: what the next portion is asked for with, as `after`; null if this is the last.
    """

    lines: tuple[str, ...]
    next: str | None
