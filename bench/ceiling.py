"""Both fronts over a register of 100,000 approvals, each question about each of them in random order, beside what the
same front does with the same requests and one true answer, header fields and all, that never differs: its ceiling.

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
from collections.abc import Iterable, Iterator, Sequence
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
class Round:
    """How often in a second; the 99th percentile in milliseconds; processor time for each in microseconds."""

    rate: float
    late: float
    cost: float


@dataclass(frozen=True, kw_only=True)
class Fronted:
    """What came of one question to one front.

    Args:
        question, front: which.
        median, ceiling: of the front's rounds, and of what answers the same each time.
        share: of the ceiling, by how often in a second.
        spared: of the ceiling, by processor time.
        first: when each was asked for the first time.
    """

    question: str
    front: str
    median: Round
    ceiling: Round
    share: float
    spared: float
    first: Round

    def __str__(self) -> str:
        here, most, first = self.median, self.ceiling, self.first
        return (
            f"{here.rate:,.0f} a second, {self.share:.2f} of {most.rate:,.0f}; by processor time {self.spared:.2f} "
            f"({here.cost:.1f} µs, {most.cost:.1f} µs); 99th {here.late:.1f} ms; the first time {first.rate:,.0f} a "
            f"second, {first.cost:.0f} µs"
        )


@dataclass(frozen=True, kw_only=True)
class Held:
    """Megabytes that a front had then, and without a register."""

    front: str
    megabytes: float
    without: float

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.without:.0f} MB with no register"


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
    if shutil.which("cc") is None:
        yield "OCSP and verification a second", "there is no cc"
        return
    for each in asked(approvals, rounds, seconds, only, fronts):
        what = each.question if isinstance(each, Fronted) else "memory then"
        yield f"{what}, {each.front} front", str(each)


def asked(
    approvals: int, rounds: int, seconds: float, only: Sequence[str], fronts: Sequence[str]
) -> Iterator[Fronted | Held]:
    """Ask each question, or only those named, of each front; its memory comes last.

    Raises:
        FileNotFoundError: there is no cc.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("there is no cc")
    with folder() as made, ExitStack() as stack:
        asker = compiled(compiler, made)
        planted = register.planted(approvals)
        register.write(planted, made / "register")
        files: dict[str, Path] = {}
        for name, requests in register.questions(planted).items():
            if not only or name in only:
                files[name] = made / name.replace("/", " ")
                ask_from(files[name], requests)
        del planted
        for front in fronts:
            plane, constant = (
                stack.enter_context(closing(_Running(front, kind, made))).served() for kind in ("plane", "constant")
            )
            for name, file in files.items():
                begun = _asked(asker, file, plane, most=approvals, seconds=_PATIENCE_SECONDS)
                pairs = [
                    tuple(_asked(asker, file, each, most=2**31 - 1, seconds=seconds) for each in (plane, constant))
                    for _ in range(rounds)
                ]
                yield _found(name, front, begun, pairs)
            yield Held(front=front, megabytes=plane.memory(), without=constant.memory())


def compiled(compiler: str, made: Path) -> Path:
    """Make what asks, and return where it is."""
    asker = made / "asker"
    subprocess.run([compiler, "-O2", "-o", str(asker), str(ROOT / "bench" / "asker.c")], check=True)
    return asker


def ask_from(file: Path, requests: Iterable[bytes]) -> None:
    """Write requests as it reads them."""
    file.write_bytes(b"".join(struct.pack("<I", len(each)) + each for each in requests))


class _Running:
    """The process of a front."""

    def __init__(self, front: str, kind: str, made: Path) -> None:
        with closing(create_server(("127.0.0.1", 0))) as free:
            port = int(free.getsockname()[1])
        self._where = str(port) if front == "first" else str(made / f"{kind}.sock")
        command = [*pinned(0), sys.executable, "-m", "bench.fronts", front, kind, self._where, str(made / "register")]
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


def pinned(core: int) -> list[str]:
    """What begins a command that is to have one core for itself, where there are several."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def _found(question: str, front: str, first: Round, pairs: Sequence[tuple[Round, ...]]) -> Fronted:
    median, most = (
        Round(*(statistics.median(getattr(pair[side], name) for pair in pairs) for name in ("rate", "late", "cost")))
        for side in (0, 1)
    )
    return Fronted(
        question=question,
        front=front,
        median=median,
        ceiling=most,
        share=statistics.median(one.rate / other.rate for one, other in pairs),
        spared=statistics.median(other.cost / one.cost for one, other in pairs),
        first=first,
    )


def _asked(asker: Path, file: Path, served: _Served, *, most: int, seconds: float) -> Round:
    """Ask once.

    Raises:
        ValueError: something was refused.
    """
    before = served.busy()
    words = [*pinned(1), str(asker), served.where, str(file), str(_CONNECTIONS), str(seconds), str(most), str(_LEAST)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    answers, bad, took, _, late = (float(each) for each in said)
    if bad or not answers:
        raise ValueError(f"{bad} of {answers} answers were not as they should be")
    return Round(answers / took, late / 1_000, (served.busy() - before) / answers * 1e6)


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
