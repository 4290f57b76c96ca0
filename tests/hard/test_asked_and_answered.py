"""A Manufacturer's request for an amendment: what is odd is told, and an answer that is another says so (F2.29)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.classification import Passage
from ra.applying.request_amendment import RequestAmendment, request_amendment, show_request
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.grounds import Minutes
from tests.acting import propose
from tests.test_amendments import amended, running
from tests.world import FIRMWARE, MANUFACTURER, OFFICER_1, World


@pytest.mark.clause("F2.29")
def test_a_request_for_nothing_for_the_past_or_for_what_is_so_says_so_and_is_taken_in(world: World) -> None:
    approval = running(world)
    for what, code in (
        ({}, "nothing-asked"),
        ({"expiry": date(2020, 6, 30)}, "asked-for-the-past"),
        ({"start": date(2027, 5, 1)}, "asked-for-the-past"),
        ({"maximum_devices": 500}, "asked-as-it-is"),
        ({"expiry": date(2027, 6, 30)}, "asked-as-it-is"),
        ({"firmware_added": FIRMWARE}, "asked-as-it-is"),
        ({"firmware_removed": ("00009999",)}, "asked-firmware-not-there"),
        ({"maximum_devices": 600}, None),
        ({"other": "Another contact."}, None),
    ):
        wanted: dict[str, Any] = {**what}
        asked = request_amendment(world.desk, MANUFACTURER, RequestAmendment(approval, "We need it.", **wanted))
        codes = [each.code for each in asked.findings]
        assert (code in codes) if code else not codes, what
        assert show_request(world.desk, MANUFACTURER, asked.request).findings == asked.findings


@pytest.mark.clause("F2.29")
def test_an_amendment_that_gives_less_than_was_asked_is_shown_as_another(world: World) -> None:
    approval = running(world)
    asking = RequestAmendment(approval, "More.", maximum_devices=900, expiry=date(2027, 9, 30))
    asked = request_amendment(world.desk, MANUFACTURER, asking).request
    told = propose(world.desk, OFFICER_1, ProposeAmendment(approval, "Six.", maximum_devices=6, request=asked))
    assert [each.code for each in told.findings].count("not-as-asked") == 2
    assert show_request(world.desk, MANUFACTURER, asked).otherwise == ()  # what is proposed is no answer yet
    world.authority.settle()
    world.seconded(told.decision)
    world.authority.settle()
    seen = show_request(world.desk, MANUFACTURER, asked)
    assert seen.otherwise == (
        "An expiry date of 2027-09-30 was asked for; it is 2027-06-30.",
        "A limit of 900 devices was asked for; it is 6.",
    )
    assert (seen.state, seen.findings) == ("granted", ())


@pytest.mark.clause("F2.29")
def test_what_is_decided_for_later_is_so_already_until_it_is_withdrawn(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=datetime(2027, 3, 1, tzinfo=UTC))

    def codes(limit: int) -> list[str]:
        asking = RequestAmendment(approval, "We need it.", maximum_devices=limit)
        return [each.code for each in request_amendment(world.desk, MANUFACTURER, asking).findings]

    assert (codes(900), codes(500)) == (["asked-as-it-is"], [])
    world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "The field is full.")))
    assert (codes(900), codes(500)) == ([], ["asked-as-it-is"])


@pytest.mark.clause("F2.29")
def test_an_answer_in_words_alone_is_held_against_what_was_decided_and_not_withdrawn(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=datetime(2027, 3, 1, tzinfo=UTC))
    world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "The field is full.")))
    asking = RequestAmendment(approval, "More.", maximum_devices=900)
    asked = request_amendment(world.desk, MANUFACTURER, asking).request
    words = Minutes(conditions=(Passage.of("condition", "Only in Leeds."),))
    told = propose(world.desk, OFFICER_1, ProposeAmendment(approval, "Leeds.", request=asked, minutes=words))
    assert [each.detail for each in told.findings if each.code == "not-as-asked"] == [
        "A limit of 900 devices was asked for; it is 500."
    ]
