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
from tests.channels_world import Channels
from tests.world import DEVICE, OFFICER_1, World, csr_pem

MOST_AT_ONCE = MOST
"""What one act ends at most."""


@dataclass(frozen=True)
class Revoked:
    """What was seen.

    Args:
        approvals: that were revoked.
        ended: seconds from the second signature until verification says no to all.
        listed: until OCSP and a list say all of it, and the notices are written.
        worked: seconds of a processor for all of it.
    """

    approvals: int
    ended: float
    listed: float
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
    begun, worked, ended = time.perf_counter(), time.process_time(), 0.0
    world.seconded(decision)
    while world.authority.turn():
        if not ended and progress(world.desk, OFFICER_1, decision).carried_out == len(given):
            channels.follow()
            ended = time.perf_counter() - begun
            if any(channels.by_approval(each).valid for each in given):
                raise AssertionError("verification says yes")
    listed, worked = time.perf_counter() - begun, time.process_time() - worked
    told = progress(world.desk, OFFICER_1, decision)
    if told.crl_number is None or told.finished_at is None or told.ended != len(given):
        raise AssertionError(f"not all was done: {told}")
    return Revoked(len(given), ended, listed, worked)


def _device(number: int) -> Device:
    return replace(DEVICE, model=f"{number:08X}")
