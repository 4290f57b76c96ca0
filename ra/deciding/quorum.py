"""Who must agree: another than who proposed, and as many as the settings say now, the proposal said, and its column."""

from core.actors import Actor
from core.clauses import serves
from ra.deciding.every_kind import kind_of
from ra.desk import TWO_OFFICERS, Rules
from ra.proposal import said_in
from store.rows import Decision


@serves("F2.18")
def officers_needed(decision: Decision, rules: Rules) -> int:
    """Return how many officers must agree to a decision, the proposer included: the largest number counts.

    Whoever lowers one of the three changes nothing; an urgent revocation is one officer's, where the settings allow it.

    Args:
        decision: as the register has it.
        rules: from the settings.
    """
    if decision.urgent and rules.urgent_revocation_by_one:
        return 1
    said = said_in(decision).get("officers", TWO_OFFICERS)
    proposed = said if isinstance(said, int) else TWO_OFFICERS
    return max(TWO_OFFICERS, rules.officers_for(kind_of(decision.kind).counted_as), proposed, decision.officers)


def is_another(actor: Actor, proposer: str) -> bool:
    """Return whether somebody is not who proposed: a decision takes two (docs/adr/0012)."""
    return actor.name != proposer
