"""What waits for somebody, each kind by one statement; ra/waiting/tasks.py says for whom and in which words.

No text that somebody wrote is read here: a task says that there is something, and where.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from core.approval import ApprovalRecord, Device, EndCause
from core.classification import Recipient
from core.cpl import OPEN_INSTRUCTION, InstructionState, Kind, certificate_awaited
from core.identifiers import Serial
from core.kinds import (
    OPEN_BREACH,
    OPEN_DECISION,
    UNDECIDED,
    AmendmentRequestState,
    ApplicationState,
    BreachState,
    DecisionKind,
    DecisionState,
    DeliveryState,
    EndRequestState,
    NoticeKind,
    RequirementState,
)
from store.reading import approvals as approval_reading
from store.rows import device_of
from store.tables import acceptances, applications, approvals, certificates, decisions, organisations, terms
from store.transactions import Transaction
from store.trial_tables import (
    additions,
    amendment_requests,
    breaches,
    cpl_instructions,
    deliveries,
    end_requests,
    notice_copies,
    notices,
    reminders,
    requirements,
)

MOST_OF_A_KIND = 500
"""Tasks of one kind that are told at once, the oldest first: nobody works off a longer list."""

_AND_ONE = MOST_OF_A_KIND + 1
"""What is read of a kind: one more than is told shows that there are more."""


@dataclass(frozen=True, kw_only=True)
class WaitingApplication:
    """An application that is not proposed for decision, with how many requirements are open (F2.20)."""

    id: str
    organisation: str
    device: Device
    submitted_at: datetime
    open_requirements: int
    oldest_requirement: datetime | None


@dataclass(frozen=True, kw_only=True)
class WaitingDecision:
    """A decision that needs another officer: to second it, or to acknowledge an urgent revocation.

    Args:
        thing: its approval or application; None if it revokes many by one act.
        open_requirements: of its application: while there are any, a grant is not seconded (F2.20).
    """

    id: str
    kind: DecisionKind
    thing: str | None
    proposer: str
    proposed_at: datetime
    lapses_at: datetime | None
    open_requirements: int


@dataclass(frozen=True, kw_only=True)
class WaitingBreach:
    """A breach that is suspected, or confirmed and owes a revocation (F2.23)."""

    id: str
    approval: str
    state: BreachState
    condition: int | None
    suspected_at: datetime
    judged_at: datetime | None
    kept_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class WaitingCertificate:
    """A certificate that holds or will hold, and that its Manufacturer has rejected or not answered."""

    serial: Serial
    approval: str
    issue: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class WaitingRequest:
    """A request to amend or to end an approval that nobody has proposed a decision on (F2.29, F2.30)."""

    id: str
    approval: str
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunningApproval:
    """An approval with its days.

    Args:
        ended_at: None while nobody has ended it before its expiry.
        changes: how often its days may have changed: the issues after its first, and its end.
    """

    identifier: str
    organisation_id: str
    organisation: str
    device: Device
    granted_at: datetime
    start: datetime
    expiry: datetime
    ended_at: datetime | None
    changes: int


@dataclass(frozen=True, kw_only=True)
class WaitingCopy:
    """A recipient's copy of a notice that has neither been delivered nor fetched."""

    notice: str
    kind: NoticeKind
    approval: str | None
    recipient: Recipient
    written_at: datetime
    given_up: bool


@dataclass(frozen=True, kw_only=True)
class WaitingInstruction:
    """An instruction to the Panel that is not loaded, since it was given or rejected."""

    id: str
    approval: str
    firmware_version: str
    kind: Kind
    state: InstructionState
    since: datetime
    due: datetime


def applications_waiting(tx: Transaction, *, organisation_id: str | None = None) -> list[WaitingApplication]:
    """Return applications that are submitted; of one organisation those, proposed ones too, with open requirements."""
    a, r = applications.c, requirements.c
    states = (ApplicationState.SUBMITTED,) if organisation_id is None else UNDECIDED
    unmet = (r.application_id == a.id) & (r.state == RequirementState.OPEN)
    count = select(func.count()).where(unmet).scalar_subquery()
    oldest = select(func.min(r.set_at, type_=r.set_at.type)).where(unmet).scalar_subquery()
    query = (
        select(applications, organisations.c.name, count.label("open"), oldest.label("oldest"))
        .join(organisations, organisations.c.id == a.organisation_id)
        .where(a.state.in_(states))
        .order_by(a.submitted_at, a.id)
        .limit(_AND_ONE)
    )
    if organisation_id is not None:
        query = query.where(a.organisation_id == organisation_id, exists().where(unmet))
    return [
        WaitingApplication(
            id=row.id,
            organisation=row.name,
            device=device_of(row),
            submitted_at=row.submitted_at,
            open_requirements=row.open,
            oldest_requirement=row.oldest,
        )
        for row in tx.connection.execute(query)
    ]


def decisions_waiting(tx: Transaction) -> list[WaitingDecision]:
    """Return proposals that no second officer has judged, those that lapse first first."""
    return _decisions(tx, decisions.c.state.in_(OPEN_DECISION))


def revocations_unacknowledged(tx: Transaction) -> list[WaitingDecision]:
    """Return urgent revocations by one officer that no other has acknowledged (F2.30)."""
    c = decisions.c
    return _decisions(tx, c.urgent == 1, c.state == DecisionState.DONE, c.acknowledged_by.is_(None))


def _decisions(tx: Transaction, *so: ColumnElement[bool]) -> list[WaitingDecision]:
    c = decisions.c
    thing = func.coalesce(c.approval, c.application_id).label("thing")
    r = requirements.c
    unmet = (r.application_id == c.application_id) & (r.state == RequirementState.OPEN)
    count = select(func.count()).where(unmet).scalar_subquery().label("open")
    columns = (c.id, c.kind, thing, c.proposer, c.proposed_at, c.lapses_at, count)
    query = select(*columns).where(*so).order_by(c.lapses_at, c.proposed_at, c.id).limit(_AND_ONE)
    return [
        WaitingDecision(
            id=row.id,
            kind=row.kind,
            thing=row.thing,
            proposer=row.proposer,
            proposed_at=row.proposed_at,
            lapses_at=row.lapses_at,
            open_requirements=row.open,
        )
        for row in tx.connection.execute(query)
    ]


def breaches_open(tx: Transaction) -> list[WaitingBreach]:
    """Return breaches that are suspected, or confirmed without the revocation they owe."""
    c = breaches.c
    columns = (c.id, c.approval, c.state, c.condition, c.suspected_at, c.judged_at, c.kept_at)
    query = select(*columns).where(c.state.in_(OPEN_BREACH)).order_by(c.suspected_at, c.id)
    return [
        WaitingBreach(
            id=row.id,
            approval=row.approval,
            state=row.state,
            condition=row.condition,
            suspected_at=row.suspected_at,
            judged_at=row.judged_at,
            kept_at=row.kept_at,
        )
        for row in tx.connection.execute(query.limit(_AND_ONE))
    ]


def certificates_rejected(tx: Transaction, at: datetime) -> list[WaitingCertificate]:
    """Return certificates that their Manufacturer has rejected and that have not ended."""
    c, said = certificates.c, acceptances.c
    query = (
        select(c.serial, c.approval, c.issue, said.at.label("since"))
        .join(acceptances, said.serial == c.serial)
        .where(said.accepted == 0, c.ends_at > at)
        .order_by(said.at, c.serial)
        .limit(_AND_ONE)
    )
    return [_certificate(row) for row in tx.connection.execute(query)]


def additions_to_judge(tx: Transaction, at: datetime) -> list[tuple[ApprovalRecord, datetime]]:
    """Return approvals under which entries are added, or to be, while a certificate is awaited, and nobody has said
    whether that stands; with the instant since when that is so.
    """
    c, a = certificates.c, approvals.c
    query = (
        select(a.identifier, func.max(c.revoked_at).label("since"))
        .join(certificates, c.approval == a.identifier)
        .where(c.cause == EndCause.KEY_COMPROMISE, a.ended_at.is_(None), a.expiry >= at)
        .where(~exists().where(additions.c.approval == a.identifier))
        .group_by(a.identifier)
        .order_by(a.identifier)
    )
    since = {str(row.identifier): row.since for row in tx.connection.execute(query)}
    found = approval_reading.records(tx, list(since)) if since else []
    return [(each, since[each.identifier]) for each in found if certificate_awaited(each, at)]


def certificates_unanswered(tx: Transaction, at: datetime, *, organisation_id: str) -> list[WaitingCertificate]:
    """Return a Manufacturer's certificates that it has neither accepted nor rejected and that have not ended."""
    c = certificates.c
    query = (
        select(c.serial, c.approval, c.issue, c.signed_at.label("since"))
        .join(approvals, approvals.c.identifier == c.approval)
        .where(
            approvals.c.organisation_id == organisation_id,
            c.ends_at > at,
            ~exists().where(acceptances.c.serial == c.serial),
        )
        .order_by(c.signed_at, c.serial)
        .limit(_AND_ONE)
    )
    return [_certificate(row) for row in tx.connection.execute(query)]


def _certificate(row: Any) -> WaitingCertificate:  # noqa: ANN401 - rows of two selections
    return WaitingCertificate(serial=Serial(row.serial), approval=row.approval, issue=row.issue, since=row.since)


def requests_open(tx: Transaction) -> list[WaitingRequest]:
    """Return requests for an amendment on which no decision is proposed."""
    c = amendment_requests.c
    query = select(c.id, c.approval, c.asked_at).where(c.state == AmendmentRequestState.OPEN).order_by(c.asked_at, c.id)
    return [
        WaitingRequest(id=row.id, approval=row.approval, asked_at=row.asked_at)
        for row in tx.connection.execute(query.limit(_AND_ONE))
    ]


def end_requests_open(tx: Transaction) -> list[WaitingRequest]:
    """Return requests for the end of an approval on which no decision is proposed."""
    c = end_requests.c
    query = select(c.id, c.approval, c.asked_at).where(c.state == EndRequestState.OPEN).order_by(c.asked_at, c.id)
    return [
        WaitingRequest(id=row.id, approval=row.approval, asked_at=row.asked_at)
        for row in tx.connection.execute(query.limit(_AND_ONE))
    ]


def running(
    tx: Transaction, at: datetime, *, until: datetime | None = None, organisation_id: str | None = None
) -> list[RunningApproval]:
    """Return approvals that have not ended at `at`, those that expire first first.

    Args:
        tx: a transaction.
        at: the present instant.
        until: only those that expire by then.
        organisation_id: only one Manufacturer's.
    """
    c = approvals.c
    so = [c.ended_at.is_(None), c.expiry >= at]
    return _approvals(tx, *so, *([] if until is None else [c.expiry <= until]), organisation_id=organisation_id)


def standing_since(tx: Transaction, since: datetime, *, organisation_id: str | None = None) -> list[RunningApproval]:
    """Return approvals that had not ended at an instant, whatever became of them later."""
    c = approvals.c
    so = (c.expiry >= since, (c.ended_at.is_(None)) | (c.ended_at >= since))
    return _approvals(tx, *so, organisation_id=organisation_id)


def _approvals(tx: Transaction, *so: ColumnElement[bool], organisation_id: str | None) -> list[RunningApproval]:
    c = approvals.c
    issue = select(func.max(terms.c.issue)).where(terms.c.approval == c.identifier).scalar_subquery()
    query = (
        select(approvals, organisations.c.name, issue.label("issue"))
        .join(organisations, organisations.c.id == c.organisation_id)
        .where(*so)
        .order_by(c.expiry, c.identifier)
    )
    if organisation_id is not None:
        query = query.where(c.organisation_id == organisation_id)
    return [
        RunningApproval(
            identifier=row.identifier,
            organisation_id=row.organisation_id,
            organisation=row.name,
            device=device_of(row),
            granted_at=row.granted_at,
            start=row.start,
            expiry=row.expiry,
            ended_at=row.ended_at,
            changes=row.issue - 1 + (row.ended_at is not None),
        )
        for row in tx.connection.execute(query)
    ]


def copies_waiting(
    tx: Transaction, *, recipient: Recipient | None = None, organisation_id: str | None = None
) -> list[WaitingCopy]:
    """Return copies of notices that have neither been delivered nor fetched: of one recipient, or all."""
    copy, sent = notice_copies.c, deliveries.c
    this = (sent.notice == copy.notice) & (sent.recipient == copy.recipient)
    query = (
        select(
            copy.notice,
            copy.recipient,
            notices.c.kind,
            notices.c.approval,
            notices.c.written_at,
            exists().where(this, sent.state == DeliveryState.GIVEN_UP).label("given_up"),
        )
        .join(notices, notices.c.number == copy.notice)
        .where(copy.fetched_at.is_(None), ~exists().where(this, sent.state == DeliveryState.DELIVERED))
        .order_by(notices.c.written_at, copy.notice, copy.recipient)
        .limit(_AND_ONE)
    )
    if recipient is not None:
        query = query.where(copy.recipient == recipient)
    if organisation_id is not None:
        query = query.where(notices.c.organisation_id == organisation_id)
    return [
        WaitingCopy(
            notice=row.notice,
            kind=row.kind,
            approval=row.approval,
            recipient=row.recipient,
            written_at=row.written_at,
            given_up=bool(row.given_up),
        )
        for row in tx.connection.execute(query)
    ]


def instructions_waiting(tx: Transaction, *, due_by: datetime, or_rejected: bool) -> list[WaitingInstruction]:
    """Return instructions to the Panel that are due by an instant and pending or rejected.

    Args:
        tx: a transaction.
        due_by: the instant.
        or_rejected: also those that the Panel has rejected, whenever they are due.
    """
    c = cpl_instructions.c
    so = (c.due <= due_by) | (c.state == InstructionState.REJECTED) if or_rejected else c.due <= due_by
    columns = (c.id, c.approval, c.firmware_version, c.kind, c.state, c.instructed_at, c.due, c.acknowledged_at)
    query = select(*columns).where(c.state.in_(OPEN_INSTRUCTION), so).order_by(c.due, c.id)
    return [
        WaitingInstruction(
            id=row.id,
            approval=row.approval,
            firmware_version=row.firmware_version,
            kind=row.kind,
            state=row.state,
            since=row.instructed_at if row.state is InstructionState.PENDING else row.acknowledged_at,
            due=row.due,
        )
        for row in tx.connection.execute(query.limit(_AND_ONE))
    ]


def first_grant(tx: Transaction) -> datetime | None:
    """Return when the first approval ever was granted; None before it: there is nothing to report."""
    c = approvals.c
    return tx.connection.execute(select(func.min(c.granted_at, type_=c.granted_at.type))).scalar()


def manufacturers(tx: Transaction) -> list[tuple[str, str]]:
    """Return (identifier, name) of every organisation that has ever applied."""
    query = (
        select(organisations.c.id, organisations.c.name)
        .where(exists().where(applications.c.organisation_id == organisations.c.id))
        .order_by(organisations.c.id)
    )
    return [(str(row.id), str(row.name)) for row in tx.connection.execute(query)]


def reminded(tx: Transaction, keys: list[str]) -> set[str]:
    """Return which of some reminders were sent."""
    found = tx.connection.execute(select(reminders.c.key).where(reminders.c.key.in_(keys))).scalars()
    return {str(key) for key in found}
