"""The Central Products List in office hours, and devices after the end of their approval (F2.27, F2.28(d), F2.31)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.actors import Actor
from core.local_time import overdue_before
from ra.reporting.report import report
from ra.telling.instructions import Acknowledge, Asked, acknowledge, instructions
from ra.waiting.tasks import tasks
from ra.waiting.views import TaskAnswer
from tests.deployments_world import deployed, gone, send
from tests.test_amendments import FEBRUARY
from tests.world import DCC, OFFICER_1, PANEL, World


def of(world: World, actor: Actor, kind: str) -> list[TaskAnswer]:
    return [each for each in tasks(world.desk, actor).tasks if each.kind == kind]


@pytest.mark.clause("F2.27")
@pytest.mark.parametrize(
    ("due", "over"),
    [
        (datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)),
        (datetime(2027, 1, 4, 16, 30, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)),
        # Friday evening, a Saturday and a Sunday: what is due then is done on Monday.
        (datetime(2027, 1, 8, 19, 0, tzinfo=UTC), datetime(2027, 1, 9, tzinfo=UTC)),
        (datetime(2027, 1, 9, tzinfo=UTC), datetime(2027, 1, 12, tzinfo=UTC)),
        (datetime(2027, 1, 10, 23, 0, tzinfo=UTC), datetime(2027, 1, 12, tzinfo=UTC)),
        # In summer the UK's day begins an hour before UTC's: 30 June at 23:00 UTC is 1 July there.
        (datetime(2027, 6, 30, 22, 59, 59, tzinfo=UTC), datetime(2027, 6, 30, 23, 0, tzinfo=UTC)),
        (datetime(2027, 6, 30, 23, 0, tzinfo=UTC), datetime(2027, 7, 1, 23, 0, tzinfo=UTC)),
        (datetime(2027, 7, 1, tzinfo=UTC), datetime(2027, 7, 1, 23, 0, tzinfo=UTC)),
    ],
    ids=str,
)
def test_what_is_due_on_a_day_is_overdue_when_that_uk_working_day_is_over(due: datetime, over: datetime) -> None:
    assert not due < overdue_before(over - timedelta(seconds=1))
    assert due < overdue_before(over)


@pytest.mark.clause("F2.27")
def test_what_the_panel_rejects_is_the_sscs_at_once_and_what_it_loads_early_gets_a_remark(world: World) -> None:
    world.granted()
    (told,) = instructions(world.desk, PANEL, Asked(), after="", limit=10).instructions
    assert of(world, OFFICER_1, "cpl-rejected") == []
    rejected = acknowledge(world.desk, PANEL, Acknowledge(told.instruction, loaded=False, reason="Which hash?"))
    assert rejected.remark is None
    (task,) = of(world, OFFICER_1, "cpl-rejected")
    assert (task.urgent, task.since) == (True, world.clock.now())
    loaded = acknowledge(world.desk, PANEL, Acknowledge(told.instruction, loaded=True))
    assert "before it was due" in (loaded.remark or "")
    assert of(world, OFFICER_1, "cpl-rejected") == []


@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.31")
def test_devices_that_stay_after_the_end_are_told_apart_and_are_a_task_until_none_is_left(world: World) -> None:
    approval = world.granted()
    world.at(FEBRUARY)
    send(world, deployed(1, approval), deployed(2, approval))
    assert json.loads(report(world.desk, DCC, "2027-02"))["items"]["d"] == {
        "deployed": 2,
        "in_force": 2,
        "after_end": 0,
    }
    world.revoked(approval)
    for actor in (OFFICER_1, DCC):
        (task,) = of(world, actor, "deployed-after-end")
        assert "2 devices are still deployed" in task.sentence
    assert json.loads(report(world.desk, DCC, "2027-02"))["items"]["d"]["after_end"] == 2
    send(world, gone(1, "2027-01-31"), gone(2, "2027-01-31"))
    assert of(world, DCC, "deployed-after-end") == []
    assert json.loads(report(world.desk, DCC, "2027-02"))["items"]["d"] == {
        "deployed": 0,
        "in_force": 0,
        "after_end": 0,
    }
