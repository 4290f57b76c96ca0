"""Changes that wait (F2.29): each member holds from its own instant; what waits is carried or withdrawn."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import update

from api.forms.deciding import Digests
from core.approval import ApprovalRecord, EndCause, Firmware, RevocationReason
from core.classification import Passage
from core.errors import DecisionLapsed, DigestMismatch, RulesRefused, TrialCpaError, WrongState
from core.instants import last_second, text
from core.kinds import Waiting
from core.status import State, approval_status, certificate_status, revocation_at
from core.waiting import MOST_DRAFTS, lasting, pending
from policy.section_f.waiting import Carried, WaitingFacts, waiting_findings
from ra.deciding import look
from ra.deciding.end import Revoke
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.grounds import Minutes
from ra.proposal import said_in
from ra.telling.conditions import conditions
from ra.telling.instructions import Asked, instructions
from store.reading import requests
from store.tables import drafts
from tests.acting import reject, revoke, second
from tests.cycle_world import device, key_pair, kinds
from tests.test_amendments import FEBRUARY, MIDNIGHT, NEW, amended, outcome, running
from tests.world import FIRMWARE, OFFICER_1, OFFICER_2, PANEL, World, csr_pem

MARCH = datetime(2027, 3, 1, tzinfo=UTC)
APRIL = datetime(2027, 4, 1, tzinfo=UTC)
DECEMBER = date(2027, 12, 31)
ONE_SECOND = timedelta(seconds=1)


def says(record: ApprovalRecord, at: datetime) -> tuple[datetime, int, tuple[str, ...]]:
    """What holds at an instant: expiry, limit, firmware."""
    status = approval_status(record, at)
    assert status.state is State.ACTIVE, (at, status)
    assert status.terms is not None
    return status.terms.expiry, status.terms.maximum_devices, tuple(each.version for each in status.terms.firmware)


def said(world: World, decision: str) -> dict[str, Any]:
    with world.store.read() as tx:
        return said_in(requests.decision(tx, decision))


# --- carried ------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.29")
def test_what_is_decided_for_march_holds_from_march_whatever_begins_before(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, firmware_added=(NEW,), effective=MARCH)
    decision = amended(world, approval, expiry=DECEMBER)
    assert world.decision_state(decision) == "done"
    record = world.record(approval)
    assert [each.issue for each in record.certificates] == [1, 2, 3, 4]
    june, december = last_second(date(2027, 6, 30)), last_second(DECEMBER)
    old, new = (FIRMWARE[0].version,), (FIRMWARE[0].version, NEW.version)
    assert says(record, MIDNIGHT - ONE_SECOND) == (june, 500, old)
    assert says(record, MIDNIGHT) == says(record, MARCH - ONE_SECOND) == (december, 500, old)
    assert says(record, MARCH) == (december, 900, new)
    # The one that waited never holds: it ends before it would have begun, as replaced.
    assert certificate_status(record, record.certificates[1], MARCH).state is State.CANCELLED
    for at in (MIDNIGHT - ONE_SECOND, MIDNIGHT, MARCH - ONE_SECOND, MARCH):
        held = [certificate_status(record, each, at).state for each in record.certificates]
        assert held.count(State.ACTIVE) == 1, at
    told = instructions(world.desk, PANEL, Asked(), after="", limit=100).instructions
    added = [each for each in told if each.firmware_version == NEW.version and each.state != "superseded"]
    assert [(each.kind, each.due) for each in added] == [("add", MARCH)]


@pytest.mark.clause("F2.29")
def test_firmware_that_goes_in_march_stays_until_march(world: World) -> None:
    approval = running(world, firmware=(*FIRMWARE, NEW))
    amended(world, approval, firmware_removed=(NEW.version,), effective=MARCH)
    amended(world, approval, maximum_devices=600)
    record = world.record(approval)
    assert says(record, MARCH - ONE_SECOND)[2] == (FIRMWARE[0].version, NEW.version)
    assert says(record, MARCH)[1:] == (600, (FIRMWARE[0].version,))


@pytest.mark.clause("F2.25")
@pytest.mark.clause("F2.29")
def test_a_new_key_brings_nothing_of_what_waits_and_carries_it_under_the_new_key(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    key, sha256 = key_pair()
    decision = world.proposed(ProposeRekey(approval, csr_pem(key), compromised=True, reasons="Stolen."))
    world.authority.settle()
    world.seconded(decision)
    # A compromised key cancels what waits under it, too.
    assert {each.cause for each in world.record(approval).certificates} == {EndCause.KEY_COMPROMISE}
    world.authority.settle()
    record = world.record(approval)
    assert says(record, MIDNIGHT)[1] == 500
    assert says(record, MARCH)[1] == 900
    assert [each.public_key_sha256 for each in record.certificates[2:]] == [sha256, sha256]


def test_what_waits_for_a_key_of_its_own_keeps_it(world: World) -> None:
    approval, (key, sha256) = running(world), key_pair()
    command = ProposeRekey(approval, csr_pem(key), compromised=False, reasons="A new key.", effective=MARCH)
    world.seconded(drafted(world, command))
    world.authority.settle()
    amended(world, approval, maximum_devices=600)
    old, waiting, now, carried = world.record(approval).certificates
    assert (now.public_key_sha256, carried.public_key_sha256) == (old.public_key_sha256, sha256)
    assert (now.not_before, carried.not_before) == (MIDNIGHT, MARCH)
    revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.KEY_COMPROMISE, "The old key is out."))
    record = world.record(approval)
    assert approval_status(record, world.clock.now()).state is State.CANCELLED
    assert says(record, MARCH)[1] == 600
    assert waiting.cause is None


def test_a_start_that_moves_carries_what_waits(world: World) -> None:
    approval = world.granted(start=date(2027, 2, 1))
    amended(world, approval, maximum_devices=900, effective=MARCH)
    amended(world, approval, start=date(2027, 2, 10))
    record = world.record(approval)
    assert approval_status(record, datetime(2027, 2, 9, tzinfo=UTC)).state is State.NOT_YET_STARTED
    assert says(record, datetime(2027, 2, 10, tzinfo=UTC))[1] == 500
    assert says(record, MARCH)[1] == 900


def test_what_begins_behind_is_built_on_what_waits_and_both_are_carried_by_what_begins_before_both(
    world: World,
) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    amended(world, approval, expiry=DECEMBER, effective=APRIL)
    assert says(world.record(approval), APRIL)[:2] == (last_second(DECEMBER), 900)
    amended(world, approval, firmware_added=(NEW,))
    record = world.record(approval)
    june, december = last_second(date(2027, 6, 30)), last_second(DECEMBER)
    both = (FIRMWARE[0].version, NEW.version)
    assert says(record, MIDNIGHT) == (june, 500, both)
    assert says(record, MARCH) == (june, 900, both)
    assert says(record, APRIL) == (december, 900, both)


def test_what_begins_at_the_same_instant_takes_the_place_of_what_waits_with_its_changes(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    amended(world, approval, expiry=DECEMBER, effective=MARCH)
    record = world.record(approval)
    assert says(record, MARCH)[:2] == (last_second(DECEMBER), 900)
    assert [each.issue for each in pending(record, FEBRUARY)] == [3]


# --- agreed, or not at all ----------------------------------------------------------------------------------------


def drafted(world: World, command: Any) -> str:
    decision = world.proposed(command)
    world.authority.settle()
    return decision


@pytest.mark.clause("F2.18")
def test_both_digests_are_repeated_and_nothing_else_is_accepted(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    decision = drafted(world, ProposeAmendment(approval, "Longer.", expiry=DECEMBER))
    shown = look.decision(world.desk, OFFICER_2, decision)
    first, carried = (each.tbs_sha256 for each in shown.drafts)
    assert shown.tbs_sha256 == first
    assert shown.preview is not None
    (told,) = shown.preview.carried
    assert (told.issue, told.in_place_of, told.effective) == (4, 2, MARCH)
    assert [(each.subject, each.before, each.after) for each in told.changes] == [("maximum devices", "500", "900")]
    assert any("issue 4" in each for each in told.certificate)
    for wrong in (first, carried, (first,), (carried, first), (first, carried, first), None):
        with pytest.raises(DigestMismatch):
            second(world.desk, OFFICER_2, decision, proposal_sha256=shown.proposal_sha256, tbs_sha256=wrong)
    both = (first.upper(), carried)
    second(world.desk, OFFICER_2, decision, proposal_sha256=shown.proposal_sha256, tbs_sha256=both)
    world.authority.settle()
    assert world.decision_state(decision) == "done"
    (notice,) = shown.preview.notices["dcc"]["waiting"]
    assert (notice["outcome"], notice["effective"]) == ("carry", text(MARCH))
    assert "notice-written" in kinds(world)
    assert kinds(world).count("notice-written") == 3


@pytest.mark.parametrize("which", [0, 1])
def test_if_one_of_two_does_not_hold_together_neither_is_signed(world: World, which: int) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    decision = drafted(world, ProposeAmendment(approval, "Longer.", expiry=DECEMBER))
    world.seconded(decision)
    with world.store.begin("tamper") as tx:
        row = requests.drafts_of(tx, decision)[which]
        changed = row.tbs.replace(b"AB01", b"AB02")
        assert changed != row.tbs
        tx.connection.execute(update(drafts).where(drafts.c.serial == row.serial).values(tbs=changed))
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    assert [each.issue for each in world.record(approval).certificates] == [1, 2]


def test_what_cannot_be_carried_is_refused_and_says_what_to_do(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    for what, code in (
        ({"expiry": date(2027, 2, 20)}, "carried-outside-trial"),
        ({"waiting": Waiting.WITHDRAW, "maximum_devices": 600, "effective": APRIL}, "nothing-waits"),
    ):
        with pytest.raises(RulesRefused) as refused:
            world.proposed(ProposeAmendment(approval, "Shorter.", **what))
        assert {each.code for each in refused.value.findings} == {code}
    amended(world, approval, expiry=date(2027, 2, 20), waiting=Waiting.WITHDRAW)
    record = world.record(approval)
    assert approval_status(record, MARCH).state is State.EXPIRED
    assert pending(record, FEBRUARY)[0].effective == MIDNIGHT


@pytest.mark.clause("F2.29")
@pytest.mark.parametrize(("many", "codes"), [(MOST_DRAFTS - 1, []), (MOST_DRAFTS, ["carried-too-many"])])
def test_no_more_is_carried_than_can_be_seconded(many: int, codes: list[str]) -> None:
    one = Carried(effective=MARCH, expiry=APRIL, expiry_before=APRIL, firmware=1)
    facts = WaitingFacts(withdraws=False, behind=many, carried=(one,) * many)
    assert [each.code for each in waiting_findings(facts)] == codes
    digests = TypeAdapter[Any](Digests)
    digests.validate_python(["0" * 64] * MOST_DRAFTS)
    with pytest.raises(ValidationError):
        digests.validate_python(["0" * 64] * (MOST_DRAFTS + 1))


@pytest.mark.clause("F2.29")
def test_a_proposal_whose_basis_has_changed_lapses_with_that_reason(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    before = drafted(world, ProposeAmendment(approval, "Longer.", expiry=DECEMBER))
    withdrawal = world.proposed(ProposeWaitingWithdrawal(approval, "Not needed."))
    world.seconded(withdrawal)
    with pytest.raises(DecisionLapsed):
        world.seconded(before)
    assert "built on" in outcome(world, before)


# --- withdrawn ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.29")
def test_what_waits_is_withdrawn_by_a_decision_with_its_notice_and_what_holds_goes_on(world: World) -> None:
    approval = running(world)
    words = Passage.of("condition", "Only in Leeds.")
    amended(
        world, approval, maximum_devices=900, expiry=DECEMBER, effective=MARCH, minutes=Minutes(conditions=(words,))
    )
    decision = world.proposed(ProposeWaitingWithdrawal(approval, "The field is full."))
    preview = look.decision(world.desk, OFFICER_2, decision).preview
    assert preview is not None
    assert {each.subject for each in preview.withdrawn[0].changes} == {"expiry", "maximum devices"}
    assert preview.notices["panel"]["kind"] == "change-withdrawal"
    world.seconded(decision)
    assert world.decision_state(decision) == "done"
    record = world.record(approval)
    first, gone = record.certificates
    assert (first.superseded_at, gone.cause) == (None, EndCause.CHANGE_WITHDRAWN)
    assert pending(record, FEBRUARY) == ()
    assert says(record, MARCH) == (last_second(date(2027, 6, 30)), 500, (FIRMWARE[0].version,))
    status = certificate_status(record, gone, FEBRUARY)
    assert (status.state, status.reasons[0].code) == (State.CANCELLED, "change-withdrawn")
    (condition,) = conditions(world.desk, OFFICER_1, approval).conditions
    assert condition.set_at == condition.ended_at == MARCH
    # Every list and answer says so, and what follows is possible: another change, and the end.
    world.authority.settle()
    assert world.alarms() == ()
    listed = revocation_at(gone, FEBRUARY)
    assert listed is not None
    assert listed.reason is RevocationReason.SUPERSEDED
    with world.store.read() as tx:
        assert tx.connection.exec_driver_sql(
            f"SELECT listed_in IS NOT NULL FROM certificates WHERE serial = '{gone.serial}'"
        ).scalar()
    amended(world, approval, maximum_devices=600)
    assert says(world.record(approval), MARCH)[1] == 600
    world.at(MIDNIGHT)  # the one for tomorrow begins first
    with pytest.raises(WrongState, match="without a change that waits"):
        world.proposed(ProposeWaitingWithdrawal(approval, "Nothing waits."))


@pytest.mark.clause("F2.29")
def test_what_waits_for_a_new_key_is_withdrawn_by_the_rekey_and_whoever_tries_otherwise_is_told(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    revoke(world.desk, OFFICER_1, Revoke(approval, EndCause.KEY_COMPROMISE, "It was stolen."))
    with pytest.raises(WrongState, match="a rekey carries what waits, or withdraws it"):
        world.proposed(ProposeWaitingWithdrawal(approval, "Too many."))


def test_a_decision_withdraws_what_waits_if_it_says_so(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    decision = amended(world, approval, expiry=DECEMBER, waiting=Waiting.WITHDRAW)
    record = world.record(approval)
    assert [each.issue for each in record.certificates] == [1, 2, 3]
    assert says(record, MARCH)[:2] == (last_second(DECEMBER), 500)
    proposal = said(world, decision)
    assert (proposal["waiting"], proposal["carried"]) == ("withdraw", [])
    assert proposal["withdrawn"][0]["issue"] == 2


def test_a_proposal_to_withdraw_lapses_once_what_waited_has_begun(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900)
    decision = world.proposed(ProposeWaitingWithdrawal(approval, "Too many."))
    world.at(MIDNIGHT)
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)
    assert says(world.record(approval), MIDNIGHT)[1] == 900


@pytest.mark.clause("F2.29")
def test_what_a_carried_change_took_the_place_of_does_not_begin_when_that_is_withdrawn(world: World) -> None:
    approval = running(world)
    amended(world, approval, firmware_added=(NEW,), effective=APRIL)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    assert [each.issue for each in world.record(approval).certificates] == [1, 2, 3, 4]
    world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "Not needed.")))
    world.authority.settle()
    record, now = world.record(approval), world.clock.now()
    for each in record.certificates[1:]:
        assert [code.code for code in certificate_status(record, each, now).reasons] == ["change-withdrawn"]
    assert certificate_status(record, record.certificates[0], APRIL).state is State.ACTIVE
    world.at(APRIL)
    world.authority.settle()
    told = instructions(world.desk, PANEL, Asked(), after="", limit=100).instructions
    assert [(each.kind, each.firmware_version) for each in told if each.state != "superseded"] == [
        ("add", FIRMWARE[0].version)
    ]


# --- conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(e)")
@pytest.mark.clause("F2.29")
def test_conditions_begin_and_end_at_the_instant_of_their_amendment(world: World) -> None:
    approval = running(world)
    first, later = Passage.of("condition", "Only in Leeds."), Passage.of("condition", "Only in York.")
    amended(world, approval, maximum_devices=600, minutes=Minutes(conditions=(first,)))
    # Words alone have an instant, too, if one is named.
    decision = world.proposed(
        ProposeAmendment(
            approval, "Moved.", conditions_removed=(1,), minutes=Minutes(conditions=(later,)), effective=MARCH
        )
    )
    world.seconded(decision)
    assert world.decision_state(decision) == "done"
    shown = conditions(world.desk, OFFICER_1, approval).conditions
    assert [(each.set_at, each.ended_at) for each in shown] == [(MIDNIGHT, MARCH), (MARCH, None)]
    with pytest.raises(RulesRefused):
        world.proposed(ProposeAmendment(approval, "Late.", conditions_removed=(2,), effective=FEBRUARY))
    decision = world.proposed(ProposeAmendment(approval, "Late.", conditions_removed=(2,), effective=APRIL))
    world.at(APRIL)
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)


@pytest.mark.clause("F2.21(e)")
@pytest.mark.clause("F2.29")
@pytest.mark.parametrize(
    ("changes", "changes_before"),
    [({}, {}), ({"maximum_devices": 600}, {}), ({}, {"maximum_devices": 600})],
    ids=["words alone", "with a certificate", "behind one whose certificate is awaited"],
)
def test_of_two_proposals_that_number_a_condition_alike_one_lapses(
    world: World, changes: dict[str, Any], changes_before: dict[str, Any]
) -> None:
    approval = running(world)

    def proposed(town: str, **more: Any) -> str:
        minutes = Minutes(conditions=(Passage.of("condition", f"Only in {town}."),))
        return drafted(world, ProposeAmendment(approval, "Moved.", minutes=minutes, **more))

    second, first = proposed("York", **changes), proposed("Leeds", **changes_before)
    world.seconded(first)
    with pytest.raises(DecisionLapsed, match="condition 1"):
        world.seconded(second)
    world.authority.settle()
    assert (world.decision_state(first), world.decision_state(second)) == ("done", "lapsed")
    assert [each.text for each in conditions(world.desk, OFFICER_1, approval).conditions] == ["Only in Leeds."]
    assert not world.alarms()


@pytest.mark.clause("F2.21(e)")
@pytest.mark.clause("F2.29")
@pytest.mark.parametrize("waiting", ["carried", "carried twice", "overtaken"])
@pytest.mark.parametrize("by", ["a decision of its own", "another change"])
def test_with_what_is_withdrawn_its_words_never_come_however_often_it_was_carried(
    world: World, waiting: str, by: str
) -> None:
    approval = running(world)
    leeds, york = Passage.of("condition", "Only in Leeds."), Passage.of("condition", "Only in York.")
    amended(world, approval, minutes=Minutes(conditions=(leeds,)), maximum_devices=510)
    moved = {"conditions_removed": (1,), "minutes": Minutes(conditions=(york,))}
    amended(world, approval, maximum_devices=520, effective=APRIL, **moved)
    begins = APRIL if waiting == "overtaken" else MARCH
    amended(world, approval, expiry=DECEMBER, effective=begins)
    if waiting == "carried twice":
        amended(world, approval, firmware_added=(NEW,), effective=MARCH - ONE_SECOND)
    world.at(MARCH + ONE_SECOND)
    world.authority.settle()
    if by == "another change":
        amended(world, approval, maximum_devices=530, waiting=Waiting.WITHDRAW)
    else:
        world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "Not needed.")))
        world.authority.settle()
    shown = conditions(world.desk, OFFICER_1, approval).conditions
    assert [each.until for each in shown] == [None, APRIL]
    assert [each.since for each in shown] == [MIDNIGHT, APRIL]


# --- any pair -----------------------------------------------------------------------------------------------------

_INSTANTS = [datetime(2027, 2, day, 12, tzinfo=UTC) for day in (5, 10, 15, 20)]
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "maximum_devices": st.integers(501, 503),
        "expiry": st.sampled_from([date(2027, 5, 1), date(2027, 8, 1), DECEMBER]),
        "firmware": st.sampled_from(["added", "removed"]),
    },
)
_STEPS = st.lists(st.tuples(_CHANGES, st.sampled_from(_INSTANTS), st.booleans()), min_size=2, max_size=3)


@pytest.mark.clause("F2.29")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_each_member_that_is_changed_holds_exactly_from_its_own_instant_unless_withdrawn(
    world: World, steps: list[tuple[dict[str, Any], datetime, bool]]
) -> None:
    spare = Firmware("00020131", "ef" * 32)
    world.at(max(world.clock.now(), FEBRUARY))
    approval = world.granted(device=device(len(kinds(world))), start=date(2027, 2, 2), firmware=(*FIRMWARE, spare))
    decided: list[tuple[datetime, dict[str, Any]]] = []
    start: dict[str, Any] = {"maximum_devices": 500, "expiry": date(2027, 6, 30), "firmware": "none"}
    for changes, effective, withdraws in steps:
        named = {name: value for name, value in changes.items() if name != "firmware"}
        if changes.get("firmware") == "added":
            named["firmware_added"] = (NEW,)
        elif changes.get("firmware") == "removed":
            named["firmware_removed"] = (spare.version,)
        if withdraws:
            named["waiting"] = Waiting.WITHDRAW
        try:
            decision = world.proposed(ProposeAmendment(approval, "So.", effective=effective, **named))
        except TrialCpaError:
            continue
        world.authority.settle()
        world.seconded(decision)
        world.authority.settle()
        assert world.decision_state(decision) == "done"
        if withdraws:
            decided = [each for each in decided if each[0] <= effective]
        decided.append((effective, changes))
    record = world.record(approval)
    order = [(each.issue, each.not_before) for each in lasting(record)]
    assert order == sorted(order, key=lambda each: each[1])
    assert order[-1][0] == record.terms[-1].issue
    for instant in (*_INSTANTS, *(each - ONE_SECOND for each in _INSTANTS)):
        want = dict(start)
        firmware = {FIRMWARE[0].version, spare.version}
        for effective, changes in sorted(decided, key=lambda each: each[0]):
            if effective <= instant:
                want |= changes
                firmware |= {NEW.version} if changes.get("firmware") == "added" else set()
                firmware -= {spare.version} if changes.get("firmware") == "removed" else set()
        expiry, limit, versions = says(record, instant)
        assert (expiry, limit) == (last_second(want["expiry"]), want["maximum_devices"]), instant
        assert set(versions) == firmware, instant


def test_a_proposal_that_is_rejected_leaves_what_waits_as_it_was(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    decision = drafted(world, ProposeAmendment(approval, "Longer.", expiry=DECEMBER))
    reject(world.desk, OFFICER_2, decision, why="No.")
    record = world.record(approval)
    assert says(record, MARCH)[1] == 900
    with world.store.read() as tx:
        assert requests.drafts_of(tx, decision) == []
