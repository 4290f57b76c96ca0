"""Amendments (F2.29): a later issue takes over without a gap, words change by notice alone, what cannot be lapses."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.approval import EndCause, Firmware
from core.classification import Classification, Passage, Recipient
from core.errors import AlreadyEnded, DecisionLapsed, NoSuchThing, RulesRefused, WrongState
from core.facts import FactKind
from core.instants import first_second, last_second
from core.status import State, approval_status, certificate_status
from ra.applying.request_amendment import (
    RequestAmendment,
    request_amendment,
    requests_of,
    show_request,
    withdraw_request,
)
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.amendment_refusal import ProposeAmendmentRefusal
from ra.deciding.kinds.grant import ProposeGrant
from ra.grounds import Minutes
from ra.telling.approvals import certificate_of
from ra.telling.conditions import conditions
from store.reading import requests as decision_reading
from tests.acting import reject, revoke
from tests.cycle_world import device, kinds
from tests.world import DCC, FIRMWARE, MANUFACTURER, OFFICER_1, OFFICER_2, PANEL, RIVAL, World

ONE_SECOND = timedelta(seconds=1)
FEBRUARY = datetime(2027, 2, 1, 15, 0, tzinfo=UTC)
MIDNIGHT = datetime(2027, 2, 2, tzinfo=UTC)
NEW = Firmware("00020130", "cd" * 32)


def amended(world: World, approval: str, **what: Any) -> str:
    """Propose, draft, second and record an amendment; return the decision."""
    decision = world.proposed(ProposeAmendment(approval, "The trial goes on.", **what))
    world.authority.settle()
    world.seconded(decision)
    world.authority.settle()
    return decision


def running(world: World, **changes: Any) -> str:
    approval = world.granted(**changes)
    world.at(FEBRUARY)
    return approval


def states(world: World, approval: str, at: datetime) -> list[State]:
    record = world.record(approval)
    return [certificate_status(record, each, at).state for each in record.certificates]


# --- what the certificate says ------------------------------------------------------------------------------------


@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.25")
@pytest.mark.parametrize("expiry", [date(2027, 12, 31), date(2027, 3, 31)], ids=["longer", "shorter"])
def test_an_amended_expiry_is_a_new_certificate_that_takes_over_at_midnight(world: World, expiry: date) -> None:
    approval = running(world)
    decision = amended(world, approval, expiry=expiry)
    assert world.decision_state(decision) == "done"
    record = world.record(approval)
    first, second = record.certificates
    assert (second.issue, second.not_before, second.not_after) == (2, MIDNIGHT, last_second(expiry))
    assert first.superseded_at == MIDNIGHT
    certificate = x509.load_der_x509_certificate(certificate_of(world.desk, MANUFACTURER, approval, 2).chain[0])
    assert certificate.not_valid_after_utc == last_second(expiry)
    assert certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)[0].value == approval
    for at in (MIDNIGHT - ONE_SECOND, MIDNIGHT, MIDNIGHT + ONE_SECOND):
        assert states(world, approval, at).count(State.ACTIVE) == 1, at
        assert approval_status(record, at).state is State.ACTIVE
    assert approval_status(record, last_second(expiry)).state is State.ACTIVE
    assert approval_status(record, last_second(expiry) + ONE_SECOND).state is State.EXPIRED
    # Same key, same identifier; the old certificate's last second is the one before the new one's first.
    assert approval_status(record, MIDNIGHT - ONE_SECOND).certificate == first


@pytest.mark.clause("F2.29")
def test_firmware_is_added_and_removed_and_the_limit_changes(world: World) -> None:
    approval = running(world)
    amended(world, approval, firmware_added=(NEW,), maximum_devices=900)
    assert world.record(approval).terms[-1].firmware == (*FIRMWARE, NEW)
    assert world.record(approval).terms[-1].maximum_devices == 900
    amended(world, approval, firmware_removed=(FIRMWARE[0].version.lower(),))
    record = world.record(approval)
    assert record.terms[-1].firmware == (NEW,)
    assert [each.issue for each in record.certificates] == [1, 2, 3]
    # Two amendments for one midnight: the last takes over, the one between never holds.
    assert states(world, approval, MIDNIGHT) == [State.CANCELLED, State.CANCELLED, State.ACTIVE]
    assert states(world, approval, MIDNIGHT - ONE_SECOND) == [
        State.ACTIVE,
        State.NOT_YET_STARTED,
        State.NOT_YET_STARTED,
    ]


@pytest.mark.clause("F2.29")
@pytest.mark.parametrize("start", [date(2027, 1, 20), date(2027, 3, 1)], ids=["earlier", "later"])
def test_a_start_that_has_not_come_is_moved_and_the_old_one_brings_nothing(world: World, start: date) -> None:
    approval = world.granted(start=date(2027, 2, 1))
    amended(world, approval, start=start)
    record = world.record(approval)
    assert record.start == first_second(start)
    for day in (date(2027, 1, 10), date(2027, 1, 20), date(2027, 2, 1), date(2027, 2, 28), date(2027, 3, 1)):
        at = first_second(day)
        expected = State.ACTIVE if day >= start else State.NOT_YET_STARTED
        assert approval_status(record, at).state is expected, day
        assert states(world, approval, at).count(State.ACTIVE) == (1 if day >= start else 0)


@pytest.mark.clause("F2.29")
def test_on_the_last_day_an_extension_follows_the_last_second_without_a_gap(world: World) -> None:
    approval = world.granted()
    world.at(datetime(2027, 6, 30, 10, 0, tzinfo=UTC))
    amended(world, approval, expiry=date(2027, 9, 30))
    record = world.record(approval)
    turn = datetime(2027, 7, 1, tzinfo=UTC)
    assert approval_status(record, turn - ONE_SECOND).certificate == record.certificates[0]
    assert approval_status(record, turn).certificate == record.certificates[1]
    assert states(world, approval, turn) == [State.EXPIRED, State.ACTIVE]
    world.at(turn)
    world.authority.settle()
    assert FactKind.APPROVAL_EXPIRED.value not in kinds(world)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({}, "nothing-changes"),
        ({"maximum_devices": 500}, "nothing-changes"),
        ({"expiry": date(2027, 1, 31)}, "expiry-passed"),
        ({"start": date(2027, 3, 1)}, "start-has-come"),
        ({"expiry": date(2027, 2, 1)}, "effective-outside-trial"),
        ({"maximum_devices": 600, "effective": FEBRUARY}, "effective-not-in-future"),
        ({"maximum_devices": 600, "effective": datetime(2027, 7, 2, tzinfo=UTC)}, "effective-outside-trial"),
        ({"maximum_devices": 0}, "maximum-devices"),
        ({"firmware_added": (Firmware("X", "no digest"),)}, "firmware-digest"),
        ({"firmware_added": FIRMWARE}, "firmware-repeated"),
        ({"firmware_removed": ("nope",)}, "firmware-not-there"),
        ({"firmware_removed": (FIRMWARE[0].version,)}, "firmware-missing"),
        ({"conditions_removed": (1,)}, "condition-not-there"),
        ({"expiry": date(2099, 1, 1)}, "trial-too-long"),
    ],
)
@pytest.mark.clause("F2.29")
def test_what_cannot_be_amended_is_refused_with_its_rule(world: World, what: dict[str, Any], code: str) -> None:
    approval = running(world)
    with pytest.raises(RulesRefused) as refused:
        world.proposed(ProposeAmendment(approval, "No.", **what))
    assert code in {finding.code for finding in refused.value.findings}
    assert world.open_decisions() == []


@pytest.mark.clause("F2.29")
def test_an_amendment_that_is_not_signed_in_time_lapses_and_says_so(world: World) -> None:
    approval = running(world)
    asked = asks(world, approval, expiry=date(2027, 12, 31))
    decision = world.proposed(
        ProposeAmendment(approval, "The trial goes on.", expiry=date(2027, 12, 31), request=asked)
    )
    world.authority.settle()
    world.seconded(decision)
    world.at(MIDNIGHT)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    assert "effective instant" in outcome(world, decision)
    assert kinds(world).count("decision-lapsed") == 1
    record = world.record(approval)
    assert len(record.terms) == len(record.certificates) == 1
    assert show_request(world.desk, MANUFACTURER, asked).state == "open"


@pytest.mark.clause("F2.29")
def test_an_amendment_of_an_approval_that_ends_meanwhile_lapses(world: World) -> None:
    approval = running(world)
    decision = world.proposed(ProposeAmendment(approval, "Longer.", expiry=date(2027, 12, 31)))
    world.authority.settle()
    world.seconded(decision)
    world.revoked(approval)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    with pytest.raises(AlreadyEnded):
        world.proposed(ProposeAmendment(approval, "Longer.", expiry=date(2027, 12, 31)))


@pytest.mark.clause("F2.29")
def test_an_extension_that_another_approval_has_taken_lapses_before_anything_is_signed(world: World) -> None:
    approval = running(world)
    decision = world.proposed(ProposeAmendment(approval, "Longer.", expiry=date(2027, 12, 31)))
    world.authority.settle()
    other = world.seconded(
        drafted(world, ProposeGrant(world.applied(start=date(2027, 8, 1), expiry=date(2027, 9, 1)), "The next one."))
    )
    world.seconded(decision)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    assert "granted meanwhile" in outcome(world, decision)
    assert len(world.record(approval).certificates) == 1
    assert len(world.record(other).certificates) == 1


def test_a_key_that_is_compromised_is_not_certified_by_an_amendment(world: World) -> None:
    approval = running(world)
    revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.KEY_COMPROMISE, "The key is out."))
    with pytest.raises(Exception, match="key") as refused:
        world.proposed(ProposeAmendment(approval, "Longer.", expiry=date(2027, 12, 31)))
    assert refused.value.code == "key-already-certified"  # type: ignore[attr-defined]


# --- what it does not say -----------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(e)")
@pytest.mark.clause("F2.29")
def test_conditions_are_counted_through_and_change_without_a_certificate(world: World) -> None:
    first = Passage.of("condition", "Only in Leeds.")
    approval = world.seconded(
        drafted(world, ProposeGrant(world.applied(), "Sound.", minutes=Minutes(conditions=(first,))))
    )
    world.authority.settle()
    world.at(FEBRUARY)
    second = Passage.of("condition", "Only with a spare at hand.", Classification.RED, [Recipient.DCC])
    decision = world.proposed(
        ProposeAmendment(approval, "More care.", conditions_removed=(1,), minutes=Minutes(conditions=(second,)))
    )
    world.seconded(decision)
    assert world.decision_state(decision) == "done"
    assert len(world.record(approval).certificates) == 1
    shown = conditions(world.desk, OFFICER_1, approval).conditions
    assert [(each.number, each.ended_at is None) for each in shown] == [(1, False), (2, True)]
    for reader, texts, withheld in ((DCC, 2, 0), (PANEL, 1, 1), (MANUFACTURER, 1, 1)):
        got = conditions(world.desk, reader, approval)
        assert (len(got.conditions), got.withheld) == (texts, withheld)
        assert ("spare" in str(got)) == (withheld == 0)
    with pytest.raises(NoSuchThing):
        conditions(world.desk, RIVAL, approval)


@pytest.mark.clause("F2.21(a)")
@pytest.mark.clause("F2.29")
def test_a_description_alone_leads_to_a_notice_and_no_certificate(world: World) -> None:
    approval = running(world)
    words = Minutes(passages=(Passage.of("description", "With another antenna."),))
    decision = world.proposed(ProposeAmendment(approval, "It was described wrongly.", minutes=words))
    world.seconded(decision)
    assert world.decision_state(decision) == "done"
    assert kinds(world).count("approval-amended") == 1
    assert kinds(world).count("notice-written") == 2
    assert len(world.record(approval).certificates) == 1


# --- asked for by the Manufacturer --------------------------------------------------------------------------------


def asks(world: World, approval: str, **what: Any) -> str:
    return request_amendment(world.desk, MANUFACTURER, RequestAmendment(approval, "We need it.", **what)).request


@pytest.mark.clause("F2.29")
def test_a_request_is_granted_or_refused_by_decision_and_its_asker_sees_which(world: World) -> None:
    approval = running(world)
    granted, refused = asks(world, approval, expiry=date(2027, 12, 31)), asks(world, approval, maximum_devices=10_000)
    decision = world.proposed(ProposeAmendmentRefusal(refused, "Too many."))
    with pytest.raises(WrongState):
        withdraw_request(world.desk, MANUFACTURER, refused)
    world.seconded(decision)
    amended(world, approval, expiry=date(2027, 12, 31), request=granted)
    listed = requests_of(world.desk, MANUFACTURER, approval).requests
    assert {each.request: each.state for each in listed} == {granted: "granted", refused: "refused"}
    assert kinds(world).count("amendment-refused") == 1


@pytest.mark.clause("F2.29")
def test_a_request_is_its_own_manufacturers_and_can_be_taken_back(world: World) -> None:
    approval = running(world)
    asked = asks(world, approval, maximum_devices=600)
    with pytest.raises(NoSuchThing):
        show_request(world.desk, RIVAL, asked)
    with pytest.raises(NoSuchThing):
        withdraw_request(world.desk, RIVAL, asked)
    with pytest.raises(NoSuchThing):
        request_amendment(world.desk, RIVAL, RequestAmendment(approval, "Mine."))
    withdraw_request(world.desk, MANUFACTURER, asked)
    with pytest.raises(WrongState):
        world.proposed(ProposeAmendment(approval, "Too late.", maximum_devices=600, request=asked))


def test_a_request_about_another_approval_is_not_taken_up(world: World) -> None:
    approval, other = world.granted(), world.granted(device=device(2))
    asked = asks(world, other, maximum_devices=600)
    with pytest.raises(WrongState):
        world.proposed(ProposeAmendment(approval, "Mixed up.", maximum_devices=600, request=asked))


def test_a_rejected_proposal_leaves_the_request_open(world: World) -> None:
    approval = running(world)
    asked = asks(world, approval, maximum_devices=600)
    amendment = ProposeAmendment(approval, "Let us see.", maximum_devices=600, request=asked)
    for command in (amendment, ProposeAmendmentRefusal(asked, "Too many.")):
        decision = world.proposed(command)
        assert show_request(world.desk, MANUFACTURER, asked).state == "proposed"
        reject(world.desk, OFFICER_2, decision, why="Not yet.")
        assert show_request(world.desk, MANUFACTURER, asked).state == "open"


# --- any sequence -------------------------------------------------------------------------------------------------


def drafted(world: World, command: ProposeGrant) -> str:
    decision = world.proposed(command)
    world.authority.settle()
    return decision


def outcome(world: World, decision: str) -> str:
    with world.store.read() as tx:
        return decision_reading.decision(tx, decision).outcome or ""


@pytest.mark.clause("F2.29")
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from(["expiry", "limit"]), st.integers(1, 200)), min_size=1, max_size=4
    )
)
def test_however_it_is_amended_exactly_one_certificate_holds_until_the_end(
    world: World, steps: list[tuple[int, str, int]]
) -> None:
    name = device(len(kinds(world)))
    start = world.clock.now().date() + timedelta(days=1)
    approval = world.granted(device=name, start=start, expiry=start + timedelta(days=300))
    for days, what, by in steps:
        world.at(world.clock.now() + timedelta(days=days))
        try:
            changes = (
                {"expiry": world.clock.now().date() + timedelta(days=by)}
                if what == "expiry"
                else {"maximum_devices": 1000 + by}
            )
            amended(world, approval, **changes)
        except (RulesRefused, AlreadyEnded, DecisionLapsed):
            continue
    record = world.record(approval)
    last = record.terms[-1].expiry
    turns = {each.not_before for each in record.certificates} | {first_second(start), last}
    for turn in turns:
        for at in (turn - ONE_SECOND, turn, turn + ONE_SECOND):
            holding = [each for each in states(world, approval, at) if each is State.ACTIVE]
            assert len(holding) == (1 if first_second(start) <= at <= last else 0), at
            assert (approval_status(record, at).state is State.ACTIVE) == bool(holding)
