"""propose: an officer proposes a decision; the rules run, and a fatal finding refuses it.

What is proposed becomes true only when other officers have seconded it (ra/deciding/second.py). What each kind needs is
said in ra/deciding/kinds/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, assert_never

from core.actors import Actor
from core.canonical import Json, canonical
from core.errors import Finding, TrialCpaError
from core.facts import Fact, FactKind
from core.kinds import DecisionKind
from policy.roles import Operation
from ra.access import authorise
from ra.deciding.kinds.amendment import (
    ProposeAmendment,
    ProposeAmendmentRefusal,
    table_amendment,
    table_amendment_refusal,
)
from ra.deciding.kinds.ending import ProposeEnd, table_end
from ra.deciding.kinds.grant import ProposeGrant, ProposeRefusal, table_grant, table_refusal
from ra.deciding.kinds.new_key import ProposeRekey, table_rekey
from ra.desk import Desk
from ra.findings import findings_json
from ra.proposal import Tabled
from ra.repeat import RequestKey, keep, nth, recall
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions, facts

Proposal: TypeAlias = (
    ProposeGrant | ProposeRefusal | ProposeAmendment | ProposeAmendmentRefusal | ProposeEnd | ProposeRekey
)

KIND: Mapping[type[Proposal], DecisionKind] = {
    ProposeGrant: DecisionKind.GRANT,
    ProposeRefusal: DecisionKind.REFUSE,
    ProposeAmendment: DecisionKind.AMEND,
    ProposeAmendmentRefusal: DecisionKind.REFUSE_AMENDMENT,
    ProposeEnd: DecisionKind.REVOKE,
    ProposeRekey: DecisionKind.REKEY,
}
"""By which setting the number of officers is chosen; to withdraw counts as to revoke."""


def propose(desk: Desk, actor: Actor, command: Proposal, request: RequestKey | None = None) -> dict[str, Json]:
    """Propose a decision.

    Returns:
        `{"decision", "kind", "state", "approval", "proposal_sha256", "findings"}`.

    Raises:
        RulesRefused: at least one fatal finding; all are told.
        WrongState: another decision about the same thing is open, or the thing is not in a state for it.
        DeviceAlreadyApproved, KeyTaken, AlreadyEnded: what stands in the way.
    """
    authorise(actor, Operation.PROPOSE)
    at = desk.clock.now()
    with desk.store.begin("propose") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        decision, found = _table(desk, tx, actor, command, at)
        decisions.propose(tx, replace(decision, findings=canonical(findings_json(found)).decode()))
        proposed = {"kind": decision.kind, "approval": decision.approval, "proposal_sha256": decision.proposal_sha256}
        facts.record(
            tx, Fact(kind=FactKind.DECISION_PROPOSED, at=at, actor=actor, subject=decision.id, payload=proposed)
        )
        outcome: dict[str, Json] = {
            "decision": decision.id,
            "state": decision.state,
            **proposed,
            "findings": findings_json(found),
        }
        keep(tx, actor, request, outcome, at=at)
    return outcome


def propose_batch(
    desk: Desk, actor: Actor, commands: Sequence[Proposal], request: RequestKey | None = None
) -> list[dict[str, Json] | TrialCpaError]:
    """Propose several decisions, as a committee takes them: each stands or falls alone, in a transaction of its own.

    Returns:
        For each, in order, its outcome or what stands in its way.
    """
    authorise(actor, Operation.PROPOSE)
    outcomes: list[dict[str, Json] | TrialCpaError] = []
    for place, command in enumerate(commands):
        try:
            outcomes.append(propose(desk, actor, command, nth(request, place)))
        except TrialCpaError as error:
            outcomes.append(error)
    return outcomes


def _table(
    desk: Desk, tx: Transaction, actor: Actor, command: Proposal, at: datetime
) -> tuple[Decision, Sequence[Finding]]:
    tabled = Tabled(
        environment=authority_row(tx).environment,
        by=actor.name,
        at=at,
        officers=desk.rules.officers_for(KIND[type(command)]),
        lapses_at=at + desk.rules.proposal_life,
    )
    match command:
        case ProposeGrant():
            return table_grant(desk, tx, tabled, command)
        case ProposeRefusal():
            return table_refusal(tx, tabled, command)
        case ProposeAmendment():
            return table_amendment(desk, tx, tabled, command)
        case ProposeAmendmentRefusal():
            return table_amendment_refusal(tx, tabled, command)
        case ProposeEnd():
            return table_end(tx, tabled, command)
        case ProposeRekey():
            return table_rekey(tx, tabled, command)
        case _:
            assert_never(command)
