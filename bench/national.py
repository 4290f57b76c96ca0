"""Measures what is promised of speed, and prints which promises hold and where others stand, as a table.

Each part calls the bench that measures it. Of processor time and ratios within the run, where an aim allows: seconds
on the wall say what else the machine did, so each row has the load beside it.
"""

import argparse
import gc
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import partial
from pathlib import Path

from bench import ahead, batch, ceiling, lists, many, peers, promises, register, snapshot, told, writing
from bench.asking import percentile
from bench.promises import PROMISES, Aim, Part, Promise
from core.clock import SystemClock
from core.kinds import Told

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "What is promised, and what holds"

AT_ONCE = 2_000
"""Approvals that are revoked at once without `--at-once`: to have 100,000 granted first takes most of an hour."""

EVERYTHING = many.MOST_AT_ONCE

_COLUMNS = ("what is promised", "aim", "figure", "holds", "measured with", "others")
_AS_ABOVE = "as above"
_FRONT_SECONDS = 2.0


@unique
class Holds(StrEnum):
    """Whether a promise holds."""

    YES = "yes"
    NO = "no"
    UNMEASURED = "not measured here"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was measured for a promise.

    Args:
        what: the promise's name.
        value: in the unit of its aim.
        said: more about it, in words.
        size: with what it was measured.
        whole: whether that is what was promised; of a part, only that it does not hold can be said.
        peers: others, asked in the same run.
    """

    what: str
    value: float
    said: str
    size: str
    whole: bool
    peers: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How much is measured.

    Args:
        share: one part in so many.
        at_once: approvals that are revoked at once.
    """

    share: int = 1
    at_once: int = AT_ONCE

    def of(self, whole: int, *, least: int = 1) -> int:
        """Return a share of a number."""
        return max(least, whole // self.share)


class Unmeasured(Exception):
    """A part cannot be measured on this machine; its words say why."""


def judged(aim: Aim, figure: Figure | None, why: str = "") -> str:
    """Return whether a promise holds, as the table says it."""
    if figure is None:
        return f"{Holds.UNMEASURED} ({why})"
    if not aim.reached(figure.value):
        return f"**{Holds.NO}**"
    return Holds.YES if figure.whole else f"{Holds.UNMEASURED} (reached with less than was promised)"


def row(promise: Promise, figure: Figure | None, load: str, why: str = "", above: str = "") -> tuple[str, str]:
    """Return a promise's line of the table, and what it says of others; shorter where the line above says the same."""
    others = [f"{promises.TOLD_ELSEWHERE}: {promise.others}"] if promise.others else []
    if figure is not None and figure.peers:
        others.insert(0, figure.peers)
    told_of = "; ".join(others) or "–"
    said = "–" if figure is None else "; ".join(filter(None, (promises.number(figure.value), figure.said)))
    size = "–" if figure is None else f"{figure.size}; {load}"
    beside = _AS_ABOVE if others and told_of == above else told_of
    cells = (promise.what, promise.aim, said, judged(promise.aim, figure, why), size, beside)
    return f"| {' | '.join(str(each) for each in cells)} |", told_of


# --- measuring ----------------------------------------------------------------------------------------------------


def _front(front: str, questions: Sequence[str], run: Run) -> Iterator[Figure]:
    approvals, seconds = run.of(ceiling.APPROVALS), max(1.0, _FRONT_SECONDS / run.share)
    peer = peers.measure(approvals, seconds)
    beside = f"{peer.name} in this run {peer.rate:,.0f} a second, a connection each" if peer else ""
    try:
        for each in ceiling.asked(approvals, ceiling.ROUNDS, seconds, questions, [front]):
            if isinstance(each, ceiling.Held):
                continue
            rated = each.question in promises.ONE_UNIT_OR_PAST
            yield Figure(
                what=promises.asked(each.question, front),
                value=1e6 / each.median.cost if rated else each.spared,
                said=str(each),
                size=f"{approvals:,} approvals, {approvals * register.UNITS:,} units, as many different questions",
                whole=run.share == 1,
                peers=beside if each.question.startswith("OCSP") else "",
            )
    except FileNotFoundError as error:
        raise Unmeasured(str(error)) from error


def _batch(run: Run) -> Iterator[Figure]:
    approvals = run.of(ceiling.APPROVALS, least=100)
    found = {each.kind: each for each in batch.measure(approvals)}
    one = found["approval"]
    rates = ", ".join(f"by {kind} {1e6 / each.again:,.0f}" for kind, each in found.items() if kind != "approval")
    yield Figure(
        what=promises.BATCHES,
        value=1e6 / one.again,
        said=f"{one.again:.1f} µs each, nothing kept yet {one.first:.0f} µs; {rates}",
        size=f"{approvals:,} approvals",
        whole=run.share == 1,
    )


def _ahead(run: Run) -> Iterator[Figure]:
    certificates = run.of(200, least=100)
    found = ahead.measure(certificates)
    yield Figure(
        what=promises.SIGNED_AHEAD,
        value=found.answers,
        said=f"by the whole job, read and kept on SQLite, {found.job:,.0f}",
        size=f"{10 * certificates:,} certificates",
        whole=True,
    )


def _told(run: Run) -> Iterator[Figure]:
    revocations = run.of(100, least=4)
    seen = told.measure(run.of(ceiling.APPROVALS, least=2 * revocations), revocations)
    whole = run.share == 1 and seen.beside > 0
    for situation, times in zip(promises.SITUATIONS, (seen.later, seen.first), strict=True):
        for channel in promises.CHANNELS:
            values = times[Told(channel)]
            yield Figure(
                what=promises.told(channel, situation),
                value=percentile(values, 99),
                said=f"median {percentile(values, 50):,.0f}, longest {max(values):,.0f} ms",
                size=(
                    f"{seen.approvals:,} approvals, {len(values)} revocations, {seen.beside:,.0f} questions a second "
                    f"beside; ready {seen.started:.1f} s after the start"
                ),
                whole=whole,
            )


def _at_once(run: Run) -> Iterator[Figure]:
    found = many.measure(run.of(run.at_once, least=2))
    worked = f"{found.worked / found.approvals * 1000:.1f} ms of a processor each"
    yield Figure(
        what=promises.ALL_AT_ONCE,
        value=found.right * EVERYTHING / found.approvals,
        said=(
            f"at the pace of {found.approvals:,}: verification said no after {found.ended:.1f} s, OCSP and list after "
            f"{found.right:.1f} s, notices were written after {found.listed:.1f} s; {worked}"
        ),
        size=f"{found.approvals:,} of {EVERYTHING:,}",
        whole=found.approvals >= EVERYTHING,
    )


def _register(run: Run) -> Iterator[Figure]:
    sizes = [(run.of(size, least=100), run.of(10 * size, least=1_000)) for size in (1_000, 100_000)]
    few, most = snapshot.measure(sizes)
    of, whole = f"{most.approvals:,} approvals, {most.units:,} units", run.share == 1
    between = f"{few.approvals:,} and {most.approvals:,} approvals"
    again = tuple(each.answers["approval again"] for each in (few, most))
    rows = (
        (promises.STARTED, most.first, f"{most.imported:.1f} s imports; units held after {most.whole:.1f} s", of),
        (promises.HELD, most.memory, f"with {few.approvals:,} approvals {few.memory:.0f} MB", of),
        (promises.ANSWERED, again[1] / again[0], f"{again[0]:.1f} and {again[1]:.1f} µs, asked before", between),
        (promises.CHANGED, most.change / few.change, f"{few.change:.2f} and {most.change:.2f} ms", between),
    )
    for what, value, said, size in rows:
        yield Figure(what=what, value=value, said=said, size=size, whole=whole)


def _writing(run: Run) -> Iterator[Figure]:
    each = run.of(96, least=8)
    granted, revoked = writing.measure(each, by=(8,))
    for what, found, value in (
        (promises.GRANTED, granted, granted.rate),
        (promises.REVOKED, revoked, revoked.rate),
        (promises.REVOKED_LATE, revoked, percentile(revoked.milliseconds, 99)),
    ):
        yield Figure(what=what, value=value, said=str(found), size=f"{each} of each, SQLite FULL", whole=True)


def _lists(run: Run) -> Iterator[Figure]:
    found, whole = lists.measure(run.of(1_000_000, least=100)), run.share == 1
    beside = f"openssl ca -gencrl in this run {found.openssl_worked:.1f} s, without a gate"
    rows = (
        (promises.LISTED, found.anew_worked / found.openssl_worked, found.told),
        (promises.LISTED_MEMORY, found.memory, "the whole process"),
        (promises.LISTED_MORE, found.more_worked, f"{found.more:.1f} s by the clock"),
    )
    for what, value, said in rows:
        size = f"{found.entries:,} entries"
        yield Figure(what=what, value=value, said=said, size=size, whole=whole, peers=beside)


MEASURED_BY: Mapping[Part, Callable[[Run], Iterator[Figure]]] = {
    Part.SECOND_FRONT: partial(_front, "second", (*promises.ASKED, *promises.ONE_UNIT_OR_PAST)),
    Part.FIRST_FRONT: partial(_front, "first", tuple(promises.ASKED)),
    Part.BATCH: _batch,
    Part.AHEAD: _ahead,
    Part.TOLD: _told,
    Part.AT_ONCE: _at_once,
    Part.REGISTER: _register,
    Part.WRITING: _writing,
    Part.LISTS: _lists,
}


# --- telling --------------------------------------------------------------------------------------------------------


def table(parts: Sequence[Part], run: Run) -> Iterator[str]:
    """Measure parts; yield the lines of the table as they are known."""
    for part in parts:
        promised = {each.what: each for each in PROMISES if each.part is part}
        # What an earlier part has left is walked through at each collection, and is none of this part's cost.
        gc.collect()
        gc.freeze()
        before, above, why = os.getloadavg()[0], "", "its bench did not tell"
        _progress(f"{part}: begun, load {before:.1f}")
        try:
            for figure in MEASURED_BY[part](run):
                load = f"load {statistics.mean((before, os.getloadavg()[0])):.1f}"
                line, above = row(promised.pop(figure.what), figure, load, above=above)
                yield line
        except Unmeasured as error:
            why = str(error)
        for promise in promised.values():
            yield row(promise, None, "", why)[0]


def head() -> list[str]:
    """Return the beginning of the table."""
    return [f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]


def machine() -> str:
    """Return where and when it was measured."""
    return (
        f"`script/bench`, {SystemClock().now().date()}, {os.cpu_count()} cores ({platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}. The aims are written in: "
        f"{'; '.join(sorted({each.aim.source for each in PROMISES}))}."
    )


def kept(page: str, lines: Sequence[str]) -> str:
    """Return the page of results with these lines of the table in place of those about the same; its words stay."""
    first, *sections = page.split("\n## ")
    mine = next((each for each in sections if each.startswith(HEADING)), "")
    old = {_what(each): each for each in mine.splitlines() if each.startswith("| ") and each not in head()}
    new = old | {_what(each): each for each in lines}
    ordered = [new[promise.what] for promise in PROMISES if promise.what in new]
    words = mine.partition("\n|")[2].partition("\n\n")[2].strip("\n")
    written = "\n".join([HEADING, "", machine(), "", *head(), *ordered, *(["", words] if words else [])]) + "\n"
    return "\n## ".join([first.rstrip("\n") + "\n", written, *(each for each in sections if each != mine)])


def _what(line: str) -> str:
    return line.split("|")[1].strip()


def _progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def measure(parts: Sequence[Part], run: Run, *, keep: bool) -> None:
    """Measure and print; write the page if it is to be kept."""
    for line in (machine(), "", *head()):
        print(line, flush=True)
    lines = []
    for line in table(parts, run):
        print(line, flush=True)
        lines.append(line)
        if keep:
            RESULTS.write_text(kept(RESULTS.read_text("utf-8"), lines), "utf-8")
    no, yes = (sum(f"| {word} |" in each for each in lines) for word in (f"**{Holds.NO}**", Holds.YES))
    print(f"\n{yes} hold, {no} do not, {len(lines) - yes - no} were not measured as they are promised.")


def main() -> None:
    """Do what the words say."""
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measures what is promised of speed and prints which promises hold, and where others stand.",
        epilog="While you work on the second front: script/bench second-front --share 20",
    )
    parser.add_argument("part", nargs="*", choices=[[], *Part], metavar="PART", help=f"of {', '.join(Part)}; else all")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="a part in N of everything; rows say so")
    parser.add_argument(
        "--at-once", type=int, default=AT_ONCE, metavar="N", help=f"approvals revoked at once ({AT_ONCE:,})"
    )
    parser.add_argument("--keep", action="store_true", help="write the rows to bench/RESULTS.md")
    chosen = parser.parse_args()
    if chosen.share < 1 or chosen.at_once < 1:
        parser.error("a share, and what is revoked at once, is 1 or more")
    run = Run(share=chosen.share, at_once=chosen.at_once)
    measure([Part(each) for each in chosen.part] or list(Part), run, keep=chosen.keep)


if __name__ == "__main__":
    main()
