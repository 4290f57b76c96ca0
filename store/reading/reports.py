"""What the monthly report is made of (F2.28): deployments counted, acknowledged instructions, remarks, past reports.

Everything is read as it was *recorded* by an instant; what was reported late or corrected belongs to the report after.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from core.cpl import InstructionState, Kind
from core.kinds import EvidenceSubject
from store.tables import approvals, organisations
from store.transactions import Transaction
from store.trial_tables import (
    cpl_instructions,
    deployments,
    evidence,
    report_remarks,
    reports,
    undone_ends,
)

_BEFORE_EVERYTHING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class StintCounts:
    """The stints of one approval, each a device from its deployment to its decommissioning, counted at an instant.

    Args:
        recorded: all that were ever recorded.
        voided: those of them that a correction has taken back.
        decommissioned: those of the others that have been decommissioned.
        recorded_early, decommissioned_early: as above, but the event lies at or before the previous report's end.
        voided_unreported: recorded after the previous report and taken back since: no report ever counted them.
        voided_unreported_early: those of them whose deployment lies at or before the previous report's end.
        voided_decommissioned: taken back since the previous report, which counted them as decommissioned.
        undone: ends taken back since the previous report, which counted them: the devices were never taken out.
    """

    recorded: int = 0
    voided: int = 0
    decommissioned: int = 0
    recorded_early: int = 0
    decommissioned_early: int = 0
    voided_unreported: int = 0
    voided_unreported_early: int = 0
    voided_decommissioned: int = 0
    undone: int = 0

    @property
    def deployed(self) -> int:
        """Stints that stand: recorded, and neither decommissioned nor taken back."""
        return self.recorded - self.voided - self.decommissioned


@dataclass(frozen=True, kw_only=True)
class Instructed:
    """An instruction to the Panel as it stood at an instant.

    Args:
        approval: whose entry.
        firmware_key: which entry: the firmware version without regard to case.
        kind: what it asks for.
        loaded: the Panel has acknowledged it by then.
        open: it was due by then, and is pending or rejected.
    """

    approval: str
    firmware_key: str
    kind: Kind
    loaded: bool
    open: bool


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Free text for a report (F2.28(h))."""

    text: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a report (F2.28(h)); its octets are evidence like any other."""

    name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, kw_only=True)
class IssuedReport:
    """A report that was issued, frozen.

    Args:
        month: `2027-05`.
        since: the end of the report before; None for the first.
        until: the instant up to which it counts.
        document: canonical JSON.
        document_sha256: its digest, hexadecimal.
        issued_at, issued_by: when and by whom.
    """

    month: str
    since: datetime | None
    until: datetime
    document: str
    document_sha256: str
    issued_at: datetime
    issued_by: str


def stint_counts(tx: Transaction, *, since: datetime | None, until: datetime) -> dict[str, StintCounts]:
    """Count the stints of every approval that has any.

    Args:
        tx: a transaction that sees one state throughout, or holds off whoever records.
        since: the end of the previous report; None if there is none.
        until: the instant up to which it is counted; what was recorded later is not there yet.
    """
    first = since or _BEFORE_EVERYTHING
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for approval, counts in _written(tx, first, until):
        found[approval].update(counts)
    for approval, counts in _fates(tx, first, until):
        found[approval].update(counts)
    for approval, undone in _undone(tx, first, until).items():
        found[approval]["undone"] = undone
    return {approval: StintCounts(**counts) for approval, counts in found.items() if counts["recorded"]}


_Counted = Iterator[tuple[str, dict[str, int]]]


def _written(tx: Transaction, first: datetime, until: datetime) -> _Counted:
    """Count what was ever recorded: all that there is, which an index tells alone, less what is not there yet."""
    c = deployments.c
    early = func.count().filter(c.deployed_at <= first)
    every = _grouped(tx, c.approval, {"recorded": func.count(), "recorded_early": early})
    # By when it was recorded, which is next to nothing: an approval's own index would have every row looked up.
    later = {"recorded": -func.count(), "recorded_early": -early}
    return chain(every, _grouped(tx, c.approval.concat(""), later, c.recorded_at > until))


def _fates(tx: Transaction, first: datetime, until: datetime) -> _Counted:
    """Count what became of stints, each by the index of those of which it did: of most, nothing has yet."""
    c, by = deployments.c, deployments.c.approval.concat("")
    there = c.recorded_at <= until
    unreported = there & (c.recorded_at > first)
    voided = {
        "voided": func.count().filter(there),
        "voided_unreported": func.count().filter(unreported),
        "voided_unreported_early": func.count().filter(unreported & (c.deployed_at <= first)),
        "voided_decommissioned": func.count().filter(
            there & (c.voided_at > first) & (c.decommission_recorded_at <= first)
        ),
    }
    standing = there & ((c.voided_at.is_(None)) | (c.voided_at > until))
    decommissioned = {
        "decommissioned": func.count().filter(standing),
        "decommissioned_early": func.count().filter(standing & (c.decommissioned_at <= first)),
    }
    return chain(
        _grouped(tx, by, voided, c.voided_at <= until),
        _grouped(tx, by, decommissioned, c.decommission_recorded_at <= until),
    )


def _grouped(
    tx: Transaction, by: ColumnElement[str], counted: Mapping[str, ColumnElement[int]], *which: ColumnElement[bool]
) -> _Counted:
    query = select(by, *(count.label(name) for name, count in counted.items())).where(*which).group_by(by)
    for approval, *numbers in tx.connection.execute(query):
        yield str(approval), dict(zip(counted, map(int, numbers), strict=True))


def _undone(tx: Transaction, first: datetime, until: datetime) -> dict[str, int]:
    """How many ends of each approval were counted by the previous report and taken back since."""
    c = undone_ends.c
    query = (
        select(deployments.c.approval, func.count())
        .join(deployments, deployments.c.id == c.deployment_id)
        .where(c.undone_at > first, c.undone_at <= until, c.recorded_at <= first)
        .group_by(deployments.c.approval)
    )
    return {str(approval): int(number) for approval, number in tx.connection.execute(query)}


def instructed(tx: Transaction, *, until: datetime) -> dict[str, list[Instructed]]:
    """Return the instructions of every approval, by entry in the order in which they take effect.

    What was superseded is not there; the order is that of core/cpl.py: when the list shows it, then as it was given.

    Args:
        tx: a transaction.
        until: the instant as of which they are told.
    """
    c = cpl_instructions.c
    columns = (c.id, c.approval, c.firmware_key, c.kind, c.state, c.acknowledged_at, c.due)
    query = select(*columns).where(c.state != InstructionState.SUPERSEDED, c.instructed_at <= until)
    in_order = defaultdict(list)
    for identifier, approval, firmware, kind, state, acknowledged_at, due in tx.connection.execute(query):
        loaded = state is InstructionState.LOADED and acknowledged_at <= until
        effect = min(due, acknowledged_at) if loaded else due
        told = Instructed(
            approval=approval, firmware_key=firmware, kind=kind, loaded=loaded, open=not loaded and due <= until
        )
        in_order[approval].append((firmware, effect, identifier, told))
    return {approval: [told for *_, told in sorted(found)] for approval, found in in_order.items()}


def manufacturer_names(tx: Transaction) -> Mapping[str, str]:
    """Return the name of the Manufacturer of each approval, by the approval's identifier."""
    query = select(approvals.c.identifier, organisations.c.name).join(
        organisations, organisations.c.id == approvals.c.organisation_id
    )
    return {str(identifier): str(name) for identifier, name in tx.connection.execute(query)}


def remarks(tx: Transaction, month: str) -> list[Remark]:
    """Return what was said for a month's report, in order."""
    c = report_remarks.c
    query = select(c.text, c.made_at, c.made_by).where(c.month == month).order_by(c.made_at, c.id)
    return [Remark(text=row.text, made_at=row.made_at, made_by=row.made_by) for row in tx.connection.execute(query)]


def attachments(tx: Transaction, month: str) -> list[Attachment]:
    """Return the files that go with a month's report, in order."""
    c = evidence.c
    query = (
        select(c.name, c.sha256, c.size, c.media_type)
        .where(c.subject_kind == EvidenceSubject.REPORT, c.subject == month)
        .order_by(c.attached_at, c.id)
    )
    return [
        Attachment(name=row.name, sha256=row.sha256, size=row.size, media_type=row.media_type)
        for row in tx.connection.execute(query)
    ]


def issued(tx: Transaction, month: str) -> IssuedReport | None:
    """Return the report of a month as it was issued; None if it was not."""
    row = tx.connection.execute(select(reports).where(reports.c.month == month)).one_or_none()
    return None if row is None else _issued(row)


def newest(tx: Transaction) -> IssuedReport | None:
    """Return the report that was issued last; None before the first."""
    row = tx.connection.execute(select(reports).order_by(reports.c.until.desc()).limit(1)).one_or_none()
    return None if row is None else _issued(row)


def newest_month(tx: Transaction) -> str | None:
    """Return the month of the report that was issued last; None before the first."""
    found = tx.connection.execute(select(func.max(reports.c.month))).scalar()
    return None if found is None else str(found)


def issued_list(tx: Transaction, *, after: str, limit: int) -> list[IssuedReport]:
    """Return issued reports in order of month, from behind `after` on; without their documents."""
    c = reports.c
    query = select(c.month, c.since, c.until, c.document_sha256, c.issued_at, c.issued_by).where(c.month > after)
    rows = tx.connection.execute(query.order_by(c.month).limit(limit))
    return [
        IssuedReport(
            month=row.month,
            since=row.since,
            until=row.until,
            document="",
            document_sha256=row.document_sha256,
            issued_at=row.issued_at,
            issued_by=row.issued_by,
        )
        for row in rows
    ]


def _issued(row: Row[Any]) -> IssuedReport:
    return IssuedReport(
        month=row.month,
        since=row.since,
        until=row.until,
        document=row.document,
        document_sha256=row.document_sha256,
        issued_at=row.issued_at,
        issued_by=row.issued_by,
    )
