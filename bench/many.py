"""Many approvals revoked by one act: from the second signature until all have ended, are listed and told of."""

import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world, in_force
from core.approval import EndCause
from ra.deciding.many import MOST, ProposeRevocations, progress
from store.reading import work
from tests.channels_world import Channels
from tests.world import OFFICER_1, World

MOST_AT_ONCE = MOST
"""What one act ends at most."""

_FAR = timedelta(days=10_000)


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """What was seen.

    Args:
        approvals: that were revoked.
        ended: seconds from the second signature until verification says no to all.
        right: until a list and the answers of OCSP say all of it, too.
        listed: until the notices are written as well.
        worked: seconds of a processor for all of it.
    """

    approvals: int
    ended: float
    right: float
    listed: float
    worked: float


def measure(approvals: int) -> Revoked:
    """Grant so many, and revoke them by one act."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        found = _revoked(world, in_force(world, approvals))
        world.close()
    return found


def _revoked(world: World, given: list[str]) -> Revoked:
    channels = Channels(world)
    asked = ProposeRevocations(approvals=given, issuing_ca=None, cause=EndCause.SSC, reasons="A bench.")
    decision = world.proposed(asked)
    begun, worked, ended, right = time.perf_counter(), time.process_time(), 0.0, 0.0
    world.seconded(decision)
    while world.authority.turn():
        if not ended and progress(world.desk, OFFICER_1, decision).carried_out == len(given):
            channels.follow()
            ended = time.perf_counter() - begun
            if any(channels.by_approval(each).valid for each in given):
                raise AssertionError("verification says yes")
        if ended and not right and _said(world, decision):
            right = time.perf_counter() - begun
    listed, worked = time.perf_counter() - begun, time.process_time() - worked
    told = progress(world.desk, OFFICER_1, decision)
    if told.crl_number is None or told.finished_at is None or told.ended != len(given) or not right:
        raise AssertionError(f"not all was done: {told}")
    return Revoked(approvals=len(given), ended=ended, right=right, listed=listed, worked=worked)


def _said(world: World, decision: str) -> bool:
    """Return whether a list says all of it, and no answer waits to be signed."""
    if progress(world.desk, OFFICER_1, decision).crl_number is None:
        return False
    now = world.clock.now()
    with world.store.read() as tx:
        return not work.presigning_due(tx, now, 1, now + _FAR)
