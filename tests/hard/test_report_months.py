"""Which months a report covers, that it says so, and that nothing unusual is issued by accident (F2.28)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import ReportOutOfTurn
from documents.report_words import covered
from ra.reporting.report import issue_report, report
from tests.world import DCC, World


def frozen(world: World, month: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report(world.desk, DCC, month))
    return found


@pytest.mark.clause("F2.28(d)")
def test_a_month_that_is_not_over_or_whose_predecessor_is_missing_is_issued_only_if_that_is_said(world: World) -> None:
    world.granted()
    world.at(datetime(2027, 3, 1, tzinfo=UTC))
    with pytest.raises(ReportOutOfTurn, match="not over"):
        issue_report(world.desk, DCC, "2027-03")
    with pytest.raises(ReportOutOfTurn, match="2027-01, 2027-02"):
        issue_report(world.desk, DCC, "2027-02")
    with pytest.raises(ReportOutOfTurn, match="name exactly these months"):
        issue_report(world.desk, DCC, "2027-02", months=["2027-02"])
    issue_report(world.desk, DCC, "2027-02", months=["2027-01", "2027-02"])
    said = frozen(world, "2027-02")
    assert (said["covers"], said["early"]) == (["2027-01", "2027-02"], False)
    assert covered(said) == "January 2027 and February 2027"
    world.at(datetime(2027, 3, 20, tzinfo=UTC))
    issue_report(world.desk, DCC, "2027-03", early=True)
    said = frozen(world, "2027-03")
    assert (said["covers"], said["early"]) == (["2027-03"], True)
    assert covered(said) == "March 2027, which was not over"
    world.at(datetime(2027, 5, 3, tzinfo=UTC))
    issue_report(world.desk, DCC, "2027-04")
    said = frozen(world, "2027-04")
    assert (said["covers"], said["early"]) == (["2027-03", "2027-04"], False)  # the rest of March is in it
    assert covered({"report": "2027-01"}) == "January 2027"  # one of an earlier release
