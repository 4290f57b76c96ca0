"""What is shown of approvals, conditions, notices and the Central Products List."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from core.approval import Device, EndCause
from core.classification import Classification, Recipient
from core.cpl import TRIAL_MARKER, Entry, InstructionState, Kind, Remark
from core.identifiers import Serial
from core.kinds import Addition, Channel, DeliveryState, NoticeKind, Told
from core.status import State
from ra.views import FROM, FirmwareAnswer, Page, PendingAnswer


@dataclass(frozen=True)
class AcceptanceSummary:
    """What the Manufacturer said of a certificate."""

    accepted: bool
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CertificateSummary:
    """A certificate of an approval.

    Args:
        ended_at: the first second in which it no longer holds; null while it does.
        listed_in: number of the first CRL that says that it has ended; null while none does, although it may have.
    """

    serial: Serial
    issue: int
    sha256: str
    not_before: datetime
    not_after: datetime
    signed_at: datetime
    ended_at: datetime | None
    listed_in: int | None
    acceptance: AcceptanceSummary | None


@dataclass(frozen=True, kw_only=True)
class ApprovalListed:
    """An approval as it stands now.

    Args:
        issue: which of the certificates `state` is of, as verification says; null before one is issued.
        pending: changes that are decided and wait: what holds now is beside them.
    """

    approval: str
    organisation: str
    device: Device
    granted_at: datetime
    start: datetime
    expiry: datetime
    maximum_devices: int
    firmware: tuple[FirmwareAnswer, ...]
    ended_at: datetime | None
    end_cause: EndCause | None
    certificates: tuple[CertificateSummary, ...]
    state: State
    issue: int | None = None
    pending: tuple[PendingAnswer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ApprovalAnswer(ApprovalListed):
    """An approval as it stands at `as_of`."""

    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class ApprovalPage(Page):
    """Approvals in order."""

    approvals: tuple[ApprovalListed, ...]


@dataclass(frozen=True, kw_only=True)
class ConditionAnswer:
    """A condition of an approval.

    Args:
        since: from when on it holds: the effective instant of what set it.
        until: the first second in which it does not hold; null where nothing decided ends it. Where both are one
            instant, it was withdrawn before it began.
        set_at: the same as `from`, as earlier releases called it.
        ended_at: the same as `until`, as earlier releases called it.
    """

    number: int
    text: str
    classification: Classification
    recipients: tuple[Recipient, ...]
    since: Annotated[datetime, FROM]
    until: datetime | None
    set_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ConditionList:
    """The conditions of an approval that the reader may have, and how many are withheld (F2.22)."""

    approval: str
    conditions: tuple[ConditionAnswer, ...]
    withheld: int


@dataclass(frozen=True, kw_only=True)
class _InstructionHead:
    """What comes last of an instruction's head: which it is, what to do, and by when."""

    instruction: str
    kind: Kind
    due: datetime


@dataclass(frozen=True, kw_only=True)
class AdditionJudged:
    """The SSC has said whether an addition stands, or waits until a certificate holds.

    Args:
        instructions: the identifiers of what the Panel was told because of it.
    """

    approval: str
    addition: Addition
    instructions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NcscCertified:
    """The NCSC has certified the model of an approval.

    Args:
        instructions: the identifiers of what the Panel was told because of it.
    """

    approval: str
    certificate: str
    certified_on: date
    instructions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EntryAnswer:
    """An entry of the list: one approval and one firmware version (F2.27)."""

    approval: str
    trial: str
    expiry: datetime
    device_type: str
    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str
    image_sha256: str
    smets_version: str

    @staticmethod
    def of(entry: Entry) -> "EntryAnswer":
        """Return an entry as people are shown it."""
        return EntryAnswer(
            approval=entry.approval,
            trial=TRIAL_MARKER,
            expiry=entry.expiry,
            **entry.device.listed(),
            firmware_version=entry.firmware.version,
            image_sha256=entry.firmware.image_digest,
            smets_version=entry.smets_version,
        )


@dataclass(frozen=True, kw_only=True)
class InstructionAnswer(EntryAnswer, _InstructionHead):
    """What the Panel was told about an entry, and what it said.

    Args:
        remark: what is to be said of it, such as that it was loaded early; null if nothing.
    """

    sentence: str
    cause: str
    instructed_at: datetime
    state: InstructionState
    overdue: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    reason: str | None
    ncsc_certificate: str | None
    remark: str | None = None


@dataclass(frozen=True, kw_only=True)
class InstructionPage(Page):
    """Instructions in order. As a table, all of them."""

    instructions: tuple[InstructionAnswer, ...]


@dataclass(frozen=True)
class _WouldBeInstructed:
    """What an instruction that does not exist yet says: it has no identifier."""

    kind: Kind
    due: datetime
    sentence: str


@dataclass(frozen=True, kw_only=True)
class InstructionForeseen(EntryAnswer, _WouldBeInstructed):
    """What the Panel would be told about an entry."""


@dataclass(frozen=True, kw_only=True)
class _WouldBeOvertaken:
    """What is said of an instruction that stands and would be overtaken."""

    kind: Literal[InstructionState.SUPERSEDED]
    instruction: str
    due: datetime
    sentence: str


@dataclass(frozen=True, kw_only=True)
class SupersessionForeseen(EntryAnswer, _WouldBeOvertaken):
    """An instruction that would not have to be done any more."""


StepForeseen: TypeAlias = InstructionForeseen | SupersessionForeseen


@dataclass(frozen=True, kw_only=True)
class WayAnswer:
    """One copy on its way to one address."""

    channel: Channel
    address: str
    state: DeliveryState
    attempts: int
    last_error: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class CopyAnswer:
    """One recipient's copy; SSC and auditor also see where it went."""

    recipient: Recipient
    classification: Classification
    withheld: int
    document_sha256: str
    fetched_at: datetime | None
    deliveries: tuple[WayAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class NoticeEntry:
    """A notice in a list, with the copies that whoever asks may see.

    Args:
        corrects: the number of the notice that it corrects; null if it corrects none.
        corrected_by: the numbers of those that correct it, in order.
    """

    notice: str
    kind: NoticeKind
    approval: str | None
    application: str | None
    serial: Serial | None
    written_at: datetime
    corrects: str | None
    corrected_by: tuple[str, ...]
    copies: tuple[CopyAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class NoticePage(Page):
    """A page of notices."""

    notices: tuple[NoticeEntry, ...]


@dataclass(frozen=True, kw_only=True)
class UndeliveredLine:
    """One channel that has not delivered a copy; `no-address` where none is known."""

    notice: str
    recipient: Recipient
    kind: NoticeKind
    approval: str | None
    application: str | None
    channel: Channel | None
    address: str | None
    state: DeliveryState | Literal["no-address"]
    attempts: int
    last_error: str | None
    since: datetime


@dataclass(frozen=True, kw_only=True)
class UndeliveredPage(Page):
    """A page of copies that have not reached their recipient."""

    undelivered: tuple[UndeliveredLine, ...]


@dataclass(frozen=True, kw_only=True)
class MissingAnswer(EntryAnswer):
    """An entry that the list should show and does not, with the newest instruction about it."""

    instruction: str | None
    instruction_state: InstructionState | None
    due: datetime | None


@dataclass(frozen=True, kw_only=True)
class DifferenceAnswer:
    """One value of an entry."""

    field: str
    has: str
    should: str


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """Where on the Panel's list an entry of ours stands, and which it is."""

    line: int
    approval: str
    firmware_version: str


@dataclass(frozen=True, kw_only=True)
class WrongAnswer(_Listed):
    """An entry that the list shows with other values."""

    fields: tuple[DifferenceAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class GoneAnswer(_Listed):
    """An entry that the list shows and should not, and why."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class UnknownAnswer:
    """An entry that says that it is a trial's, of which nothing is known here."""

    line: int
    approval: str
    device_type: str
    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """The list beside what it should show at `as_of`; nothing was changed.

    Args:
        missing: entries of ours that it lacks.
        wrong: entries of ours that it has with other values.
        gone: entries of ours that it has and should not have.
        unknown: trial entries that nobody here knows.
        unreadable: lines that could not be read.
        remarks: what must be known about cells.
        not_compared: the fields for which it has no column.
    """

    as_of: datetime
    form: str
    sha256: str
    lines: int
    missing: tuple[MissingAnswer, ...]
    wrong: tuple[WrongAnswer, ...]
    gone: tuple[GoneAnswer, ...]
    unknown: tuple[UnknownAnswer, ...]
    unreadable: tuple[Remark, ...]
    remarks: tuple[Remark, ...]
    not_compared: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ToldAnswer:
    """By what, or to whom, an end was told.

    Args:
        told: everybody asks `verification`, `ocsp` and `list`; to `dcc` and `panel` goes a notice.
        milliseconds: from the commit of the act; null while it is not told.
        number: of the list that says it; null of all else.
        acknowledged_at: when the DCC or the Panel acknowledged it; null of all else, and while they have not.
        unreachable: no address of theirs is known, or its delivery was given up: who fetches the notice is told.
    """

    told: Told
    milliseconds: int | None
    number: int | None
    acknowledged_at: datetime | None
    unreachable: bool = False


@dataclass(frozen=True, kw_only=True)
class ReceiptAnswer:
    """What came of one act that ended an approval, or certificates of it.

    Args:
        certificates: how many it ended.
        notice: which tells of it.
        closed_at: when everybody had told it, and acknowledged it who has to; null until then.
    """

    decision: str
    ended_at: datetime
    certificates: int
    notice: str | None
    closed_at: datetime | None
    told: tuple[ToldAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class ReceiptList:
    """The receipts of the ends of an approval and of its certificates, oldest first."""

    approval: str
    receipts: tuple[ReceiptAnswer, ...]
