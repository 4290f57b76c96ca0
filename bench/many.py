"""Many approvals revoked by one act: from the second signature until all have ended, are listed and told of."""

import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world
from core.approval import Device, EndCause
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.many import MOST, ProposeRevocations, progress
from store.reading import work
from tests.channels_world import Channels
from tests.world import DEVICE, OFFICER_1, World, csr_pem

MOST_AT_ONCE = MOST
"""What one act ends at most."""


@dataclass(frozen=True)
class Revoked:
    """What was seen.

    Args:
        approvals: that were revoked.
        right: seconds of a processor from the second signature until verification says no to all, and OCSP and a list
            say all of it.
        took: the same on a clock.
        worked: seconds of a processor until the notices are written, too.
    """

    approvals: int
    right: float
    took: float
    worked: float


def measure(approvals: int) -> Revoked:
    """Grant so many, and revoke them by one act."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        found = _revoked(world, _granted(world, approvals))
        world.close()
    return found


def _granted(world: World, approvals: int) -> list[str]:
    waiting = [
        world.proposed(ProposeGrant(world.applied(device=_device(each), csr=csr_pem()), "A bench."))
        for each in range(approvals)
    ]
    world.authority.settle()
    given = [world.seconded(each) for each in waiting]
    world.authority.settle()
    world.passes(timedelta(days=2))
    world.authority.settle()
    return sorted(given)


def _revoked(world: World, given: list[str]) -> Revoked:
    channels = Channels(world)
    asked = ProposeRevocations(approvals=given, issuing_ca=None, cause=EndCause.SSC, reasons="A bench.")
    decision = world.proposed(asked)
    begun, worked = time.perf_counter(), time.process_time()
    world.seconded(decision)
    right = took = 0.0
    while world.authority.turn():
        if not right and _everywhere(world, decision, len(given)):
            channels.follow()
            right, took = time.process_time() - worked, time.perf_counter() - begun
            if any(channels.by_approval(each).valid for each in given):
                raise AssertionError("verification says yes")
    worked = time.process_time() - worked
    told = progress(world.desk, OFFICER_1, decision)
    if not right or told.crl_number is None or told.finished_at is None or told.ended != len(given):
        raise AssertionError(f"not all was done: {told}")
    return Revoked(len(given), right, took, worked)


def _everywhere(world: World, decision: str, approvals: int) -> bool:
    """Return whether all have ended, and every answer and a list say so."""
    if progress(world.desk, OFFICER_1, decision).carried_out < approvals:
        return False
    with world.store.read() as tx:
        return not work.ends_wait(tx, world.clock.now())


def _device(number: int) -> Device:
    return replace(DEVICE, model=f"{number:08X}")
