"""record: the DCC reports devices deployed, replaced and decommissioned (F2.28 (d) to (f))."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from core.actors import Actor
from core.approval import DEVICE_MEMBERS
from core.canonical import Json
from core.clauses import serves
from core.days import DayOrder
from core.deployments import Event, Form, Line, LineCode, Model, Outcome, Stint, Verdict, by_device, sentence
from core.errors import StoreUnavailable
from core.facts import Fact, FactKind
from core.instants import text
from intake.deployment_lines import column_name, read_lines, read_table
from intake.duis import read_inventory
from policy.roles import Operation
from ra.access import authorise
from ra.bounds import require_act, require_lines
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, earlier, remember, wait_for_the_same
from ra.reporting.catalogue import Catalogue, Misfit
from ra.reporting.ledger import Ledger
from ra.reporting.limit import compare_limit, look_whether_kept
from ra.reporting.views import LineTaken, ReportTaken
from store.reading import approvals as approval_reading
from store.reading import deployments as deployment_reading
from store.transactions import Transaction
from store.verbs import deployments, facts

LARGEST_REPORT = 32 * 1024 * 1024
"""Octets of a report: 100,000 lines of 335."""

LINES_AT_ONCE = 2_000
"""Lines of one transaction: other writers wait for at most so much work."""

MOST_LINES_OF_ONE_DEVICE = 100
"""Lines about one device in one report; nobody puts up and takes down a meter so often."""

MOST_COLLISIONS = 10
"""How often a part is tried anew because another report has just deployed one of its devices."""


@dataclass(frozen=True)
class _Report:
    """What was sent."""

    batch: str
    form: Form
    content_sha256: str
    actor: Actor
    request: RequestKey | None
    lines: int


@dataclass
class _Part:
    """Lines that are taken in one transaction: all that concern their devices.

    Args:
        number: of the part, from 1; the first opens the batch.
        last: whether the batch ends with it.
        groups: lines that have devices in common, each group apart from the others.
        decided: verdicts of lines that could not be read, or are not counted.
    """

    number: int
    last: bool = False
    groups: list[list[Line]] = field(default_factory=list)
    decided: list[Verdict] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many lines it has."""
        return len(self.decided) + sum(map(len, self.groups))

    @property
    def lines(self) -> list[Line]:
        """All that are to be taken."""
        return [line for group in self.groups for line in group]


@serves("F2.28(d)", "F2.28(e)", "F2.28(f)")
def record_deployments(
    desk: Desk,
    actor: Actor,
    form: Form,
    body: bytes,
    request: RequestKey | None = None,
    *,
    order: DayOrder = DayOrder.UNKNOWN,
) -> ReportTaken:
    """Take a report in, line by line; a line that is wrong harms no other, and the same report twice changes nothing.

    If we die between two parts, those devices whose part was committed are recorded whole; sending the report again
    completes it.

    Args:
        desk: where.
        actor: of the DCC.
        form: of `body`.
        body: what was sent, at most the caller's limit.
        request: under which the same request is done once.
        order: what the sender says of dates in numbers.

    Raises:
        DeploymentsMalformed, InventoryUnusable: the report as a whole cannot be read.
        DeploymentsTooMany, BodyTooLarge: it is too large.
        TooMuchToday: it has more lines than may still be taken today. Only where several reports come at once is a part
            of it recorded before that is seen.
        StoreUnavailable: the register is busy; what was committed stands, and the report can be sent again.
    """
    authorise(actor, Operation.RECORD_DEPLOYMENTS)
    read = _read(desk, form, body, order)
    with desk.store.read() as tx:
        taken = earlier(tx, actor, request, ReportTaken)
        if taken is not None:
            return taken
        catalogue = Catalogue(approval_reading.records(tx))
    report = _Report(
        batch=new_identifier("dep", desk.clock.now()),
        form=form,
        content_sha256=hashlib.sha256(body).hexdigest(),
        actor=actor,
        request=request,
        lines=len(read),
    )
    results: list[Verdict] = []
    for part in _parts(read):
        became = _record_part(desk, report, catalogue, part, results)
        if isinstance(became, ReportTaken):
            return became
        results += became
    return _outcome(report, results)


def _read(desk: Desk, form: Form, body: bytes, order: DayOrder) -> list[Line | Verdict]:
    match form:
        case Form.CSV:
            return read_table(body, order)
        case Form.JSON:
            return read_lines(body, order)
        case Form.DUIS:
            counted, gone = desk.rules.deployed_statuses, desk.rules.decommissioned_statuses
            return read_inventory(body, deployed=counted, decommissioned=gone)
        case _:
            assert_never(form)


# --- parts -------------------------------------------------------------------------------------------------------


def _parts(read: Sequence[Line | Verdict]) -> list[_Part]:
    """Divide a report so that lines about one device, or about one that takes its place, stay together.

    Devices that come down go before those that go up: a report that does not exceed a limit does not do so half way.
    """
    often = Counter(device for each in read if isinstance(each, Line) for device in {each.device_id, each.by} - {""})
    taken = [_bounded(each, often) for each in read]
    decided = [each for each in taken if isinstance(each, Verdict)]
    parts = [_Part(1, decided=decided)]
    room = LINES_AT_ONCE
    for group in sorted(by_device([each for each in taken if isinstance(each, Line)], _devices), key=_net):
        if room <= 0:
            parts.append(_Part(len(parts) + 1))
            room = LINES_AT_ONCE
        parts[-1].groups.append(group)
        room -= len(group)
    parts[-1].last = True
    return parts


def _devices(line: Line) -> tuple[str, ...]:
    return (line.device_id, line.by) if line.by else (line.device_id,)


def _bounded(each: Line | Verdict, often: Counter[str]) -> Line | Verdict:
    if isinstance(each, Verdict) or max(often[each.device_id], often[each.by]) <= MOST_LINES_OF_ONE_DEVICE:
        return each
    told = sentence(LineCode.NAMED_TOO_OFTEN, most=MOST_LINES_OF_ONE_DEVICE)
    return Verdict(
        number=each.number,
        outcome=Outcome.REFUSED,
        device_id=each.device_id,
        approval=each.approval,
        code=LineCode.NAMED_TOO_OFTEN,
        column="device_id",
        detail=told,
    )


def _net(group: Sequence[Line]) -> int:
    """How many devices more are deployed after a group than before, if all of it is recorded."""
    change = {
        Event.DEPLOYED: 1,
        Event.REPLACED: 0,
        Event.DECOMMISSIONED: -1,
        Event.CORRECTED: -1,
        Event.NOT_DECOMMISSIONED: 1,
    }
    return sum(change[line.event] for line in group)


# --- one part ----------------------------------------------------------------------------------------------------


def _record_part(
    desk: Desk, report: _Report, catalogue: Catalogue, part: _Part, before: Sequence[Verdict]
) -> list[Verdict] | ReportTaken:
    """Record one part, after those whose verdicts are given.

    Returns:
        What became of its lines; or of the whole report, if the same was sent at the same moment and is at its end.
    """
    for _ in range(MOST_COLLISIONS):
        try:
            with desk.store.begin("record deployments") as tx:
                wait_for_the_same(tx, report.actor, report.request)
                taken = earlier(tx, report.actor, report.request, ReportTaken)
                if taken is not None:
                    return taken
                at = desk.clock.now()  # only now: a report that was issued while we waited has not counted these
                require_act(tx, desk.rules.bounds, report.actor, at=at)
                # All that is still to come, so that what is too long is refused before its first line is recorded.
                require_lines(tx, desk.rules.bounds, report.actor, report.lines - len(before), at=at)
                if part.number == 1:
                    deployments.open_batch(
                        tx,
                        report.batch,
                        form=report.form,
                        content_sha256=report.content_sha256,
                        by=report.actor.name,
                        at=at,
                    )
                verdicts = _taken(tx, report, catalogue, part, at)
                if part.last and report.request is not None:
                    remember(tx, report.actor, report.request, _outcome(report, [*before, *verdicts]), at=at)
        except deployments.DeviceTaken:
            continue  # nothing of it was written; the next turn sees what the other report has recorded
        return verdicts
    raise StoreUnavailable(detail="other reports of the same devices come in at the same moment")


def _taken(tx: Transaction, report: _Report, catalogue: Catalogue, part: _Part, at: datetime) -> list[Verdict]:
    _refresh(tx, catalogue, part.lines)
    devices = {line.device_id for line in part.lines} | {line.by for line in part.lines if line.by}
    known = deployment_reading.stints_of(tx, devices, hold=True)
    # One may have been granted, and reported on by others, since this report came in.
    catalogue.refresh(approval_reading.records(tx, {each.approval for each in known if each.approval not in catalogue}))
    ledger = Ledger(catalogue, known, at)
    verdicts = [*part.decided, *(each for group in part.groups for each in ledger.take(group))]
    begun, ended = ledger.changes()
    # Ends first: a device that came down under one approval may have gone up under another.
    deployments.end_stints(tx, report.batch, ended, at=at)
    deployments.begin_stints(tx, report.batch, begun, at=at)
    counts = _counts(verdicts)
    stored = {name: counts[name] for name in ("lines", "recorded", "known", "refused")}
    deployments.count(tx, report.batch, stored)
    payload: dict[str, Json] = {
        "batch": report.batch,
        "part": part.number,
        "first_line": min(each.number for each in verdicts),
        "last_line": max(each.number for each in verdicts),
        **counts,
        "approvals": _by_approval(begun, ended),
        "sha256": _digest(part.lines),
    }
    facts.record(tx, Fact(FactKind.DEPLOYMENTS_RECORDED, at, report.actor, subject=report.batch, payload=payload))
    _compare(tx, catalogue, [*begun, *ended], report.actor, at)
    return verdicts


def _refresh(tx: Transaction, catalogue: Catalogue, lines: Iterable[Line]) -> None:
    """Hold the approvals under which devices may go up, and read them as they are now."""
    concerned: set[str] = set()
    for line in lines:
        found = catalogue.candidates(line) if line.approval or line.model else ()
        if not isinstance(found, Misfit):
            concerned.update(found)
    approval_reading.hold(tx, concerned)
    catalogue.refresh(approval_reading.records(tx, concerned))


@serves("F2.21(d)")
def _compare(tx: Transaction, catalogue: Catalogue, changed: Sequence[Stint], actor: Actor, at: datetime) -> None:
    """Compare each approval with its limit, from the first instant at which there may be more devices than were known.

    What comes down or is taken back makes them fewer; then what holds now is compared, and whether the limit was kept.
    """
    for approval in sorted({each.approval for each in changed}):
        mine = [each for each in changed if each.approval == approval]
        standing = [each.deployed_at for each in mine if each.id is None and each.void_reason is None]
        standing += [end.at for each in mine for end in each.newly_undone if each.void_reason is None]
        record = catalogue.record(approval)
        compare_limit(tx, record, first=min(standing, default=at), actor=actor, at=at)
        if any(each.void_reason is not None or each.decommissioned_at != each.ended_before for each in mine):
            look_whether_kept(tx, record, actor=actor, at=at)


# --- what is told ------------------------------------------------------------------------------------------------


def _outcome(report: _Report, verdicts: Sequence[Verdict]) -> ReportTaken:
    told = tuple(
        LineTaken(
            line=each.number,
            outcome=each.outcome,
            device_id=each.device_id,
            approval=each.approval,
            code=each.code,
            column=column_name(report.form, each.column),
            detail=each.detail,
        )
        for each in sorted(verdicts, key=lambda each: each.number)
    )
    return ReportTaken(batch=report.batch, **_counts(verdicts), results=told)


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    seen = Counter(each.outcome for each in verdicts)
    return {"lines": len(verdicts), **{outcome.value: seen[outcome] for outcome in Outcome}}


def _by_approval(begun: Sequence[Stint], ended: Sequence[Stint]) -> Mapping[str, Mapping[str, int]]:
    """How many stints began, ended and were taken back under each approval; which devices they are of stays here."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in begun:
        counts[each.approval]["deployed"] += 1
    for each in (*begun, *ended):
        if each.decommissioned_at is not None and each.decommissioned_at != each.ended_before:
            counts[each.approval]["decommissioned"] += 1
        if each.void_reason is not None:
            counts[each.approval]["corrected"] += 1
        if each.newly_undone:
            counts[each.approval]["ends_taken_back"] += len(each.newly_undone)
    return {approval: dict(each) for approval, each in counts.items()}


def _digest(lines: Sequence[Line]) -> str:
    """The SHA-256 of what the lines say, whatever form they were sent in (docs/deployments.md).

    No member holds a control character, so the two that stand between members and lines are unmistakable.
    """
    said = "\n".join("\x1f".join(_members(line)) for line in lines)
    return hashlib.sha256(said.encode("utf-8")).hexdigest()


def _members(line: Line) -> tuple[str, ...]:
    model = line.model or Model("", "")
    named = (getattr(model, name) for name in DEVICE_MEMBERS)
    first = (str(line.number), line.event.value, line.device_id, text(line.on), line.approval or "")
    return (*first, *named, line.firmware, line.by, line.why)
