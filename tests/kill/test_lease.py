"""Two authority processes at once: one works, the other waits; who has lost the lease writes nothing."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from core.clock import FixedClock, SystemClock
from core.errors import StoreUnavailable
from jobs.authority import Authority
from jobs.pace import Pace
from ra.deciding.kinds.grant import ProposeGrant
from store.reading import journal
from store.tables import lease, metadata
from tests.kill.process import Death, Process, Tell
from tests.kill.proof import problems
from tests.kill.steps import SUCCESSION, Place
from tests.world import DEVICE, NOW, World, csr_pem

SUCCESSION_SECONDS = 15.0
"""Within which a successor is in office, whatever its predecessor was doing when it froze."""


def test_a_paused_holder_that_wakes_after_losing_the_lease_writes_nothing(world: World, keys_folder: Path) -> None:
    approval = world.seconded(world.drafted())
    place = Place(world.url, keys_folder, 1)

    def turns(_tell: Tell) -> list[int | None]:
        made = place.world(NOW)
        signed = made.authority.turn()
        made.passes(SUCCESSION)  # it wakes when the other works; a lease from the future would be void
        return [signed, made.authority.turn()]

    paused = Process(turns, pause=Death("before signature", 3))
    # It has begun the log, signed a head over what it acts upon, claimed the draft and is about to sign it.
    paused.wait_paused()
    other = Process(lambda _tell: place.after().world(NOW).authority.settle()).wait()
    other.done()
    assert len(world.record(approval).certificates) == 1
    before = _everything(world)
    paused.go_on()
    life = paused.wait()
    # It does sign, the same bytes to the same signature; then it is told that the lease is another's, and waits. What
    # it sealed before are the facts of the agreement, and that the log begins, which it did itself.
    assert life.done() == [4, None]
    assert any(each.signature and each.kind == "a certificate" for each in life.signings)
    assert _everything(world) == before
    world.passes(2 * SUCCESSION)  # who looks lives no earlier than the other
    assert problems(world.store, world.clock, [*life.signings, *other.signings], world.memory) == []


def test_a_second_authority_waits_and_takes_over_when_the_first_is_killed(world: World, keys_folder: Path) -> None:
    def run(tell: Tell) -> None:
        made = Place(world.url, keys_folder).world(NOW)
        pace = Pace(lease_length=timedelta(seconds=2))
        authority = Authority(made.store, made.clock, SystemClock(), made.authority.keyring, made.memory, pace)
        authority.run(threading.Event(), ready=lambda: tell("acknowledged", "ready"))

    first = Process(run)
    first.hear_until(lambda life: bool(life.acknowledged))
    second = Process(run)
    second.hear_until(lambda life: "after commit lease" in life.boundaries)
    _grant(world, "FIRST", first, second)
    assert second.hear_now().acknowledged == []
    first.kill()
    assert first.wait().killed
    second.hear_until(lambda life: bool(life.acknowledged))
    _grant(world, "SECOND", second)
    second.kill()
    second.wait()
    made = Place(world.url, keys_folder).world(NOW)
    after_both = FixedClock(SystemClock().now() + SUCCESSION)
    Authority(made.store, made.clock, after_both, made.authority.keyring, made.memory).settle()
    made.close()
    assert problems(world.store, world.clock, [*first.life.signings, *second.life.signings], world.memory) == []


@pytest.mark.parametrize("store_kind", ["postgresql"])  # SQLite's lock is the process's, which has not ended
@pytest.mark.parametrize("where", ["before commit claim", "before commit seal"])
def test_a_holder_frozen_in_a_transaction_is_succeeded_in_time_and_finds_it_dead(
    world: World, keys_folder: Path, where: str
) -> None:
    approval = world.seconded(world.drafted())
    with world.store.begin("forget") as tx:
        tx.connection.execute(delete(lease))  # it is about a machine whose clock is a test's

    def made() -> Authority:
        mine = Place(world.url, keys_folder).world(NOW)
        return Authority(mine.store, mine.clock, SystemClock(), mine.authority.keyring, mine.memory)

    def turns(_tell: Tell) -> list[str | int | None]:
        authority = made()
        said: list[str | int | None] = []
        for _ in range(2):
            try:
                said.append(authority.turn())
            except StoreUnavailable as error:
                said.append(error.code)
        return said

    def run(tell: Tell) -> None:
        made().run(threading.Event(), ready=lambda: tell("acknowledged", "ready"))

    frozen = Process(turns, pause=Death(where, 1))
    frozen.wait_paused()  # it holds the row of its lease, and has written what it has not committed
    began = time.monotonic()
    successor = Process(run)
    successor.hear_until(lambda life: bool(life.acknowledged))
    assert time.monotonic() - began < SUCCESSION_SECONDS
    _until(lambda: len(world.record(approval).certificates) == 1, successor)
    _until(lambda: _rested(world), successor)
    successor.kill()
    successor.wait()
    before = _everything(world)
    frozen.go_on()
    assert frozen.wait().done() == ["store-unavailable", None]
    assert _everything(world) == before
    assert problems(world.store, world.clock, [*frozen.life.signings, *successor.life.signings], world.memory) == []


def _until(reached: Callable[[], bool], *working: Process) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "nobody works"
        for each in working:
            each.hear_now()
        time.sleep(0.05)


def _rested(world: World) -> bool:
    with world.store.read() as tx:
        return not journal.unsealed(tx, 1) and journal.last_sealed(tx)[0] == journal.heads(tx)[-1].number


def _grant(world: World, model: str, *working: Process) -> None:
    """Grant an approval; only the processes draft and sign."""
    device = DEVICE.__class__(DEVICE.type, DEVICE.manufacturer, model, DEVICE.hardware_version)
    decision = world.proposed(ProposeGrant(world.applied(device=device, csr=csr_pem()), "Sound."))
    _until(lambda: world.decision_state(decision) == "drafted", *working)
    approval = world.seconded(decision)
    _until(lambda: bool(world.record(approval).certificates), *working)


def _everything(world: World) -> dict[str, list[Any]]:
    with world.store.read() as tx:
        return {
            table.name: sorted(map(tuple, tx.connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
