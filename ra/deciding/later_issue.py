"""What every later issue under a standing approval has in common, whatever it is for (F2.25, F2.29)."""

from dataclasses import replace
from datetime import datetime

from core.approval import CertificateRecord
from core.identifiers import Serial
from core.instants import text
from ra.proposal import certified_terms
from ra.standing import why_ended
from ra.telling.listing import Foreseen
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction


def why_passed(tx: Transaction, decision: Decision, at: datetime) -> str | None:
    """Return, in words, why a later issue can no longer be decided; None if it can.

    Its approval stands, its effective instant has not come, and a start that it moves has not come either.
    """
    said = certified_terms(decision)
    approval = approval_reading.record(tx, said.approval)
    ended = why_ended(approval, at)
    if ended is not None:
        return ended
    if said.terms.effective <= at:
        return f"its effective instant {text(said.terms.effective)} has passed"
    if said.start != approval.start and approval.start <= at:
        return f"the start date {approval.start.date()} has come (F2.29)"
    return None


def foreseen(tx: Transaction, decision: Decision, at: datetime) -> Foreseen:
    """Return the approval as it would be with the later issue."""
    said = certified_terms(decision)
    standing = approval_reading.record(tx, said.approval)
    certificate = CertificateRecord(
        serial=Serial(""),
        issue=said.terms.issue,
        fingerprint="",
        not_before=said.terms.effective,
        not_after=said.terms.expiry,
        signed_at=at,
    )
    return Foreseen(
        replace(
            standing,
            start=said.start,
            terms=(*standing.terms, said.terms),
            certificates=(*standing.certificates, certificate),
        )
    )
