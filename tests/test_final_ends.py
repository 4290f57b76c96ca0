"""A published end is final: what a clock behind or an act between two steps would make of it comes too late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ca.revocation import gate
from core.approval import OFFICERS_CAUSES, EndCause, RevocationReason
from core.errors import AlreadyEnded, WrongState
from core.instants import text
from core.status import State, approval_status
from jobs import ends, presign, publish
from jobs.aside import TRIED_AGAIN
from jobs.duty import Duty
from ra.telling import approvals as look
from store.tables import ocsp_answers
from tests.channels_world import HASHES, Channels, Proof
from tests.cycle_world import device
from tests.final_world import SECOND, STEPS, BetweenSteps, Rounds, end_at
from tests.world import OFFICER_1, World, ending

EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
ROUNDS = 1_000


def require_taken(refused: AlreadyEnded | WrongState | None) -> None:
    assert refused is None


def test_what_has_expired_on_a_list_is_ended_by_no_clock_that_is_behind(world: World) -> None:
    approvals = {
        cause: world.granted(device=device(each))
        for each, cause in enumerate((*OFFICERS_CAUSES, EndCause.MANUFACTURER), 1)
    }
    world.at(EXPIRY + SECOND)
    world.authority.settle()
    for cause, approval in approvals.items():
        refused = end_at(world, approval, cause, EXPIRY)
        assert refused is not None
        assert (refused.code, text(EXPIRY + SECOND) in str(refused)) == ("already-ended", True)
    world.authority.settle()
    assert {each[:2] for each in Channels(world).crl().values()} == {(EXPIRY + SECOND, "cessationOfOperation")}
    for approval in approvals.values():
        assert world.record(approval).ended_at is None
        assert approval_status(world.record(approval), world.clock.now()).state is State.EXPIRED
    world.at(EXPIRY + timedelta(days=1))
    world.authority.settle()
    assert world.alarms() == ()


def test_an_end_that_is_dated_before_a_stated_one_moves_it_no_more(world: World) -> None:
    approval = world.granted()
    at = world.clock.now()
    assert end_at(world, approval, EndCause.KEY_COMPROMISE, at) is None
    world.authority.settle()
    # The approval stands; its certificate was stated to have ended, and another web's clock is a second behind: ends
    # are dated by what the authority has signed where that is later.
    assert end_at(world, approval, EndCause.SSC, at - SECOND) is None
    world.at(at + SECOND)
    world.authority.settle()
    record = world.record(approval)
    assert (record.ended_at, record.certificates[0].revoked_at) == (at, at)
    (entry,) = Channels(world).crl().values()
    assert entry[:2] == (at, "keyCompromise")
    assert world.alarms() == ()


def test_an_act_in_the_last_second_is_the_end_or_is_refused_wherever_it_falls(world: World) -> None:
    """The authority's clock has passed the expiry; web's has not."""
    rounds = Rounds(world, "each")
    for step in STEPS:
        rounds.once(step, now=1, behind=1)
    assert (rounds.refused, rounds.ended) != (0, 0)
    rounds.store.close()


def _duty(world: World) -> Duty:
    duty = world.authority._duty()
    assert duty is not None
    return duty


def test_neither_list_nor_answer_states_an_expiry_while_an_earlier_end_waits_to_be_proved(world: World) -> None:
    approval = world.granted()
    world.at(EXPIRY + SECOND)
    assert end_at(world, approval, EndCause.BREACH, EXPIRY) is None
    duty, now = _duty(world), world.clock.now()
    # Sealing is late: these jobs come first, as if the fact had been written behind it.
    before = world.memory.last
    assert publish.publish_if_due(duty, now) == 0
    assert presign.presign(duty, now) == 0
    assert world.memory.last == before
    world.authority.settle()
    entry = Channels(world).crl()[world.record(approval).certificates[0].serial]
    assert entry[:2] == (EXPIRY, "privilegeWithdrawn")
    assert world.alarms() == ()


def test_answers_of_a_fate_that_changed_while_they_were_signed_are_not_kept(world: World) -> None:
    store = BetweenSteps(world.url)
    world.authority.store = store
    approval = world.granted()
    world.at(world.clock.now() + timedelta(hours=7))  # its answers are due
    store.before["keep answers"] = lambda: require_taken(end_at(world, approval, EndCause.SSC, world.clock.now()))
    world.authority.turn()
    view = Channels(world)
    world.authority.settle()
    view.follow()
    serial = world.record(approval).certificates[0].serial
    for name in HASHES:
        assert view.ocsp(serial, name) == Proof("revoked", world.clock.now(), "privilegeWithdrawn")
    store.close()


def test_what_dies_between_the_final_end_and_its_record_is_remembered_by_the_next_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = world.granted()
    world.revoked(approval)

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ends, "_remember", dies)
        with pytest.raises(KeyboardInterrupt):
            world.authority.turn()
    serial = world.record(approval).certificates[0].serial
    assert world.memory.end(serial) is None
    world.authority.settle()
    stated = world.memory.end(serial)
    assert stated is not None
    assert stated.reason is RevocationReason.PRIVILEGE_WITHDRAWN
    assert len(Channels(world).crl()) == 1


def test_a_proposal_to_end_what_expires_meanwhile_is_refused_with_that_date(world: World) -> None:
    approval = world.granted()
    world.at(EXPIRY)
    decision = world.proposed(ending(approval, EndCause.SSC, "It has to be."))
    world.at(EXPIRY + SECOND)
    world.authority.turn()
    assert world.decision_state(decision) == "lapsed"


def test_whoever_ends_it_sees_whether_a_list_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = world.granted()
    (certificate,) = look.approval(world.desk, OFFICER_1, approval).certificates
    assert (certificate.ended_at, certificate.listed_in) == (None, None)
    world.revoked(approval)
    with monkeypatch.context() as patched:
        patched.setattr(gate, "inspect", lambda *_, **__: ("it is wrong",))
        world.authority.settle()
        (certificate,) = look.approval(world.desk, OFFICER_1, approval).certificates
        assert (certificate.ended_at, certificate.listed_in) == (world.clock.now(), None)
        # The list is refused; answers go out.
        assert Channels(world).ocsp(certificate.serial, "sha256").status == "revoked"
    world.passes(TRIED_AGAIN)
    world.authority.settle()
    (certificate,) = look.approval(world.desk, OFFICER_1, approval).certificates
    assert certificate.listed_in == world.memory.newest_list(Channels(world).issuing.key_id).number  # type: ignore[union-attr]


def test_one_second_apart_at_random_there_is_one_end_each_and_lists_go_on(world: World, store_kind: str) -> None:
    rounds = Rounds(world, store_kind)
    for _ in range(4):
        rounds.once()
    rounds.store.close()


@pytest.mark.long
def test_one_second_apart_a_thousand_times_there_is_one_end_each(
    store_kind: str, store_copy: Callable[[str], str], keys_folder: object
) -> None:
    refused = ended = 0
    for first in range(0, ROUNDS, 100):
        world = World(store_copy(store_kind), keys_folder)  # type: ignore[arg-type] # a path
        rounds = Rounds(world, f"{store_kind} {first}")
        for _ in range(100):
            rounds.once()
        refused, ended = refused + rounds.refused, ended + rounds.ended
        rounds.store.close()
        world.close()
    assert refused > ROUNDS // 10
    assert ended > ROUNDS // 10


@pytest.mark.parametrize("back", [1, 2, 3, 240, 72_000])
def test_a_clock_that_is_set_back_undoes_no_end_that_was_stated(world: World, back: int) -> None:
    approval, other = world.granted(device=device(1)), world.granted(device=device(2))
    world.revoked(approval)
    world.authority.settle()
    before = Channels(world).crl()
    assert len(before) == 1
    world.move_clock(-back * SECOND)
    for _ in range(5):
        world.authority.turn()
    channels = Channels(world)
    assert channels.crl() == before
    serial = world.record(approval).certificates[0].serial
    newest = select(ocsp_answers.c.revoked_at).where(ocsp_answers.c.serial == serial).order_by(ocsp_answers.c.id.desc())
    with world.store.read() as tx:
        assert tx.connection.execute(newest.limit(1)).scalar() is not None
    world.move_clock((back + 60) * SECOND)
    world.revoked(other)
    world.authority.settle()
    assert set(Channels(world).crl()) > set(before)
