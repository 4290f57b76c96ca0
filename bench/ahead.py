"""How many certificates a second of CPU have both OCSP answers signed ahead, checked: alone, and by the whole job."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.cycle import held_world, on_duty, proposed
from ca.clearance import Clearance
from ca.revocation import ocsp
from core.identifiers import new_serial
from core.mirror import HASH_NAMES
from jobs.presign import presign
from policy.linted import Linted
from policy.profile import clear_ocsp, inspect_ocsp
from tests.authority_world import AT, the_world

_HALF_A_LIFE = timedelta(hours=7)


@dataclass(frozen=True)
class Ahead:
    """Certificates for each second of CPU.

    Args:
        answers: drafted, checked and signed.
        job: with everything that is read and kept for it, on SQLite.
    """

    answers: float
    job: float


def measure(certificates: int) -> Ahead:
    """Sign ahead for so many certificates, in either way."""
    return Ahead(answers=_answers(10 * certificates), job=_job(certificates))


def _answers(certificates: int) -> float:
    return _rate(lambda: signed_for(certificates, Linted()))


def signed_for(certificates: int, linted: Linted) -> int:
    """Draft, check and sign both answers of so many certificates; return how many these are."""
    world = the_world()
    for serial in [new_serial() for _ in range(certificates)]:
        for hash_name in HASH_NAMES:
            order = ocsp.OcspOrder(
                issuer_der=world.issuing,
                responder_der=world.responder,
                serial=serial,
                hash_name=hash_name,
                revoked=None,
                this_update=AT,
                next_update=AT + timedelta(hours=12),
            )
            answer = ocsp.draft(order)
            cleared = clear_ocsp(answer, order, linted)
            assert isinstance(cleared, Clearance)
            finished = ocsp.sign(answer, cleared, world.responder_key, world.responder)
            assert not inspect_ocsp(finished, order)
    return certificates


def _job(certificates: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        world = held_world(Path(folder))
        waiting = [proposed(world, number) for number in range(certificates)]
        world.authority.settle()
        for decision in waiting:
            world.seconded(decision)
        world.authority.settle()
        world.clock.advance(_HALF_A_LIFE)
        duty = on_duty(world)

        def signed() -> int:
            done = 0
            while portion := presign(duty, world.clock.now()):
                done += portion
            return done

        rate = _rate(signed)
        world.close()
    return rate


def _rate(work: Callable[[], int]) -> float:
    begun = time.process_time()
    done = work()
    return done / (time.process_time() - begun)
