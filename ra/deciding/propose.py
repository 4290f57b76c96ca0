"""propose: an officer proposes a decision; the rules run, and a fatal finding refuses it.

What is proposed becomes true only when other officers have seconded it (ra/deciding/second.py). What each kind needs is
said in ra/deciding/kinds/.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, canonical
from core.errors import Finding, TrialCpaError
from core.facts import Fact, FactKind
from core.kinds import CERTIFYING
from policy.roles import Operation
from ra.access import authorise
from ra.deciding import notice
from ra.deciding.beside import beside
from ra.deciding.every_kind import Proposal, by_command
from ra.deciding.views import DecisionProposed
from ra.desk import Desk
from ra.findings import findings_json
from ra.instant import require_no_doubt
from ra.issuing import require_issuing
from ra.proposal import Tabled
from ra.repeat import RequestKey, nth, once
from store.reading.authority import authority_row
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import decisions, facts


def propose(desk: Desk, actor: Actor, command: Proposal, request: RequestKey | None = None) -> DecisionProposed:
    """Propose a decision.

    Raises:
        RulesRefused: at least one fatal finding; all are told.
        WrongState: another decision about the same thing is open, or the thing is not in a state for it.
        DeviceAlreadyApproved, KeyTaken, AlreadyEnded: what stands in the way.
        IssuingStopped: it would end in a certificate, and an officer has stopped issuing.
        ClockDoubtful: it would end in a certificate, and what date that would have is in doubt.
    """
    authorise(actor, Operation.PROPOSE)
    at = desk.clock.now()
    with desk.store.begin("propose") as tx:
        return once(desk, tx, actor, request, DecisionProposed, lambda: _propose(desk, tx, actor, command, at), at=at)


def tabled(
    desk: Desk, tx: Transaction, actor: Actor, command: Proposal, at: datetime
) -> tuple[Decision, tuple[Finding, ...]]:
    """Return the decision as it is proposed, with what the rules find; what it needs is held, itself not written yet.

    Raises:
        TrialCpaError: as of `propose`.
    """
    kind = by_command(command)
    if kind.kind in CERTIFYING:
        require_issuing(tx)
        require_no_doubt(desk, tx)  # first: by a clock that is wrong the rules would find the wrong things
    put = Tabled(
        environment=authority_row(tx).environment,
        by=actor.name,
        at=at,
        officers=desk.rules.officers_for(kind.counted_as),
        lapses_at=at + desk.rules.proposal_life,
    )
    made = kind.table(desk, tx, put, command)
    found = (*made.findings, *beside(tx, made.decision, at))
    decision = replace(made.decision, findings=canonical(findings_json(found)).decode())
    if decision.issue is not None:  # an amendment may certify, too
        require_issuing(tx)
        require_no_doubt(desk, tx)
    return decision, found


def _propose(desk: Desk, tx: Transaction, actor: Actor, command: Proposal, at: datetime) -> DecisionProposed:
    decision, found = tabled(desk, tx, actor, command, at)
    decisions.propose(tx, decision)
    proposed: dict[str, Json] = {
        "kind": decision.kind,
        "approval": decision.approval,
        "proposal_sha256": decision.proposal_sha256,
        "credential": actor.credential,
    }
    facts.record(tx, Fact(FactKind.DECISION_PROPOSED, at, actor, subject=decision.id, payload=proposed))
    return DecisionProposed(
        decision=decision.id,
        state=decision.state,
        kind=decision.kind,
        approval=decision.approval,
        proposal_sha256=decision.proposal_sha256,
        findings=found,
        wanting=notice.lacking(tx, decision, at=at),
    )


def propose_batch(
    desk: Desk, actor: Actor, commands: Sequence[Proposal], request: RequestKey | None = None
) -> list[DecisionProposed | TrialCpaError]:
    """Propose several decisions, as a committee takes them: each stands or falls alone, in a transaction of its own.

    Returns:
        For each, in order, its outcome or what stands in its way.
    """
    authorise(actor, Operation.PROPOSE)
    outcomes: list[DecisionProposed | TrialCpaError] = []
    for place, command in enumerate(commands):
        try:
            outcomes.append(propose(desk, actor, command, nth(request, place)))
        except TrialCpaError as error:
            outcomes.append(error)
    return outcomes
