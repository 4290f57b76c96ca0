"""Web dates ends by when the authority last remembered something, which is a row: one that is far ahead dates none."""

from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from core.alarms import AlarmCode
from core.errors import ClockDoubtful
from core.instants import seconds
from tests.api_world import Api
from tests.attack.forging import Scene, forge
from tests.world import NOW, World

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def remembered_at(world: World, at: int) -> None:
    forge(world, f"UPDATE memory_records SET at = {at} WHERE number = (SELECT max(number) FROM memory_records)")


def alarmed(world: World) -> bool:
    api = Api(world)
    api.lookout.look()
    return AlarmCode.CLOCK_DOUBTFUL in {each.code for each in api.lookout.alarms}


@pytest.mark.parametrize("at", [2**62, 253402300799, seconds(NOW + DAY)])
@pytest.mark.parametrize("ahead", ["0", "86400"], ids=["as it is", "a test clock"])
def test_a_row_that_is_far_ahead_dates_no_end_and_is_told(before: Scene, at: int, ahead: str) -> None:
    world = before.world
    remembered_at(world, at)
    with world.store.begin("a test clock") as tx:
        tx.connection.execute(sql(f"UPDATE authority SET clock_offset = {ahead}"))
    with pytest.raises(ClockDoubtful):
        world.seconded(before.decision)
    assert world.revoked(before.good).revoked_at == NOW
    assert alarmed(world)


def test_a_row_that_is_a_little_ahead_dates_it(before: Scene) -> None:
    world = before.world
    remembered_at(world, seconds(NOW + MINUTE))
    assert world.revoked(before.good).revoked_at == NOW + MINUTE
    assert not alarmed(world)
