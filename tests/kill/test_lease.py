"""Two authority processes at once: one works, the other waits; who has lost the lease writes nothing."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.clock import SystemClock
from jobs.authority import Authority
from jobs.duty import Pace
from ra.deciding.kinds.grant import ProposeGrant
from store.tables import metadata
from tests.kill.process import Death, Process, Tell
from tests.kill.proof import problems
from tests.kill.steps import Place
from tests.world import DEVICE, NOW, World, csr_pem


def test_a_paused_holder_that_wakes_after_losing_the_lease_writes_nothing(world: World, keys_folder: Path) -> None:
    approval = world.seconded(world.drafted())
    place = Place(world.url, keys_folder, 1)

    def turns(_tell: Tell) -> list[int | None]:
        made = place.world(NOW)
        return [made.authority.turn(), made.authority.turn()]

    paused = Process(turns, pause=Death("before signature", 1))
    paused.wait_paused()  # it has claimed the draft and is about to sign it
    other = Process(lambda _tell: place.after().world(NOW).authority.settle()).wait()
    other.done()
    assert len(world.record(approval).certificates) == 1
    before = _everything(world)
    paused.go_on()
    life = paused.wait()
    # It does sign, the same bytes to the same signature; then it is told that the lease is another's, and waits.
    assert life.done() == [0, None]
    assert any(each.signature and each.kind == "a certificate" for each in life.signings)
    assert _everything(world) == before
    assert problems(world.store, world.clock, [*life.signings, *other.signings]) == []


def test_a_second_authority_waits_and_takes_over_when_the_first_is_killed(world: World, keys_folder: Path) -> None:
    def run(tell: Tell) -> None:
        made = Place(world.url, keys_folder).world(NOW)
        pace = Pace(lease_length=timedelta(seconds=2))
        authority = Authority(made.store, made.clock, SystemClock(), made.authority.keyring, pace)
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
    made = Place(world.url, keys_folder, 100_000).world(NOW)  # long after both
    made.authority.settle()
    made.close()
    assert problems(world.store, world.clock, [*first.life.signings, *second.life.signings]) == []


def _grant(world: World, model: str, *working: Process) -> None:
    """Grant an approval; only the processes draft and sign."""

    def until(reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < deadline, "nobody works"
            for each in working:
                each.hear_now()
            time.sleep(0.05)

    device = DEVICE.__class__(DEVICE.type, DEVICE.manufacturer, model, DEVICE.hardware_version)
    decision = world.proposed(ProposeGrant(world.applied(device=device, csr=csr_pem()), "Sound."))
    until(lambda: world.decision_state(decision) == "drafted")
    approval = world.seconded(decision)
    until(lambda: bool(world.record(approval).certificates))


def _everything(world: World) -> dict[str, list[Any]]:
    with world.store.read() as tx:
        return {
            table.name: sorted(map(tuple, tx.connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
