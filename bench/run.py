"""The benches: `python -m bench.run` prints the figures and writes them to bench/RESULTS.md, part by part.

Quote them with the machine and the date; a figure without its machine says nothing. Named parts are run alone, and the
others on the page stay; `--small` runs a tenth and writes nothing.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from bench import (
    ahead,
    audit,
    batch,
    ceiling,
    compromise,
    cycle,
    deployments,
    documents,
    ending,
    feed,
    hearing,
    lists,
    log,
    many,
    memory,
    mirror,
    national,
    rates,
    report,
    revocation,
    silence,
    snapshot,
    stopping,
    troubles,
)
from bench.asking import percentile
from bench.promises import Part
from bench.serving import ROOT
from core.clock import SystemClock

RESULTS = Path(__file__).parent / "RESULTS.md"

Row: TypeAlias = tuple[str, str, str]
"""What was measured, the aim, the figure."""


def main() -> None:
    """Run the benches and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of everything, and no page is written")
    parser.add_argument(
        "part",
        nargs="*",
        metavar="part",
        choices=[[], _NATIONAL, *_PARTS],
        help=f"of {', '.join(_PARTS)}; all if none is named; {_NATIONAL}: what script/bench measures",
    )
    chosen = parser.parse_args()
    for part in chosen.part or _PARTS:
        if part == _NATIONAL:
            national.measure(list(Part), national.Run(share=10 if chosen.small else 1), keep=not chosen.small)
            continue
        rows = []
        for what, aim, figure in _PARTS[part](10 if chosen.small else 1):
            rows.append((what, aim, figure))
            print(f"{what}: {figure} (aim: {aim})", flush=True)
        if not chosen.small:
            RESULTS.write_text(_page(RESULTS.read_text(encoding="utf-8"), part, rows), encoding="utf-8")


def _work(share: int) -> Iterator[Row]:
    issued = cycle.measure(1_000 // share)
    yield (
        f"Cycle, a queue of {issued.certificates} from seconded to published, every check on, SQLite FULL",
        "at least 100 a second",
        f"{issued.rate:.0f} a second ({issued.seconds:.1f} s; drafting them before: {issued.drafting:.1f} s)",
    )
    signed = ahead.measure(200 // share)
    yield (
        "Both OCSP answers of a certificate signed ahead, checked",
        "3,000 certificates for each second of CPU",
        f"{signed.answers:,.0f}; by the whole job, read and kept on SQLite, {signed.job:,.0f}",
    )
    ended = ending.measure(200 // share)
    yield "A revocation in the authority's CPU: sealed, proved, answered, listed", "–", ended.said()
    drill = compromise.measure(1_000 // share)
    yield (
        f"The drill for a compromised issuing CA with {drill.certificates} certificates in force, without people",
        "verification says no within 1 s, and all are issued anew within 5 minutes",
        f"no after {drill.ended:.1f} s; all issued {drill.whole:.0f} s later ({drill.processor:.0f} s of a processor)",
    )
    seen = revocation.measure(200 // share)
    for name, values in (("verification says cancelled", seen.verification), ("OCSP says revoked", seen.ocsp)):
        yield (
            f"Revocation over HTTP until {name}, {len(values)} times",
            "99th percentile under 1000 ms",
            f"median {percentile(values, 50):.0f} ms, 99th {percentile(values, 99):.0f} ms",
        )
    stood = stopping.measure(30 // share)
    yield (
        f"An officer's order over HTTP until issuing stands, {len(stood)} times",
        "under 10 s",
        f"median {percentile(stood, 50):.0f} ms, longest {max(stood):.0f} ms",
    )
    aim = "1.5 times openssl ca -gencrl, and 400 MB; one entry more 2 s"
    for entries in (100_000, 1_000_000):
        listed = lists.measure(entries // share)
        yield (
            f"CRL of {listed.entries} entries built anew, gated, published; seconds of a processor",
            aim,
            listed.told,
        )
    act = many.measure(10_000 // share)
    yield (
        f"{act.approvals} approvals revoked by one act of two officers, SQLite FULL",
        "100,000 in 60 s: verification, OCSP and list",
        f"no to all after {act.ended:.0f} s, all told after {act.listed:.0f} s ({act.worked:.0f} s of a processor)",
    )
    start = memory.measure(100_000 // share)
    octets = f"{start.octets / 2**20:.0f} MB"
    yield (
        f"The authority's memory of {start.records} certificates opened, then gone on with, one commit a record",
        "a million within seconds",
        f"{start.opened:.2f} s, {start.portions:.0f} a second; all of it proved in {start.proved:.1f} s; {octets}",
    )
    proved = audit.measure(rows=100_000 // share, approvals=100 // share)
    yield (
        f"A register of {proved.rows} rows proved by `trialcpa audit verify`, {proved.approvals} approvals among them",
        "1,000,000 rows in 300 s",
        f"{proved.worked:.0f} s of a processor; exported in {proved.exported:.0f} s: {proved.octets / 2**20:.0f} MB",
    )
    paper = documents.measure(300 // share, 1_000 // share)
    yield (
        f"{paper.notices} notices typeset as PDF, no two alike",
        "under 60 s",
        f"{paper.seconds:.1f} s",
    )
    yield (
        f"A monthly report over {paper.approvals} approvals as PDF and as a workbook",
        "PDF under 2 s",
        f"{paper.report:.1f} s, {paper.book:.1f} s",
    )
    sent = deployments.measure(100_000 // share)
    yield (
        f"A report of {sent.lines} deployments imported, SQLite FULL",
        "under 30 s",
        f"{sent.seconds:.1f} s; the same again {sent.again:.1f} s",
    )
    counted = report.measure(1_000 // share, 1_000_000 // share)
    yield (
        f"A monthly report over {counted.approvals} approvals and {counted.devices} devices, SQLite FULL",
        "under 5 s",
        f"{counted.computed:.1f} s; the one before it, over half of them, computed and issued {counted.first:.1f} s",
    )


def _silence(share: int) -> Iterator[Row]:
    for row in silence.measure(share):
        yield f"Median / 99th percentile / longest; beside it {row.trouble}", "99th under 100 ms", row.said()


def _troubles(share: int) -> Iterator[Row]:
    for told in troubles.measure(max(5.0, troubles.SECONDS / share)):
        yield told.trouble, "no 500, no silence, all right within 30 s", told.said()


def _rates(share: int) -> Iterator[Row]:
    for what, figure in rates.measure({"now": ROOT}, seconds=max(1.0, rates.SECONDS / share)):
        yield what, "–", figure


def _batch(share: int) -> Iterator[Row]:
    for each in batch.measure(100_000 // share):
        yield (
            f"A batch of 10,000 different questions by {each.kind}, in random order",
            "250,000 answers for each second of a processor" if each.kind in {"approval", "serial"} else "–",
            (
                f"{each.again:.1f} µs of processor each ({1e6 / each.again:,.0f} a second); nothing kept yet "
                f"{each.first:.0f} µs; {each.octets:,} octets; {each.memory / 2**20:.1f} MB a batch"
            ),
        )


def _hearing(share: int) -> Iterator[Row]:
    for what, figure in hearing.measure({"now": ROOT}, rest=hearing.REST_SECONDS / share):
        yield what, "–", figure


def _feed(share: int) -> Iterator[Row]:
    for told in feed.measure(40 // share):
        median, slow = (percentile(told.milliseconds, each) for each in (50, 99))
        yield (
            f"From a revocation's commit to each of {told.waiters} who wait at the feed, {told.database}",
            "99th percentile 500 ms",
            f"median {median:.0f} ms, 99th {slow:.0f} ms, longest {max(told.milliseconds):.0f} ms",
        )
        median, slow = (percentile(told.signed, each) for each in (50, 99))
        yield (
            f"Of that until its checkpoint is there, {told.database}",
            "–",
            f"median {median:.0f} ms, 99th {slow:.0f} ms",
        )


def _snapshot(share: int) -> Iterator[Row]:
    few, many = snapshot.measure([(1_000 // share, 10_000 // share), (100_000 // share, 1_000_000 // share)])
    of = f"{many.approvals:,} approvals and {many.units:,} units"
    yield (
        f"A web process's start with {of}, of a processor, until its first answer",
        "4 s",
        f"{many.first:.1f} s, of which {many.imported:.1f} s imports; units held after {many.whole:.1f} s",
    )
    yield f"Memory of a web process with {of}", "400 MB", f"{many.memory:.0f} MB; with a hundredth {few.memory:.0f} MB"
    yield (
        f"A poll that brings one approval, with {few.approvals:,} and {many.approvals:,}",
        "under 2 times",
        f"{few.change:.2f} and {many.change:.2f} ms: {many.change / few.change:.2f} times",
    )
    yield (
        f"A poll that brings 2,000 deployments, with {few.units:,} and {many.units:,} units",
        "–",
        f"{few.reported:.0f} and {many.reported:.0f} ms",
    )
    for kind in ("approval", "unit", "unit too many", "past"):
        yield (
            f"Verification of one {kind}, of a processor, half of the questions never asked before",
            "10,000 a second of units and the past",
            f"{few.answers[kind]:.0f} and {many.answers[kind]:.0f} µs",
        )
    yield (
        "The same of an approval, each asked before",
        "under 1.2 times",
        f"{few.answers['approval again']:.1f} and {many.answers['approval again']:.1f} µs",
    )


def _ceiling(share: int) -> Iterator[Row]:
    for what, figure in ceiling.rows(share):
        yield what, "first front 0.8 of its ceiling, second 0.75", figure


def _mirror(share: int) -> Iterator[Row]:
    approvals = 100_000 // share
    copied = mirror.measure(approvals)
    yield f"Copy of {approvals:,} approvals from nothing, of a processor", "at most 30 s", f"{copied.made:.1f} s"
    aim = "at least 500,000 for each second of a processor"
    for what, rate in (
        ("by approval for the first time, all members of each answer", copied.first),
        ("by approval again, all members of each answer", copied.again),
        ("by serial number for the first time, all members of each answer", copied.serial),
        ("one thing over and over", copied.one),
        ("about what is nobody's", copied.absent),
    ):
        yield f"Copy asked offline {what}", aim, f"{rate:,.0f}"


def _log(share: int) -> Iterator[Row]:
    for rows in (1_000_000 // share, 10_000_000 // share):
        large = log.measure(rows)
        yield (
            f"Inclusion proof of one row of {rows:,}, with its leaf, from the register",
            "1 ms of a processor",
            f"{large.processor:.2f} ms of a processor; median {large.proof:.2f} ms, 99th {large.longest:.2f} ms",
        )
        yield f"The edge of a tree of {rows:,} made from its tiles, at a start", "–", f"{large.edge:.1f} ms"
    shown = log.measure_acts(200 // share)
    yield (
        f"An act's commit until its checkpoint is shown, {len(shown)} revocations, SQLite FULL",
        "50 ms",
        f"median {percentile(shown, 50):.0f} ms, 99th percentile {percentile(shown, 99):.0f} ms",
    )


_PARTS: Mapping[str, Callable[[int], Iterator[Row]]] = {
    "work": _work,
    "silence": _silence,
    "troubles": _troubles,
    "rates": _rates,
    "batch": _batch,
    "hearing": _hearing,
    "feed": _feed,
    "snapshot": _snapshot,
    "ceiling": _ceiling,
    "log": _log,
    "mirror": _mirror,
}


_NATIONAL = "national"


def _page(page: str, part: str, rows: list[Row]) -> str:
    """Return the page with a part of it written anew."""
    head, *sections = page.split("\n## ")
    kept = {section.partition("\n")[0]: section for section in sections}
    lines = [
        part,
        "",
        (
            f"`python -m bench.run {part}`, {SystemClock().now().date()}, {os.cpu_count()} cores "
            f"({platform.machine()}), {platform.system()}, Python {platform.python_version()}."
        ),
        "",
        "| what | aim | figure |",
        "|---|---|---|",
        *(f"| {what} | {aim} | {figure} |" for what, aim, figure in rows),
    ]
    kept[part] = "\n".join(lines) + "\n"
    return "\n## ".join([head, *kept.values()])


if __name__ == "__main__":
    main()
