"""Further requirements: of one application or standing ones for all; open, met or waived with a reason (F2.20)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import (
    NoSuchThing,
    OperationNotPermitted,
    RulesRefused,
    StoreUnavailable,
    TrialCpaError,
    WrongState,
)
from core.facts import FactKind
from core.kinds import RequirementState
from ra.applying import look
from ra.applying.apply import apply, cancel_application
from ra.applying.look import requirements_of
from ra.applying.requirements import (
    close_requirement,
    end_standing,
    held_open_of,
    open_of,
    set_requirement,
    set_standing,
    standing,
)
from ra.applying.views import RequirementAnswer
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.repeat import RequestKey
from ra.views import document
from store.reading import requests
from tests.acting import propose
from tests.api_world import Api, done, refused
from tests.evidence_world import journal, journal_text, whole
from tests.test_concurrency import Act, at_once
from tests.world import (
    ADMIN,
    AUDITOR,
    DCC,
    MANUFACTURER,
    OFFICER_1,
    OFFICER_2,
    PANEL,
    RIVAL,
    World,
    application,
    csr_pem,
)

WORDS = "Show that the xylophone test was passed."
REASON = "The marimba report shows it."


def required(world: World, application_id: str, words: str = WORDS) -> str:
    return set_requirement(world.desk, OFFICER_1, application_id, words).requirement


def opened(world: World, application_id: str) -> list[str]:
    with world.store.begin("test") as tx:
        return [each.text for each in open_of(tx, application_id)]


def shown(world: World, application_id: str) -> tuple[RequirementAnswer, ...]:
    return look.application(world.desk, OFFICER_2, application_id).requirements


# --- of one application ------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.20")
def test_a_requirement_is_open_until_it_is_met_or_waived_with_a_reason(world: World) -> None:
    identifier = world.applied(**whole())
    first, second = required(world, identifier), required(world, identifier, "Another one.")
    assert sorted(opened(world, identifier)) == ["Another one.", WORDS]
    world.at(datetime(2027, 1, 3, 13, 0, tzinfo=UTC))
    close_requirement(world.desk, OFFICER_2, first, outcome=RequirementState.MET, reason=REASON)
    close_requirement(world.desk, OFFICER_2, second, outcome=RequirementState.WAIVED, reason="It adds nothing.")
    assert opened(world, identifier) == []
    states = {each.requirement: each for each in shown(world, identifier)}
    assert document(states[first]) == {
        "requirement": first,
        "text": WORDS,
        "state": "met",
        "standing": None,
        "set_at": "2027-01-03T12:00:00Z",
        "set_by": "officer-1",
        "closed_at": "2027-01-03T13:00:00Z",
        "closed_by": "officer-2",
        "reason": REASON,
        "reason_class": "amber",
    }
    assert states[second].state == "waived"
    assert [(row["subject"], row["payload"]) for row in journal(world.store, FactKind.REQUIREMENT_MET)] == [
        (identifier, {"requirement": first, "classification": "amber"})
    ]
    assert len(journal(world.store, FactKind.REQUIREMENT_WAIVED)) == 1


@pytest.mark.clause("F2.20")
def test_with_an_open_requirement_a_grant_is_refused_and_a_refusal_is_not(world: World) -> None:
    identifier = world.applied(**whole())
    requirement = required(world, identifier)
    with pytest.raises(RulesRefused) as told:
        propose(world.desk, OFFICER_1, ProposeGrant(identifier, "It looks sound."))
    assert "requirement-open" in {each.code for each in told.value.findings}
    assert WORDS not in str(told.value)
    close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.MET, reason=REASON)
    propose(world.desk, OFFICER_1, ProposeGrant(identifier, "It looks sound."))
    other = world.applied(csr=csr_pem())
    required(world, other)
    propose(world.desk, OFFICER_1, ProposeRefusal(other, "It will not do."))


@pytest.mark.clause("F2.20")
def test_a_requirement_that_comes_between_proposal_and_seconding_stops_the_grant(world: World) -> None:
    decision = world.drafted(**whole())
    with world.store.read() as tx:
        identifier = str(requests.decision(tx, decision).application_id)
    requirement = required(world, identifier)
    with pytest.raises(TrialCpaError):
        world.seconded(decision)
    close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.WAIVED, reason=REASON)
    assert world.seconded(decision)


@pytest.mark.clause("F2.20")
def test_a_requirement_and_a_proposal_at_the_same_moment_never_pass_by_each_other(world: World) -> None:
    def requiring(of: str) -> Act:
        return lambda desk: set_requirement(desk, OFFICER_2, of, WORDS)

    def proposing(of: str) -> Act:
        return lambda desk: propose(desk, OFFICER_1, ProposeGrant(of, "It looks sound."))

    for _ in range(5):
        identifier = world.applied(**whole(csr=csr_pem()))
        told = at_once(world, requiring(identifier), proposing(identifier))
        # The requirement always comes in time: before the proposal, or before it is seconded.
        assert not isinstance(told[0], TrialCpaError)
        assert opened(world, identifier) == [WORDS]
        if not isinstance(told[1], TrialCpaError):
            world.authority.settle()
            with pytest.raises(TrialCpaError):
                world.seconded(told[1].decision)
            # Nothing else can be granted for this device meanwhile.
            break


def test_whoever_asks_for_open_requirements_holds_the_application(world: World) -> None:
    identifier = world.applied()
    hold = text("SELECT id FROM applications FOR UPDATE NOWAIT")
    with world.store.begin("test") as tx:
        assert held_open_of(tx, identifier) == []
        if world.store.dialect == "postgresql":  # on SQLite a writer has the whole store to itself
            with pytest.raises(StoreUnavailable), world.store.begin("other") as other:
                other.connection.execute(hold)
    assert opened(world, identifier) == []


def test_an_outcome_stands(world: World) -> None:
    requirement = required(world, world.applied())
    close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.MET, reason=REASON)
    with pytest.raises(WrongState, match="is met"):
        close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.WAIVED, reason=REASON)
    with pytest.raises(NoSuchThing):
        close_requirement(world.desk, OFFICER_1, "req-none", outcome=RequirementState.MET, reason=REASON)


def test_two_outcomes_at_the_same_moment_are_one_and_a_conflict(world: World) -> None:
    requirement = required(world, world.applied())
    told = at_once(
        world,
        lambda desk: close_requirement(desk, OFFICER_1, requirement, outcome=RequirementState.MET, reason=REASON),
        lambda desk: close_requirement(desk, OFFICER_2, requirement, outcome=RequirementState.WAIVED, reason=REASON),
    )
    assert sum(isinstance(each, TrialCpaError) for each in told) == 1
    closed = journal(world.store, FactKind.REQUIREMENT_MET, FactKind.REQUIREMENT_WAIVED)
    assert len(closed) == 1


def test_an_application_that_is_over_takes_no_requirements(world: World) -> None:
    identifier = world.applied()
    requirement = required(world, identifier)
    cancel_application(world.desk, MANUFACTURER, identifier)
    with pytest.raises(WrongState):
        required(world, identifier)
    with pytest.raises(WrongState):
        close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.MET, reason=REASON)
    with pytest.raises(NoSuchThing):
        required(world, "app-none")


def test_only_officers_set_and_close(world: World) -> None:
    identifier = world.applied()
    requirement = required(world, identifier)
    for actor in (ADMIN, MANUFACTURER, DCC, PANEL, AUDITOR):
        with pytest.raises(OperationNotPermitted):
            set_requirement(world.desk, actor, identifier, WORDS)
        with pytest.raises(OperationNotPermitted):
            close_requirement(world.desk, actor, requirement, outcome=RequirementState.MET, reason=REASON)
        with pytest.raises(OperationNotPermitted):
            set_standing(world.desk, actor, WORDS)
        with pytest.raises(OperationNotPermitted):
            end_standing(world.desk, actor, "std-none")
    assert len(shown(world, identifier)) == 1


@pytest.mark.clause("F2.20")
def test_an_applicant_sees_what_is_required_of_it_and_not_who_said_so(world: World) -> None:
    identifier = world.applied(**whole())
    requirement = required(world, identifier)
    told = look.application(world.desk, MANUFACTURER, identifier)
    assert told.missing == (f"This further requirement is open: {WORDS}",)
    close_requirement(world.desk, OFFICER_2, requirement, outcome=RequirementState.WAIVED, reason=REASON)
    (seen,) = requirements_of(world.desk, MANUFACTURER, identifier).requirements
    assert seen.text == WORDS
    assert seen.reason is None
    assert "officer" not in str(seen)
    assert look.application(world.desk, MANUFACTURER, identifier).missing == ()
    with pytest.raises(NoSuchThing):
        requirements_of(world.desk, RIVAL, identifier)
    for actor in (DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            requirements_of(world.desk, actor, identifier)


def test_the_words_between_ssc_and_applicant_are_not_in_the_journal(world: World) -> None:
    identifier = world.applied()
    requirement = required(world, identifier)
    close_requirement(world.desk, OFFICER_1, requirement, outcome=RequirementState.MET, reason=REASON)
    set_standing(world.desk, OFFICER_1, WORDS)
    told = journal_text(world.store)
    assert requirement in told
    assert "xylophone" not in told
    assert "marimba" not in told


def test_the_same_request_sent_twice_sets_one_requirement(world: World) -> None:
    identifier = world.applied()
    key = RequestKey("one", "0" * 64)
    first = set_requirement(world.desk, OFFICER_1, identifier, WORDS, key)
    assert set_requirement(world.desk, OFFICER_1, identifier, WORDS, key) == first
    assert len(shown(world, identifier)) == 1


# --- standing ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.20")
def test_a_standing_requirement_is_of_every_application_now_and_later(world: World) -> None:
    waiting = world.applied()
    over = world.applied()
    cancel_application(world.desk, MANUFACTURER, over)
    outcome = set_standing(world.desk, OFFICER_1, WORDS)
    assert outcome.applications == 1
    later = world.applied(actor=RIVAL)
    for identifier, texts in ((waiting, [WORDS]), (later, [WORDS]), (over, [])):
        assert [each.text for each in shown(world, identifier)] == texts
    assert [each.standing for each in shown(world, later)] == [outcome.standing]
    set_by = journal(world.store, FactKind.REQUIREMENT_SET)
    assert [(row["subject"], row["actor"]) for row in set_by] == [(waiting, "officer-1"), (later, "rival-desk")]
    end_standing(world.desk, OFFICER_2, outcome.standing)
    after = world.applied()
    assert shown(world, after) == ()
    assert opened(world, later) == [WORDS]  # what was asked of an application stays asked


def test_a_standing_requirement_ends_once(world: World) -> None:
    made = set_standing(world.desk, OFFICER_1, WORDS).standing
    end_standing(world.desk, OFFICER_1, made)
    with pytest.raises(WrongState, match="ended"):
        end_standing(world.desk, OFFICER_1, made)
    with pytest.raises(NoSuchThing):
        end_standing(world.desk, OFFICER_1, "std-none")
    (listed,) = standing(world.desk, OFFICER_1).standing
    assert document(listed) == {
        "standing": made,
        "text": WORDS,
        "set_at": "2027-01-03T12:00:00Z",
        "set_by": "officer-1",
        "ended_at": "2027-01-03T12:00:00Z",
        "ended_by": "officer-1",
    }
    assert len(journal(world.store, FactKind.STANDING_REQUIREMENT_ENDED)) == 1


@pytest.mark.clause("F2.20")
def test_an_application_and_a_standing_requirement_at_the_same_moment_never_miss_each_other(world: World) -> None:
    for turn in range(1, 6):
        told = at_once(
            world,
            lambda desk: apply(desk, MANUFACTURER, application()),
            lambda desk: set_standing(desk, OFFICER_1, WORDS),
        )
        assert not any(isinstance(each, TrialCpaError) for each in told), told
        assert len(opened(world, told[0].application)) == turn


# --- over HTTP ---------------------------------------------------------------------------------------------------


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.clause("F2.20")
def test_requirements_over_http(api: Api) -> None:
    done(api.ask("officer-1", "POST", "/v1/requirements/standing", {"text": "Standing."}), 201)
    identifier = api.applied()
    path = f"/v1/applications/{identifier}/requirements"
    made = done(api.ask("officer-1", "POST", path, {"text": WORDS}), 201)
    listed = done(api.ask("manufacturer", "GET", path))["requirements"]
    assert {each["text"] for each in listed} == {"Standing.", WORDS}
    outcome = f"/v1/requirements/{made['requirement']}/outcome"
    assert done(api.ask("officer-2", "POST", outcome, {"state": "met", "reason": REASON}))["state"] == "met"
    refused(api.ask("officer-1", "POST", outcome, {"state": "met", "reason": REASON}), 409, "wrong-state")
    (held,) = done(api.ask("manufacturer", "GET", "/v1/requirements/standing"))["standing"]
    assert (held["text"], held["set_by"]) == ("Standing.", None)
    ended = done(api.ask("officer-1", "POST", f"/v1/requirements/standing/{held['standing']}/end"))
    assert ended["ended_at"] == "2027-01-03T12:00:00Z"


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    """One API for all that is refused for its form before any store is asked."""
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "x", "state": "met"}, "state"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_requirement_of_another_form_is_refused(shared: Api, body: dict[str, Any], named: str) -> None:
    for path in (f"/v1/applications/{shared.applied()}/requirements", "/v1/requirements/standing"):
        assert named in refused(shared.ask("officer-1", "POST", path, body), 400, "body-malformed")["detail"]


@pytest.mark.parametrize(
    "body",
    [{"state": "met"}, {"state": "met", "reason": " "}, {"state": "open", "reason": "x"}, {"reason": "x"}],
    ids=str,
)
def test_an_outcome_without_a_reason_or_of_another_kind_is_refused(shared: Api, body: dict[str, Any]) -> None:
    made = done(
        shared.ask("officer-1", "POST", f"/v1/applications/{shared.applied()}/requirements", {"text": WORDS}), 201
    )
    path = f"/v1/requirements/{made['requirement']}/outcome"
    refused(shared.ask("officer-1", "POST", path, body), 400, "body-malformed")


def test_why_the_ssc_waives_is_not_for_the_applicant(world: World) -> None:
    own = world.applied()
    requirement = required(world, own)
    close_requirement(world.desk, OFFICER_2, requirement, outcome=RequirementState.WAIVED, reason="They are small.")
    assert [each.reason for each in look.application(world.desk, MANUFACTURER, own).requirements] == [None]
    known = look.application(world.desk, OFFICER_1, own)
    assert [each.reason for each in known.requirements] == ["They are small."]
