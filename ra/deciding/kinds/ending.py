"""Propose to revoke an approval, to end it at the Manufacturer's request, or to cancel a compromised certificate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import AlreadyEnded, Finding
from core.status import approval_status, open_at
from ra import proposal as proposals
from ra.deciding.end import Revoke, ending_findings
from ra.findings import refuse_fatal
from ra.grounds import grounds_of
from ra.proposal import Tabled, ending_kind, new_decision
from store.reading import approvals as approval_reading
from store.rows import Decision
from store.transactions import Transaction


@dataclass(frozen=True)
class ProposeEnd(Revoke):
    """The same words as an urgent revocation, for two officers; cause `manufacturer` ends it at its request (F2.30)."""


def table_end(tx: Transaction, tabled: Tabled, command: ProposeEnd) -> tuple[Decision, Sequence[Finding]]:
    """Return the end as proposed, with what the rules find."""
    found = ending_findings(command, tabled.at)
    refuse_fatal(found)
    approval = approval_reading.record(tx, command.approval)
    if not open_at(approval, tabled.at):
        raise AlreadyEnded(identifier=command.approval, state=approval_status(approval, tabled.at).state.value)
    grounds = grounds_of(command.reasons, command.minutes)
    document = proposals.ending(
        tabled, grounds, command.approval, command.cause, command.invalidity_date, command.breach
    )
    decision = new_decision(ending_kind(command.cause), document, grounds, tabled)
    return replace(decision, approval=command.approval, breach=command.breach), found
