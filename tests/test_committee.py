"""Decisions as a committee takes them: so many officers, in batches, with a preview, in time, minuted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.approval import EndCause
from core.classification import Passage
from core.errors import AlreadyEnded, DecisionLapsed, RulesRefused, SamePerson, WrongState
from core.facts import FactKind
from core.kinds import DecisionKind
from ra.applying.requirements import set_requirement
from ra.deciding.acknowledge import acknowledge
from ra.deciding.end import Revoke
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.views import Accepted, DecisionProposed, DecisionSeconded
from ra.desk import Desk
from ra.grounds import Minutes
from ra.repeat import RequestKey
from ra.reporting.breach import suspect
from store.reading import requests
from store.reading.breaches import owed
from store.rows import Decision
from store.tables import decisions, journal
from tests.acting import judge, propose_batch, revoke, second_batch
from tests.api_world import Api, done
from tests.cycle_world import device, kinds
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World


def with_rules(world: World, **rules: Any) -> None:
    world.desk = Desk(world.store, world.clock, replace(world.desk.rules, **rules))


def read(world: World, decision: str) -> Decision:
    with world.store.read() as tx:
        return requests.decision(tx, decision)


# --- how many ------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_three_officers_must_agree_where_the_settings_say_so(world: World) -> None:
    with_rules(world, officers={DecisionKind.GRANT: 3})
    decision = world.drafted()
    world.seconded(decision, OFFICER_2)
    assert world.decision_state(decision) == "drafted"
    world.authority.settle()
    with pytest.raises(WrongState):
        world.seconded(decision, OFFICER_2)
    with pytest.raises(SamePerson):
        world.seconded(decision, OFFICER_1)
    approval = world.seconded(decision, OFFICER_3)
    world.authority.settle()
    assert len(world.record(approval).certificates) == 1
    assert kinds(world).count(FactKind.DECISION_SUPPORTED) == kinds(world).count(FactKind.DECISION_SECONDED) == 1


@pytest.mark.clause("F2.18")
def test_the_largest_of_setting_and_proposal_counts_and_never_fewer_than_two(world: World) -> None:
    with_rules(world, officers={DecisionKind.REFUSE: 1})
    decision = world.proposed(ProposeRefusal(world.applied(), "No."))
    assert read(world, decision).officers == 2
    assert world.decision_state(decision) == "proposed"
    with_rules(world, officers={DecisionKind.REFUSE: 3})
    world.seconded(decision)
    assert world.decision_state(decision) == "proposed", "the settings ask for more by now"
    with_rules(world, officers={DecisionKind.REFUSE: 2})
    another = world.proposed(ProposeRefusal(world.applied(), "No."))
    world.seconded(decision, OFFICER_3)
    assert world.decision_state(decision) == "done"
    world.seconded(another)
    assert world.decision_state(another) == "done"


def test_nothing_is_signed_if_the_register_knows_too_few_officers(world: World) -> None:
    # Somebody with the store in hand writes that three were needed, after two have agreed.
    decision = world.drafted()
    world.seconded(decision)
    with world.store.begin("meddle") as tx:
        tx.connection.execute(update(decisions).where(decisions.c.id == decision).values(officers=3))
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"


# --- in time -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_a_proposal_that_nobody_seconds_lapses_after_a_time(world: World) -> None:
    with_rules(world, proposal_life=timedelta(days=7))
    application = world.applied()
    decision = world.proposed(ProposeRefusal(application, "Not enough."))
    world.at(world.clock.now() + timedelta(days=7, seconds=-1))
    world.authority.settle()
    assert world.decision_state(decision) == "proposed"
    world.at(world.clock.now() + timedelta(seconds=1))
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)
    assert world.decision_state(decision) == "lapsed"
    again = world.proposed(ProposeRefusal(application, "Not enough."))
    world.at(world.clock.now() + timedelta(days=7))
    world.authority.settle()
    assert world.decision_state(again) == "lapsed"


# --- requirements --------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.20")
def test_a_requirement_set_after_the_proposal_stops_the_second_officer(world: World) -> None:
    decision = world.drafted()
    application = read(world, decision).application_id or ""
    set_requirement(world.desk, OFFICER_2, application, "Show the penetration test.")
    with pytest.raises(RulesRefused) as refused:
        world.seconded(decision)
    assert [finding.code for finding in refused.value.findings] == ["requirement-open"]
    assert "penetration" not in str(refused.value)
    assert world.decision_state(decision) == "drafted"


# --- the urgent exception ------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.30")
def test_the_second_is_informed_of_an_urgent_revocation(world: World) -> None:
    approval = world.granted()
    decision = revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.SSC, "At once.")).decision
    assert read(world, decision).officers == 1
    with pytest.raises(SamePerson):
        acknowledge(world.desk, OFFICER_1, decision)
    acknowledge(world.desk, OFFICER_2, decision)
    assert read(world, decision).acknowledged_by == OFFICER_2.name
    with pytest.raises(WrongState):
        acknowledge(world.desk, OFFICER_3, decision)
    ordinary = world.proposed(ProposeRefusal(world.applied(device=device(2)), "No."))
    with pytest.raises(WrongState):
        acknowledge(world.desk, OFFICER_2, ordinary)


# --- batches -------------------------------------------------------------------------------------------------------


def test_each_decision_of_a_batch_stands_or_falls_alone_and_a_batch_sent_twice_is_one(world: World) -> None:
    applications = [world.applied(device=device(number)) for number in (1, 2)]
    commands = [
        ProposeRefusal(applications[0], "No."),
        ProposeRefusal("app-none", "No."),
        ProposeRefusal(applications[1], "No."),
    ]
    key = RequestKey("meeting-42", "ab" * 32)
    first = propose_batch(world.desk, OFFICER_1, commands, key)
    proposed = [each for each in first if isinstance(each, DecisionProposed)]
    assert [each in proposed for each in first] == [True, False, True]
    again = propose_batch(world.desk, OFFICER_1, commands, key)
    assert [each for each in again if isinstance(each, DecisionProposed)] == proposed
    accepted = [Accepted(decision=each.decision, proposal_sha256=each.proposal_sha256) for each in proposed]
    wrong = Accepted(decision=accepted[0].decision, proposal_sha256="00" * 32)
    outcomes = second_batch(world.desk, OFFICER_2, [wrong, *accepted])
    assert [isinstance(each, DecisionSeconded) for each in outcomes] == [False, True, True]
    assert {world.decision_state(each.decision) for each in accepted} == {"done"}


# --- over HTTP -----------------------------------------------------------------------------------------------------


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.clause("F2.22")
@pytest.mark.clause("F2.21(b)")
def test_before_seconding_the_officer_sees_everything_that_will_be_true(api: Api) -> None:
    decision = api.proposed(
        kind="grant",
        application=api.applied(),
        reasons={"text": "It looks sound.", "classification": "green"},
        passages=[{"subject": "assessment", "text": "The bootloader is weak.", "classification": "red"}],
        conditions=[{"text": "Only in Leeds.", "recipients": ["manufacturer"]}],
        meeting="SSC 118",
        minute="7.2",
    )
    api.settle()
    shown = done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))
    preview = shown["preview"]
    assert any("at most 500 devices" in each.lower() for each in preview["certificate"])
    assert set(preview["notices"]) == {"manufacturer", "dcc", "panel"}
    assert "Leeds" in str(preview["notices"]["manufacturer"])
    assert "Leeds" not in str(preview["notices"]["dcc"])
    assert all("bootloader" not in str(each) for each in preview["notices"].values())
    assert [each["kind"] for each in preview["cpl"]] == ["add"]
    assert (shown["meeting"], shown["minute"], shown["officers"]) == ("SSC 118", "7.2", 2)
    assert "salt" not in str(shown["passages"])
    assert "bootloader" not in str(shown["proposal"])
    body = {"proposal_sha256": shown["proposal_sha256"], "tbs_sha256": shown["tbs_sha256"]}
    done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", body))
    assert done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))["preview"] is None


@pytest.mark.clause("F2.29")
def test_an_amendment_over_http_shows_the_difference_and_answers_a_request(api: Api) -> None:
    approval = api.granted()
    asked = done(
        api.ask(
            "manufacturer",
            "POST",
            f"/v1/approvals/{approval}/amendment-requests",
            {"reasons": "A new firmware.", "firmware_added": [{"version": "00020130", "image_sha256": "CD" * 32}]},
        ),
        201,
    )["request"]
    decision = api.proposed(
        kind="amend",
        approval=approval,
        request=asked,
        firmware_added=[{"version": "00020130", "image_sha256": "CD" * 32}],
        expiry="2027-12-31",
    )
    api.settle()
    difference = done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))["preview"]["difference"]
    assert {each["subject"] for each in difference} == {"expiry", "firmware"}
    done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))
    api.settle()
    assert len(done(api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"]) == 2
    assert done(api.ask("manufacturer", "GET", f"/v1/amendment-requests/{asked}"))["state"] == "granted"


def test_a_batch_over_http_tells_each_outcome(api: Api) -> None:
    application = api.applied()
    body = {
        "decisions": [
            {"kind": "refuse", "application": application, "reasons": "No."},
            {"kind": "refuse", "application": "app-none", "reasons": "No."},
        ]
    }
    results = done(api.ask("officer-1", "POST", "/v1/decisions/batch", body))["results"]
    assert results[1]["problem"]["code"] == "not-found"
    accepted = {
        "decision": results[0]["outcome"]["decision"],
        "proposal_sha256": results[0]["outcome"]["proposal_sha256"],
    }
    seconded = done(api.ask("officer-2", "POST", "/v1/decisions/batch/second", {"decisions": [accepted]}))["results"]
    assert seconded[0]["outcome"]["state"] == "done"


@pytest.mark.clause("F2.18")
def test_minutes_and_reasons_are_in_the_journal_as_digests_only(world: World) -> None:
    minutes = Minutes("SSC 118", "7.2")
    world.seconded(world.proposed(ProposeRefusal(world.applied(), "A secret reason.", minutes)))
    with world.store.read() as tx:
        payloads = " ".join(tx.connection.execute(select(journal.c.payload)).scalars())
    assert "secret" not in payloads


def test_a_grant_names_what_its_application_says(world: World) -> None:
    decision = world.proposed(ProposeGrant(world.applied(), "Sound."))
    assert read(world, decision).lapses_at == world.clock.now() + world.desk.rules.proposal_life


# --- breaches ------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.23")
def test_a_revocation_cites_the_confirmed_breach_and_answers_it_once(world: World) -> None:
    minutes = Minutes(conditions=(Passage.of("condition", "Only in Leeds."),))
    decision = world.proposed(ProposeGrant(world.applied(), "Sound.", minutes=minutes))
    world.authority.settle()
    approval = world.seconded(decision)
    world.authority.settle()
    suspected = suspect(world.desk, OFFICER_1, approval, condition=1, note="Seen in York.").breach
    cited = ProposeRevocation(approval, EndCause.BREACH, "It was broken.", breach=suspected)
    with pytest.raises(RulesRefused):
        world.proposed(replace(cited, cause=EndCause.SSC))
    waiting = world.proposed(cited)
    with pytest.raises(WrongState):
        world.seconded(waiting)  # it is suspected only: nothing has ended
    assert world.record(approval).ended_at is None
    judge(world.desk, OFFICER_2, suspected, confirmed=True, why="Two photographs.")
    with world.store.read() as tx:
        assert [each.breach for each in owed(tx)] == [suspected]
    world.seconded(waiting)
    assert world.record(approval).end_cause is EndCause.BREACH
    with world.store.read() as tx:
        assert owed(tx) == []
    with pytest.raises(AlreadyEnded):
        world.proposed(cited)
