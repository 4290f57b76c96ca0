"""The SSC says what (h) should hold, once or in each report, and each report answers (F2.28(h))."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NoSuchThing, OperationNotPermitted, ReportOutOfTurn, WrongState
from documents.report_book import report_xlsx
from ra.reporting.questions import answer_question, ask, end_question, questions
from ra.reporting.report import issue_report, report
from ra.waiting.tasks import tasks
from tests.world import DCC, MANUFACTURER, OFFICER_1, World

FEBRUARY = datetime(2027, 2, 2, tzinfo=UTC)


@pytest.mark.clause("F2.28(h)")
def test_standing_and_single_questions_are_answered_by_each_report_that_is_asked(world: World) -> None:
    world.granted()
    standing = ask(world.desk, OFFICER_1, "How many faults were reported?", None).question
    world.clock.advance(timedelta(seconds=1))
    single = ask(world.desk, OFFICER_1, "Which meters lost power in the storm?", "2027-01").question
    world.at(FEBRUARY)
    (task,) = [each for each in tasks(world.desk, DCC).tasks if each.kind == "report-to-issue"]
    assert "2 questions of the Sub-Committee" in task.sentence
    with pytest.raises(ReportOutOfTurn, match=standing):
        issue_report(world.desk, DCC, "2027-01")
    answer_question(world.desk, DCC, "2027-01", standing, "None.")
    with pytest.raises(WrongState):
        answer_question(world.desk, DCC, "2027-01", standing, "One.")
    answer_question(world.desk, DCC, "2027-01", single, "That is not available to the DCC.")
    issue_report(world.desk, DCC, "2027-01")
    frozen = json.loads(report(world.desk, DCC, "2027-01"))
    told = [(each["text"], each["standing"], each["answer"]) for each in frozen["items"]["h"]["questions"]]
    assert told == [
        ("How many faults were reported?", True, "None."),
        ("Which meters lost power in the storm?", False, "That is not available to the DCC."),
    ]
    assert report_xlsx(frozen).startswith(b"PK")
    world.at(datetime(2027, 3, 2, tzinfo=UTC))
    with pytest.raises(ReportOutOfTurn, match=standing):
        issue_report(world.desk, DCC, "2027-02")
    with pytest.raises(WrongState):
        answer_question(world.desk, DCC, "2027-02", single, "Again.")
    end_question(world.desk, OFFICER_1, standing)
    issue_report(world.desk, DCC, "2027-02")
    assert json.loads(report(world.desk, DCC, "2027-02"))["items"]["h"]["questions"] == []
    assert [each.question for each in questions(world.desk, DCC).questions] == [standing, single]


@pytest.mark.clause("F2.28(h)")
def test_who_asks_and_who_answers(world: World) -> None:
    for actor in (DCC, MANUFACTURER):
        with pytest.raises(OperationNotPermitted):
            ask(world.desk, actor, "What?", None)
    asked = ask(world.desk, OFFICER_1, "What?", "2027-01").question
    with pytest.raises(OperationNotPermitted):
        answer_question(world.desk, OFFICER_1, "2027-01", asked, "This.")
    with pytest.raises(NoSuchThing):
        answer_question(world.desk, DCC, "2027-01", "ask-none", "This.")
    with pytest.raises(WrongState):
        end_question(world.desk, OFFICER_1, asked)  # one report is asked, and answers
    with pytest.raises(OperationNotPermitted):
        questions(world.desk, MANUFACTURER)
