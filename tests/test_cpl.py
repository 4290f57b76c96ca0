"""The Panel is told what the list must show: through the life of an approval, on both databases."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.actors import AUTHORITY
from core.approval import Device, EndCause, Firmware
from core.cpl import OPEN_INSTRUCTION, InstructionState
from core.errors import (
    InstructionSuperseded,
    NcscCertificateRefused,
    NoSuchThing,
    OperationNotPermitted,
    StoreUnavailable,
    WrongState,
)
from core.facts import FactKind
from core.instants import text
from ra.deciding.end import Revoke
from ra.deciding.every_kind import kind_of
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.grant import ProposeGrant
from ra.repeat import RequestKey
from ra.telling.instructions import Acknowledge, Asked, acknowledge, exported, instructions, record_ncsc_certificate
from ra.telling.listing import instruct, would_follow
from ra.telling.views import InstructionAnswer, NcscCertified, StepForeseen
from store.reading import cpl as reading
from store.reading import requests
from store.verbs import cpl
from tests.acting import revoke
from tests.conftest import KINDS
from tests.journal_lines import lines
from tests.test_concurrency import Act, at_once
from tests.world import AUDITOR, DCC, MANUFACTURER, OFFICER_1, PANEL, World, ending

START = datetime(2027, 1, 4, tzinfo=UTC)
EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
TWO = (Firmware("0002012F", "ab" * 32), Firmware("00020130", "cd" * 32))
EVERYTHING = Asked()


def told(world: World, asked: Asked = EVERYTHING) -> list[InstructionAnswer]:
    return list(instructions(world.desk, PANEL, asked, after="", limit=200).instructions)


def open_ones(world: World) -> list[InstructionAnswer]:
    return [each for each in told(world) if each.state in OPEN_INSTRUCTION]


def brief(listed: Sequence[InstructionAnswer]) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.firmware_version, text(each.due), each.state) for each in listed]


def load(world: World, identifier: str) -> InstructionAnswer:
    return acknowledge(world.desk, PANEL, Acknowledge(identifier, loaded=True))


def load_all(world: World) -> None:
    for each in open_ones(world):
        load(world, each.instruction)


def amended(world: World, approval: str, **changes: Any) -> None:
    decision = world.proposed(ProposeAmendment(approval, "It serves the trial.", **changes))
    world.authority.settle()
    world.seconded(decision)
    world.authority.settle()


def again(world: World, approval: str) -> list[str]:
    with world.store.begin("again") as tx:
        return instruct(tx, approval, cause="expiry", actor=AUTHORITY, at=world.clock.now())


@pytest.mark.clause("F2.27")
def test_when_a_certificate_is_recorded_the_panel_is_told_to_add_each_version_on_the_start_date(world: World) -> None:
    decision = world.drafted(firmware=TWO)
    assert told(world) == []
    approval = world.seconded(decision)
    assert told(world) == []  # granted is not certified
    world.authority.settle()
    assert brief(told(world)) == [
        ("add", "0002012F", "2027-01-04T00:00:00Z", "pending"),
        ("add", "00020130", "2027-01-04T00:00:00Z", "pending"),
    ]
    first = told(world)[0]
    assert (first.approval, first.trial, first.expiry) == (approval, "Trial Device", EXPIRY)
    assert (first.cause, first.smets_version) == (decision, "SMETS V1.58")
    assert first.sentence.startswith(f"Add firmware 0002012F of ESME AB01 010A030B 01 under {approval}")
    assert again(world, approval) == []
    assert len(told(world)) == 2


@pytest.mark.clause("F2.29")
def test_an_amendment_changes_adds_and_removes_entries_at_its_effective_instant(world: World) -> None:
    approval = world.granted()
    world.at(START + timedelta(hours=1))
    load_all(world)
    amended(world, approval, expiry=date(2027, 7, 31), firmware_added=TWO[1:])
    at = "2027-01-05T00:00:00Z"
    assert brief(open_ones(world)) == [("change", "0002012F", at, "pending"), ("add", "00020130", at, "pending")]
    assert {text(each.expiry) for each in open_ones(world)} == {"2027-07-31T23:59:59Z"}
    world.at(START + timedelta(days=2))
    load_all(world)
    amended(world, approval, firmware_removed=("0002012F",))
    assert brief(open_ones(world)) == [("remove", "0002012F", "2027-01-07T00:00:00Z", "pending")]
    amended(world, approval, maximum_devices=600)
    assert len(open_ones(world)) == 1  # the list does not show the limit


@pytest.mark.clause("F2.29")
def test_a_start_that_is_moved_takes_the_instruction_to_add_with_it(world: World) -> None:
    approval = world.granted()
    amended(world, approval, start=date(2027, 2, 1))
    assert brief(told(world)) == [
        ("add", "0002012F", "2027-01-04T00:00:00Z", "superseded"),
        ("add", "0002012F", "2027-02-01T00:00:00Z", "pending"),
    ]


@pytest.mark.clause("F2.31")
@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.MANUFACTURER])
def test_at_an_end_before_the_start_nothing_is_left_to_do_and_after_it_the_entry_must_go(
    world: World, cause: EndCause
) -> None:
    approval = world.granted()
    world.at(START)
    ended = world.proposed(ending(approval, cause, "It is over."))
    world.seconded(ended)
    assert brief(told(world)) == [
        ("add", "0002012F", "2027-01-04T00:00:00Z", "superseded"),
        ("remove", "0002012F", "2027-01-04T00:00:00Z", "pending"),
    ]
    assert told(world)[1].cause == ended


@pytest.mark.clause("F2.31")
def test_before_the_start_an_end_takes_the_instruction_back(world: World) -> None:
    world.revoked(world.granted())
    assert brief(told(world)) == [("add", "0002012F", "2027-01-04T00:00:00Z", "superseded")]


@pytest.mark.clause("F2.31")
def test_when_an_approval_has_expired_the_panel_is_told_to_remove_it(world: World) -> None:
    world.granted()
    world.at(START)
    load_all(world)
    world.at(EXPIRY)
    world.authority.settle()
    assert open_ones(world) == []
    world.at(EXPIRY + timedelta(seconds=90))
    world.authority.settle()
    world.authority.settle()
    assert brief(open_ones(world)) == [("remove", "0002012F", "2027-07-01T00:00:00Z", "pending")]
    assert (open_ones(world)[0].cause, open_ones(world)[0].overdue) == ("expiry", False)
    world.at(EXPIRY + timedelta(days=1))
    assert open_ones(world)[0].overdue  # the first of July was a Thursday


def test_a_compromised_key_is_no_end_of_the_approval_and_its_entry_stays(world: World) -> None:
    approval = world.granted()
    world.at(START)
    load_all(world)
    world.revoked(approval, EndCause.KEY_COMPROMISE)
    assert open_ones(world) == []


# --- the NCSC -----------------------------------------------------------------------------------------------------


def certified(world: World, approval: str, certified_on: date = date(2027, 1, 3)) -> NcscCertified:
    return record_ncsc_certificate(
        world.desk, OFFICER_1, approval, certificate="NCSC-CPA-2027-17", certified_on=certified_on
    )


@pytest.mark.clause("F2.31")
def test_where_the_ncsc_has_certified_the_model_the_marker_is_replaced_at_the_end(world: World) -> None:
    approval = world.granted()
    world.at(START)
    load_all(world)
    assert certified(world, approval).instructions == ()
    world.revoked(approval)
    assert [each.kind for each in open_ones(world)] == ["replace-marker"]
    assert open_ones(world)[0].ncsc_certificate == "NCSC-CPA-2027-17"
    with pytest.raises(WrongState):
        certified(world, approval)


@pytest.mark.clause("F2.31")
def test_a_certificate_recorded_after_the_end_turns_a_removal_that_is_not_loaded_into_a_replacement(
    world: World,
) -> None:
    approval = world.granted()
    world.at(START)
    load_all(world)
    world.revoked(approval)
    world.at(START + timedelta(hours=2))
    (given,) = certified(world, approval).instructions
    assert [(each.instruction, each.kind) for each in open_ones(world)] == [(given, "replace-marker")]
    assert told(world)[-1].cause == "ncsc-certificate"


def test_a_certificate_of_tomorrow_or_of_nothing_is_refused(world: World) -> None:
    approval = world.granted()
    with pytest.raises(NcscCertificateRefused):
        certified(world, approval, certified_on=date(2027, 1, 4))
    with pytest.raises(NoSuchThing):
        certified(world, "TDT-2027-0999-X")
    for actor in (PANEL, MANUFACTURER, AUDITOR):
        with pytest.raises(OperationNotPermitted):
            record_ncsc_certificate(world.desk, actor, approval, certificate="x", certified_on=date(2027, 1, 3))


# --- acknowledgements ---------------------------------------------------------------------------------------------


def test_an_acknowledgement_is_recorded_with_its_fact_and_its_reason_stays_in_the_register(world: World) -> None:
    world.granted()
    (one,) = told(world)
    rejected = acknowledge(world.desk, PANEL, Acknowledge(one.instruction, loaded=False, reason="UNIQUEREASON"))
    assert (rejected.state, rejected.reason, rejected.acknowledged_by) == (
        "rejected",
        "UNIQUEREASON",
        PANEL.name,
    )
    assert load(world, one.instruction).state == "loaded"
    assert told(world)[0].reason is None
    facts = lines(world, FactKind.CPL_ACKNOWLEDGED)
    assert [json.loads(each)["outcome"] for each in facts] == ["rejected", "loaded"]
    assert "UNIQUEREASON" not in "".join(lines(world))


def test_an_instruction_that_was_overtaken_is_not_acknowledged_and_the_refusal_names_the_one_that_counts(
    world: World,
) -> None:
    approval = world.granted()
    amended(world, approval, start=date(2027, 2, 1))
    old, new = told(world)
    with pytest.raises(InstructionSuperseded) as refusal:
        load(world, old.instruction)
    assert f"{new.instruction} says add" in str(refusal.value)
    world.revoked(approval)
    with pytest.raises(InstructionSuperseded) as refusal:
        load(world, new.instruction)
    assert "nothing is to be done any more" in str(refusal.value)


def test_the_same_acknowledgement_under_one_key_is_done_once(world: World) -> None:
    world.granted()
    command = Acknowledge(told(world)[0].instruction, loaded=True)
    key = RequestKey("k", "0" * 64)
    assert acknowledge(world.desk, PANEL, command, key) == acknowledge(world.desk, PANEL, command, key)
    assert len(lines(world, FactKind.CPL_ACKNOWLEDGED)) == 1
    with pytest.raises(WrongState):
        acknowledge(world.desk, PANEL, command)


def test_only_the_panel_acknowledges_and_manufacturers_do_not_read(world: World) -> None:
    world.granted()
    command = Acknowledge(told(world)[0].instruction, loaded=True)
    for actor in (OFFICER_1, DCC, MANUFACTURER, AUDITOR):
        with pytest.raises(OperationNotPermitted):
            acknowledge(world.desk, actor, command)
    with pytest.raises(OperationNotPermitted):
        instructions(world.desk, MANUFACTURER, EVERYTHING, after="", limit=10)
    with pytest.raises(OperationNotPermitted):
        exported(world.desk, MANUFACTURER, EVERYTHING, "csv")
    with pytest.raises(NoSuchThing):
        load(world, "cpl-none")


@pytest.fixture(scope="module", params=KINDS)
def unused(request: pytest.FixtureRequest, store_copy: Any, keys_folder: Any) -> Iterator[tuple[World, Iterator[str]]]:
    """Instructions that nobody has touched, as many as are asked for."""
    made = World(store_copy(request.param), keys_folder)
    made.granted(firmware=tuple(Firmware(f"{number:04}", "ab" * 32) for number in range(100)))
    yield made, iter([each.instruction for each in told(made)])
    made.close()


@settings(max_examples=90)
@given(st.lists(st.sampled_from(["loaded", "rejected", "superseded"]), max_size=6))
def test_pending_is_loaded_or_rejected_rejected_is_loaded_and_loaded_is_final(
    unused: tuple[World, Iterator[str]], said: list[str]
) -> None:
    world, identifiers = unused
    identifier = next(identifiers, None)
    assume(identifier is not None)
    state = "pending"
    for each in said:
        moved = each in {"pending": {"loaded", "rejected", "superseded"}, "rejected": {"loaded", "superseded"}}.get(
            state, set()
        )
        if each == "superseded":
            with world.store.begin("supersede") as tx:
                assert cpl.supersede(tx, str(identifier)) is moved
        elif moved:
            answer(world, str(identifier), each)
        else:
            with pytest.raises(InstructionSuperseded if state == "superseded" else WrongState):
                answer(world, str(identifier), each)
        state = each if moved else state
        with world.store.read() as tx:
            assert reading.instruction(tx, str(identifier)).instruction.state == state


def answer(world: World, identifier: str, outcome: str) -> None:
    reason = "" if outcome == "loaded" else "It does not fit."
    acknowledge(world.desk, PANEL, Acknowledge(identifier, outcome == "loaded", reason))


# --- what is foreseen ---------------------------------------------------------------------------------------------


def seen(world: World, decision: str) -> tuple[StepForeseen, ...]:
    with world.store.read() as tx:
        found = requests.decision(tx, decision)
        listed = kind_of(found.kind).foreseen(tx, found, world.clock.now())
        return () if listed is None else would_follow(tx, listed, world.clock.now())


def test_whoever_seconds_sees_what_the_panel_will_be_told(world: World) -> None:
    decision = world.proposed(ProposeGrant(world.applied(firmware=TWO), "It looks sound."))
    world.authority.settle()
    expected = seen(world, decision)
    assert [(each.kind, each.firmware_version, text(each.due)) for each in expected] == [
        ("add", "0002012F", "2027-01-04T00:00:00Z"),
        ("add", "00020130", "2027-01-04T00:00:00Z"),
    ]
    approval = world.seconded(decision)
    world.authority.settle()
    assert [each.sentence for each in told(world)] == [each.sentence for each in expected]
    assert seen(world, decision) == ()
    amendment = world.proposed(ProposeAmendment(approval, "Longer.", expiry=date(2027, 7, 31)))
    world.authority.settle()
    before = seen(world, amendment)
    assert [each.kind for each in before] == ["superseded", "add", "superseded", "add"]
    assert before[0].sentence.startswith("No longer to be done: add firmware")
    over = world.proposed(ending(approval, EndCause.SSC, "It is over."))
    assert [each.kind for each in seen(world, over)] == ["superseded", "superseded"]
    key = world.proposed(ending(approval, EndCause.KEY_COMPROMISE, "The key is known."))
    assert seen(world, key) == ()
    assert len(told(world)) == 2


# --- lists and facts ----------------------------------------------------------------------------------------------


def test_lists_are_filtered_and_paged(world: World) -> None:
    world.granted(firmware=TWO)
    first, second = told(world)
    assert told(world, Asked(overdue=True)) == []
    world.at(START + timedelta(days=1))
    load(world, first.instruction)
    acknowledge(world.desk, PANEL, Acknowledge(second.instruction, loaded=False, reason="Which hash?"))
    assert [each.instruction for each in told(world, Asked(overdue=True))] == [second.instruction]
    assert [each.instruction for each in told(world, Asked(overdue=False))] == [first.instruction]
    assert [each.instruction for each in told(world, Asked(InstructionState.LOADED))] == [first.instruction]
    assert told(world, Asked(due_before=START)) == []
    assert len(told(world, Asked(due_before=START + timedelta(seconds=1)))) == 2
    page = instructions(world.desk, PANEL, EVERYTHING, after="", limit=1)
    assert (page.next, page.truncated) == (first.instruction, True)
    page = instructions(world.desk, PANEL, EVERYTHING, after=page.next or "", limit=2)
    assert ([each.instruction for each in page.instructions], page.next, page.truncated) == (
        [second.instruction],
        None,
        False,
    )


def test_every_change_has_its_fact(world: World) -> None:
    approval = world.granted(firmware=TWO)
    world.at(START)
    world.revoked(approval)
    given = [json.loads(each) for each in lines(world, FactKind.CPL_INSTRUCTED)]
    assert [(each["kind"], each["firmware_version"]) for each in given] == [
        ("add", "0002012F"),
        ("add", "00020130"),
        ("remove", "0002012F"),
        ("remove", "00020130"),
    ]
    overtaken = [json.loads(each)["instruction"] for each in lines(world, FactKind.CPL_INSTRUCTION_SUPERSEDED)]
    assert overtaken == [each.instruction for each in told(world)[:2]]


def test_an_acknowledgement_at_the_moment_of_the_end_is_seen_by_it_or_refused(world: World) -> None:
    def loading(named: str) -> Act:
        return lambda desk: acknowledge(desk, PANEL, Acknowledge(named, loaded=True))

    def ending(named: str) -> Act:
        return lambda desk: revoke(desk, OFFICER_1, Revoke(named, EndCause.SSC, "It has to be."))

    for number in range(4):
        tomorrow = (world.clock.now() + timedelta(days=1)).date()
        approval = world.granted(device=Device("ESME", "AB01", f"M{number}", "01"), start=tomorrow)
        world.at(world.clock.now() + timedelta(days=1))
        (one,) = open_ones(world)
        acknowledged, _ = at_once(world, loading(one.instruction), ending(approval))
        first, second = [each for each in told(world) if each.approval == approval]
        assert first.state == ("superseded" if isinstance(acknowledged, InstructionSuperseded) else acknowledged.state)
        assert (second.kind, second.state) == ("remove", "pending")
        load_all(world)


@pytest.mark.parametrize("store_kind", ["postgresql"])  # on SQLite a writer has the store to itself
def test_an_acknowledgement_waits_while_the_panel_is_being_told(world: World) -> None:
    approval = world.granted()
    (one,) = told(world)
    with world.store.begin("telling") as telling:
        assert instruct(telling, approval, cause="expiry", actor=AUTHORITY, at=world.clock.now()) == []
        with pytest.raises(StoreUnavailable):
            impatiently(world, one.instruction)
    load(world, one.instruction)


def impatiently(world: World, identifier: str) -> None:
    with world.store.begin("acknowledging") as tx:
        tx.connection.exec_driver_sql("SET LOCAL lock_timeout = '10ms'")
        cpl.acknowledge(tx, identifier, loaded=True, reason=None, by="x", at=START)
