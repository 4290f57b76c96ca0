"""conditions: what an approval is bound to (F2.21(e)), as each reader may have it (F2.22)."""

from core.actors import Actor, Role
from core.canonical import Json
from core.classification import Recipient
from core.clauses import serves
from core.instants import text
from policy.roles import Operation
from ra.access import authorise_approval
from ra.desk import Desk
from store.reading import approvals as approval_reading
from store.reading.conditions import Condition, conditions_of

_RECIPIENT = {
    Role.MANUFACTURER: Recipient.MANUFACTURER,
    Role.DCC: Recipient.DCC,
    Role.PANEL: Recipient.PANEL,
}


@serves("F2.21(e)", "F2.22")
def conditions(desk: Desk, actor: Actor, approval: str) -> dict[str, Json]:
    """Return the conditions of an approval; of one that the reader may not have only that there is one."""
    with desk.store.read() as tx:
        authorise_approval(actor, Operation.READ_CONDITIONS, approval_reading.record(tx, approval))
        found = conditions_of(tx, approval)
    reader = _RECIPIENT.get(actor.role) if actor.role else None
    seen = [each for each in found if reader is None or reader in each.passage.recipients]
    return {
        "approval": approval,
        "conditions": [_shown(each) for each in seen],
        "withheld": len(found) - len(seen),
    }


def _shown(each: Condition) -> dict[str, Json]:
    return {
        "number": each.number,
        "text": each.passage.text,
        "classification": each.passage.classification.value,
        "recipients": [one.value for one in each.passage.recipients],
        "set_at": text(each.set_at),
        "ended_at": text(each.ended_at) if each.ended_at else None,
    }
