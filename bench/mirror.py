"""What a copy costs: to be made from nothing, and to be asked.

Processor time of the copy alone: the log is made before, and what it answers is at hand. Asked in one process, and of
each answer all members are read, as whoever hands it on does.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from verify.kit.instants import seconds
from verify.kit.mirror import PORTION, Mirror
from verify.kit.simulated import Log, granted

NOW = seconds("2027-02-01T10:00:00Z")
ROUNDS = 5


class _AtHand:
    """The feed of a log, put into octets before anything is measured."""

    def __init__(self, log: Log) -> None:
        rows = range(0, len(log.rows) + 1, PORTION)
        self._portions: Mapping[int, bytes] = {after: log.feed(after, PORTION) for after in rows}

    def get(self, path: str) -> bytes:
        return self._portions[int(parse_qs(urlsplit(path).query)["after"][0])]


@dataclass(frozen=True, kw_only=True)
class Copied:
    """Of a processor.

    Args:
        made: seconds to make the copy from nothing.
        first: questions by approval answered in a second, each for the first time.
        again: the same, each again in the same second of the clock.
        serial: the same by serial number, each for the first time.
        one: the same of one question, which the processor finds in its cache.
        absent: the same of what is nobody's.
    """

    made: float
    first: float
    again: float
    serial: float
    one: float
    absent: float


def measure(approvals: int) -> Copied:
    """Make a copy and ask it.

    Args:
        approvals: that the log has; each with two rows, of which one is not public.
    """
    log = Log(noted=False)
    for number in range(approvals):
        log.add(NOW)
        log.add(NOW, granted(number, NOW))
    source = _AtHand(log)
    with TemporaryDirectory() as folder:
        copy = Mirror(Path(folder) / "copy", log.key, clock=lambda: NOW)
        began = time.process_time()
        while not copy.follow(source):
            pass
        made = time.process_time() - began
        documents = [granted(number, NOW) for number in range(approvals)]
    names = [each["approval"] for each in documents]
    serials = [each["certificates"][0]["serial"] for each in documents]
    return Copied(
        made=made,
        first=_rate(copy, "approval", names),
        again=_rate(copy, "approval", names * ROUNDS),
        serial=_rate(copy, "serial", serials),
        one=_rate(copy, "serial", serials[:1] * approvals),
        absent=_rate(copy, "serial", [f"{number:032X}" for number in range(approvals)]),
    )


def _rate(copy: Mirror, kind: str, names: Sequence[str]) -> float:
    """Return answers in a second of a processor."""
    answer = copy.holding.answer
    began = time.process_time()
    for name in names:
        _ = answer(kind, name, NOW).members
    return len(names) / (time.process_time() - began)
