"""The monthly report (F2.28): each item, what came late, what was corrected, and that an issued one never changes."""

import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.actors import Actor
from core.approval import Device, EndCause
from core.clock import FixedClock
from core.errors import (
    MonthMalformed,
    NoSuchThing,
    OperationNotPermitted,
    ReportOutOfTurn,
    WrongState,
)
from core.instants import text
from ra.desk import Desk
from ra.reporting.figures import months_after
from ra.reporting.report import issue_report, remark_report, report, reports
from ra.reporting.views import ReportIssued
from store.reading import journal
from store.reading.approvals import records
from store.verbs import reports as verbs
from tests.api_world import Api, done
from tests.api_world import refused as refused_as
from tests.reports_world import decommissioned, deployed, forgotten, instruction, loaded, refused, voided
from tests.world import AUDITOR, DCC, DEVICE, MANUFACTURER, NOW, OFFICER_1, PANEL, World

JANUARY, FEBRUARY = "2027-01", "2027-02"
IN_FEBRUARY = datetime(2027, 2, 4, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def issued(desk: Desk, month: str, actor: Actor = DCC) -> ReportIssued:
    """As whoever has looked at it issues it: early if it is, and with the months that it covers."""
    return issue_report(desk, actor, month, early=True, months=json.loads(report(desk, DCC, month))["covers"])


def shown(world: World, month: str) -> dict[str, Any]:
    return dict(json.loads(report(world.desk, DCC, month)))


def emptied(world: World) -> World:
    with world.store.begin("test") as tx:
        forgotten(tx)
    return world


@pytest.fixture
def approval(world: World) -> str:
    granted = world.granted()
    emptied(world)
    return granted


def two_approvals(world: World) -> tuple[str, str]:
    found = world.granted(), world.granted(device=Device("PPMID", "AB01", "0000000F", "01"), maximum_devices=3)
    emptied(world)
    return found


# --- (a) to (c): the list ----------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(a)")
def test_only_what_the_panel_has_acknowledged_is_on_the_list(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        known = instruction(tx, approval, "add", at=NOW)
        instruction(tx, approval, "add", at=NOW, firmware="0002012G")
        bad = instruction(tx, approval, "add", at=NOW, firmware="0002012H")
        instruction(tx, approval, "add", at=NOW, firmware="later", due=NOW + HOUR)
        loaded(tx, known, at=NOW)
        refused(tx, bad, at=NOW)
    assert shown(world, JANUARY)["items"]["a"] == {
        "models": 1,
        "entries": 1,
        "instructed_not_acknowledged": {"models": 1, "entries": 2},
    }


@pytest.mark.clause("F2.28(b)")
def test_a_model_is_added_once_and_another_firmware_version_adds_an_entry(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        loaded(tx, instruction(tx, approval, "add", at=NOW), at=NOW)
    first = shown(world, JANUARY)["items"]["b"]
    assert (first["models"], first["entries"]) == (1, 1)
    issued(world.desk, JANUARY)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        loaded(tx, instruction(tx, approval, "add", at=IN_FEBRUARY, firmware="0002012G"), at=IN_FEBRUARY)
        loaded(tx, instruction(tx, approval, "change", at=IN_FEBRUARY), at=IN_FEBRUARY)
    items = shown(world, FEBRUARY)["items"]
    assert (items["b"]["models"], items["b"]["entries"]) == (0, 1)
    assert (items["a"]["models"], items["a"]["entries"]) == (1, 2)


@pytest.mark.clause("F2.28(c)")
@pytest.mark.parametrize("kind", ["remove", "replace-marker"])
def test_an_entry_that_is_no_trial_any_more_is_removed(world: World, approval: str, kind: str) -> None:
    with world.store.begin("test") as tx:
        loaded(tx, instruction(tx, approval, "add", at=NOW), at=NOW)
    issued(world.desk, JANUARY)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        told = instruction(tx, approval, kind, at=IN_FEBRUARY)
    items = shown(world, FEBRUARY)["items"]
    assert items["c"] == {"models": 0, "entries": 0, "instructed_not_acknowledged": {"models": 1, "entries": 1}}
    assert items["a"]["entries"] == 1  # told is not acknowledged
    with world.store.begin("test") as tx:
        loaded(tx, told, at=IN_FEBRUARY)
    items = shown(world, FEBRUARY)["items"]
    assert items["c"] == {"models": 1, "entries": 1, "instructed_not_acknowledged": {"models": 0, "entries": 0}}
    assert items["a"]["entries"] == items["a"]["models"] == items["b"]["entries"] == 0


@pytest.mark.clause("F2.28(c)")
def test_a_removal_of_what_was_never_on_the_list_removes_nothing(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        loaded(tx, instruction(tx, approval, "remove", at=NOW), at=NOW)
    items = shown(world, JANUARY)["items"]
    assert (items["a"]["entries"], items["b"]["entries"], items["c"]["entries"]) == (0, 0, 0)


@pytest.mark.clause("F2.28(a)")
def test_the_list_is_as_its_instructions_take_effect_in_whatever_order_they_are_acknowledged(
    world: World, approval: str
) -> None:
    with world.store.begin("test") as tx:
        added = instruction(tx, approval, "add", at=NOW)
        removed = instruction(tx, approval, "remove", at=NOW, due=NOW + HOUR)
        loaded(tx, removed, at=NOW + 2 * HOUR)
        loaded(tx, added, at=NOW + 3 * HOUR)
    world.clock.advance(2 * HOUR)
    assert (shown(world, JANUARY)["items"]["a"]["entries"], shown(world, JANUARY)["items"]["c"]["entries"]) == (0, 0)
    world.clock.advance(HOUR)
    items = shown(world, JANUARY)["items"]
    assert (items["a"]["entries"], items["b"]["entries"], items["c"]["entries"]) == (0, 1, 1)


# --- (d) to (f): deployments -------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(d)")
def test_devices_are_counted_in_aggregate_and_by_approval_against_each_limit(world: World) -> None:
    one, two = two_approvals(world)
    with world.store.begin("test") as tx:
        deployed(tx, one, 5, on=NOW, recorded=NOW)
        deployed(tx, two, 4, on=NOW, recorded=NOW)
    found = shown(world, JANUARY)
    assert found["items"]["d"]["deployed"] == 9
    lines = {each["approval"]: each for each in found["approvals"]}
    assert (lines[one]["deployed"], lines[one]["limit"], lines[one]["above_limit"]) == (5, 500, False)
    assert (lines[two]["deployed"], lines[two]["limit"], lines[two]["above_limit"]) == (4, 3, True)
    assert lines[one]["device"]["model"] == DEVICE.model
    assert lines[one]["manufacturer"] == "Acme Metering Ltd"
    assert lines[one]["state"] == "not_yet_started"


@pytest.mark.clause("F2.28(e)")
def test_what_is_told_late_is_in_the_next_report_which_says_so(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        deployed(tx, approval, 2, on=NOW, recorded=NOW)
    issued(world.desk, JANUARY)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        deployed(tx, approval, 3, on=NOW, recorded=IN_FEBRUARY)
        deployed(tx, approval, 4, on=IN_FEBRUARY, recorded=IN_FEBRUARY)
    found = shown(world, FEBRUARY)
    assert found["items"]["e"] == {"deployed": 7, "of_earlier_periods": 3}
    assert found["items"]["d"]["deployed"] == 9
    assert found["approvals"][0]["deployed_since"] == 7


@pytest.mark.clause("F2.28(f)")
def test_decommissioned_devices_are_told_once(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        rows = deployed(tx, approval, 6, on=NOW, recorded=NOW)
        decommissioned(tx, rows[:1], on=NOW, recorded=NOW)
    assert shown(world, JANUARY)["items"]["f"] == {"decommissioned": 1, "of_earlier_periods": 0}
    issued(world.desk, JANUARY)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        decommissioned(tx, rows[1:3], on=NOW, recorded=IN_FEBRUARY)
        decommissioned(tx, rows[3:4], on=IN_FEBRUARY, recorded=IN_FEBRUARY)
    found = shown(world, FEBRUARY)
    assert found["items"]["f"] == {"decommissioned": 3, "of_earlier_periods": 2}
    assert found["items"]["d"]["deployed"] == 2
    assert found["approvals"][0]["decommissioned_since"] == 3


@pytest.mark.clause("F2.28(d)")
def test_a_correction_leaves_the_issued_report_and_appears_in_the_next(world: World, approval: str) -> None:
    with world.store.begin("test") as tx:
        rows = deployed(tx, approval, 6, on=NOW, recorded=NOW)
        decommissioned(tx, rows[5:], on=NOW, recorded=NOW)
    issued(world.desk, JANUARY)
    frozen = report(world.desk, DCC, JANUARY)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        voided(tx, rows[:2], at=IN_FEBRUARY)
        voided(tx, rows[5:], at=IN_FEBRUARY)  # the report had it as deployed and decommissioned
        voided(tx, deployed(tx, approval, 1, on=NOW, recorded=IN_FEBRUARY), at=IN_FEBRUARY)  # no report ever had it
    found = shown(world, FEBRUARY)
    assert [(each["approval"], each["devices"]) for each in found["corrections"]] == [(approval, 2), (approval, 1)]
    assert "2 devices were counted as deployed, and never deployed" in found["corrections"][0]["sentence"]
    assert found["items"]["d"]["deployed"] == 3
    assert found["items"]["e"] == {"deployed": 0, "of_earlier_periods": 0}
    assert found["items"]["f"] == {"decommissioned": 0, "of_earlier_periods": 0}
    assert report(world.desk, DCC, JANUARY) == frozen
    assert not json.loads(frozen)["corrections"]


@pytest.mark.clause("F2.28(e)")
def test_nothing_is_lost_that_is_recorded_in_the_second_of_the_report_or_by_a_slow_transaction(
    world: World, approval: str
) -> None:
    with world.store.begin("test") as tx:
        deployed(tx, approval, 1, on=NOW, recorded=NOW)
    issued(world.desk, JANUARY)
    with world.store.begin("test") as tx:
        deployed(tx, approval, 2, on=NOW, recorded=NOW)
        deployed(tx, approval, 4, on=NOW, recorded=NOW - HOUR)
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        deployed(tx, approval, 8, on=NOW, recorded=IN_FEBRUARY + HOUR)  # by a machine whose clock is ahead
    found = shown(world, FEBRUARY)["items"]
    assert (found["d"]["deployed"], found["e"]) == (7, {"deployed": 6, "of_earlier_periods": 6})
    issued(world.desk, FEBRUARY)
    world.at(datetime(2027, 3, 2, tzinfo=UTC))
    found = shown(world, "2027-03")["items"]
    assert (found["d"]["deployed"], found["e"]["deployed"]) == (15, 8)


_ACT = st.tuples(
    st.sampled_from(["deploy", "deploy", "decommission", "void", "report"]),
    st.integers(0, 1),  # which approval
    st.integers(0, 7),  # how many, or which
    st.integers(1, 40),  # days until the next act
    st.integers(0, 60),  # days between the event and its report
)


class Register:
    """What a careful person would note: each device's fate as the last report had it, and as it is."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.told: dict[int, str] = {}
        self.owner: dict[int, str] = {}

    def standing(self, approval: str, fate: str) -> list[int]:
        return [row for row, now in self.rows.items() if now == fate and self.owner[row] == approval]

    def passed(self, approval: str, then: str, now: str) -> int:
        changes = Counter(
            (self.told.get(row, "new"), fate) for row, fate in self.rows.items() if self.owner[row] == approval
        )
        return changes[then, now]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(_ACT, min_size=4, max_size=24))
@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.28(e)")
@pytest.mark.clause("F2.28(f)")
def test_deployed_is_always_what_was_deployed_plus_minus_what_each_report_tells(
    world: World, acts: list[tuple[str, int, int, int, int]]
) -> None:
    approvals = _both(world)
    emptied(world)
    clock = FixedClock(NOW + timedelta(days=1))
    desk = Desk(world.store, clock, world.desk.rules)
    kept, before, frozen = Register(), Counter[str](), dict[str, bytes]()
    for what, which, number, days, late in [*acts, ("report", 0, 0, 0, 0)]:
        approval, at = approvals[which], clock.now()
        if what == "report":
            _reported(desk, kept, before, frozen, approvals)
            clock.advance(timedelta(seconds=1))
        else:
            with world.store.begin("test") as tx:
                _recorded(tx, kept, what, approval, number, at - timedelta(days=late), at)
        clock.advance(timedelta(days=days))
    for month, octets in frozen.items():
        assert report(desk, DCC, month) == octets


def _both(world: World) -> list[str]:
    """The same two approvals in every example."""
    with world.store.read() as tx:
        found = [each.identifier for each in records(tx)]
    return found or sorted(two_approvals(world))


def _recorded(tx: Any, kept: Register, what: str, approval: str, number: int, on: datetime, at: datetime) -> None:
    standing = kept.standing(approval, "deployed")
    if what == "deploy":
        for row in deployed(tx, approval, number, on=on, recorded=at):
            kept.rows[row], kept.owner[row] = "deployed", approval
        return
    if not standing:
        return
    chosen = standing[number % len(standing)]
    if what == "void":
        voided(tx, [chosen], at=at)
        kept.rows[chosen] = "void"
    else:
        decommissioned(tx, [chosen], on=at, recorded=at)
        kept.rows[chosen] = "decommissioned"


def _reported(desk: Desk, kept: Register, before: Counter[str], frozen: dict[str, bytes], approvals: list[str]) -> None:
    month = f"{desk.clock.now():%Y-%m}"
    if month in frozen:
        return
    issued(desk, month)
    frozen[month] = report(desk, DCC, month)
    said = json.loads(frozen[month])
    lines = {each["approval"]: each for each in said["approvals"]}
    corrected = Counter({each["approval"]: each["devices"] for each in said["corrections"]})
    for each in approvals:
        line, was = lines[each], before[each]
        both = kept.passed(each, "new", "decommissioned")
        assert line["deployed_since"] == kept.passed(each, "new", "deployed") + both
        assert line["decommissioned_since"] == kept.passed(each, "deployed", "decommissioned") + both
        assert corrected[each] == kept.passed(each, "deployed", "void")
        assert line["deployed"] == len(kept.standing(each, "deployed"))
        assert line["deployed"] == was + line["deployed_since"] - line["decommissioned_since"] - corrected[each]
        before[each] = line["deployed"]
    items = said["items"]
    assert items["d"]["deployed"] == sum(before.values())
    assert items["e"]["deployed"] == sum(each["deployed_since"] for each in said["approvals"])
    assert items["f"]["decommissioned"] == sum(each["decommissioned_since"] for each in said["approvals"])
    assert 0 <= items["e"]["of_earlier_periods"] <= items["e"]["deployed"]
    assert 0 <= items["f"]["of_earlier_periods"] <= items["f"]["decommissioned"]
    kept.told = dict(kept.rows)


# --- (g) and (h) -------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(g)")
def test_an_approval_that_waits_for_a_new_key_will_expire_as_well_and_one_that_was_ended_will_not(
    world: World, approval: str
) -> None:
    world.at(datetime(2027, 5, 2, tzinfo=UTC))
    world.revoked(approval, EndCause.KEY_COMPROMISE)
    expiring = shown(world, "2027-05")["items"]["g"]["expiring"]
    assert [each["approval"] for each in expiring] == [approval]
    world.revoked(approval)
    assert shown(world, "2027-05")["items"]["g"]["expiring"] == []


@pytest.mark.clause("F2.28(g)")
def test_approvals_that_expire_in_the_months_ahead_are_named(world: World, approval: str) -> None:
    for until, named in (
        (datetime(2027, 3, 29, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 30, tzinfo=UTC), True),  # the thirtieth of June is the last day of the three months
        (datetime(2027, 6, 30, 23, 59, 58, tzinfo=UTC), True),
        (datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC), False),  # its last second
        (datetime(2027, 7, 1, tzinfo=UTC), False),
    ):
        world.at(until)
        expiring = shown(world, f"{until:%Y-%m}")["items"]["g"]["expiring"]
        assert [each["approval"] for each in expiring] == [approval] * named, until
        if named:
            assert expiring[0]["expiry"] == "2027-06-30T23:59:59Z"
            assert expiring[0]["manufacturer"] == "Acme Metering Ltd"


@pytest.mark.clause("F2.28(g)")
def test_an_approval_that_was_revoked_expires_no_more(world: World, approval: str) -> None:
    world.at(datetime(2027, 5, 1, tzinfo=UTC))
    world.revoked(approval)
    assert not shown(world, "2027-05")["items"]["g"]["expiring"]


def test_months_ahead_end_with_the_month_where_it_is_shorter() -> None:
    assert months_after(date(2027, 11, 30), 3) == date(2028, 2, 29)
    assert months_after(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert months_after(date(2027, 12, 1), 12) == date(2028, 12, 1)
    assert months_after(date(9999, 12, 1), 3) == date.max


@pytest.mark.clause("F2.28(h)")
def test_remarks_are_in_the_report_and_never_in_the_journal(world: World, approval: str) -> None:
    assert approval
    remark_report(world.desk, DCC, JANUARY, "Two hubs were swapped by ZEBRAFINCH engineers.")
    remarks = shown(world, JANUARY)["items"]["h"]["remarks"]
    assert [(each["text"], each["made_by"]) for each in remarks] == [
        ("Two hubs were swapped by ZEBRAFINCH engineers.", "dcc-system")
    ]
    issued(world.desk, JANUARY)
    world.authority.settle()
    with world.store.read() as tx:
        rows = journal.sealed_after(tx, 0, 10_000)
    assert "report-remarked" in {each.row.kind for each in rows}
    assert "ZEBRAFINCH" not in "".join(str(each.row) for each in rows)
    for month in (JANUARY, "2026-12"):
        with pytest.raises((WrongState, ReportOutOfTurn)):
            remark_report(world.desk, DCC, month, "Too late.")
    assert len(shown(world, JANUARY)["items"]["h"]["remarks"]) == 1


# --- issued once, in order, never changed ------------------------------------------------------------------------


def test_an_issued_report_is_the_same_bytes_for_ever_and_its_digest_is_in_the_journal(
    world: World, approval: str
) -> None:
    draft = shown(world, JANUARY)
    assert (draft["issued"], draft["issued_at"], draft["since"]) == (False, None, None)
    outcome = issued(world.desk, JANUARY)
    frozen = report(world.desk, DCC, JANUARY)
    said = json.loads(frozen)
    assert (said["issued"], said["issued_at"], said["until"]) == (True, text(NOW), text(NOW))
    assert outcome.document_sha256 == hashlib.sha256(frozen).hexdigest()
    world.at(IN_FEBRUARY)
    with world.store.begin("test") as tx:
        deployed(tx, approval, 9, on=NOW, recorded=IN_FEBRUARY)
    world.revoked(approval)
    assert report(world.desk, AUDITOR, JANUARY) == frozen
    world.authority.settle()
    with world.store.read() as tx:
        facts = [each.row for each in journal.sealed_after(tx, 0, 10_000) if each.row.kind == "report-issued"]
    assert [each.subject for each in facts] == [f"report {JANUARY}"]
    assert outcome.document_sha256 in str(facts[0].payload)
    assert shown(world, FEBRUARY)["since"] == text(NOW)


def test_reports_are_issued_in_order_once_and_never_ahead(world: World, approval: str) -> None:
    assert approval
    for month, error in (("2027-02", ReportOutOfTurn), ("2026-12", ReportOutOfTurn), ("2027-13", MonthMalformed)):
        with pytest.raises(error):
            issue_report(world.desk, DCC, month)
    issued(world.desk, JANUARY)
    with pytest.raises(WrongState):
        issued(world.desk, JANUARY)
    world.at(datetime(2027, 4, 2, tzinfo=UTC))
    issued(world.desk, "2027-03")  # February is left out; March covers it
    with pytest.raises(ReportOutOfTurn, match="2027-03 has been issued and covers it"):
        issue_report(world.desk, DCC, "2027-02")
    with pytest.raises(ReportOutOfTurn, match="this very second"):
        issue_report(world.desk, DCC, "2027-04", early=True)
    listed = reports(world.desk, DCC, after="", limit=9).reports
    assert [each.report for each in listed] == [JANUARY, "2027-03"]


def test_there_is_no_report_of_a_month_that_has_none(world: World) -> None:
    for month in ("2027-02", "2026-12", "9999-12"):
        with pytest.raises(NoSuchThing):
            report(world.desk, DCC, month)


def test_what_is_no_month_is_refused_in_a_sentence(world: World) -> None:
    for month in ("", "2027", "2027-1", "2027-00", "2027-13", "2027-01-01", "２０２７-01", "2027-01\n", "x" * 99):
        for act in (report, issue_report):
            with pytest.raises(MonthMalformed, match="is not a month"):
                act(world.desk, DCC, month)


def test_of_two_who_issue_at_once_one_wins(world: World, approval: str) -> None:
    assert approval

    def tried(_: int) -> str:
        try:
            return issued(world.desk, JANUARY).report
        except (WrongState, ReportOutOfTurn) as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(tried, range(4)))
    assert outcomes.count(JANUARY) == 1
    assert set(outcomes) <= {JANUARY, "wrong-state", "report-out-of-turn"}


@pytest.mark.clause("F2.28(h)")
def test_a_remark_that_is_being_made_while_the_report_is_issued_is_in_it(world: World, approval: str) -> None:
    assert approval
    with ThreadPoolExecutor(1) as pool:
        with world.store.begin("test") as tx:
            verbs.hold(tx)
            verbs.remark(tx, "remark-1", JANUARY, text="Just in time.", by="dcc-system", at=NOW)
            issuing = pool.submit(issue_report, world.desk, DCC, JANUARY, early=True)
            wait([issuing], timeout=1)  # it has had every chance to pass us by
        issuing.result()
    assert [each["text"] for each in shown(world, JANUARY)["items"]["h"]["remarks"]] == ["Just in time."]


def test_only_the_dcc_issues_and_remarks(world: World) -> None:
    for actor in (OFFICER_1, AUDITOR, MANUFACTURER, PANEL):
        with pytest.raises(OperationNotPermitted):
            issued(world.desk, JANUARY, actor)
        with pytest.raises(OperationNotPermitted):
            remark_report(world.desk, actor, JANUARY, "x")


# --- over HTTP ---------------------------------------------------------------------------------------------------


def test_over_http_a_report_is_shown_remarked_issued_and_listed(world: World) -> None:
    api = Api(world)
    api.granted()
    draft = done(api.ask("officer-1", "GET", f"/v1/reports/{JANUARY}"))
    assert draft["issued"] is False
    done(api.ask("dcc", "POST", f"/v1/reports/{JANUARY}/remarks", {"text": "All well."}))
    early = f"/v1/reports/{JANUARY}?early=true"
    refused_as(api.ask("dcc", "POST", f"/v1/reports/{JANUARY}"), 409, "report-out-of-turn")
    first = api.ask("dcc", "POST", early, Idempotency_Key="january")
    again = api.ask("dcc", "POST", early, Idempotency_Key="january")
    assert done(first, 201) == done(again, 201)
    assert first.headers["Location"] == f"/v1/reports/{JANUARY}"
    refused_as(api.ask("dcc", "POST", f"/v1/reports/{JANUARY}"), 409, "wrong-state")
    refused_as(api.ask("dcc", "POST", f"/v1/reports/{JANUARY}/remarks", {"text": "Late."}), 409, "wrong-state")
    shown_again = api.ask("auditor", "GET", f"/v1/reports/{JANUARY}")
    assert shown_again.headers["Vary"] == "Accept"
    assert hashlib.sha256(shown_again.data).hexdigest() == done(first, 201)["document_sha256"]
    assert done(shown_again)["items"]["h"]["remarks"][0]["text"] == "All well."
    listed = done(api.ask("officer-1", "GET", "/v1/reports"))
    assert listed == {"reports": [done(first, 201)], "next": None, "truncated": False}
    assert done(api.ask("officer-1", "GET", f"/v1/reports?after={JANUARY}"))["reports"] == []


def test_over_http_what_is_wrong_is_told(world: World) -> None:
    api = Api(world)
    for method, path, status, code in (
        ("GET", "/v1/reports/2027-13", 400, "month-malformed"),
        ("GET", "/v1/reports/2027-02", 404, "not-found"),
        ("POST", "/v1/reports/2027-02", 409, "report-out-of-turn"),
        ("POST", "/v1/reports/January", 400, "month-malformed"),
        ("POST", "/v1/reports/2027-1/remarks", 400, "month-malformed"),
    ):
        refused_as(api.ask("dcc", method, path, {"text": "x"} if "remarks" in path else None), status, code)


@pytest.mark.clause("F2.28(d)")
@pytest.mark.parametrize(
    ("media_type", "begins", "form"),
    [
        ("application/pdf", b"%PDF-", "pdf"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04", "xlsx"),
    ],
)
def test_an_issued_report_is_rendered_once_and_everybody_gets_those_bytes(
    world: World, media_type: str, begins: bytes, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(world)
    api.granted()
    path = f"/v1/reports/{JANUARY}"
    draft = api.ask("dcc", "GET", path, Accept=media_type)
    assert draft.status_code == 200
    assert draft.data.startswith(begins)
    assert kept_renderings(world) == []
    done(api.ask("dcc", "POST", f"{path}?early=true"), 201)
    first = api.ask("dcc", "GET", path, Accept=media_type)
    assert (first.content_type, first.data[:4]) == (media_type, begins[:4])
    assert first.headers["Content-Disposition"] == f'attachment; filename="trial-devices-{JANUARY}.{form}"'
    # A later release of the typesetter changes nothing about what was issued.
    monkeypatch.setattr("ra.reporting.report._renderer", lambda _: lambda _: b"another typesetter")
    assert api.ask("auditor", "GET", path, Accept=media_type).data == first.data
    assert kept_renderings(world) == [(f"report {JANUARY}", hashlib.sha256(first.data).hexdigest())]
    refused_as(api.ask("dcc", "GET", path, Accept="image/png"), 406, "not-acceptable")


def kept_renderings(world: World) -> list[tuple[str, str]]:
    """Subject and digest, as the journal has them, of what was rendered of reports."""
    world.authority.settle()
    with world.store.read() as tx:
        rows = [each.row for each in journal.sealed_after(tx, 0, 10_000) if each.row.kind == "document-rendered"]
    said = [json.loads(each.payload) for each in rows if str(each.subject).startswith("report ")]
    return [(each["subject"], each["sha256"]) for each in said]
