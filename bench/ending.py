"""What a revocation costs the authority, in CPU: worked off by itself, many at once, and a turn with nothing due.

The ratio says what holds on any machine: how much dearer one by itself is than one among many, and what it costs beside
the signatures that it cannot do without.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.ahead import signed_for
from bench.cycle import held_world, proposed
from policy.linted import Linted
from store.reading import requests

_IDLE = 100


@dataclass(frozen=True)
class Ended:
    """Milliseconds of CPU.

    Args:
        alone: of the authority, for a revocation that is worked off before the next one comes.
        together: the same, for each of many that are worked off at once.
        revoked: of whoever takes the officer's request, for each.
        idle: of the authority, for a turn in which nothing is due.
        answers: for both OCSP answers of a certificate, drafted, checked and signed.
    """

    alone: float
    together: float
    revoked: float
    idle: float
    answers: float

    def said(self) -> str:
        """Return the figures in words."""
        return (
            f"by itself {self.alone:.1f} ms, {self.alone / self.together:.1f} times as much as among many, "
            f"{self.together:.1f} ms, which is {self.together / self.answers:.1f} times both OCSP answers; taking the "
            f"request {self.revoked:.1f} ms; a turn with nothing due {self.idle:.1f} ms"
        )


def measure(certificates: int) -> Ended:
    """Revoke half of some certificates one by one, and the other half at once."""
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        waiting = [proposed(world, number) for number in range(certificates)]
        world.authority.settle()
        for decision in waiting:
            world.seconded(decision)
        world.authority.settle()
        with world.store.read() as tx:
            every = [str(requests.decision(tx, each).approval) for each in waiting]
        first, rest = every[: certificates // 2], every[certificates // 2 :]
        revoked = alone = 0.0
        for approval in first:
            revoked += _spent(partial(world.revoked, approval))
            alone += _spent(world.authority.settle)
        revoked += _spent(lambda: [world.revoked(approval) for approval in rest])
        together = _spent(world.authority.settle)
        idle = _spent(lambda: [world.authority.turn() for _ in range(_IDLE)])
        world.close()
    linted = Linted()
    signed_for(1, linted)
    answers = _spent(lambda: signed_for(certificates, linted))
    return Ended(
        alone=alone / len(first) * 1000,
        together=together / len(rest) * 1000,
        revoked=revoked / len(every) * 1000,
        idle=idle / _IDLE * 1000,
        answers=answers / certificates * 1000,
    )


def _spent(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
