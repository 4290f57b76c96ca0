"""Batches of questions, in one process without a network: what an answer costs of a processor, and the memory of one.

The approvals are copies of one that is signed as the authority signs; questions are different ones, in random order.
"""

import gc
import json
import random
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from api.status.exchange import Asked, Reply
from api.status.mirror import Mirror
from api.status.plane import BATCH, StatusPlane
from core.approval import Device
from core.clock import FixedClock
from core.identifiers import ApprovalIdentifier, Serial
from tests.status_world import API_KEY, FIRMWARE, NOON, World

IN_A_BATCH = 10_000


@dataclass(frozen=True)
class Asking:
    """What one kind of question cost.

    Args:
        kind: of question.
        first: microseconds of processor for each answer, asked for the first time.
        again: the same, when its answer is kept.
        octets: of an answer.
        memory: octets that a batch took at its worst, beside what is kept.
    """

    kind: str
    first: float
    again: float
    octets: int
    memory: int


def measure(approvals: int) -> Iterator[Asking]:
    """Ask each kind of question about each approval once, then again."""
    plane, questions = _plane(approvals)
    for kind, asked in questions.items():
        random.Random(12).shuffle(asked)
        portions = [asked[first : first + IN_A_BATCH] for first in range(0, len(asked), IN_A_BATCH)]
        bodies = [json.dumps({"questions": each}).encode() for each in portions]
        first = _spent(plane, bodies) / len(asked) * 1e6
        again = min(_spent(plane, bodies) for _ in range(3)) / len(asked) * 1e6
        tracemalloc.start()
        reply = _answer(plane, bodies[0])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        yield Asking(kind, first, again, reply.length // len(portions[0]), most)


def _spent(plane: StatusPlane, bodies: Sequence[bytes]) -> float:
    spent = 0.0
    for body in bodies:
        begun = time.process_time()
        reply = _answer(plane, body)
        assert reply.pieces is not None
        length = sum(len(b"".join(each)) for each in reply.pieces.octets)  # as it is handed on
        spent += time.process_time() - begun
        assert length == reply.length
    return spent


def _answer(plane: StatusPlane, body: bytes) -> Reply:
    fields = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
    reply = plane.from_store(Asked(method="POST", path=BATCH, fields=fields, body=body))
    assert isinstance(reply, Reply)
    assert reply.status == 200
    return reply


def _plane(approvals: int) -> tuple[StatusPlane, Mapping[str, list[object]]]:
    world = World()
    world.presign(world.grant(1), NOON)
    _, one = world.kept.popitem()
    (certificate,) = one.record.certificates
    questions: dict[str, list[object]] = {"approval": [], "serial": [], "device": [], "nobody's": []}
    for number in range(1, approvals + 1):
        identifier, serial = str(ApprovalIdentifier("test", 2027, number)), Serial(f"{number:032X}")
        device = Device("ESME", "AB01", f"{number:08X}", "01")
        record = replace(
            one.record,
            identifier=identifier,
            device=device,
            certificates=(replace(certificate, serial=serial, fingerprint=f"{number:064x}"),),
        )
        answers = tuple(replace(each, serial=serial) for each in one.answers)
        ders = {serial: one.ders[certificate.serial]}
        world.kept[identifier] = replace(one, record=record, answers=answers, ders=ders)
        questions["approval"].append({"approval": identifier})
        questions["serial"].append({"serial": serial})
        questions["device"].append({"device": {**device.said(), "firmware_version": FIRMWARE.version}})
        questions["nobody's"].append({"serial": f"{number + 2**64:032X}"})
    mirror = Mirror(world, FixedClock(NOON), monotonic=lambda: 0.0)
    mirror.follow()
    gc.collect()
    gc.freeze()  # as the web process, which looks at what is young only (app/garbage.py)
    return StatusPlane(mirror, lambda _: True), questions


if __name__ == "__main__":
    for each in measure(100_000):
        rate = f"{1e6 / each.again:,.0f} a second"
        print(f"{each.kind}: first {each.first:.1f} µs, again {each.again:.1f} µs ({rate}), {each.octets} octets, "
              f"{each.memory / 2**20:.1f} MB for {IN_A_BATCH}")  # fmt: skip
