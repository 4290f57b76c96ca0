"""What is answered about devices, breaches and reports; what a report holds is in contents.py."""

from dataclasses import dataclass
from datetime import datetime

from core.deployments import Form, LineCode, Outcome
from core.kinds import BreachState
from ra.views import Page, PendingAnswer


@dataclass(frozen=True, kw_only=True)
class BreachMoved:
    """A breach is in this state now. `condition` is null for the limit of F2.21(d)."""

    breach: str
    approval: str
    condition: int | None
    state: BreachState


@dataclass(frozen=True, kw_only=True)
class SuspicionTold:
    """What a Manufacturer was told of a suspected breach, in which notice, and what it answers; null before it does."""

    text: str
    at: datetime
    by: str
    notice: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


@dataclass(frozen=True, kw_only=True)
class SuspicionAnswer:
    """A suspected breach as its Manufacturer was told of it.

    Args:
        condition: its number; null for the limit of F2.21(d).
        text: what the SSC says of it.
        open: whether it may be answered: nothing that follows from it has been decided.
        answer: of the Manufacturer; null before there is one.
    """

    breach: str
    approval: str
    condition: int | None
    text: str
    told_at: datetime
    notice: str
    open: bool
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


@dataclass(frozen=True, kw_only=True)
class SuspicionPage(Page):
    """Suspected breaches that were told, in order."""

    suspicions: tuple[SuspicionAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class SuspicionMoved:
    """A suspected breach was told, or answered."""

    breach: str
    approval: str
    notice: str


@dataclass(frozen=True, kw_only=True)
class BreachAnswer(BreachMoved):
    """A breach; `why` holds the last words said of it.

    Args:
        clause: of Section F, under which the condition stands.
        note: what is suspected, in the SSC's words.
        suspected_at, suspected_by: when and by whom.
        judged_at, judged_by: when and by whom it was confirmed or dismissed.
        why: the words of the judgement, or of its closing.
        closed_at: when it was answered or closed.
        decision: the revocation that answered it.
        kept_at: of the limit: since when it is known that it was kept, because what made the suspicion was corrected;
            it still has to be judged.
        told: what its Manufacturer was told of it, and answers; null where it was told nothing.
    """

    clause: str
    note: str
    suspected_at: datetime
    suspected_by: str
    judged_at: datetime | None
    judged_by: str | None
    why: str | None
    closed_at: datetime | None
    decision: str | None
    kept_at: datetime | None
    told: SuspicionTold | None = None


@dataclass(frozen=True, kw_only=True)
class BreachPage(Page):
    """Breaches in order."""

    breaches: tuple[BreachAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class BatchAnswer:
    """What a report came to.

    Args:
        content_sha256: of the octets that were sent.
        recorded, known, refused, ignored: of its lines.
    """

    batch: str
    form: Form
    content_sha256: str
    received_at: datetime
    received_by: str
    lines: int
    recorded: int
    known: int
    refused: int
    ignored: int


@dataclass(frozen=True, kw_only=True)
class StintAnswer:
    """A device under an approval, from its deployment on; `corrected` if a correction says that it never was."""

    firmware_version: str
    deployed_at: datetime
    decommissioned_at: datetime | None
    replaced_by: str | None
    corrected: bool


@dataclass(frozen=True)
class DeployedDevice:
    """What is known of one device under the approval."""

    device_id: str
    deployed: bool
    stints: tuple[StintAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class DeploymentsAnswer:
    """How many devices are deployed under an approval, beside its limit (F2.21(d)).

    Args:
        deployed: devices that are now.
        decommissioned: devices that have been taken out.
        device: the one that was asked about.
        pending: changes of the approval that are decided and wait, of its limit among others.
    """

    approval: str
    as_of: datetime
    deployed: int
    decommissioned: int
    limit: int
    above_limit: bool
    device: DeployedDevice | None
    pending: tuple[PendingAnswer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LineTaken:
    """What became of a line; `code` and `detail` say why where there is something to say."""

    line: int
    outcome: Outcome
    device_id: str | None
    approval: str | None
    code: LineCode | None
    column: str | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class ReportTaken:
    """A report was taken in; each line stands or falls alone.

    Args:
        results: in order of line.
    """

    batch: str
    lines: int
    recorded: int
    known: int
    refused: int
    ignored: int
    results: tuple[LineTaken, ...]


@dataclass(frozen=True, kw_only=True)
class ReportIssued:
    """A report that was issued; the digest is of the document, byte for byte."""

    report: str
    since: datetime | None
    until: datetime
    issued_at: datetime
    issued_by: str
    document_sha256: str


@dataclass(frozen=True, kw_only=True)
class ReportPage(Page):
    """Reports that were issued, in order."""

    reports: tuple[ReportIssued, ...]


@dataclass(frozen=True, kw_only=True)
class ReportRemarked:
    """A remark was added."""

    report: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True)
class QuestionAsked:
    """A question was put for a month's report, or for each (null)."""

    question: str
    month: str | None


@dataclass(frozen=True)
class QuestionEnded:
    """A standing question was ended."""

    question: str
    ended_at: datetime


@dataclass(frozen=True)
class QuestionAnswered:
    """A month's report answers a question."""

    question: str
    report: str
    answered_at: datetime


@dataclass(frozen=True, kw_only=True)
class QuestionAnswer:
    """What the SSC asks the DCC to tell: for one report, or a standing question (`month` null) for each."""

    question: str
    month: str | None
    text: str
    asked_at: datetime
    asked_by: str
    ended_at: datetime | None


@dataclass(frozen=True)
class QuestionList:
    """Every question, oldest first."""

    questions: tuple[QuestionAnswer, ...]
