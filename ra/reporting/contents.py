"""What a monthly report holds (F2.28), member by member: it is frozen as canonical JSON when the report is issued.

Reports are read for as long as they are kept. A member that is added later needs a default here: those that were issued
before do not have it.
"""

from dataclasses import dataclass
from datetime import datetime

from core.approval import Device
from core.identifiers import Environment
from core.status import State


@dataclass(frozen=True, kw_only=True)
class EntriesAnswer:
    """Device models, with their entries (one for each firmware version) beside."""

    models: int
    entries: int


@dataclass(frozen=True)
class ListItem(EntriesAnswer):
    """What the Panel has acknowledged; beside it what was instructed, is due and is not acknowledged."""

    instructed_not_acknowledged: EntriesAnswer


@dataclass(frozen=True)
class DeployedItem:
    """(d) Devices deployed: under approvals in force, and still after the end of theirs.

    Args:
        in_force: of them, under approvals that stand; null in reports from before they were told apart.
        after_end: of them, under approvals that have ended (F2.31).
    """

    deployed: int
    in_force: int | None = None
    after_end: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeployedSinceItem:
    """(e) Devices deployed since the previous report; some may have been told late."""

    deployed: int
    of_earlier_periods: int


@dataclass(frozen=True, kw_only=True)
class DecommissionedSinceItem:
    """(f) Devices decommissioned since the previous report; some may have been told late."""

    decommissioned: int
    of_earlier_periods: int


@dataclass(frozen=True, kw_only=True)
class ExpiringAnswer:
    """An approval that will expire."""

    approval: str
    manufacturer: str
    device: Device
    expiry: datetime


@dataclass(frozen=True)
class ExpiringItem:
    """(g) Approvals that will expire in the months after the report's date."""

    expiring: tuple[ExpiringAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class RemarkAnswer:
    """Free text."""

    text: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True, kw_only=True)
class AttachmentAnswer:
    """A file."""

    name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, kw_only=True)
class AnsweredQuestion:
    """What the SSC asked, and what this report answers; null before it does.

    Args:
        standing: whether each report answers it.
    """

    question: str
    text: str
    standing: bool
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


@dataclass(frozen=True)
class OtherItem:
    """(h) What else the SSC has asked for."""

    remarks: tuple[RemarkAnswer, ...]
    attachments: tuple[AttachmentAnswer, ...]
    questions: tuple[AnsweredQuestion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportItems:
    """F2.28 (a) to (h)."""

    a: ListItem
    b: ListItem
    c: ListItem
    d: DeployedItem
    e: DeployedSinceItem
    f: DecommissionedSinceItem
    g: ExpiringItem
    h: OtherItem


@dataclass(frozen=True, kw_only=True)
class CorrectionAnswer:
    """What an earlier report told and is not so."""

    approval: str
    devices: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CountedAnswer:
    """Totals since there is anything to count: the next report counts from them.

    Args:
        recorded: devices ever reported as deployed.
        voided: those of them that a correction has taken back.
        decommissioned: those of the others that have been decommissioned.
        entries: on the Central Products List.
        added, removed: entries ever added and removed, as acknowledged.
    """

    recorded: int
    voided: int
    decommissioned: int
    entries: int
    added: int
    removed: int


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """(d), (e) and (f) for one approval, against its limit (F2.21(d))."""

    approval: str
    manufacturer: str
    device: Device
    state: State
    start: datetime
    expiry: datetime
    limit: int
    deployed: int
    deployed_since: int
    decommissioned_since: int
    above_limit: bool
    counted: CountedAnswer


@dataclass(frozen=True, kw_only=True)
class ReportAnswer:
    """A month's report: as it was issued, or as it would be issued now.

    Args:
        report: the month, `2027-05`.
        since: the end of the report before; null for the first.
        until: the instant up to which it counts.
        early: whether its month was not over; what followed is in the next one.
        covers: the months whose report it is, in order: its own, those before it that were left out, and the rest of
            one that was issued early.
        look_ahead_months: in which an approval that expires is named under (g).
        corrections: of what earlier reports told.
        approvals: all there were by `until`.
    """

    report: str
    authority: str
    environment: Environment
    issued: bool
    issued_at: datetime | None
    since: datetime | None
    until: datetime
    early: bool = False
    covers: tuple[str, ...] = ()
    look_ahead_months: int
    items: ReportItems
    corrections: tuple[CorrectionAnswer, ...]
    approvals: tuple[ReportLine, ...]
