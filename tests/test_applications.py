"""Applications: what they say, what is found, how they change, where they stand (F2.18, F2.19)."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.approval import Firmware
from core.errors import (
    CsrMalformed,
    Finding,
    KeyTaken,
    NoSuchThing,
    OperationNotPermitted,
    RulesRefused,
    TrialCpaError,
    WrongState,
)
from core.facts import FactKind
from core.instants import text
from core.kinds import ApplicationState
from ra.applying import look
from ra.applying.apply import apply, as_applied, cancel_application
from ra.applying.change import Change, change_application
from ra.applying.stated import stated_sha256
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.desk import Desk
from ra.repeat import RequestKey
from ra.views import document
from store.reading import requests
from store.rows import Application
from store.verbs import applications
from tests.acting import propose
from tests.api_world import Api, done, refused
from tests.evidence_world import CONTACT, EARLIER, HELD, journal, journal_text, said, whole
from tests.test_concurrency import Act, at_once
from tests.world import AUDITOR, DCC, DEVICE, MANUFACTURER, OFFICER_1, PANEL, RIVAL, World, application, csr_pem


def kept(world: World, identifier: str) -> Application:
    with world.store.read() as tx:
        return requests.application(tx, identifier)


def codes(findings: Iterable[Finding]) -> list[str]:
    return [each.code for each in findings]


# --- applying ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
@pytest.mark.clause("F2.19")
def test_an_application_that_evidences_everything_has_no_finding(world: World) -> None:
    outcome = apply(world.desk, MANUFACTURER, application(**whole()))
    assert (outcome.state, outcome.findings) == ("submitted", ())
    again = as_applied(kept(world, outcome.application))
    assert (again.assurance, again.earlier_cpa) == (HELD, EARLIER)
    assert (again.gbcs_version, again.contact) == ("4.2", CONTACT)


@pytest.mark.clause("F2.19")
def test_missing_evidence_is_a_finding_and_no_refusal(world: World) -> None:
    outcome = apply(world.desk, MANUFACTURER, application())
    assert codes(outcome.findings) == ["assurance-missing", "assurance-missing", "earlier-cpa-missing"]
    assert kept(world, outcome.application).state == "submitted"


@pytest.mark.clause("F2.19")
def test_the_same_model_as_earlier_proof_is_refused_and_nothing_is_recorded(world: World) -> None:
    before = journal(world.store)
    with pytest.raises(RulesRefused) as told:
        apply(world.desk, MANUFACTURER, application(**whole(earlier_cpa=replace(EARLIER, model=DEVICE.model))))
    assert [each.code for each in told.value.findings] == ["earlier-cpa-same-model"]
    assert journal(world.store) == before


@pytest.mark.clause("F2.19")
def test_which_certificates_all_means_is_a_setting(world: World) -> None:
    rules = replace(world.desk.rules, assurance={"ESME": ("Wi-SUN",)})
    outcome = apply(replace(world.desk, rules=rules), MANUFACTURER, application(**whole()))
    assert [each.detail for each in outcome.findings] == ["No Wi-SUN certificate is named for this ESME."]


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize("change", [{"gbcs_version": "v4"}, {"contact": "not an address"}], ids=str)
def test_what_is_of_another_form_is_refused_without_being_repeated(world: World, change: dict[str, str]) -> None:
    with pytest.raises(RulesRefused) as told:
        apply(world.desk, MANUFACTURER, application(**whole(**change)))
    assert len(told.value.findings) == 1
    assert "not an address" not in str(told.value)


# --- changing ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.19")
def test_evidence_that_is_named_later_settles_what_was_found(world: World) -> None:
    identifier = world.applied()
    world.at(datetime(2027, 1, 3, 13, 0, tzinfo=UTC))
    change: Change = {"assurance": HELD, "earlier_cpa": EARLIER}
    outcome = change_application(world.desk, MANUFACTURER, identifier, change)
    assert document(outcome) == {
        "application": identifier,
        "state": "submitted",
        "version": 2,
        "changed": ["assurance", "earlier_cpa"],
        "findings": [],
    }
    now = kept(world, identifier)
    assert (now.version, text(now.changed_at), now.findings) == (2, "2027-01-03T13:00:00Z", "[]")  # type: ignore[arg-type]
    (fact,) = journal(world.store, FactKind.APPLICATION_CHANGED)
    assert fact["subject"] == identifier
    said = {"members": ["assurance", "earlier_cpa"], "version": 2, "stated_sha256": stated_sha256(now)}
    assert fact["payload"] == said


def test_every_member_can_be_changed_and_the_others_stay(world: World) -> None:
    identifier = world.applied()
    before = as_applied(kept(world, identifier))
    changes: list[Change] = [
        {"device": replace(DEVICE, model="OTHER")},
        {"smets_version": "SMETS V2.0"},
        {"gbcs_version": "4.1"},
        {"firmware": (Firmware("9001", "CD" * 32),)},
        {"start": date(2027, 1, 5)},
        {"expiry": date(2027, 7, 1)},
        {"maximum_devices": 7},
        {"purpose": "Another one."},
        {"contact": CONTACT},
        {"assurance": HELD},
        {"earlier_cpa": EARLIER},
        {"earlier_cpa": None},
        {"csr": csr_pem()},
    ]
    for place, change in enumerate(changes, 2):
        (name,) = change
        outcome = change_application(world.desk, MANUFACTURER, identifier, change)
        assert (outcome.version, outcome.changed) == (place, (name,))
        after = as_applied(kept(world, identifier))
        assert replace(after, **{name: getattr(before, name)}) == before
        assert getattr(after, name) != getattr(before, name)
        before = after
    assert before.firmware == (Firmware("9001", "cd" * 32),)
    assert {name for change in changes for name in change} == Change.__annotations__.keys()


def test_a_new_request_for_a_certificate_brings_its_key(world: World) -> None:
    identifier = world.applied()
    before = kept(world, identifier)
    change_application(world.desk, MANUFACTURER, identifier, {"csr": csr_pem()})
    after = kept(world, identifier)
    assert before.public_key_sha256 != after.public_key_sha256
    assert before.csr != after.csr
    assert before.public_key != after.public_key
    with pytest.raises(CsrMalformed):
        change_application(world.desk, MANUFACTURER, identifier, {"csr": b"no request"})
    world.granted(csr=(taken := csr_pem()))
    with pytest.raises(KeyTaken):
        change_application(world.desk, MANUFACTURER, identifier, {"csr": taken})
    assert kept(world, identifier) == after


def test_a_change_that_changes_nothing_makes_no_version_and_no_fact(world: World) -> None:
    request = csr_pem()
    identifier = world.applied(**whole(csr=request))
    found = kept(world, identifier)
    # One request is one request, in whatever form it is sent.
    same: Change = {"contact": CONTACT, "firmware": found.firmware, "start": found.start.date(), "csr": request}
    outcome = change_application(world.desk, MANUFACTURER, identifier, same)
    assert (outcome.version, outcome.changed) == (1, ())
    assert kept(world, identifier) == found
    assert journal(world.store, FactKind.APPLICATION_CHANGED) == []


@pytest.mark.clause("F2.18")
def test_a_change_that_could_never_be_granted_changes_nothing(world: World) -> None:
    identifier = world.applied()
    found = kept(world, identifier)
    for change, code in (
        (Change(expiry=date(2027, 1, 3)), "expiry-before-start"),
        (Change(smets_version="SMETS1"), "smets-1"),
        (Change(earlier_cpa=replace(EARLIER, model=DEVICE.model)), "earlier-cpa-same-model"),
    ):
        with pytest.raises(RulesRefused) as told:
            change_application(world.desk, MANUFACTURER, identifier, change)
        assert code in {each.code for each in told.value.findings}
    assert kept(world, identifier) == found


@pytest.mark.clause("F2.18")
def test_an_application_can_be_changed_only_until_a_decision_is_proposed(world: World) -> None:
    def unchangeable(identifier: str) -> None:
        with pytest.raises(WrongState):
            change_application(world.desk, MANUFACTURER, identifier, {"purpose": "Another one."})
        assert kept(world, identifier).version == 1

    for command in (ProposeGrant, ProposeRefusal):
        identifier = world.applied(device=replace(DEVICE, model=command.__name__))
        world.proposed(command(identifier, "It looks sound."))
        unchangeable(identifier)
    cancelled = world.applied()
    cancel_application(world.desk, MANUFACTURER, cancelled)
    unchangeable(cancelled)


def test_only_its_own_manufacturer_changes_an_application(world: World) -> None:
    identifier = world.applied()
    with pytest.raises(NoSuchThing):
        change_application(world.desk, RIVAL, identifier, {"purpose": "Mine."})
    for actor in (OFFICER_1, AUDITOR, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            change_application(world.desk, actor, identifier, {"purpose": "Mine."})
    assert kept(world, identifier).version == 1


def test_the_same_change_sent_twice_is_made_once(world: World) -> None:
    identifier = world.applied()
    key = RequestKey("one", "0" * 64)
    first = change_application(world.desk, MANUFACTURER, identifier, {"purpose": "A."}, key)
    assert change_application(world.desk, MANUFACTURER, identifier, {"purpose": "A."}, key) == first
    assert kept(world, identifier).version == 2


def test_a_write_that_rests_on_an_older_version_is_refused(world: World) -> None:
    identifier = world.applied()
    old = kept(world, identifier)
    change_application(world.desk, MANUFACTURER, identifier, {"purpose": "Newer."})
    with pytest.raises(WrongState, match="version 2"), world.store.begin("test") as tx:
        applications.change(tx, replace(old, purpose="Older.", version=2), version=1)
    with pytest.raises(WrongState, match="version 2"), world.store.begin("test") as tx:
        applications.move(tx, identifier, needed=ApplicationState.SUBMITTED, to=ApplicationState.PROPOSED, version=1)
    assert (kept(world, identifier).purpose, kept(world, identifier).state) == ("Newer.", "submitted")
    with world.store.begin("test") as tx:
        applications.move(tx, identifier, needed=ApplicationState.SUBMITTED, to=ApplicationState.PROPOSED, version=2)


def test_of_two_changes_at_the_same_moment_none_is_lost_unseen(world: World) -> None:
    def change(members: Change) -> Callable[[Desk], Any]:
        return lambda desk: change_application(desk, MANUFACTURER, identifier, members)

    for _ in range(5):
        identifier = world.applied()
        told = at_once(world, change({"purpose": "A."}), change({"contact": CONTACT}))
        done_ = [each for each in told if not isinstance(each, TrialCpaError)]
        now = kept(world, identifier)
        assert now.version == 1 + len(done_)
        assert len(done_) >= 1
        if len(done_) == 2:  # one after the other: the second kept what the first had said
            assert (now.purpose, now.contact) == ("A.", CONTACT)


@pytest.mark.clause("F2.18")
def test_a_change_and_a_proposal_at_the_same_moment_never_decide_what_nobody_saw(world: World) -> None:
    def changing(of: str) -> Act:
        return lambda desk: change_application(desk, MANUFACTURER, of, {"maximum_devices": 7})

    def proposing(of: str) -> Act:
        return lambda desk: propose(desk, OFFICER_1, ProposeGrant(of, "It looks sound."))

    for turn in range(5):
        identifier = world.applied(device=replace(DEVICE, model=f"M{turn}"))
        told = at_once(world, changing(identifier), proposing(identifier))
        now = kept(world, identifier)
        changed, proposed = (not isinstance(each, TrialCpaError) for each in told)
        assert changed or proposed
        assert now.state == ("proposed" if proposed else "submitted")
        assert now.version == (2 if changed else 1)
        if proposed:
            with world.store.read() as tx:
                decision = requests.decision(tx, told[1].decision)
            assert f'"maximum_devices":{now.maximum_devices}' in decision.proposal


# --- where it stands ---------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_a_manufacturer_sees_where_its_application_stands_and_what_is_missing(world: World) -> None:
    identifier = world.applied()
    shown = look.application(world.desk, MANUFACTURER, identifier)
    assert shown.stage == "The Security Sub-Committee has it; it can be changed until a decision is proposed."
    assert shown.missing == (
        "No ZigBee certificate is named for this ESME. Name the certificate and attach it as evidence.",
        "No DLMS certificate is named for this ESME. Name the certificate and attach it as evidence.",
        (
            "No CPA Certificate from the NCSC for another Device Model is named. "
            "Name a CPA Certificate that the NCSC issued to you before."
        ),
    )
    change_application(world.desk, MANUFACTURER, identifier, {"assurance": HELD, "earlier_cpa": EARLIER})
    assert look.application(world.desk, MANUFACTURER, identifier).missing == ()
    # Dates pass: what could be granted yesterday cannot be today.
    world.at(datetime(2027, 1, 5, 9, 0, tzinfo=UTC))
    (late,) = look.application(world.desk, MANUFACTURER, identifier).missing
    assert "The start date 2027-01-04 has passed" in late


def test_what_counts_although_it_has_expired_is_not_missing(world: World) -> None:
    identifier = world.applied(**whole(earlier_cpa=replace(EARLIER, expires_on=date(2021, 1, 1))))
    shown = look.application(world.desk, MANUFACTURER, identifier)
    assert codes(shown.findings) == ["earlier-cpa-expired"]
    assert shown.missing == ()


def test_nothing_is_missing_once_it_is_over(world: World) -> None:
    identifier = world.applied()
    cancel_application(world.desk, MANUFACTURER, identifier)
    shown = look.application(world.desk, MANUFACTURER, identifier)
    assert (shown.missing, shown.stage) == ((), "The Manufacturer has taken it back.")


# --- over HTTP ---------------------------------------------------------------------------------------------------


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.clause("F2.18")
@pytest.mark.clause("F2.19")
def test_an_application_is_made_shown_and_changed_over_http(api: Api) -> None:
    identifier = api.applied(**said())
    path = f"/v1/applications/{identifier}"
    shown = done(api.ask("manufacturer", "GET", path))
    assert (shown["findings"], shown["missing"], shown["requirements"], shown["evidence"]) == ([], [], [], [])
    assert shown["assurance"][0]["scheme"] == "ZigBee"
    assert (shown["contact"], shown["gbcs_version"], shown["version"]) == (CONTACT, "4.2", 1)
    told = done(api.ask("manufacturer", "PATCH", path, {"earlier_cpa": None, "start": "2027-01-06"}))
    assert (told["version"], told["changed"]) == (2, ["start", "earlier_cpa"])
    assert [each["code"] for each in told["findings"]] == ["earlier-cpa-missing"]
    shown = done(api.ask("officer-1", "GET", path))
    assert (shown["start"], shown["earlier_cpa"], shown["version"]) == ("2027-01-06", None, 2)
    assert shown["changed_at"] == "2027-01-03T12:00:00Z"
    (listed,) = done(api.ask("auditor", "GET", "/v1/applications"))["applications"]
    assert listed == {name: shown[name] for name in listed}


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({}, "name at least one member"),
    ({"surprise": 1}, "surprise"),
    ({"purpose": None}, "purpose cannot be null"),
    ({"firmware": None, "earlier_cpa": None}, "firmware cannot be null"),
    ({"purpose": ""}, "purpose"),
    ({"maximum_devices": "5"}, "maximum_devices"),
    ({"device": {"type": "ESME"}}, "device"),
    ({"assurance": [{"scheme": "ZigBee"}]}, "assurance"),
    ({"assurance": [said()["assurance"][0]] * 51}, "assurance"),
    ({"earlier_cpa": {**said()["earlier_cpa"], "issued_on": None}}, "earlier_cpa"),
    ({"contact": "a\x00b"}, "contact"),
    ({"state": "granted"}, "state"),
    ({"findings": []}, "findings"),
]


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    """One API for all that is refused for its form before any store is asked."""
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=lambda value: str(value)[:40])
def test_a_change_of_another_form_is_refused_and_changes_nothing(
    shared: Api, change: dict[str, Any], named: str
) -> None:
    identifier = shared.applied()
    answer = shared.ask("manufacturer", "PATCH", f"/v1/applications/{identifier}", change)
    assert named in refused(answer, 400, "body-malformed")["detail"]
    assert kept(shared.world, identifier).version == 1


def test_dates_in_certificates_are_days(api: Api) -> None:
    for wrong in ("2026-02-30", "05/31/2026", "2026"):
        change = {"assurance": [{**said()["assurance"][0], "issued_on": wrong}]}
        answer = api.ask("manufacturer", "POST", "/v1/applications", {**_body(), **change})
        assert refused(answer, 400, "instant-malformed")["detail"].startswith("assurance.0.issued_on")
        earlier = {"earlier_cpa": {**said()["earlier_cpa"], "expires_on": wrong}}
        answer = api.ask("manufacturer", "POST", "/v1/applications", {**_body(), **earlier})
        assert refused(answer, 400, "instant-malformed")["detail"].startswith("earlier_cpa.expires_on")


def _body() -> dict[str, Any]:
    from tests.api_world import application as body  # noqa: PLC0415 - two worlds call theirs alike

    return body()


def test_where_a_person_can_be_reached_is_nowhere_but_in_the_application_which_officers_see(api: Api) -> None:
    marked = "zaphod.beeblebrox@heart-of-gold.example"
    identifier = api.applied(**said(contact=marked, purpose="zaphod's purpose"))
    path = f"/v1/applications/{identifier}"
    done(api.ask("manufacturer", "PATCH", path, {"contact": f"x{marked}"}))
    wrong = api.ask("manufacturer", "PATCH", path, {"contact": f"{marked}, {marked}"})
    assert "zaphod" not in wrong.get_data(as_text=True)
    refused(wrong, 422, "rules-refused")
    decision = api.proposed(kind="grant", application=identifier)
    api.settle()
    told = done(api.ask("officer-2", "GET", f"/v1/decisions/{decision}"))
    assert told.pop("upon")["application"]["contact"] == f"x{marked}"
    assert "zaphod.beeblebrox" not in json.dumps(told)
    assert "zaphod" not in journal_text(api.world.store)
