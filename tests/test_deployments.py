"""Reports of deployments line by line (F2.28 (d) to (f)): what is recorded, known, refused and told of each."""

import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.approval import Device, Firmware
from core.deployments import Form
from core.errors import DeploymentsMalformed, DeploymentsTooMany, OperationNotPermitted
from intake import deployment_lines
from ra.repeat import RequestKey
from ra.reporting import record as use_case
from ra.reporting.record import record_deployments
from store.reading.status import StatusReader
from tests.deployments_world import (
    LATER,
    MODEL,
    VERSION,
    codes,
    corrected,
    csv_of,
    deployed,
    eui,
    gone,
    outcomes,
    recorded_facts,
    replaced,
    rows,
    send,
    standing,
    suspected,
    told,
)
from tests.world import DCC, MANUFACTURER, OFFICER_1, World

OTHER = Device("ESME", "AB01", "010A030C", "01")


@pytest.fixture
def trial(world: World) -> World:
    """Some weeks into a trial; `first` is its approval."""
    world.first = world.granted()  # type: ignore[attr-defined]
    world.at(LATER)
    return world


def first(world: World) -> str:
    return str(world.first)  # type: ignore[attr-defined]


@pytest.fixture
def second(trial: World) -> str:
    return another(trial, device=OTHER)


def another(world: World, **changes: Any) -> str:
    """A second approval that starts today."""
    today = world.clock.now().date()
    approval = world.granted(**{"start": today, "expiry": today + timedelta(days=90)} | changes)
    world.clock.advance(timedelta(days=10))
    return approval


# --- what is recorded --------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.28(e)")
@pytest.mark.clause("F2.28(f)")
@pytest.mark.parametrize("form", [Form.CSV, Form.JSON])
def test_devices_go_up_come_down_and_take_the_place_of_others(trial: World, form: Form) -> None:
    approval = first(trial)
    answer = send(
        trial,
        *(deployed(device, approval) for device in (1, 2, 3)),
        gone(1),
        replaced(2, by=4),
        form=form,
    )
    assert (answer.lines, answer.recorded, answer.known, answer.refused, answer.ignored) == (
        5,
        5,
        0,
        0,
        0,
    )
    assert outcomes(answer) == ["recorded"] * 5
    assert standing(trial) == {eui(3): approval, eui(4): approval}
    one, two, _, four = rows(trial)
    assert (one["decommissioned_at"], one["replaced_by"]) == (trial.clock.now().replace(day=10, month=1, hour=0), None)
    assert (two["replaced_by"], four["deployed_at"]) == (eui(4), two["decommissioned_at"])


@pytest.mark.clause("F2.28(d)")
def test_the_same_report_twice_changes_nothing_whatever_came_between(trial: World, second: str) -> None:
    approval = first(trial)
    history = [
        deployed(1, approval),
        corrected(1, why="wrong approval"),
        deployed(1, second, on="2027-02-03"),
        deployed(2, approval, on="2027-01-06T10:00:00Z"),
        gone(2, on="2027-01-06"),
        deployed(2, second, on="2027-02-04"),
        replaced(2, by=3, on="2027-02-05"),
        deployed(4, approval),
        gone(4, on="2027-02-01"),
    ]
    assert outcomes(send(trial, *history)) == ["recorded"] * len(history)
    before = rows(trial)
    for again in (history, history[::-1], history[3:] + history[:3]):
        answer = send(trial, *again)
        assert (answer.recorded, answer.known, answer.refused) == (0, len(history), 0), told(answer)
        assert rows(trial) == before
    assert standing(trial) == {eui(1): second, eui(3): second}


@pytest.mark.clause("F2.28(d)")
def test_a_correction_takes_a_deployment_back_and_leaves_it_to_be_seen(trial: World) -> None:
    approval = first(trial)
    send(trial, deployed(1, approval), deployed(2, approval))
    batch = send(trial, corrected(1, why="the installer turned back")).batch
    found = rows(trial)[0]
    assert (found["void_reason"], found["void_batch_id"]) == ("the installer turned back", batch)
    assert (found["deployed_at"], found["decommissioned_at"]) == (rows(trial)[1]["deployed_at"], None)
    assert standing(trial) == {eui(2): approval}
    assert recorded_facts(trial)[-1]["approvals"] == {approval: {"corrected": 1}}
    # What was taken back does not come back by itself.
    assert told(send(trial, deployed(1, approval))) == [("known", "was-corrected", None)]
    assert told(send(trial, corrected(2, on="2027-01-06"))) == [("refused", "nothing-to-correct", "on")]


def test_the_order_of_lines_in_a_report_makes_no_difference(trial: World, second: str) -> None:
    newest_first = [
        deployed(1, second, on="2027-02-05"),
        gone(1, on="2027-01-20"),
        deployed(1, first(trial)),
        replaced(2, by=3, on="2027-01-09"),
        deployed(2, first(trial)),
    ]
    assert outcomes(send(trial, *newest_first)) == ["recorded"] * 5
    assert standing(trial) == {eui(1): second, eui(3): first(trial)}


def test_a_device_model_is_matched_without_case_and_leading_zeros_count(trial: World) -> None:
    line = {"event": "deployed", "on": "2027-01-05", "firmware_version": VERSION.lower()}
    named = {"manufacturer": "ab01", "model": "010a030b"}
    answer = send(
        trial,
        {**line, **named, "device_id": eui(1).lower()},
        {**line, **named, "device_id": eui(2), "type": "esme", "hardware_version": "01"},
        {**line, **named, "device_id": eui(3), "model": "10A030B"},
        {**line, **named, "device_id": eui(4), "hardware_version": "1"},
        {**line, **MODEL, "device_id": eui(5), "approval": first(trial).lower()},
        {**line, "manufacturer": "AB02", "model": "010A030B", "device_id": eui(6), "approval": first(trial)},
    )
    assert codes(answer) == [None, None, "device-not-approved", "device-not-approved", None, "device-model-differs"]
    assert set(standing(trial)) == {eui(1), eui(2), eui(5)}


def test_several_approvals_are_told_apart_by_date_then_firmware_and_else_say_what_would(trial: World) -> None:
    # The same model in another hardware version, with firmware of its own, at the same time.
    twin = another(trial, device=Device("ESME", "AB01", "010A030B", "02"), firmware=(Firmware("9001", "cd" * 32),))
    line = {"event": "deployed", "on": "2027-02-03", **MODEL}
    answer = send(
        trial,
        {**line, "device_id": eui(1), "on": "2027-01-05", "firmware_version": "9001"},
        {**line, "device_id": eui(2), "firmware_version": "9001"},
        {**line, "device_id": eui(3), "firmware_version": VERSION},
        {**line, "device_id": eui(4), "firmware_version": "9002"},
        {**line, "device_id": eui(5), "firmware_version": "9002", "hardware_version": "02"},
        {**line, "device_id": eui(6), "on": "2026-01-03", "firmware_version": "9002"},
    )
    assert standing(trial) == {eui(1): first(trial), eui(2): twin, eui(3): first(trial), eui(5): twin}
    assert told(answer)[3] == ("refused", "device-ambiguous", "model")
    assert answer.results[3].detail.endswith("they differ in: hardware_version.")
    assert told(answer)[5] == ("refused", "outside-approvals", "on")
    # Where it is known under which one a device is, nothing else needs to tell.
    down = {**line, "event": "decommissioned", "device_id": eui(2), "on": "2027-02-06"}
    assert outcomes(send(trial, down)) == ["recorded"]


@pytest.mark.clause("F2.25")
def test_firmware_that_is_not_approved_is_recorded_and_told_because_facts_are_facts(trial: World) -> None:
    answer = send(
        trial, deployed(1, first(trial), firmware_version="0002FFFF"), deployed(2, first(trial), firmware_version="")
    )
    assert told(answer) == [
        ("recorded", "firmware-not-approved", "firmware_version"),
        ("refused", "firmware-missing", "firmware_version"),
    ]
    display = another(trial, device=Device("IHD", "AB01", "D1", "01"))
    assert outcomes(send(trial, deployed(3, display, on="2027-02-03", firmware_version=""))) == ["recorded"]


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(d)")
def test_each_wrong_line_is_told_with_its_column_and_harms_no_other(trial: World, second: str) -> None:
    approval = first(trial)
    send(trial, deployed(100, approval), deployed(101, approval, on="2027-01-08"), gone(101, on="2027-01-09"))
    wrong: list[tuple[dict[str, str], str, str | None]] = [
        (deployed(1, approval, device_id="00DB12345678900"), "device-id-malformed", "device_id"),
        (deployed(1, approval, device_id="00-DB-12-34-56-78-90"), "device-id-malformed", "device_id"),
        (deployed(1, approval, event="installed"), "event-unknown", "event"),
        (deployed(1, approval, on="05/01/2027"), "day-ambiguous", "on"),
        (deployed(1, approval, on="2027-02-30"), "instant-malformed", "on"),
        (deployed(1, approval, on="2027-01-05T10:00:00,5Z"), "instant-malformed", "on"),
        (deployed(1, approval, on="2027-03-01"), "instant-in-future", "on"),
        (gone(100, on="2027-03-01"), "instant-in-future", "on"),
        (deployed(1, approval[:-1] + ("0" if approval[-1] != "0" else "1")), "identifier-malformed", "approval"),
        (deployed(1, "TDT-2027-0042-5"), "unknown-approval", "approval"),
        (deployed(1, "", manufacturer="AB01", model="NONE"), "device-not-approved", "model"),
        (deployed(1, "", manufacturer="AB01"), "line-malformed", "model"),
        (deployed(1, ""), "line-malformed", "approval"),
        (deployed(1, approval, on="2027-01-03"), "before-start", "on"),
        (deployed(100, second, on="2027-02-03"), "deployed-elsewhere", "device_id"),
        (deployed(100, approval, on="2027-01-06"), "already-deployed", "device_id"),
        (deployed(101, second, on="2027-02-03", by=eui(2)), "line-malformed", "by"),
        (deployed(101, approval, on="2027-01-07"), "deployment-overlaps", "device_id"),
        (gone(100, on="2027-01-04"), "decommissioned-before-deployed", "on"),
        (gone(100, approval=second), "approval-differs", "approval"),
        (gone(1), "never-deployed", "device_id"),
        (gone(101), "no-longer-deployed", "device_id"),
        (replaced(100, by=100), "line-malformed", "by"),
        (replaced(100, by=2) | {"by": "x"}, "device-id-malformed", "by"),
        (replaced(1, by=2), "never-deployed", "device_id"),
        (corrected(100, why=""), "line-malformed", "why"),
        (corrected(1), "nothing-to-correct", "on"),
        (deployed(1, approval, firmware_version="123456789"), "line-malformed", "firmware_version"),
        (deployed(1, approval, type="ESME\x07", **MODEL), "line-malformed", "type"),
    ]
    before = rows(trial)
    good = deployed(200, approval)
    answer = send(trial, *(line for line, _, _ in wrong), good)
    assert told(answer)[:-1] == [("refused", code, column) for _, code, column in wrong]
    assert all(each.detail.endswith(".") for each in answer.results[:-1])
    assert [each.line for each in answer.results] == list(range(2, len(wrong) + 3))
    assert told(answer)[-1] == ("recorded", None, None)
    assert rows(trial)[:-1] == before
    assert rows(trial)[-1]["device_id"] == eui(200)
    # JSON names the place of a member inside its object.
    nested = send(trial, *(line for line, _, _ in wrong), form=Form.JSON)
    assert [each for each in told(nested) if each[2] and each[2].startswith("device.")] == [
        ("refused", "device-not-approved", "device.model"),
        ("refused", "line-malformed", "device.model"),
        ("refused", "line-malformed", "device.type"),
    ]


@pytest.mark.clause("F2.31")
def test_nothing_is_deployed_under_an_approval_that_has_ended_and_devices_still_come_down(trial: World) -> None:
    approval = first(trial)
    send(trial, deployed(1, approval), deployed(2, approval))
    trial.revoked(approval)
    trial.clock.advance(timedelta(days=2))
    answer = send(
        trial,
        deployed(3, approval, on="2027-02-01"),
        deployed(4, approval, on="2027-02-02"),
        gone(1, on="2027-02-02"),
        replaced(2, by=5, on="2027-02-02"),
    )
    assert told(answer) == [
        ("recorded", None, None),  # it was put up on the last day, and is reported late
        ("refused", "after-end", "on"),
        ("recorded", None, None),
        ("refused", "after-end", "on"),
    ]


def test_a_day_counts_to_its_last_second_at_the_end_of_an_approval(world: World) -> None:
    approval = world.granted(expiry=date(2027, 1, 20))
    world.at(LATER)
    answer = send(
        world,
        deployed(1, approval, on="2027-01-20T23:59:59Z"),
        deployed(2, approval, on="2027-01-21T00:00:00Z"),
        deployed(3, approval, on="2027-01-04"),
    )
    assert codes(answer) == [None, "after-end", None]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "the file is empty"),
        (b"event,device_id\n", "the column on is missing"),
        (b"event,device_id,on,device_id\n", "the column device_id is there twice"),
        (b"event,device_id,on,LS1 4AP\n", "column 4 of its first row is not known"),
        (b"event,device_id,on\n", "it has no line"),
        (b"\xff\xfeevent,device_id,on\n", "not the Unicode text"),
        (b'event,device_id,on\n"x', "line 2 is no row of CSV"),
    ],
)
def test_wrong_columns_refuse_a_file_in_one_sentence_that_says_what_was_expected(body: bytes, expected: str) -> None:
    with pytest.raises(DeploymentsMalformed) as refused:
        deployment_lines.read_table(body)
    assert expected in str(refused.value)
    assert "LS1" not in str(refused.value)
    assert refused.value.hint


def test_a_spreadsheets_habits_do_no_harm(trial: World) -> None:
    approval = first(trial)
    for device, separator in enumerate(";\t,", 1):
        head = separator.join(["Device_ID ", "EVENT", " on", "Approval", "firmware_version"])
        row = separator.join([f" {eui(device)}", "Deployed", "2027-01-05 ", approval, VERSION])
        body = f"\ufeff{head}\r\n\r\n{separator * 4}\r\n{row}\r\n".encode()
        answer = record_deployments(trial.desk, DCC, Form.CSV, body)
        assert (answer.recorded, answer.lines, answer.results[0].line) == (1, 1, 4)
    short = record_deployments(trial.desk, DCC, Form.CSV, f"event,device_id,on\ndeployed,{eui(9)}\n".encode())
    assert told(short) == [("refused", "line-malformed", None)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "not JSON"),
        (b"[]", "one member"),
        (b'{"lines": {}}', "one member"),
        (b'{"lines": [], "x": 1}', "one member"),
        (b'{"lines": []}', "no line"),
        (b'{"lines": [{}], "lines": []}', "each member named once"),
        (b'{"lines": ' + b"[" * 100_000, "too deeply"),
    ],
)
def test_json_of_another_shape_is_refused_whole(body: bytes, expected: str) -> None:
    with pytest.raises(DeploymentsMalformed, match=expected):
        deployment_lines.read_lines(body)


def test_a_line_of_json_with_other_members_or_numbers_is_refused_alone(trial: World) -> None:
    good = deployed(1, first(trial))
    lines = [
        {**good, "uprn": "1"},
        {**good, "firmware_version": 9001},
        {**good, "on": None},
        {**good, "why": "\ud800"},
        good,
    ]

    body = json.dumps({"lines": [*lines, 7, {"device": []}]}).encode()
    found = record_deployments(trial.desk, DCC, Form.JSON, body)
    assert [(each.outcome, each.column) for each in found.results] == [
        ("refused", None),
        ("refused", "firmware_version"),
        ("refused", "on"),
        ("refused", "why"),
        ("recorded", None),
        ("refused", None),
        ("refused", None),
    ]


def test_more_lines_than_a_report_may_have_are_refused_whole(trial: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_lines, "MOST_LINES", 3)
    lines = [deployed(device, first(trial)) for device in range(4)]
    for form in (Form.CSV, Form.JSON):
        with pytest.raises(DeploymentsTooMany):
            send(trial, *lines, form=form)
    assert send(trial, *lines[:3]).recorded == 3


def test_one_device_in_more_lines_than_anybody_needs_is_refused_and_the_rest_recorded(trial: World) -> None:
    often = [gone(1)] * (use_case.MOST_LINES_OF_ONE_DEVICE + 1)
    answer = send(trial, *often, deployed(2, first(trial)))
    assert set(codes(answer)[:-1]) == {"device-named-too-often"}
    assert outcomes(answer)[-1] == "recorded"


def test_only_the_dcc_reports(trial: World) -> None:
    for actor in (OFFICER_1, MANUFACTURER):
        with pytest.raises(OperationNotPermitted):
            record_deployments(trial.desk, actor, Form.CSV, csv_of([deployed(1, first(trial))]))


# --- the limit ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.23")
def test_a_report_above_the_limit_is_recorded_and_a_breach_suspected_once(world: World) -> None:
    approval = world.granted(maximum_devices=2)
    world.at(LATER)
    assert send(world, deployed(1, approval), deployed(2, approval)).recorded == 2
    assert suspected(world) == []
    assert send(world, deployed(3, approval)).recorded == 1
    assert suspected(world) == [approval]
    assert send(world, deployed(4, approval)).recorded == 1
    assert suspected(world) == [approval]
    assert len(standing(world)) == 4


@pytest.mark.clause("F2.21(d)")
def test_a_report_that_stays_within_the_limit_does_not_exceed_it_half_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = world.granted(maximum_devices=2)
    world.at(LATER)
    send(world, deployed(1, approval), deployed(2, approval))
    monkeypatch.setattr(use_case, "LINES_AT_ONCE", 1)
    ups = [deployed(device, approval, on="2027-01-20") for device in (3, 4)]
    assert send(world, *ups, gone(1), gone(2)).recorded == 4
    assert suspected(world) == []


@pytest.mark.clause("F2.21(d)")
def test_units_are_those_deployed_then_as_far_as_is_known_now(trial: World) -> None:
    approval, reader = first(trial), StatusReader(trial.store)
    send(
        trial,
        deployed(1, approval),
        gone(1, on="2027-01-10"),
        deployed(2, approval, on="2027-01-08"),
        deployed(3, approval),
    )
    send(trial, corrected(3))
    expected = {4: (False, 0), 5: (True, 0), 8: (True, 0), 9: (True, 0), 10: (False, 1), 20: (False, 1)}
    for day, (among, counted) in expected.items():
        found = reader.units(approval, eui(1), LATER.replace(month=1, day=day, hour=0))
        assert (found.among, found.deployed) == (among, counted), day
    assert reader.units(approval, eui(3), LATER) == reader.units(approval, eui(9), LATER)
    assert reader.units("TDT-2027-0042-5", eui(2), LATER).deployed == 0


# --- many lines, many reports ------------------------------------------------------------------------------------


def test_a_report_goes_in_by_parts_and_each_part_is_a_fact_without_devices(
    trial: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "LINES_AT_ONCE", 4)
    approval = first(trial)
    lines = [*(deployed(device, approval) for device in range(9)), replaced(0, by=20), gone(77)]
    answer = send(trial, *lines)
    assert (answer.recorded, answer.refused) == (10, 1)
    facts = recorded_facts(trial)
    assert sum(each["lines"] for each in facts) == 11
    assert sum(each["recorded"] for each in facts) == 10
    assert [each["part"] for each in facts] == list(range(1, len(facts) + 1))
    assert len(facts) == 3
    assert all(len(each["sha256"]) == 64 for each in facts)
    assert "00-DB" not in str(facts)
    assert sum(each["approvals"].get(approval, {}).get("deployed", 0) for each in facts) == 10


def test_what_died_between_two_parts_is_completed_by_sending_it_again(
    trial: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "LINES_AT_ONCE", 2)
    lines = [deployed(device, first(trial)) for device in range(6)]
    opened = 0
    begin = trial.store.begin

    def dying(label: str) -> Any:
        nonlocal opened
        opened += 1
        if opened == 3:
            raise KeyboardInterrupt
        return begin(label)

    monkeypatch.setattr(trial.store, "begin", dying)
    with pytest.raises(KeyboardInterrupt):
        send(trial, *lines)
    assert len(standing(trial)) == 4
    monkeypatch.setattr(trial.store, "begin", begin)
    answer = send(trial, *lines)
    assert (answer.recorded, answer.known) == (2, 4)
    assert len(standing(trial)) == 6


def test_the_same_request_under_one_key_gets_the_first_answer(trial: World) -> None:
    key = RequestKey("k1", "a" * 64)
    answer = send(trial, deployed(1, first(trial)), key=key)
    assert send(trial, deployed(1, first(trial)), key=key) == answer
    assert len(recorded_facts(trial)) == 1


@pytest.mark.clause("F2.28(d)")
def test_reports_at_the_same_moment_never_put_a_device_under_two_approvals(
    trial: World, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "LINES_AT_ONCE", 7)
    devices = range(60)
    answers: list[Any] = []
    failures: list[BaseException] = []
    start = threading.Barrier(3)

    def report(approval: str, order: Callable[[range], Any]) -> None:
        try:
            start.wait()
            answers.append(send(trial, *(deployed(device, approval, on="2027-02-03") for device in order(devices))))
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [
        threading.Thread(target=report, args=each)
        for each in ((first(trial), list), (second, reversed), (first(trial), reversed))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    held = standing(trial)
    assert len(held) == len(rows(trial)) == len(devices)
    # Each device went to whoever came first; the same line from two senders is recorded once and known once.
    assert sum(answer.recorded for answer in answers) == len(devices)
    for answer in answers:
        for line in answer.results:
            assert line.outcome in {"recorded", "known"} or line.code == "deployed-elsewhere"
    mine = [answer.recorded + answer.known for answer in answers]
    lost = sum(answer.refused for answer in answers)
    assert sum(mine) + lost == 3 * len(devices)
