"""What was wrongly reported of devices is taken back, and (d), (e), (f) and the next report say so (F2.28)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.deployments import Form
from ra.reporting.report import issue_report, report
from tests.deployments_world import (
    codes,
    corrected,
    deployed,
    eui,
    gone,
    outcomes,
    recorded_facts,
    replaced,
    send,
    standing,
    suspected,
)
from tests.test_amendments import FEBRUARY
from tests.world import DCC, World

IN_MARCH = datetime(2027, 3, 3, 9, 0, tzinfo=UTC)


def not_gone(device: int, on: str = "2027-01-10", why: str = "another meter was meant") -> dict[str, str]:
    return {"event": "not-decommissioned", "device_id": eui(device), "on": on, "why": why}


def said(world: World, month: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report(world.desk, DCC, month))
    return found


@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.28(e)")
@pytest.mark.clause("F2.28(f)")
def test_a_wrong_end_and_a_wrong_deployment_that_has_ended_are_put_right_in_the_next_report(world: World) -> None:
    approval = world.granted()
    world.at(FEBRUARY)
    send(world, *(deployed(number, approval) for number in (1, 2, 3)), gone(1), gone(2))
    issue_report(world.desk, DCC, "2027-01")
    before = report(world.desk, DCC, "2027-01")
    world.at(IN_MARCH)
    lines = (not_gone(1), corrected(2), gone(3, "2027-02-20"), not_gone(3, "2027-02-20"), gone(3, "2027-02-21"))
    assert outcomes(send(world, *lines)) == ["recorded"] * 5
    assert outcomes(send(world, *lines)) == ["known"] * 5
    assert codes(send(world, gone(1), gone(2), deployed(2, approval))) == ["was-corrected"] * 3
    assert list(standing(world)) == [eui(1)]
    found = said(world, "2027-02")
    items = found["items"]
    # Before: one deployed, two decommissioned. Now: the first all the time, the second never, the third taken out.
    assert (items["d"]["deployed"], items["e"]["deployed"], items["f"]["decommissioned"]) == (1, 0, 1)
    assert items["f"]["of_earlier_periods"] == 0
    told = [(each["devices"], each["sentence"].split(", ")[-2:]) for each in found["corrections"]]
    assert [number for number, _ in told] == [1, 1]
    assert "and never taken out then" in found["corrections"][1]["sentence"]
    assert report(world.desk, DCC, "2027-01") == before
    assert recorded_facts(world)[1]["approvals"][approval] == {
        "corrected": 1,
        "decommissioned": 1,
        "ends_taken_back": 2,
    }


@pytest.mark.clause("F2.28(f)")
def test_an_end_is_taken_back_only_where_the_device_was_not_deployed_again_since(world: World) -> None:
    approval = world.granted()
    world.at(FEBRUARY)
    send(world, deployed(1, approval), gone(1), deployed(1, approval, "2027-01-20"))
    assert codes(send(world, not_gone(1))) == ["deployed-elsewhere"]
    assert codes(send(world, not_gone(1, "2027-01-11"))) == ["nothing-to-take-back"]
    # The correction of what stands in the way may come in the same report, in any order.
    assert outcomes(send(world, not_gone(1), corrected(1, "2027-01-20"))) == ["recorded"] * 2
    assert list(standing(world)) == [eui(1)]
    for nothing in ("", " ", "\u3164"):
        assert codes(send(world, not_gone(1, why=nothing))) == ["line-malformed"]


@pytest.mark.clause("F2.28(f)")
def test_a_replacement_that_never_was_leaves_two_corrections_and_counts_against_the_limit(world: World) -> None:
    approval = world.granted(maximum_devices=1)
    world.at(FEBRUARY)
    send(world, deployed(1, approval), replaced(1, 2), form=Form.JSON)
    assert suspected(world) == []
    assert outcomes(send(world, not_gone(1), form=Form.JSON)) == ["recorded"]
    assert suspected(world) == [approval]
    assert outcomes(send(world, corrected(2, "2027-01-10"), form=Form.JSON)) == ["recorded"]
    assert list(standing(world)) == [eui(1)]
    assert outcomes(send(world, replaced(1, 2), form=Form.JSON)) == ["known"]
