"""Many approvals are revoked by one decision of two officers: carried out in portions, each told of, on one list."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.alarms import AlarmCode
from core.approval import EndCause
from core.boundaries import observe
from core.canonical import canonical, read_json
from core.classification import Recipient
from core.errors import BodyMalformed, NoSuchThing, RulesRefused, WrongState
from core.facts import FactKind
from core.kinds import DecisionState, HierarchyRole, Told
from core.status import State, approval_status
from jobs import carry_out
from officers.statement import approvals_digest
from ra.deciding import many
from ra.deciding.many import ProposeRevocations
from ra.deciding.propose import propose
from ra.deciding.views import RevocationsAnswer
from store.reading import receipts, requests, work
from store.tables import journal
from store.verbs.receipts import note_notified
from tests.world import DEVICE, OFFICER_1, World, csr_pem


def of_many(approvals: Sequence[str], **changes: Any) -> ProposeRevocations:
    said: dict[str, Any] = {"issuing_ca": None, "cause": EndCause.SSC, "reasons": "All of them."}
    return ProposeRevocations(**{"approvals": tuple(approvals), **said, **changes})


def progress(world: World, decision: str) -> RevocationsAnswer:
    return many.progress(world.desk, OFFICER_1, decision)


def state_of(world: World, approval: str) -> State:
    return approval_status(world.record(approval), world.clock.now()).state


def facts_of(world: World, kind: FactKind) -> list[Any]:
    with world.store.read() as tx:
        rows = tx.connection.execute(journal.select().where(journal.c.kind == kind.value).order_by(journal.c.id)).all()
    return [(row, read_json(row.payload)) for row in rows]


@pytest.fixture
def given(world: World) -> list[str]:
    """Three approvals with their certificates in force."""
    decided = [
        world.drafted(device=replace(DEVICE, model=f"{each:08X}"), **({} if not each else {"csr": csr_pem()}))
        for each in range(3)
    ]
    approvals = sorted(world.seconded(each) for each in decided)
    world.authority.settle()
    world.passes(timedelta(days=2))
    world.authority.settle()
    return approvals


@pytest.mark.locks
def test_two_officers_revoke_many_by_one_act(world: World, given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_out, "ENDED_AT_ONCE", 2)
    monkeypatch.setattr(carry_out, "TOLD_AT_ONCE", 2)
    with world.store.read() as tx:
        before = work.crl_numbers(tx, world.memory.hierarchy(HierarchyRole.ISSUING)[0].key_id)
    decision = world.proposed(of_many([*reversed(given), given[0]]))
    with world.store.read() as tx:
        proposed = requests.decision(tx, decision)
    assert many.listed_in(proposed) == given
    assert progress(world, decision) == RevocationsAnswer(
        decision=decision,
        state=DecisionState.PROPOSED,
        cause=EndCause.SSC,
        approvals_sha256=approvals_digest(given),
        total=3,
        carried_out=0,
        ended=0,
        already_ended=0,
        told=0,
        crl_number=None,
        begun_at=None,
        finished_at=None,
    )
    world.authority.settle()
    assert {state_of(world, each) for each in given} == {State.ACTIVE}  # one signature ends nothing
    world.seconded(decision)
    world.revoked(given[1])  # ends by itself before its turn comes: the first end stands
    world.authority.settle()
    assert {state_of(world, each) for each in given} == {State.CANCELLED}
    told = progress(world, decision)
    assert (told.state, told.carried_out, told.ended, told.already_ended, told.told) == (DecisionState.DONE, 3, 2, 1, 3)
    assert told.begun_at is not None
    assert told.finished_at is not None
    with world.store.read() as tx:
        after = work.crl_numbers(tx, world.memory.hierarchy(HierarchyRole.ISSUING)[0].key_id)
        notices = tx.connection.execute(
            text("SELECT approval FROM notices WHERE decision_id = :id ORDER BY approval"), {"id": decision}
        ).scalars()
        assert list(notices) == [given[0], given[2]]
    assert told.crl_number == after[-1]
    assert len(after) == len(before) + 1  # of what was ended in one turn, whoever did it, there is one list
    portions = [said for _, said in facts_of(world, FactKind.REVOCATIONS_CARRIED_OUT)]
    assert [(each["from"], each["to"], each["already_ended"]) for each in portions] == [(0, 2, [given[1]]), (2, 3, [])]
    assert [said for _, said in facts_of(world, FactKind.REVOCATIONS_FINISHED)] == [{"decision": decision, "total": 3}]
    ends = [(row, said) for row, said in facts_of(world, FactKind.APPROVAL_REVOKED) if said["decision"] == decision]
    assert [row.subject for row, _ in ends] == [given[0], given[2]]
    assert all(row.seal_number is not None for row, _ in ends)
    assert all(world.memory.end(each.serial) is not None for one in given for each in world.record(one).certificates)


def test_what_a_turn_ends_is_answered_and_listed_in_it_and_told_of_later(
    world: World, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_out, "ENDED_AT_ONCE", 1)
    monkeypatch.setattr(carry_out, "ENDED_IN_A_TURN", 2)
    world.authority.pace = replace(world.authority.pace, portion=1)
    decision = world.proposed(of_many(given))
    world.seconded(decision)
    for ended in (2, 3):
        world.authority.turn()
        told = progress(world, decision)
        assert (told.carried_out, told.ended, told.told) == (ended, ended, 0)
        with world.store.read() as tx:
            assert not work.ends_wait(tx, world.clock.now())
        said = [world.memory.end(one.serial) for each in given for one in world.record(each).certificates]
        assert [each is not None for each in said] == [True] * ended + [False] * (3 - ended)
    world.authority.turn()
    assert progress(world, decision).told == len(given)


def test_everything_of_an_issuing_ca_that_stands(world: World, given: list[str]) -> None:
    world.revoked(given[0])
    world.authority.settle()
    (above,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    decision = world.proposed(of_many((), issuing_ca=above.key_id, cause=EndCause.KEY_COMPROMISE))
    world.seconded(decision)
    world.authority.settle()
    told = progress(world, decision)
    assert (told.total, told.ended, told.already_ended) == (2, 2, 0)
    assert told.crl_number is not None
    # The approvals go on: another key can be certified under each.
    assert all(world.record(each).ended_at is None for each in given[1:])
    assert all(world.memory.end(one.serial) is not None for each in given for one in world.record(each).certificates)


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (of_many(()), BodyMalformed),
        (of_many(("TTA-2027-0099-0",)), NoSuchThing),
        (of_many((), issuing_ca="00" * 20), NoSuchThing),
    ],
)
def test_what_cannot_be_proposed(world: World, command: ProposeRevocations, refused: type[Exception]) -> None:
    with pytest.raises(refused):
        propose(world.desk, OFFICER_1, command)


def test_all_that_are_unknown_are_named_as_far_as_a_sentence_goes(world: World) -> None:
    unknown = [f"TTA-2027-{number:04d}-0" for number in range(1, 8)]
    with pytest.raises(NoSuchThing, match=f"{', '.join(unknown[:5])} and 2 more"):
        propose(world.desk, OFFICER_1, of_many(unknown))


def test_who_proposes_is_told_what_has_ended_before(world: World, given: list[str]) -> None:
    world.seconded(world.proposed(of_many(given[:1])))
    world.authority.settle()
    told = propose(world.desk, OFFICER_1, of_many(given))
    assert [(each.code, given[0] in each.detail) for each in told.findings] == [("ended-before", True)]


def test_an_invalidity_date_is_a_compromised_keys(world: World, given: list[str]) -> None:
    with pytest.raises(RulesRefused):
        propose(world.desk, OFFICER_1, of_many(given, invalidity_date=world.clock.now()))


def _write(world: World, sql: str, **values: object) -> None:
    with world.store.begin("somebody else") as tx:
        tx.connection.execute(text(sql), values)


def test_a_list_that_was_written_into_after_the_signatures_ends_nothing(world: World, given: list[str]) -> None:
    decision = world.proposed(of_many(given[:2]))
    world.seconded(decision)
    with world.store.read() as tx:
        said = read_json(requests.decision(tx, decision).proposal)
    said |= {"approvals": given, "count": 3, "approvals_sha256": approvals_digest(given)}
    altered = canonical(said).decode()
    _write(world, "UPDATE decisions SET proposal = :said WHERE id = :id", said=altered, id=decision)
    _write(world, "UPDATE revocations SET total = 3 WHERE decision_id = :id", id=decision)
    world.authority.settle()
    assert {state_of(world, each) for each in given} == {State.ACTIVE}
    assert AlarmCode.ACT_UNPROVED in {each.code for each in world.alarms()}


def test_an_act_that_one_officer_signed_for_ends_nothing(world: World, given: list[str]) -> None:
    decision = world.proposed(of_many(given))
    world.authority.settle()
    _write(
        world,
        "UPDATE decisions SET state = 'done', seconder = 'officer-2', seconded_at = 1, closed_at = 1 WHERE id = :id",
        id=decision,
    )
    _write(world, "INSERT INTO revocations (decision_id, total, begun_at) VALUES (:id, 3, 1)", id=decision)
    world.authority.settle()
    assert {state_of(world, each) for each in given} == {State.ACTIVE}
    assert AlarmCode.ACT_UNPROVED in {each.code for each in world.alarms()}


def test_an_end_in_the_name_of_an_act_that_does_not_list_it_is_stated_by_nobody(world: World, given: list[str]) -> None:
    decision = world.proposed(of_many(given[:2]))
    world.seconded(decision)
    world.authority.settle()
    with world.store.read() as tx:
        digest = requests.decision(tx, decision).proposal_sha256
    serial = world.record(given[2]).certificates[0].serial
    payload = canonical({"serial": serial, "cause": "ssc", "decision": decision, "proposal_sha256": digest}).decode()
    at = int(world.clock.now().timestamp())
    _write(
        world,
        "UPDATE certificates SET revoked_at = :at, cause = 'ssc', ends_at = :at, fate = fate + 1, presign_due = 0 "
        "WHERE serial = :serial",
        at=at,
        serial=serial,
    )
    _write(
        world,
        "INSERT INTO journal (kind, at, actor, subject, approvals, payload) "
        "VALUES ('certificate-revoked', :at, 'authority', :subject, :of, :payload)",
        at=at,
        subject=given[2],
        of=f" {given[2]} ",
        payload=payload,
    )
    world.authority.settle()
    assert world.memory.end(serial) is None
    assert {AlarmCode.ACT_UNPROVED, AlarmCode.END_UNPROVED} & {each.code for each in world.alarms()}


@pytest.mark.locks
def test_it_is_decided_once(world: World, given: list[str]) -> None:
    decision = world.proposed(of_many(given))
    world.seconded(decision)
    world.authority.settle()
    with pytest.raises(WrongState):
        world.seconded(decision)


class _PowerCut(BaseException):
    pass


@pytest.mark.locks
@pytest.mark.parametrize("at", ["carry out revocations", "tell of revocations"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whoever_dies_in_a_portion_leaves_the_rest_to_the_next(
    world: World, given: list[str], monkeypatch: pytest.MonkeyPatch, at: str, when: str
) -> None:
    monkeypatch.setattr(carry_out, "ENDED_AT_ONCE", 1)
    monkeypatch.setattr(carry_out, "TOLD_AT_ONCE", 1)
    decision = world.proposed(of_many(given))
    world.seconded(decision)
    left = 1

    def die(name: str) -> None:
        nonlocal left
        if name == f"{when} commit {at}":
            left -= 1
            if left < 0:
                raise _PowerCut

    observe(die)
    try:
        with pytest.raises(_PowerCut):
            world.authority.settle()
    finally:
        observe(None)
    world.authority.settle()
    told = progress(world, decision)
    assert (told.ended, told.already_ended, told.told, told.crl_number is None) == (3, 0, 3, False)
    assert len(facts_of(world, FactKind.APPROVAL_REVOKED)) == 3
    assert len([1 for _, said in facts_of(world, FactKind.NOTICE_WRITTEN) if said["kind"] == "revocation"]) == 3
    assert len(facts_of(world, FactKind.REVOCATIONS_FINISHED)) == 1


def test_each_has_a_receipt_of_its_own(world: World, given: list[str]) -> None:
    decision = world.proposed(of_many(given))
    world.seconded(decision)
    world.authority.settle()
    with world.store.begin("it came") as tx:
        first, *others = (receipts.receipts_of(tx, each)[0] for each in given)
        assert first.notice is not None
        note_notified(tx, first.notice, Recipient.DCC)
        told = [{line.told for line in receipts.receipts_of(tx, each)[0].lines} for each in given]
    assert len({each.notice for each in (first, *others)}) == len(given)
    assert (Told.DCC in told[0], Told.DCC in told[1] | told[2]) == (True, False)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM revocations WHERE decision_id = :id", True),
        ("UPDATE revocations SET done = 3, told = 3, finished_at = begun_at WHERE decision_id = :id", True),
        ("UPDATE revocations SET done = 3, told = 3 WHERE decision_id = :id", False),
        ("UPDATE revocations SET done = 2 WHERE decision_id = :id", False),
        ("UPDATE revocations SET total = 2 WHERE decision_id = :id", False),
    ],
)
@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.KEY_COMPROMISE])
def test_a_row_that_says_it_is_done_or_not_decided_holds_nothing_up(
    world: World,
    given: list[str],
    sql: str,
    told: bool,  # noqa: FBT001 - of the table
    cause: EndCause,
) -> None:
    decision = world.proposed(of_many(given, cause=cause))
    world.seconded(decision)
    _write(world, sql, id=decision)
    world.authority.audit.interval = 0
    alarms = set[str]()
    for _ in range(3):
        world.authority.settle()
        alarms |= {each.sentence for each in world.alarms() if each.code is AlarmCode.REGISTER_CONTRADICTS}
        world.passes(timedelta(minutes=2))
    assert any("It is carried out again" in each for each in alarms) is told
    assert all(world.memory.end(one.serial) is not None for each in given for one in world.record(each).certificates)
    _write(
        world,
        "UPDATE revocations SET total = 2, done = 0, told = 0, finished_at = NULL WHERE decision_id = :id",
        id=decision,
    )
    world.authority.settle()  # once more from the beginning: each has come of it already
    said = progress(world, decision)
    assert (said.carried_out, said.ended, said.told, said.finished_at is None) == (3, 3, 3, False)
    assert len([1 for _, said in facts_of(world, FactKind.NOTICE_WRITTEN) if said["kind"] == "revocation"]) == 3
    assert AlarmCode.ACT_UNPROVED not in {each.code for each in world.alarms()}


@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.KEY_COMPROMISE])
def test_an_approval_that_cannot_be_read_keeps_no_other_one_waiting(
    world: World, given: list[str], cause: EndCause
) -> None:
    decision = world.proposed(of_many(given, cause=cause))
    world.seconded(decision)
    with world.store.read() as tx:
        firmware = tx.connection.execute(
            text("SELECT firmware FROM terms WHERE approval = :a"), {"a": given[0]}
        ).scalar()
    _write(world, "UPDATE terms SET firmware = 'x' WHERE approval = :approval", approval=given[0])
    world.authority.settle()
    assert {state_of(world, each) for each in given[1:]} == {State.CANCELLED}
    told = progress(world, decision)
    assert (told.told, told.finished_at) == (2, None)
    failing = [each.sentence for each in world.alarms() if each.code is AlarmCode.JOB_FAILS]
    assert any("carry_out_revocations" in each and given[0] in each for each in failing)
    _write(world, "UPDATE terms SET firmware = :said WHERE approval = :approval", approval=given[0], said=firmware)
    world.passes(timedelta(minutes=2))
    world.authority.settle()
    told = progress(world, decision)
    assert (told.ended, told.told, told.finished_at is None) == (3, 3, False)
    assert len(facts_of(world, FactKind.REVOCATIONS_FINISHED)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE decisions SET proposal = '{}' WHERE id = :id",
        "UPDATE decisions SET proposal = 'x' WHERE id = :id",
        "UPDATE decisions SET proposal_sha256 = '" + 64 * "0" + "' WHERE id = :id",
    ],
)
def test_another_proposal_than_was_seconded_is_told_long_afterwards(world: World, given: list[str], sql: str) -> None:
    decision = world.proposed(of_many(given))
    world.seconded(decision)
    world.authority.settle()
    _write(world, sql, id=decision)
    world.authority.audit.interval = 0
    told = set[str]()
    for _ in range(3):
        world.passes(timedelta(minutes=2))
        world.authority.settle()
        told |= {each.sentence for each in world.alarms() if each.code is AlarmCode.REGISTER_CONTRADICTS}
    assert any(decision in each and "another proposal" in each for each in told)
