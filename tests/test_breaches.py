"""Breaches of conditions (F2.23): suspected, judged, and owed a revocation until it is done for them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.approval import Device, EndCause
from core.canonical import salted_digest
from core.classification import Passage
from core.errors import NoSuchThing, OperationNotPermitted, WrongState
from core.facts import FactKind
from ra.deciding.end import Revoke
from ra.deciding.kinds.grant import ProposeGrant
from ra.grounds import Minutes
from ra.repeat import RequestKey
from ra.reporting import breach
from ra.reporting.views import BreachMoved
from store.reading import breaches as reading
from tests.acting import judge, revoke
from tests.api_world import Api, done, refused
from tests.journal_lines import lines
from tests.test_concurrency import at_once
from tests.world import ADMIN, AUDITOR, DCC, MANUFACTURER, OFFICER_1, OFFICER_2, PANEL, World

START = datetime(2027, 1, 4, tzinfo=UTC)
NOTE = "UNIQUENOTE: a unit was seen outside Leeds."
WHY = "UNIQUEWHY: its serial number was read there."


def conditioned(world: World, **changes: Any) -> str:
    """An approval with two conditions."""
    conditions = (Passage.of("condition 1", "Leeds only."), Passage.of("condition 2", "Ask before each visit."))
    decision = world.proposed(
        ProposeGrant(world.applied(**changes), "It looks sound.", minutes=Minutes(conditions=conditions))
    )
    world.authority.settle()
    approval = world.seconded(decision)
    world.authority.settle()
    return approval


def suspected(world: World, approval: str, condition: int = 1) -> str:
    return breach.suspect(world.desk, OFFICER_1, approval, condition, NOTE).breach


def confirmed(world: World, approval: str) -> str:
    identifier = suspected(world, approval)
    judge(world.desk, OFFICER_2, identifier, confirmed=True, why=WHY)
    return identifier


def state(world: World, identifier: str) -> str:
    return breach.shown(world.desk, OFFICER_1, identifier).state


def owed(world: World) -> list[str]:
    with world.store.read() as tx:
        return [each.breach for each in reading.owed(tx)]


@pytest.mark.clause("F2.23")
def test_a_breach_is_suspected_then_confirmed_and_owes_a_revocation_until_one_is_done_for_it(world: World) -> None:
    approval = conditioned(world)
    world.at(START)
    identifier = suspected(world, approval)
    assert (state(world, identifier), owed(world)) == ("suspected", [])
    said = judge(world.desk, OFFICER_2, identifier, confirmed=True, why=WHY)
    assert (said.state, owed(world)) == ("confirmed", [identifier])
    world.at(START + timedelta(days=90))
    assert owed(world) == [identifier]
    revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.BREACH, "A condition was not kept.", breach=identifier))
    assert (state(world, identifier), owed(world)) == ("answered", [])
    shown = breach.shown(world.desk, AUDITOR, identifier)
    assert (shown.note, shown.why, shown.clause, shown.condition) == (NOTE, WHY, "F2.21(e)", 1)
    (payload,) = lines(world, FactKind.APPROVAL_REVOKED)
    assert json.loads(payload)["breach"] == identifier
    assert json.loads(payload)["decision"] == shown.decision


@pytest.mark.clause("F2.23")
def test_a_breach_is_answered_only_if_it_is_confirmed_and_of_the_approval_that_is_ended(world: World) -> None:
    approval = conditioned(world)
    other = conditioned(world, device=Device("ESME", "AB01", "OTHER", "01"))
    identifier = suspected(world, approval)
    with pytest.raises(WrongState), world.store.begin("answer") as tx:
        breach.answer(tx, identifier, approval, decision="dec-none", at=START)
    judge(world.desk, OFFICER_2, identifier, confirmed=True, why=WHY)
    with pytest.raises(NoSuchThing), world.store.begin("answer") as tx:
        breach.answer(tx, identifier, other, decision="dec-none", at=START)
    with pytest.raises((NoSuchThing, WrongState)):
        revoke(world.desk, OFFICER_1, Revoke(other, EndCause.BREACH, "Not its own.", breach=identifier))
    assert world.record(other).ended_at is None
    assert state(world, identifier) == "confirmed"


def test_a_dismissed_breach_owes_nothing_and_is_judged_once(world: World) -> None:
    approval = conditioned(world)
    identifier = suspected(world, approval)
    said = judge(world.desk, OFFICER_1, identifier, confirmed=False, why=WHY)
    assert (said.state, owed(world)) == ("dismissed", [])
    for confirmed_ in (True, False):
        with pytest.raises(WrongState):
            judge(world.desk, OFFICER_2, identifier, confirmed=confirmed_, why=WHY)
    with pytest.raises(NoSuchThing):
        judge(world.desk, OFFICER_1, "breach-none", confirmed=True, why=WHY)


@pytest.mark.clause("F2.23")
def test_a_confirmed_breach_is_closed_without_a_revocation_only_if_its_approval_ended_otherwise(world: World) -> None:
    approval = conditioned(world)
    identifier = suspected(world, approval)
    with pytest.raises(WrongState):
        breach.close(world.desk, OFFICER_1, identifier, why=WHY)
    judge(world.desk, OFFICER_2, identifier, confirmed=True, why=WHY)
    with pytest.raises(WrongState, match="not ended"):
        breach.close(world.desk, OFFICER_1, identifier, why=WHY)
    assert owed(world) == [identifier]
    world.revoked(approval)
    assert breach.close(world.desk, OFFICER_1, identifier, why="It ended for another reason.").state == "closed"
    assert owed(world) == []
    with pytest.raises(WrongState):
        breach.close(world.desk, OFFICER_1, identifier, why=WHY)
    # What is found out after the end is recorded too: the Manufacturer may apply again (F2.31).
    late = confirmed(world, approval)
    assert breach.close(world.desk, OFFICER_1, late, why="Nothing is left to revoke.").state == "closed"


def test_only_a_condition_that_the_approval_has_or_had_can_be_breached(world: World) -> None:
    approval = conditioned(world)
    for number in (0, 3):
        with pytest.raises(NoSuchThing):
            suspected(world, approval, number)
    with pytest.raises(NoSuchThing):
        suspected(world, "TDT-2027-0999-X")
    with world.store.read() as tx:
        assert reading.breach_list(tx, after="", limit=10) == []


@pytest.mark.clause("F2.22")
@pytest.mark.clause("F2.23")
def test_the_words_of_the_ssc_are_in_the_journal_as_salted_digests_only(world: World) -> None:
    approval = conditioned(world)
    identifier = confirmed(world, approval)
    world.revoked(approval)
    breach.close(world.desk, OFFICER_1, identifier, why="UNIQUECLOSURE")
    written = "".join(lines(world))
    for word in ("UNIQUENOTE", "UNIQUEWHY", "UNIQUECLOSURE"):
        assert word not in written
    (payload,) = lines(world, FactKind.BREACH_SUSPECTED)
    with world.store.read() as tx:
        note = reading.breach(tx, identifier).note
    assert json.loads(payload)["note_salted_sha256"] == salted_digest(note.text, note.salt)
    assert len(note.salt) >= 16
    assert len(lines(world, FactKind.BREACH_CONFIRMED)) == len(lines(world, FactKind.BREACH_CLOSED)) == 1


# --- the limit ----------------------------------------------------------------------------------------------------


def over_the_limit(world: World, approval: str, deployed: int = 501) -> str | None:
    with world.store.begin("limit") as tx:
        at = world.clock.now()
        return breach.suspect_limit(tx, approval, deployed=deployed, maximum=500, actor=DCC, at=at)


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.23")
def test_more_devices_than_the_limit_are_suspected_once_until_that_is_judged(world: World) -> None:
    approval = world.granted()
    first = over_the_limit(world, approval)
    assert first is not None
    assert over_the_limit(world, approval, 502) is None
    judge(world.desk, OFFICER_1, first, confirmed=True, why=WHY)
    assert over_the_limit(world, approval, 503) is None
    shown = breach.shown(world.desk, OFFICER_1, first)
    assert (shown.condition, shown.clause, shown.suspected_by) == (None, "F2.21(d)", DCC.name)
    (payload,) = lines(world, FactKind.BREACH_SUSPECTED)
    assert json.loads(payload) == {"breach": first, "clause": "F2.21(d)", "deployed": 501, "maximum": 500}
    other = world.granted(device=Device("ESME", "AB01", "OTHER", "01"))
    second = over_the_limit(world, other)
    assert second is not None
    judge(world.desk, OFFICER_1, second, confirmed=False, why="The report was wrong.")
    assert over_the_limit(world, other) not in (None, second)


def test_two_reports_at_the_same_moment_record_one_suspicion(world: World) -> None:
    approval = world.granted()

    def report(desk: Any) -> str | None:
        with desk.store.begin("limit") as tx:
            return breach.suspect_limit(tx, approval, deployed=501, maximum=500, actor=DCC, at=desk.clock.now())

    told = at_once(world, report, report, report)
    assert sorted(each is None for each in told) == [False, True, True]


def test_two_officers_who_judge_at_the_same_moment_are_one_judge_and_one_conflict(world: World) -> None:
    identifier = suspected(world, conditioned(world))
    told = at_once(
        world,
        lambda desk: judge(desk, OFFICER_1, identifier, confirmed=True, why=WHY),
        lambda desk: judge(desk, OFFICER_2, identifier, confirmed=False, why=WHY),
    )
    (won,) = [each for each in told if isinstance(each, BreachMoved)]
    assert [type(each) for each in told if not isinstance(each, BreachMoved)] == [WrongState]
    assert state(world, identifier) == won.state


# --- who, and over HTTP -------------------------------------------------------------------------------------------


def test_breaches_are_the_sscs_own(world: World) -> None:
    approval = conditioned(world)
    identifier = suspected(world, approval)
    for actor in (MANUFACTURER, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            breach.listed(world.desk, actor, approval=approval, after="", limit=10)
        with pytest.raises(OperationNotPermitted):
            breach.shown(world.desk, actor, identifier)
    for actor in (MANUFACTURER, DCC, PANEL, ADMIN, AUDITOR):
        with pytest.raises(OperationNotPermitted):
            breach.suspect(world.desk, actor, approval, 1, NOTE)
        with pytest.raises(OperationNotPermitted):
            judge(world.desk, actor, identifier, confirmed=True, why=WHY)
        with pytest.raises(OperationNotPermitted):
            breach.close(world.desk, actor, identifier, why=WHY)


def test_the_same_suspicion_under_one_key_is_recorded_once(world: World) -> None:
    approval = conditioned(world)
    key = RequestKey("k", "0" * 64)
    told = [breach.suspect(world.desk, OFFICER_1, approval, 1, NOTE, key) for _ in range(2)]
    assert told[0] == told[1]
    found = breach.listed(world.desk, OFFICER_1, approval=approval, after="", limit=10)
    assert len(found.breaches) == 1


@pytest.mark.clause("F2.23")
def test_a_breach_over_http_from_suspicion_to_the_revocation_that_answers_it(world: World) -> None:
    approval = conditioned(world)
    api = Api(world)
    of_approval = f"/v1/approvals/{approval}/breaches"
    made = api.ask("officer-1", "POST", of_approval, {"condition": 2, "note": NOTE})
    identifier = done(made, 201)["breach"]
    assert made.headers["Location"] == f"/v1/breaches/{identifier}"
    assert done(api.ask("auditor", "GET", made.headers["Location"]))["note"] == NOTE
    refused(api.ask("manufacturer", "GET", of_approval), 403, "operation-not-permitted")
    refused(api.ask("officer-1", "POST", of_approval, {"condition": 9, "note": NOTE}), 404, "not-found")
    refused(api.ask("officer-1", "POST", of_approval, {"condition": 0, "note": NOTE}), 400, "body-malformed")
    judgement = f"/v1/breaches/{identifier}/judgement"
    refused(api.ask("officer-2", "POST", judgement, {"confirmed": True}), 400, "body-malformed")
    done(api.ask("officer-2", "POST", judgement, {"confirmed": True, "why": WHY}))
    refused(api.ask("officer-2", "POST", judgement, {"confirmed": True, "why": WHY}), 409, "wrong-state")
    waiting = done(api.ask("officer-1", "GET", "/v1/breaches?state=confirmed"))
    assert [each["breach"] for each in waiting["breaches"]] == [identifier]
    refused(api.ask("officer-1", "POST", f"/v1/breaches/{identifier}/closure", {"why": "x"}), 409, "wrong-state")
    body = {"cause": "breach", "reasons": "A condition was not kept.", "breach": identifier}
    done(api.ask("officer-1", "POST", f"/v1/approvals/{approval}/revocation", body))
    listed = done(api.ask("auditor", "GET", of_approval))["breaches"]
    assert [(each["state"], each["closed_at"] is None) for each in listed] == [("answered", False)]
    assert done(api.ask("auditor", "GET", "/v1/breaches?state=confirmed&limit=1")) == {
        "breaches": [],
        "next": None,
        "truncated": False,
    }
