"""What a register has lost with a backup, entered again: each row as it was, as far as that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from core.approval import EndCause
from core.kinds import CLAIMED_DRAFT, ApplicationState, DecisionState, DraftState
from store.rows import Approval, DraftRow
from store.tables import applications, approval_counters, approvals, decisions, drafts
from store.transactions import Transaction
from store.trial_tables import notice_counters, restored_certificates


@dataclass(frozen=True, kw_only=True)
class RestoredCertificate:
    """A certificate that was entered again.

    Args:
        serial: its serial number.
        decision_id: the decision that it stands under now.
        restored_at: when.
        source: where it was known from.
        unknown: what of it could not be known, in words.
    """

    serial: str
    decision_id: str
    restored_at: datetime
    source: str
    unknown: str


def enter_approval(tx: Transaction, approval: Approval, *, ended_by: str | None) -> None:
    """Write an approval with the end that it had."""
    tx.connection.execute(
        insert(approvals).values(
            identifier=approval.identifier,
            decision_id=approval.decision_id,
            application_id=approval.application_id,
            organisation_id=approval.organisation_id,
            **approval.device.listed(),
            device_key=approval.device.key,
            granted_at=approval.granted_at,
            start=approval.start,
            expiry=approval.expiry,
            ended_at=approval.ended_at,
            end_cause=approval.end_cause,
            ended_by=ended_by,
        )
    )


def end_approval(tx: Transaction, identifier: str, *, cause: EndCause, by: str, at: datetime) -> bool:
    """Let an approval have the end that was stated; return whether it had none."""
    a = approvals.c
    return bool(
        tx.connection.execute(
            update(approvals)
            .where(a.identifier == identifier, a.ended_at.is_(None), a.expiry >= at)
            .values(ended_at=at, end_cause=cause, ended_by=by)
        ).rowcount
    )


def decide(tx: Transaction, identifier: str, *, seconder: str, tbs_sha256: str, outcome: str, at: datetime) -> None:
    """Let a decision that the register has as open, or as agreed, be done, as it was.

    Args:
        tx: open.
        identifier: of the decision.
        seconder: who agreed last, if the register does not say.
        tbs_sha256: digest of the bytes that were signed.
        outcome: in words.
        at: now.
    """
    d = decisions.c
    open_or_agreed = (DecisionState.PROPOSED, DecisionState.DRAFTED, DecisionState.SECONDED)
    which = (d.id == identifier) & d.state.in_(open_or_agreed)
    unsaid = {"seconder": seconder, "seconded_at": at, "seconded_tbs_sha256": tbs_sha256}
    tx.connection.execute(update(decisions).where(which, d.seconder.is_(None)).values(unsaid))
    done = {"state": DecisionState.DONE, "outcome": outcome, "closed_at": at}
    tx.connection.execute(update(decisions).where(which).values(done))


def grant_application(tx: Transaction, identifier: str) -> None:
    """Let an application be granted, as it was."""
    states = (ApplicationState.SUBMITTED, ApplicationState.PROPOSED)
    which = (applications.c.id == identifier) & applications.c.state.in_(states)
    tx.connection.execute(update(applications).where(which).values(state=ApplicationState.GRANTED))


def claim_draft(tx: Transaction, draft: DraftRow, *, at: datetime) -> None:
    """Let the draft of what was signed be claimed, and no other draft of the same issue live."""
    d = drafts.c
    others = (d.approval == draft.approval) & (d.issue == draft.issue) & (d.serial != draft.serial)
    tx.connection.execute(update(drafts).where(others).values(state=DraftState.ABANDONED))
    if tx.connection.execute(select(d.serial).where(d.serial == draft.serial)).first() is None:
        tx.connection.execute(
            insert(drafts).values(
                serial=draft.serial,
                decision_id=draft.decision_id,
                approval=draft.approval,
                issue=draft.issue,
                issuer_serial=draft.issuer_serial,
                state=DraftState.CLAIMED,
                tbs=draft.tbs,
                tbs_sha256=draft.tbs_sha256,
                preview=draft.preview,
                lint=draft.lint,
                not_before=draft.not_before,
                not_after=draft.not_after,
                public_key_sha256=draft.public_key_sha256,
                drafted_at=draft.drafted_at,
                claimed_at=at,
            )
        )
        return
    unclaimed = (d.serial == draft.serial) & d.state.not_in(CLAIMED_DRAFT)
    tx.connection.execute(update(drafts).where(unclaimed).values(state=DraftState.CLAIMED, claimed_at=at))


def enter(tx: Transaction, restored: RestoredCertificate) -> None:
    """Write that a certificate was entered again: officers are asked to look (ra/waiting/tasks.py)."""
    tx.connection.execute(insert(restored_certificates).values(vars(restored)))


def rise(tx: Transaction, *, years: Sequence[int], by: int, above: dict[int, int]) -> None:
    """Let the numbers of approvals and notices go on behind every one that may have been used.

    Args:
        tx: open.
        years: which may have had numbers since the backup; all that the register knows have more as well.
        by: how many are left out.
        above: the largest approval number of a year that is known to have been used.
    """
    for table in (approval_counters, notice_counters):
        for year in years:
            if tx.connection.execute(select(table.c.year).where(table.c.year == year)).first() is None:
                tx.connection.execute(insert(table).values(year=year, last=0))
        tx.connection.execute(update(table).values(last=table.c.last + by))
    for year, number in above.items():
        c = approval_counters.c
        if tx.connection.execute(select(c.year).where(c.year == year)).first() is None:
            tx.connection.execute(insert(approval_counters).values(year=year, last=number))
        low = (c.year == year) & (c.last < number)
        tx.connection.execute(update(approval_counters).where(low).values(last=number))
