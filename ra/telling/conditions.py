"""conditions: what an approval is bound to (F2.21(e)), as each reader may have it (F2.22)."""

from core.actors import Actor
from core.clauses import serves
from policy.roles import Operation, permitted, recipient_of
from ra.access import authorise_approval
from ra.desk import Desk
from ra.telling.views import ConditionAnswer, ConditionList
from store.reading import approvals as approval_reading
from store.reading.conditions import Condition, conditions_of


@serves("F2.21(e)", "F2.22")
def conditions(desk: Desk, actor: Actor, approval: str) -> ConditionList:
    """Return the conditions of an approval; of one that the reader may not have only that there is one."""
    with desk.store.read() as tx:
        authorise_approval(actor, Operation.READ_CONDITIONS, approval_reading.record(tx, approval))
        found = conditions_of(tx, approval)
    whole, reader = permitted(actor, Operation.READ_EVERY_PASSAGE, owner=None), recipient_of(actor)
    seen = [each for each in found if whole or reader in each.passage.recipients]
    return ConditionList(approval, tuple(_shown(each) for each in seen), withheld=len(found) - len(seen))


def _shown(each: Condition) -> ConditionAnswer:
    return ConditionAnswer(
        number=each.number,
        text=each.passage.text,
        classification=each.passage.classification,
        recipients=each.passage.recipients,
        since=each.set_at,
        until=each.ended_at,
        set_at=each.set_at,
        ended_at=each.ended_at,
    )
