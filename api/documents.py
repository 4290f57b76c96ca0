"""Documents that are sent as they were once written, described for /openapi.json; nothing is built of these classes.

A member that is there SOMETIMES is left out of a document in which it has nothing to say.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from api.answers import SOMETIMES
from core.classification import Classification, Recipient
from core.kinds import DecisionKind, NoticeKind, Waiting
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
    recipients: Annotated[tuple[Recipient, ...], SOMETIMES] = ()
    salt: Annotated[str, SOMETIMES] = ""


@dataclass(frozen=True, kw_only=True)
class NoticeCondition:
    """A condition (F2.21(e)); subject, recipients and salt only in the whole record."""

    number: int
    classification: Classification
    text: str
    subject: Annotated[str, SOMETIMES] = ""
    recipients: Annotated[tuple[Recipient, ...], SOMETIMES] = ()
    salt: Annotated[str, SOMETIMES] = ""


@dataclass(frozen=True, kw_only=True)
class FactAnswer:
    """A fact of the table: a text or an instant."""

    clause: str
    label: str
    value: Annotated[str, SOMETIMES] = ""
    instant: Annotated[str, SOMETIMES] = ""


@dataclass(frozen=True, kw_only=True)
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
    decision: Annotated[str, SOMETIMES] = ""
    kind: Annotated[DecisionKind | None, SOMETIMES] = None
    proposer: Annotated[str, SOMETIMES] = ""
    seconder: Annotated[str | None, SOMETIMES] = None
    proposal_sha256: Annotated[str, SOMETIMES] = ""


@dataclass(frozen=True, kw_only=True)
class NoticeCertificate:
    """The Trial CPA Certificate that travels with the notice (F2.25)."""

    serial: str
    issue: int
    sha256: str
    not_before: datetime
    not_after: datetime
    pem: str


@dataclass(frozen=True, kw_only=True)
class WaitingAnswer:
    """What becomes of a change that waited: carried, with a certificate of its own, or withdrawn (F2.29)."""

    outcome: Waiting
    issue: int
    effective: datetime
    changes: tuple[ChangeAnswer, ...]
    certificate: NoticeCertificate | None


@dataclass(frozen=True, kw_only=True)
class CorrectedAnswer:
    """The notice that this one corrects."""

    notice: str
    title: str
    written_at: datetime


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
    kind: NoticeKind | Literal["cancellation", "change-withdrawal"]
    title: str
    clause: str
    environment: str
    authority: str
    recipient: Annotated[Recipient | None, SOMETIMES] = None
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
    withheld: Annotated[int, SOMETIMES] = 0
    certificate: NoticeCertificate | None
    waiting: Annotated[tuple[WaitingAnswer, ...], SOMETIMES] = ()
    approval_ended: Annotated[datetime | None, SOMETIMES] = None
    corrects: Annotated[CorrectedAnswer | None, SOMETIMES] = None
    salt: Annotated[str | None, SOMETIMES] = None
    version: Annotated[int, SOMETIMES] = 0
    record_salt: Annotated[str, SOMETIMES] = ""
    copies: Annotated[dict[str, OutlineAnswer], SOMETIMES] = field(default_factory=dict)
    fate: Annotated[tuple[CopyAnswer, ...], SOMETIMES] = ()
