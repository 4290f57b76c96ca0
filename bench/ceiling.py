"""Both fronts over a register of 100,000 approvals, each question about each of them in random order, beside what the
same front does with the same requests and an answer of about the same length that never differs: its ceiling.

`cc` makes what asks (asker.c), which speaks to a port and to a Unix socket; the fronts have one processor and it has
another, where there are two. Rounds of the front and of its ceiling take turns, so that what else the machine does
falls on both. The first time each question is asked is told apart: what is kept afterwards is made then. Processor time
says most, and is the whole process's; of the second front that is the compiled part too.
"""

import argparse
import os
import shutil
import statistics
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

import psutil  # type: ignore[import-untyped]

from bench import register
from bench.serving import ROOT, folder

APPROVALS = 100_000
FRONTS = ("first", "second")
ROUNDS = 3
SECONDS = 3.0

_CONNECTIONS = 16
_PATIENCE_SECONDS = 300.0
_LEAST = 400
"""Octets of a true answer at least: an unsuccessful OCSP response has five, and a problem fewer than these."""


@dataclass(frozen=True)
class _Round:
    """How often in a second; the 99th percentile in milliseconds; processor time for each in microseconds."""

    rate: float
    late: float
    cost: float


class _Served:
    """A front at work."""

    def __init__(self, process: psutil.Process, where: str) -> None:
        self.process, self.where = process, where

    def busy(self) -> float:
        """Seconds of processor that it has used, with those that work for it."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))

    def memory(self) -> float:
        """Megabytes that it has."""
        return float(sum(each.memory_info().rss for each in (self.process, *self.process.children()))) / 2**20


def measure(
    approvals: int = APPROVALS,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    only: Sequence[str] = (),
    fronts: Sequence[str] = FRONTS,
) -> Iterator[tuple[str, str]]:
    """Ask; yield what was asked of which front, and the figures in words."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield "OCSP and verification a second", "there is no cc"
        return
    with folder() as made, ExitStack() as stack:
        asker = made / "asker"
        subprocess.run([compiler, "-O2", "-o", str(asker), str(ROOT / "bench" / "asker.c")], check=True)
        planted = register.planted(approvals)
        register.write(planted, made / "register")
        files = {}
        for name, asked in register.questions(planted).items():
            if not only or name in only:
                files[name] = made / name.replace("/", " ")
                files[name].write_bytes(b"".join(struct.pack("<I", len(each)) + each for each in asked))
        del planted
        for front in fronts:
            plane, constant = (
                stack.enter_context(closing(_Running(front, kind, made))).served() for kind in ("plane", "constant")
            )
            for name, file in files.items():
                yield f"{name}, {front} front", _figures(asker, file, plane, constant, approvals, rounds, seconds)
            yield f"memory then, {front} front", f"{plane.memory():.0f} MB, {constant.memory():.0f} MB with no register"


class _Running:
    """The process of a front."""

    def __init__(self, front: str, kind: str, made: Path) -> None:
        with closing(create_server(("127.0.0.1", 0))) as free:
            port = int(free.getsockname()[1])
        self._where = str(port) if front == "first" else str(made / f"{kind}.sock")
        command = [*_pinned(0), sys.executable, "-m", "bench.fronts", front, kind, self._where, str(made / "register")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)

    def served(self) -> _Served:
        """Wait until it answers."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return _Served(psutil.Process(self._process.pid), self._where)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=30)


def _pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def _figures(
    asker: Path, file: Path, plane: _Served, constant: _Served, approvals: int, rounds: int, seconds: float
) -> str:
    begun = _asked(asker, file, plane, most=approvals, seconds=_PATIENCE_SECONDS)
    pairs = [
        tuple(_asked(asker, file, each, most=2**31 - 1, seconds=seconds) for each in (plane, constant))
        for _ in range(rounds)
    ]
    rate, ceiling = (statistics.median(pair[side].rate for pair in pairs) for side in (0, 1))
    share = statistics.median(one.rate / other.rate for one, other in pairs)
    dear, least = (statistics.median(pair[side].cost for pair in pairs) for side in (0, 1))
    spared = statistics.median(other.cost / one.cost for one, other in pairs)
    late = statistics.median(one.late for one, _ in pairs)
    return (
        f"{rate:,.0f} a second, {share:.2f} of {ceiling:,.0f}; by processor time {spared:.2f} ({dear:.1f} µs, "
        f"{least:.1f} µs); 99th {late:.1f} ms; the first time {begun.rate:,.0f} a second, {begun.cost:.0f} µs"
    )


def _asked(asker: Path, file: Path, served: _Served, *, most: int, seconds: float) -> _Round:
    """Ask once.

    Raises:
        ValueError: something was refused.
    """
    before = served.busy()
    words = [*_pinned(1), str(asker), served.where, str(file), str(_CONNECTIONS), str(seconds), str(most), str(_LEAST)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    answers, bad, took, _, late = (float(each) for each in said)
    if bad or not answers:
        raise ValueError(f"{bad} of {answers} answers were not as they should be")
    return _Round(answers / took, late / 1_000, (served.busy() - before) / answers * 1e6)


def rows(share: int) -> Iterator[tuple[str, str]]:
    """Measure, with a share of everything."""
    yield from measure(APPROVALS // share, seconds=max(1.0, SECONDS / share))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--approvals", type=int, default=APPROVALS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--front", action="append", choices=FRONTS)
    parser.add_argument("question", nargs="*", metavar="question", choices=[[], *register.QUESTIONS])
    chosen = parser.parse_args()
    for what, figures in measure(
        chosen.approvals, chosen.rounds, chosen.seconds, chosen.question, chosen.front or FRONTS
    ):
        print(f"{what}: {figures}", flush=True)
