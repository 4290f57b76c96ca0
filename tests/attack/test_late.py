"""What an officer signed for, and nobody used in time, is worth nothing later, whatever date is written beside it."""

from datetime import timedelta

from core.facts import FactKind
from core.kinds import AuthorisationFlaw
from tests.attack.forging import Scene, forge, turns
from tests.attack.test_authorisations import refused


def test_a_revocation_that_was_held_back_while_the_authority_worked_does_not_count(before: Scene) -> None:
    """Web hides what an officer signed, and shows it when it is long past."""
    world = before.world
    turns(world)
    world.revoked(before.good)
    forge(world, "UPDATE journal SET refused = 'hidden' WHERE seal_number IS NULL")
    for _ in range(10):
        world.passes(timedelta(days=1))
        turns(world, 3)
    forge(world, "UPDATE journal SET refused = NULL WHERE refused = 'hidden'")
    turns(world)
    assert world.memory.end(before.good_serial) is None
    assert (FactKind.DECISION_MADE_ALONE, AuthorisationFlaw.EXPIRED) in refused(world)


def test_a_revocation_that_waited_while_the_authority_stood_still_counts(before: Scene) -> None:
    world = before.world
    turns(world)
    world.revoked(before.good)
    world.passes(timedelta(days=10))
    turns(world)
    assert world.memory.end(before.good_serial) is not None
