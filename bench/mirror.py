"""What a copy costs: to be made from nothing, and to be asked.

Processor time of the copy alone: the log is made before, and what it answers is at hand. Asked in one process.
"""

import time
from collections.abc import Mapping
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


def measure(approvals: int) -> tuple[float, float, float]:
    """Return seconds to make a copy, questions a second asked for the first time, and asked again.

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
        names = [granted(number, NOW)["approval"] for number in range(approvals)]
        answer = copy.holding.answer
        began = time.process_time()
        for name in names:
            answer("approval", name, NOW)
        first = approvals / (time.process_time() - began)
        began = time.process_time()
        for _ in range(ROUNDS):
            for name in names:
                answer("approval", name, NOW)
        again = ROUNDS * approvals / (time.process_time() - began)
    return made, first, again
