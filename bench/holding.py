"""A web process's snapshot, held and asked in a process of its own; bench/snapshot.py plants the register."""

import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from api.status.exchange import Asked, Reply
from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from app import garbage, web
from core.clock import SystemClock
from core.instants import seconds, text
from store.reading.status import StatusReader
from store.transactions import Store

KEY = "a-key-that-only-the-bench-knows"

QUESTIONS = 10_000
"""How many are asked of a kind, in an order of their own."""

CHANGES = 50


def device_id(number: int) -> str:
    """The unit of a number; they lie as far apart as those of many makers."""
    return (number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8).hex("-").upper()


def _measured(url: str, folder: Path) -> dict[str, object]:
    sys.setswitchinterval(web.SWITCH_SECONDS)
    imported = time.process_time()
    garbage.only_young()
    asked = json.loads((folder / "asked.json").read_text())
    identifiers = asked["approvals"]
    store, now = Store(url), datetime.fromisoformat(asked["now"])
    offset = now - SystemClock().now()

    class Clock(SystemClock):
        def now(self) -> datetime:
            return super().now() + offset

    mirror = Mirror(StatusReader(store, Clock().now), Clock())
    plane = StatusPlane(mirror, lambda _role: True)
    mirror.follow()
    _answered(plane, _asked(identifiers[0], {}))
    first = time.process_time()
    mirror.read_units()
    whole = time.process_time()
    memory = resident()
    kinds: dict[str, Callable[[int], dict[str, str]]] = {
        "approval": lambda _: {},
        "unit": lambda number: {"device_id": device_id(number)},
        "unit too many": lambda _: {"device_id": "00-00-00-00-00-00-00-01"},
        "past": lambda number: {"at": text(now - timedelta(seconds=number % 200))},
    }
    answers = {kind: _rate(plane, identifiers, more) for kind, more in kinds.items()}
    answers["approval again"] = _rate(plane, identifiers, kinds["approval"])
    return {
        "imported": imported,
        "first": first,
        "whole": whole,
        "memory": memory,
        "change": _change(url, mirror, identifiers),
        "reported": _report(url, mirror, identifiers, now),
        "answers": answers,
    }


def _asked(identifier: str, more: dict[str, str]) -> Asked:
    body = json.dumps({"approval": identifier, **more}).encode()
    return Asked(method="POST", path="/v1/verify", fields={"authorization": f"Bearer {KEY}"}, body=body)


def _answered(plane: StatusPlane, asked: Asked) -> None:
    reply = plane.at_once(asked)
    if not isinstance(reply, Reply) or reply.status != HTTPStatus.OK:
        raise AssertionError(reply)


def _rate(plane: StatusPlane, identifiers: Sequence[str], more: Callable[[int], dict[str, str]]) -> float:
    """Microseconds of an answer: half the questions were asked once before."""
    chosen = random.Random(1)
    half = [chosen.randrange(10**9) for _ in range(QUESTIONS // 2)]
    asked = [_asked(identifiers[number % len(identifiers)], more(number)) for number in (*half, *half)]
    begun = time.process_time()
    for each in asked:
        _answered(plane, each)
    return (time.process_time() - begun) / len(asked) * 1e6


def _change(url: str, mirror: Mirror, identifiers: Sequence[str]) -> float:
    """Milliseconds of a poll that brings one approval."""
    return _polled(url, mirror, CHANGES, lambda number: ("approval-revoked", identifiers[-1 - number], 0, ()))


def _report(url: str, mirror: Mirror, identifiers: Sequence[str], now: datetime) -> float:
    """Milliseconds of a poll that brings a part of a report."""

    def part(number: int) -> tuple[str, str, int, Sequence[tuple[object, ...]]]:
        at = seconds(now) + number
        lines = range(number * 2_000 + 10**9, number * 2_000 + 10**9 + 2_000)
        return (
            "deployments-recorded",
            "",
            at,
            [(device_id(each), identifiers[each % len(identifiers)], at - 60, at) for each in lines],
        )

    return _polled(url, mirror, 5, part)


def _polled(
    url: str,
    mirror: Mirror,
    times: int,
    act: Callable[[int], tuple[str, str, int, Sequence[tuple[object, ...]]]],
) -> float:
    connection, took = sqlite3.connect(url.removeprefix("sqlite:///")), 0.0
    for number in range(times):
        kind, approval, at, lines = act(number)
        with connection:
            connection.executemany(
                "INSERT INTO deployments (device_id, approval, firmware_version, deployed_at, recorded_at, batch_id) "
                "VALUES (?, ?, '0002012F', ?, ?, 'bench')",
                lines,
            )
            connection.execute(
                "INSERT INTO journal (kind, at, actor, approvals, payload) VALUES (?, ?, 'bench', ?, '{}')",
                (kind, at, f" {approval} "),
            )
        begun = time.process_time()
        mirror.follow()
        took += time.process_time() - begun
    connection.close()
    return took / times * 1000


def resident() -> float:
    """Megabytes that the process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]))))
