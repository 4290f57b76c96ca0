"""Documents that are sent as they were once written, described for /openapi.json; nothing is built of these classes.

A member with a default is left out of a document in which it has nothing to say.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from core.classification import Classification, Recipient
from core.kinds import DecisionKind, NoticeKind
from ra.telling.views import CopyAnswer
from ra.views import FirmwareAnswer


@dataclass(frozen=True, kw_only=True)
class PassageAnswer:
    """Words of the decision; recipients and salt only in the whole record."""

    subject: str
    heading: str
    clause: str
    classification: Classification
    text: str
    recipients: tuple[Recipient, ...] = ()
    salt: str = ""


@dataclass(frozen=True, kw_only=True)
class NoticeCondition:
    """A condition (F2.21(e)); subject, recipients and salt only in the whole record."""

    number: int
    classification: Classification
    text: str
    subject: str = ""
    recipients: tuple[Recipient, ...] = ()
    salt: str = ""


@dataclass(frozen=True, kw_only=True)
class FactAnswer:
    """A fact of the table: a text or an instant."""

    clause: str
    label: str
    value: str = ""
    instant: str = ""


@dataclass(frozen=True)
class ChangeAnswer:
    """What an amendment makes different."""

    subject: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class DecidedAnswer:
    """Where it was decided; people and digests only in the whole record."""

    meeting: str
    minute: str
    decision: str = ""
    kind: DecisionKind | None = None
    proposer: str = ""
    seconder: str | None = None
    proposal_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class NoticeCertificate:
    """The Trial CPA Certificate that travels with the notice (F2.25)."""

    serial: str
    issue: int
    sha256: str
    not_before: datetime
    not_after: datetime
    pem: str


@dataclass(frozen=True)
class OutlineAnswer:
    """What the record says of one copy."""

    document_sha256: str
    classification: Classification
    withheld: int


@dataclass(frozen=True, kw_only=True)
class NoticeFetched:
    """A notice as JSON or as PDF.

    One recipient's copy, or the whole record: that has `version`, `copies` and `fate` and no `recipient`.
    """

    notice: str | None
    kind: NoticeKind | Literal["cancellation"]
    title: str
    clause: str
    environment: str
    authority: str
    recipient: Recipient | None = None
    classification: Classification
    written_at: datetime
    approval: str | None
    application: str | None
    manufacturer: str
    status_page: str | None
    decision: DecidedAnswer
    effective: datetime | None
    facts: tuple[FactAnswer, ...]
    firmware: tuple[FirmwareAnswer, ...]
    changes: tuple[ChangeAnswer, ...]
    passages: tuple[PassageAnswer, ...]
    conditions: tuple[NoticeCondition, ...]
    withheld: int = 0
    certificate: NoticeCertificate | None
    salt: str | None = None
    version: int = 0
    record_salt: str = ""
    copies: dict[str, OutlineAnswer] = field(default_factory=dict)
    fate: tuple[CopyAnswer, ...] = ()
