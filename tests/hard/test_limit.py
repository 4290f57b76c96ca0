"""The limit of F2.21(d) is compared whenever it or the number may have changed, and at the peak of a report."""

from datetime import UTC, datetime, timedelta

import pytest

from core.facts import FactKind
from core.kinds import BreachState
from ra.reporting import breach, record
from ra.reporting.report import issue_report
from ra.reporting.views import BreachAnswer
from ra.waiting.tasks import tasks
from tests.acting import judge
from tests.deployments_world import corrected, deployed, gone, send, suspected
from tests.journal_lines import lines
from tests.test_amendments import FEBRUARY, MIDNIGHT, ONE_SECOND, amended, running
from tests.world import DCC, OFFICER_1, World


def limit_breach(world: World, approval: str) -> BreachAnswer:
    (found,) = breach.listed(world.desk, OFFICER_1, approval=approval, after="", limit=10).breaches
    return found


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.29")
def test_a_lower_limit_is_compared_when_it_takes_effect_and_not_before(world: World) -> None:
    approval = running(world)
    send(world, *(deployed(number, approval) for number in range(1, 4)))
    amended(world, approval, maximum_devices=2)
    world.at(MIDNIGHT - ONE_SECOND)
    world.authority.settle()
    assert suspected(world) == []
    world.at(MIDNIGHT)
    world.authority.settle()
    assert suspected(world) == [approval]
    found = limit_breach(world, approval)
    assert (found.suspected_by, found.suspected_at) == ("authority", MIDNIGHT)
    judge(world.desk, OFFICER_1, found.breach, confirmed=False, why="Agreed with the DCC.")
    world.authority.settle()
    assert suspected(world) == []  # once for each issue


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.29")
def test_what_was_too_much_when_a_lower_limit_took_effect_is_seen_though_nobody_looked_then(world: World) -> None:
    approval = running(world)
    send(world, *(deployed(number, approval) for number in range(1, 4)))
    amended(world, approval, maximum_devices=2)
    world.at(MIDNIGHT + timedelta(days=3))  # the authority was down
    send(world, gone(1, (MIDNIGHT + timedelta(days=2)).date().isoformat()))
    assert suspected(world) == []
    world.authority.settle()
    assert suspected(world) == [approval]
    assert "3 devices are reported as deployed since 00:00:00 UTC" in limit_breach(world, approval).note


@pytest.mark.clause("F2.21(d)")
def test_a_report_is_compared_at_its_peak_and_not_only_at_its_end(world: World) -> None:
    approval = world.granted(maximum_devices=2)
    world.at(FEBRUARY)
    one_at_a_time = [deployed(1, approval, "2027-01-05"), gone(1, "2027-01-08"), deployed(2, approval, "2027-01-08")]
    send(world, *one_at_a_time, deployed(3, approval, "2027-01-09"))
    assert suspected(world) == []
    send(world, deployed(4, approval, "2027-01-20"), gone(4, "2027-01-25"))
    assert suspected(world) == [approval]
    assert (
        "3 devices are reported as deployed since 00:00:00 UTC on 20 January 2027;"
        in limit_breach(world, approval).note
    )
    assert '"since":"2027-01-20T00:00:00Z"' in lines(world, FactKind.BREACH_SUSPECTED)[0]


@pytest.mark.clause("F2.21(d)")
def test_the_limit_that_held_then_is_the_one_that_counts(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=1)
    world.at(datetime(2027, 2, 10, tzinfo=UTC))
    world.authority.settle()
    # Both went up under the limit of 500 and one came down again in time.
    send(world, deployed(1, approval), deployed(2, approval), gone(2, "2027-02-01"))
    assert suspected(world) == []
    send(world, deployed(3, approval, "2027-02-01"), gone(3, "2027-02-03"))
    assert suspected(world) == [approval]


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.23")
def test_a_suspicion_whose_reports_were_corrected_says_that_the_limit_was_kept(world: World) -> None:
    approval = world.granted(maximum_devices=1)
    world.at(FEBRUARY)
    send(world, deployed(1, approval), deployed(2, approval))
    assert limit_breach(world, approval).kept_at is None
    send(world, gone(1, "2027-01-20"))
    assert limit_breach(world, approval).kept_at is None  # it was exceeded all the same
    send(world, corrected(2))
    assert limit_breach(world, approval).kept_at == FEBRUARY
    (task,) = [each for each in tasks(world.desk, OFFICER_1).tasks if each.kind == "breach-suspected"]
    assert "the limit was kept" in task.sentence
    assert len(lines(world, FactKind.LIMIT_KEPT)) == 1
    send(world, deployed(3, approval, "2027-01-06"))
    assert (limit_breach(world, approval).kept_at, limit_breach(world, approval).state) == (None, "suspected")


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.28(f)")
def test_an_end_that_is_told_late_may_show_that_the_limit_was_kept(world: World) -> None:
    approval = world.granted(maximum_devices=1)
    world.at(FEBRUARY)
    send(world, deployed(1, approval, "2027-01-05"), deployed(2, approval, "2027-01-10"))
    assert limit_breach(world, approval).kept_at is None
    send(world, gone(1, "2027-01-08"))
    assert limit_breach(world, approval).kept_at == FEBRUARY


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.28(d)")
def test_the_monthly_report_compares_every_approval_that_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = world.granted(maximum_devices=1)
    world.at(FEBRUARY)
    with monkeypatch.context() as patch:  # of a release that did not look
        patch.setattr(record, "compare_limit", lambda *_, **__: None)
        send(world, deployed(1, approval), deployed(2, approval))
    assert suspected(world) == []
    issue_report(world.desk, DCC, "2027-01")
    assert suspected(world) == [approval]


def dismiss(world: World, approval: str) -> None:
    page = breach.listed(world.desk, OFFICER_1, approval=approval, state=BreachState.SUSPECTED, after="", limit=10)
    (found,) = page.breaches
    judge(world.desk, OFFICER_1, found.breach, confirmed=False, why="For a week only.")
    assert suspected(world) == []


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.23")
def test_what_was_dismissed_stays_dismissed_until_there_are_more_or_the_limit_is_another(world: World) -> None:
    approval = world.granted(maximum_devices=1)
    world.at(FEBRUARY)
    send(world, deployed(1, approval), deployed(2, approval))
    dismiss(world, approval)
    issue_report(world.desk, DCC, "2027-01")
    assert suspected(world) == []
    # One for another is none more; one that is told late makes three of them then.
    send(world, gone(1, "2027-01-20"), deployed(3, approval, "2027-01-20"))
    assert suspected(world) == []
    send(world, deployed(4, approval, "2027-01-06"))
    assert suspected(world) == [approval]
    dismiss(world, approval)
    send(world, gone(4, "2027-01-21"), deployed(5, approval, "2027-01-22"))
    assert suspected(world) == []
    send(world, deployed(6, approval, "2027-01-23"))
    assert suspected(world) == [approval]
    dismiss(world, approval)
    # Three were dismissed under the limit of one; four are there, and two are allowed: another matter.
    amended(world, approval, maximum_devices=2)
    world.at(MIDNIGHT)
    world.authority.settle()
    assert suspected(world) == [approval]
    dismiss(world, approval)
    # What was said of one is not said of it again behind another one.
    amended(world, approval, maximum_devices=1)
    world.at(MIDNIGHT + timedelta(days=1))
    world.authority.settle()
    assert suspected(world) == [approval]
    dismiss(world, approval)
    world.at(datetime(2027, 3, 2, tzinfo=UTC))
    issue_report(world.desk, DCC, "2027-02")
    assert suspected(world) == []
