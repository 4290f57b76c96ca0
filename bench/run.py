"""Every bench in one run: `python -m bench.run` prints the figures and writes them to bench/RESULTS.md.

Quote them with the machine and the date; a figure without its machine says nothing. `--small` runs a tenth.
"""

import argparse
import os
import platform
from pathlib import Path

from bench import cycle, deployments, documents, lists, report, revocation, silence
from bench.asking import percentile
from core.clock import SystemClock

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    """Run the benches and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of everything, and no page is written")
    small = parser.parse_args().small
    share = 10 if small else 1
    rows: list[tuple[str, str, str]] = []

    def tell(what: str, aim: str, figure: str) -> None:
        rows.append((what, aim, figure))
        print(f"{what}: {figure} (aim: {aim})", flush=True)

    issued = cycle.measure(1_000 // share)
    tell(
        f"Cycle, a queue of {issued.certificates} from seconded to published, every check on, SQLite FULL",
        "at least 100 a second",
        f"{issued.rate:.0f} a second ({issued.seconds:.1f} s; drafting them before: {issued.drafting:.1f} s)",
    )
    seen = revocation.measure(200 // share)
    for name, values in (("verification says cancelled", seen.verification), ("OCSP says revoked", seen.ocsp)):
        tell(
            f"Revocation over HTTP until {name}, {len(values)} times",
            "99th percentile under 1000 ms",
            f"median {percentile(values, 50):.0f} ms, 99th {percentile(values, 99):.0f} ms",
        )
    for entries, aim in ((100_000, "under 3 s and 150 MB"), (1_000_000, "under 30 s")):
        listed = lists.measure(entries // share)
        tell(
            f"CRL of {listed.entries} entries built, gated, published",
            aim,
            f"{listed.first:.1f} s, again after it {listed.again:.1f} s; {listed.memory:.0f} MB",
        )
    paper = documents.measure(300 // share, 1_000 // share)
    tell(
        f"{paper.notices} notices typeset as PDF, no two alike",
        "under 60 s",
        f"{paper.seconds:.1f} s",
    )
    tell(
        f"A monthly report over {paper.approvals} approvals as PDF and as a workbook",
        "PDF under 2 s",
        f"{paper.report:.1f} s, {paper.book:.1f} s",
    )
    sent = deployments.measure(100_000 // share)
    tell(
        f"A report of {sent.lines} deployments imported, SQLite FULL",
        "under 30 s",
        f"{sent.seconds:.1f} s; the same again {sent.again:.1f} s",
    )
    counted = report.measure(1_000 // share, 1_000_000 // share)
    tell(
        f"A monthly report over {counted.approvals} approvals and {counted.devices} devices, SQLite FULL",
        "under 5 s",
        f"{counted.computed:.1f} s; the one before it, over half of them, computed and issued {counted.first:.1f} s",
    )
    for row in silence.measure(share):
        tell(
            f"Status over HTTP, median / 99th percentile / longest; beside it {row.trouble}",
            "99th percentile under 100 ms",
            row.said(),
        )
    if not small:
        RESULTS.write_text(_page(rows), encoding="utf-8")


def _page(rows: list[tuple[str, str, str]]) -> str:
    lines = [
        "# Results",
        "",
        (
            f"`python -m bench.run`, {SystemClock().now().date()}, {os.cpu_count()} cores ({platform.machine()}), "
            f"{platform.system()}, Python {platform.python_version()}."
        ),
        "",
        "| what | aim | figure |",
        "|---|---|---|",
        *(f"| {what} | {aim} | {figure} |" for what, aim, figure in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
