"""What each item of the monthly report says (F2.28 (a) to (h)), computed from what the register counts.

A report counts everything that is recorded when it is made, and the next one counts from there: both totals are in the
reports themselves. So nothing is lost or told twice, whatever was recorded late, in the same second or by a slow
transaction, and for every approval: deployed now = deployed before + (e) - (f) - deployments taken back + ends taken
back.
"""

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from typing import Any

from core.approval import ApprovalRecord, Terms
from core.clauses import serves
from core.cpl import Kind
from core.status import State, approval_at, open_at
from core.waiting import planned_expiry
from ra.reporting.contents import (
    AnsweredQuestion,
    AttachmentAnswer,
    CorrectionAnswer,
    CountedAnswer,
    DecommissionedSinceItem,
    DeployedItem,
    DeployedSinceItem,
    EntriesAnswer,
    ExpiringAnswer,
    ExpiringItem,
    ListItem,
    OtherItem,
    RemarkAnswer,
    ReportLine,
)
from ra.reporting.limit import limit_of
from store.reading.report_questions import Asked
from store.reading.reports import Attachment, Instructed, Remark, StintCounts

_ON_THE_LIST = frozenset({Kind.ADD, Kind.CHANGE})


NOTHING_COUNTED = CountedAnswer(recorded=0, voided=0, decommissioned=0, entries=0, added=0, removed=0)
"""What stands before the first report of an approval."""


@dataclass(frozen=True)
class Line:
    """One approval in a report.

    Args:
        record: the approval.
        manufacturer: its Manufacturer's name.
        until: the instant up to which the report counts.
        stints: its deployments by then.
        instructed: the instructions for its entries, in order.
        before: what the previous report counted.
    """

    record: ApprovalRecord
    manufacturer: str
    until: datetime
    stints: StintCounts = field(default_factory=StintCounts)
    instructed: Sequence[Instructed] = ()
    before: CountedAnswer = NOTHING_COUNTED

    @cached_property
    def _then(self) -> tuple[State, Terms | None]:
        return approval_at(self.record, self.until)

    @property
    def state(self) -> State:
        """What verification says of it at that instant."""
        return self._then[0]

    @property
    def limit(self) -> int:
        """The number of F2.21(d) that holds at that instant."""
        return limit_of(self.record, self._then[1])

    @property
    def ended(self) -> bool:
        """Whether somebody had ended it by that instant."""
        return self.record.ended_at is not None and self.record.ended_at <= self.until

    @property
    def over(self) -> bool:
        """Whether it has ended by then, by an act or by time; a certificate that is cancelled for its key ends none."""
        return self.ended or not open_at(self.record, self.until)

    @cached_property
    def expiry(self) -> datetime:
        """The last second in which it holds, amendments that have been decided included."""
        return planned_expiry(self.record)

    @property
    def deployed_since(self) -> int:
        """Devices reported as deployed since the previous report; what was taken back before this one is not told."""
        return self.stints.recorded - self.before.recorded - self.stints.voided_unreported

    @property
    def decommissioned_since(self) -> int:
        """Devices reported as decommissioned since the previous report."""
        stints = self.stints
        return stints.decommissioned - self.before.decommissioned + stints.voided_decommissioned + stints.undone

    @property
    def corrected(self) -> int:
        """Devices that the previous report counts as deployed and that a correction has taken back since."""
        stints = self.stints
        return stints.voided - self.before.voided - stints.voided_unreported - stints.voided_decommissioned

    @cached_property
    def counted(self) -> CountedAnswer:
        """What this report counts, for the next one."""
        entries, added, removed = _lived(self.instructed)
        stints = self.stints
        return CountedAnswer(
            recorded=stints.recorded,
            voided=stints.voided,
            decommissioned=stints.decommissioned,
            entries=entries,
            added=added,
            removed=removed,
        )


def counted_in(document: Mapping[str, Any]) -> dict[str, CountedAnswer]:
    """Return what a report counted, by approval."""
    return {each["approval"]: CountedAnswer(**each["counted"]) for each in document["approvals"]}


# --- the items ---------------------------------------------------------------------------------------------------


@serves("F2.28(a)")
def on_the_list(lines: Sequence[Line]) -> ListItem:
    """(a) Trial Devices on the Central Products List: those whose entry the Panel has acknowledged."""
    return ListItem(
        models=_models(lines, lambda each: each.counted.entries > 0),
        entries=sum(each.counted.entries for each in lines),
        instructed_not_acknowledged=_open(lines, _ON_THE_LIST),
    )


@serves("F2.28(b)")
def added_to_the_list(lines: Sequence[Line]) -> ListItem:
    """(b) Trial Devices added to it since the previous report.

    A model counts if it had no entry then; another firmware version of a model that is on the list adds an entry.
    """
    there = {each.record.device.key for each in lines if each.before.entries}
    return ListItem(
        models=_models(lines, lambda each: _added(each) > 0 and each.record.device.key not in there),
        entries=sum(_added(each) for each in lines),
        instructed_not_acknowledged=_open(lines, {Kind.ADD}),
    )


@serves("F2.28(c)")
def removed_from_the_list(lines: Sequence[Line]) -> ListItem:
    """(c) Trial Devices removed from it since the previous report; one that is no trial any more counts as removed.

    A model counts if it has no entry left (F2.31: its trial marker may have been replaced by the NCSC's certificate).
    """
    there = {each.record.device.key for each in lines if each.counted.entries}
    return ListItem(
        models=_models(lines, lambda each: _removed(each) > 0 and each.record.device.key not in there),
        entries=sum(_removed(each) for each in lines),
        instructed_not_acknowledged=_open(lines, {Kind.REMOVE, Kind.REPLACE_MARKER}),
    )


@serves("F2.28(d)")
def deployed(lines: Sequence[Line]) -> DeployedItem:
    """(d) Trial Devices deployed, in aggregate; by approval they stand in the report's table.

    Those that are still deployed after the end of their approval are no Trial Devices any more (F2.31), and told apart.
    """
    after_end = sum(each.stints.deployed for each in lines if each.over)
    every = sum(each.stints.deployed for each in lines)
    return DeployedItem(deployed=every, in_force=every - after_end, after_end=after_end)


@serves("F2.28(e)")
def deployed_since(lines: Sequence[Line]) -> DeployedSinceItem:
    """(e) Trial Devices deployed since the previous report, and how many of them before it: they were told late."""
    late = sum(
        each.stints.recorded_early - each.before.recorded - each.stints.voided_unreported_early for each in lines
    )
    return DeployedSinceItem(deployed=sum(each.deployed_since for each in lines), of_earlier_periods=max(0, late))


@serves("F2.28(f)")
def decommissioned_since(lines: Sequence[Line]) -> DecommissionedSinceItem:
    """(f) Trial Devices decommissioned since the previous report, and how many of them before it."""
    late = sum(
        each.stints.decommissioned_early
        - each.before.decommissioned
        + each.stints.voided_decommissioned
        + each.stints.undone
        for each in lines
    )
    return DecommissionedSinceItem(
        decommissioned=sum(each.decommissioned_since for each in lines), of_earlier_periods=max(0, late)
    )


@serves("F2.28(g)")
def expiring(lines: Sequence[Line], *, until: datetime, months: int) -> ExpiringItem:
    """(g) Approvals that will expire in the months after the report's date, the last day included."""
    last = months_after(until.date(), months)
    # An approval whose certificate was cancelled for its key stands, and will expire: its state says cancelled.
    ending = [each for each in lines if not each.ended and until < each.expiry and each.expiry.date() <= last]
    ending.sort(key=lambda each: (each.expiry, each.record.identifier))
    return ExpiringItem(
        tuple(
            ExpiringAnswer(
                approval=each.record.identifier,
                manufacturer=each.manufacturer,
                device=each.record.device,
                expiry=each.expiry,
            )
            for each in ending
        )
    )


@serves("F2.28(h)")
def other_information(
    remarks: Iterable[Remark], attachments: Iterable[Attachment], asked: Iterable[Asked]
) -> OtherItem:
    """(h) What else the SSC has asked for and the DCC has: answers to each question, free text and files."""
    return OtherItem(
        tuple(RemarkAnswer(text=each.text, made_at=each.made_at, made_by=each.made_by) for each in remarks),
        tuple(
            AttachmentAnswer(name=each.name, sha256=each.sha256, size=each.size, media_type=each.media_type)
            for each in attachments
        ),
        tuple(
            AnsweredQuestion(
                question=each.question.id,
                text=each.question.text,
                standing=each.question.month is None,
                asked_at=each.question.asked_at,
                answer=each.answer,
                answered_at=each.answered_at,
                answered_by=each.answered_by,
            )
            for each in asked
        ),
    )


# --- the table and what was corrected ----------------------------------------------------------------------------


@serves("F2.28(d)", "F2.28(e)", "F2.28(f)")
def by_approval(lines: Sequence[Line]) -> tuple[ReportLine, ...]:
    """Return (d), (e) and (f) broken down by Trial Device Approval, against each limit (F2.21(d))."""
    return tuple(
        ReportLine(
            approval=each.record.identifier,
            manufacturer=each.manufacturer,
            device=each.record.device,
            state=each.state,
            start=each.record.start,
            expiry=each.expiry,
            limit=each.limit,
            deployed=each.stints.deployed,
            deployed_since=each.deployed_since,
            decommissioned_since=each.decommissioned_since,
            above_limit=each.stints.deployed > each.limit,
            counted=each.counted,
        )
        for each in lines
    )


def corrections(lines: Sequence[Line]) -> tuple[CorrectionAnswer, ...]:
    """Return what earlier reports told and is not so: frozen as they are, they are put right here."""
    told: list[CorrectionAnswer] = []
    for each in lines:
        if each.corrected:
            told.append(_correction(each, each.corrected, "counted as deployed, and never deployed"))
        if each.stints.voided_decommissioned:
            words = "counted as deployed and then as decommissioned, and never deployed; (d) stays what it is"
            told.append(_correction(each, each.stints.voided_decommissioned, words))
        if each.stints.undone:
            words = "counted as decommissioned, and never taken out then"
            told.append(_correction(each, each.stints.undone, words))
    return tuple(told)


def _correction(line: Line, devices: int, words: str) -> CorrectionAnswer:
    many = f"{devices} devices were" if devices != 1 else "1 device was"
    sentence = f"An earlier report is corrected: under {line.record.identifier}, {many} {words}."
    return CorrectionAnswer(approval=line.record.identifier, devices=devices, sentence=sentence)


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, or the last of that month if it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _lived(instructed: Sequence[Instructed]) -> tuple[int, int, int]:
    """Return the entries on the list, and how many were ever added and removed, as the Panel has acknowledged it."""
    entries = added = removed = 0
    for _, steps in groupby(instructed, key=lambda step: step.firmware_key):
        there = False
        for step in steps:
            if not step.loaded:
                continue
            wanted = step.kind in _ON_THE_LIST
            added += wanted and not there
            removed += there and not wanted
            there = wanted
        entries += there
    return entries, added, removed


def _added(line: Line) -> int:
    return line.counted.added - line.before.added


def _removed(line: Line) -> int:
    return line.counted.removed - line.before.removed


def _models(lines: Iterable[Line], counts: Callable[[Line], bool]) -> int:
    """How many device models: two approvals of one model, one after the other, are one Trial Device."""
    return len({each.record.device.key for each in lines if counts(each)})


def _open(lines: Sequence[Line], kinds: Iterable[Kind]) -> EntriesAnswer:
    """What was instructed and is due, and the Panel has not acknowledged."""
    named = frozenset(kinds)
    waiting = [(each, step) for each in lines for step in each.instructed if step.open and step.kind in named]
    return EntriesAnswer(models=len({each.record.device.key for each, _ in waiting}), entries=len(waiting))
