"""A clock that is wrong: what is doubted, what is done meanwhile, and that all is right when it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.alarms import AlarmCode
from core.approval import Device, EndCause
from core.clock import FixedClock, synchronised
from core.errors import ClockDoubtful, ClockRefused
from core.facts import FactKind
from core.identifiers import Environment
from core.kinds import HierarchyRole
from jobs.accept_clock import accept_clock
from jobs.clocks import BelievedClock
from jobs.doubt import Limits, Shown, Why, judged
from memory.memory import Memory
from memory.records import At
from ra.deciding.kinds.grant import ProposeGrant
from store.reading import authority as authority_reading
from store.tables import certificates, journal, lease
from tests.channels_world import HASHES, Channels, Proof
from tests.memory_world import BEGUN, Key
from tests.world import NOW, World, ending

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2027, 1, 4, 12, tzinfo=UTC)
LIMITS = Limits()
OTHER, ANOTHER = Device("ESME", "AB01", "010A030C", "01"), Device("ESME", "AB01", "010A030D", "01")


def at(wall: timedelta = timedelta(0), *, boot: int | None = None, boot_id: str = "a") -> At:
    """What clocks show so long after NOW; CLOCK_BOOTTIME goes with them unless it is said."""
    return At(wall=NOW + wall, boot=1000 + (int(wall.total_seconds()) if boot is None else boot), boot_id=boot_id)


# --- the judgement -----------------------------------------------------------------------------------------------

JUDGED = [
    pytest.param(Shown(reading=at(), last=None, turn=None), None, id="nothing was ever signed"),
    pytest.param(Shown(reading=at(), last=at(), turn=at()), None, id="the same second"),
    pytest.param(Shown(reading=at(-2 * SECOND), last=at(), turn=at()), None, id="a leap second"),
    pytest.param(Shown(reading=at(-3 * SECOND, boot=0), last=at(), turn=at()), Why.BEHIND, id="three seconds behind"),
    pytest.param(
        Shown(reading=at(-3 * SECOND), last=at(), turn=None, second=(NOW - 3 * SECOND,)), Why.BEHIND, id="it is so"
    ),
    pytest.param(
        Shown(reading=at(-2 * HOUR, boot_id="b"), last=at(), turn=None), Why.BEHIND, id="behind, after a start"
    ),
    pytest.param(Shown(reading=at(8 * HOUR), last=at(), turn=at()), None, id="suspend and resume"),
    pytest.param(Shown(reading=at(DAY, boot=86_399), last=at(), turn=at()), None, id="a leap smear"),
    pytest.param(Shown(reading=at(5 * MINUTE, boot=0), last=at(), turn=at()), None, id="a small step"),
    pytest.param(Shown(reading=at(301 * SECOND, boot=0), last=at(), turn=at()), Why.STEPPED, id="a step"),
    pytest.param(
        Shown(reading=at(2 * DAY, boot=1), last=at(), turn=at(), second=(NOW + 2 * DAY - 5 * SECOND,)),
        None,
        id="a step that a second clock has made too",
    ),
    pytest.param(
        Shown(reading=at(2 * DAY, boot=1), last=at(), turn=at(), second=(NOW + SECOND,)),
        Why.STEPPED,
        id="a step that a second clock has not made",
    ),
    pytest.param(Shown(reading=at(HOUR, boot=1), last=at(), turn=None), Why.STEPPED, id="a step over a restart"),
    pytest.param(Shown(reading=at(HOUR, boot_id="b"), last=at(), turn=at()), None, id="NTP at the machine's start"),
    pytest.param(Shown(reading=at(HOUR, boot=0, boot_id=""), last=at(boot_id=""), turn=None), None, id="no BOOTTIME"),
    pytest.param(
        Shown(reading=at(301 * SECOND, boot=1), last=at(301 * SECOND, boot=1), turn=at()), None, id="accepted since"
    ),
    pytest.param(Shown(reading=at(DAY, boot_id="b"), last=at(), turn=None), None, id="a day's rest"),
    pytest.param(Shown(reading=at(DAY + SECOND), last=at(), turn=None), Why.RESTED, id="a longer one"),
    pytest.param(Shown(reading=at(DAY + SECOND), last=at(), turn=at()), None, id="a quiet day is no rest"),
    pytest.param(
        Shown(reading=at(40 * DAY, boot_id="b"), last=at(), turn=None, second=(NOW + 40 * DAY,)), None, id="it was long"
    ),
]


@pytest.mark.parametrize(("shown", "why"), JUDGED)
def test_the_clock_is_judged_by_what_was_read_before(shown: Shown, why: Why | None) -> None:
    doubt = judged(shown, LIMITS)
    assert (doubt.why if doubt else None) == why


@pytest.mark.parametrize(
    ("shown", "held"),
    [
        (Shown(reading=at(2 * DAY, boot=15), last=at(), turn=at()), NOW + 15 * SECOND),
        (Shown(reading=at(-2 * HOUR, boot=15), last=at(), turn=at(5 * SECOND)), NOW + 15 * SECOND),
        (Shown(reading=at(-2 * HOUR, boot_id="b"), last=at(), turn=None), NOW),
    ],
)
def test_in_doubt_time_goes_on_as_it_did(shown: Shown, held: datetime) -> None:
    doubt = judged(shown, LIMITS)
    assert doubt is not None
    assert doubt.held == held


def test_the_kernel_says_whether_somebody_keeps_its_clock_right() -> None:
    said = synchronised()
    assert said is None or abs(said - datetime.now(UTC)) < MINUTE


# --- the authority -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["live", "test"])
def test_only_a_test_authority_s_clock_runs_ahead(tmp_path: Path, environment: Environment) -> None:
    year = 365 * DAY
    added = At(wall=NOW, boot=1000, boot_id="a", offset=int(year.total_seconds()))
    memory = Memory.begin(tmp_path, Key(), BEGUN, lambda: added)
    believed = BelievedClock(FixedClock(NOW + year), memory, tuple, LIMITS, environment)
    assert memory.last_at == added
    assert believed.look() == []
    assert believed.now() == (NOW if environment == "live" else NOW + year)
    memory.close()


def codes(world: World) -> set[AlarmCode]:
    return {each.code for each in world.alarms()}


def trial(world: World) -> str:
    """An approval that holds, in the middle of its first day."""
    approval = world.granted()
    world.passes(START - NOW)
    world.authority.settle()
    return approval


def right(world: World, approval: str, proof: Proof) -> None:
    """Every channel says at this instant what is so."""
    channels = Channels(world)
    (certificate,) = world.record(approval).certificates
    for name in HASHES:
        assert channels.ocsp(certificate.serial, name) == proof
    assert channels.by_approval(approval).valid is (proof.status == "good")
    crl = channels.mirror.view().authority.crls[channels.issuing.key_id]
    assert crl.this_update <= world.clock.now() <= crl.next_update
    assert (certificate.serial in channels.crl()) is (proof.status == "revoked")


GOOD = Proof("good")


def turns(world: World, count: int = 3) -> None:
    for _ in range(count):
        world.passes(5 * SECOND)
        world.authority.turn()


@pytest.mark.parametrize("by", [2 * DAY, -2 * HOUR], ids=str)
def test_a_clock_that_is_moved_while_running_dates_nothing_and_all_is_right_when_it_is(
    world: World, by: timedelta
) -> None:
    approval = trial(world)
    waiting = world.drafted(device=OTHER)
    right(world, approval, GOOD)
    world.move_clock(by)
    turns(world)
    assert AlarmCode.CLOCK_DOUBTFUL in codes(world)
    with pytest.raises(ClockDoubtful):
        world.seconded(waiting)
    with world.store.read() as tx:
        latest = max(tx.connection.execute(select(journal.c.sealed_at)).scalars())
    assert latest <= world.clock.now() - by
    world.move_clock(-by)
    world.authority.turn()
    assert AlarmCode.CLOCK_DOUBTFUL not in codes(world)
    right(world, approval, GOOD)
    world.seconded(waiting)
    world.revoked(approval)
    world.authority.settle()
    right(world, approval, Proof("revoked", world.clock.now(), "privilegeWithdrawn"))


def test_a_clock_that_is_set_back_before_a_start_keeps_nobody_out_of_office(world: World) -> None:
    approval = trial(world)
    world.authority = world.another_authority()
    world.authority.settle()
    world.move_clock(-2 * HOUR)
    world.authority = world.another_authority()
    assert world.authority.turn() is not None, "the lease of the one before ends in two hours"
    assert codes(world) >= {AlarmCode.CLOCK_DOUBTFUL, AlarmCode.LEASE_VOID}
    revoked = world.revoked(approval).revoked_at
    assert revoked == START - 2 * HOUR, "what was remembered is further ahead than clocks differ: it dates no end"
    turns(world)
    world.move_clock(2 * HOUR)
    world.authority.settle()
    right(world, approval, Proof("revoked", revoked, "privilegeWithdrawn"))


@pytest.mark.parametrize("by", [2 * HOUR, 40 * DAY], ids=str)
def test_what_a_clock_dated_ahead_that_was_wrong_from_the_start_is_made_anew(world: World, by: timedelta) -> None:
    approval = trial(world)
    world.applied(device=OTHER)
    world.move_clock(by)
    world.second = [world.machine.now()]
    world.authority.settle()  # it was believed
    with world.store.begin("old") as tx:
        tx.connection.execute(update(certificates).values(presign_due=world.clock.now()))
    world.authority.settle()
    world.move_clock(-by)
    world.second = [world.machine.now()]
    world.authority.settle()
    right(world, approval, GOOD)
    assert AlarmCode.CLOCK_DOUBTFUL in codes(world)
    with pytest.raises(ClockRefused):
        accept_clock(world.store, world.memory, LIMITS, shown=world.memory.read_clocks(), year=2026, sentence="No.")
    shown = world.memory.read_clocks()
    world.move_clock(3 * SECOND)
    with pytest.raises(ClockRefused, match="it was moved after it showed"):
        accept_clock(world.store, world.memory, LIMITS, shown=shown, year=2027, sentence="No.")
    world.move_clock(-3 * SECOND)
    accept_clock(world.store, world.memory, LIMITS, shown=shown, year=2027, sentence="The battery was flat.")
    assert b"The battery was flat." in world.memory.after(world.memory.last - 2, 1)[0].body
    world.authority.settle()
    assert AlarmCode.CLOCK_DOUBTFUL not in codes(world)
    with pytest.raises(ClockRefused, match="nobody doubts it"):
        accept_clock(
            world.store,
            world.memory,
            LIMITS,
            shown=world.memory.read_clocks(),
            year=2027,
            sentence="The battery was flat.",
        )
    with world.store.read() as tx:
        kinds = set(tx.connection.execute(select(journal.c.kind)).scalars())
        responders = authority_reading.certificates(tx, HierarchyRole.RESPONDER)
    assert FactKind.CLOCK_ACCEPTED in kinds
    assert min(each.not_before for each in responders) <= world.clock.now()
    world.revoked(approval)
    world.authority.settle()
    right(world, approval, Proof("revoked", world.clock.now(), "privilegeWithdrawn"))


def set_back_a_little(world: World) -> None:
    world.move_clock(-MINUTE)
    world.second = [world.machine.now()]


QUIET: dict[str, Callable[[World], None]] = {
    "suspend and resume": lambda world: world.passes(8 * HOUR),
    "a small step": lambda world: world.move_clock(4 * MINUTE),
    "NTP sets it back a little": set_back_a_little,
    "a test clock is moved on": lambda world: world.clock.advance(30 * DAY),
}


@pytest.mark.parametrize("what", QUIET)
def test_what_clocks_do_by_themselves_is_no_alarm(world: World, what: str) -> None:
    trial(world)
    QUIET[what](world)
    world.authority.settle()
    assert not codes(world) & {AlarmCode.CLOCK_DOUBTFUL, AlarmCode.CLOCK_LOWERED, AlarmCode.FACT_AHEAD}


# --- what people do meanwhile ------------------------------------------------------------------------------------


def doubted(world: World) -> None:
    world.move_clock(2 * DAY)
    world.authority.turn()


def behind(world: World) -> None:
    world.clock.instant -= 3 * SECOND


@pytest.mark.parametrize("wrong", [doubted, behind])
def test_what_certifies_is_refused_and_ends_are_taken(world: World, wrong: Callable[[World], None]) -> None:
    approval = trial(world)
    waiting = world.drafted(device=OTHER)
    application = world.applied(device=ANOTHER)
    ends = world.proposed(ending(approval, EndCause.SSC, "It has to be."))
    known = world.clock.now()
    wrong(world)
    with pytest.raises(ClockDoubtful):
        world.seconded(waiting)
    with pytest.raises(ClockDoubtful):
        world.proposed(ProposeGrant(application, "It looks sound."))
    world.seconded(ends)
    ended = world.record(approval).ended_at
    assert ended is not None
    assert ended >= known


# --- rows that say otherwise ---------------------------------------------------------------------------------------


def test_a_fact_dated_ahead_is_sealed_with_the_sealers_instant(world: World) -> None:
    trial(world)
    world.applied()
    with world.store.begin("ahead") as tx:
        tx.connection.execute(update(journal).where(journal.c.seal_number.is_(None)).values(at=START + 2 * DAY))
    world.authority.settle()
    world.applied(device=OTHER)
    world.authority.settle()
    with world.store.read() as tx:
        assert max(tx.connection.execute(select(journal.c.sealed_at)).scalars()) == START
    assert AlarmCode.FACT_AHEAD in codes(world)


def test_a_lease_that_ends_too_late_is_void(world: World) -> None:
    world.authority.settle()
    with world.store.begin("forged") as tx:
        forged = {"holder": "nobody", "expires_at": datetime(9999, 12, 31, tzinfo=UTC)}
        tx.connection.execute(update(lease).values(**forged))
    other = world.another_authority()
    assert other.turn() is not None
    assert AlarmCode.LEASE_VOID in codes(world)


def test_a_test_clock_that_a_row_set_back_goes_on(world: World) -> None:
    approval = trial(world)
    world.clock.advance(30 * DAY)
    world.passes(MINUTE)
    world.revoked(world.granted(device=OTHER, start=world.clock.now().date()))
    world.authority.settle()
    world.clock.instant -= 20 * DAY
    world.authority.turn()
    assert AlarmCode.CLOCK_LOWERED in codes(world)
    world.clock.instant += 20 * DAY
    world.authority.settle()
    right(world, approval, GOOD)
    assert AlarmCode.CLOCK_LOWERED not in codes(world)
