"""beside: what is told at every decision, whatever its kind: what is owed, and what else is known (F2.18, F2.23)."""

from datetime import datetime

from core.clauses import serves
from core.errors import Finding
from core.kinds import DecisionKind
from policy.section_f.owed import OwedFacts, owed_findings
from ra.applying.as_asked import otherwise
from ra.applying.same_model import known_of_model
from store.reading import approvals as approval_reading
from store.reading import breaches, requests
from store.reading.amendment_requests import amendment_request
from store.rows import Application, Decision
from store.transactions import Transaction


@serves("F2.18", "F2.23")
def beside(
    tx: Transaction, decision: Decision, at: datetime, *, known: tuple[Finding, ...] | None = None
) -> tuple[Finding, ...]:
    """Return what officers are told beside what the rules of the decision's own kind find; nothing of it is fatal.

    Args:
        tx: open.
        decision: that is proposed, or open.
        at: now.
        known: of the Device Model of its application, where that was read already.
    """
    about = None if decision.application_id is None else requests.application(tx, decision.application_id)
    if known is None:
        known = () if about is None else known_of_model(tx, about, at)
    return (*_owed(tx, decision, about), *known, *_not_as_asked(tx, decision))


def _not_as_asked(tx: Transaction, decision: Decision) -> tuple[Finding, ...]:
    """Where an amendment is another than the request that it answers."""
    if decision.kind is not DecisionKind.AMEND or decision.amendment_request is None:
        return ()
    return otherwise(tx, amendment_request(tx, decision.amendment_request), decision)


def _owed(tx: Transaction, decision: Decision, about: Application | None) -> tuple[Finding, ...]:
    """The revocations that are owed under any approval of the Manufacturer concerned."""
    waiting = [each for each in breaches.owed(tx) if each.breach != decision.breach]
    if not waiting or (about is None and decision.approval is None):
        return ()  # many that are revoked together are of several Manufacturers
    if about is None:
        concerned = approval_reading.approval(tx, decision.approval or "").organisation_id
    else:
        concerned = about.organisation_id
    owed = tuple(
        (each.breach, each.approval, each.confirmed_at)
        for each in waiting
        if approval_reading.approval(tx, each.approval).organisation_id == concerned
    )
    return owed_findings(OwedFacts(owed=owed))
