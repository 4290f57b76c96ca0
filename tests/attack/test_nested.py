"""A fact that no parser comes to the end of proves nothing, and stands in the way of nothing."""

import pytest

from core.instants import seconds
from tests.attack.forging import Scene, forge, turns

NESTED = "[" * 100_000


@pytest.mark.parametrize("kind", ["certificate-superseded", "decision-proposed", "access-granted"])
def test_a_sealed_fact_that_is_nested_without_end_keeps_nobody_from_signing_or_ending(before: Scene, kind: str) -> None:
    world = before.world
    about = {"decision-proposed": before.decision, "access-granted": "cred-another"}.get(kind, before.good)
    forge(
        world,
        "INSERT INTO journal (kind, at, actor, subject, payload, approvals) VALUES "
        f"('{kind}', {seconds(world.clock.now())}, 'authority', '{about}', '{NESTED}', '')",
    )
    turns(world)
    world.revoked(before.good)
    world.seconded(before.decision)
    turns(world)
    assert world.memory.end(before.good_serial) is not None
    assert world.decision_state(before.decision) == "done"
    assert world.alarms() == ()
