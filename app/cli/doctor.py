"""`trialcpa doctor`: everything that an operator should worry about, with what is done about it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from app.cli.options import home_option
from app.cli.shown import as_json
from app.doctor.findings import Severity
from app.doctor.rounds import Machine, Seen, looked, worst
from app.house import home_of
from core.clock import SystemClock, synchronised
from verify.kit.terminal import harmless

EXIT_WRONG, EXIT_SOON = 1, 3
"""2 is click's, of what was typed wrong."""

_EXITS = {None: 0, Severity.WRONG: EXIT_WRONG, Severity.SOON: EXIT_SOON, Severity.UNKNOWN: EXIT_SOON}
_MARKS = {Severity.WRONG: ("✗", "red"), Severity.SOON: ("!", "yellow"), Severity.UNKNOWN: ("?", "yellow")}


@click.command(
    epilog="\b\nExample:\n  trialcpa doctor --home /var/lib/trialcpa || mail -s doctor ops@example.org",
    short_help="What to worry about, and what to do.",
)
@home_option
@click.option("--json", "plain", is_flag=True, help="For programs.")
def doctor(home: Path | None, plain: bool) -> None:  # noqa: FBT001 - click
    """Look at everything that an operator should worry about, and say what to do about it.

    Settings, permissions, disks, clock, register, keys and their lives, memory, journal, the service and what it
    compares, backups and when one was last proved, proxy and renderer. Nothing is written, no key is opened, no
    passphrase is asked for.

    Exit with 0 if all is well, 1 if something is wrong, 3 if something will be or could not be seen.
    """
    seen = looked(home_of(home), Machine(clock=SystemClock(), synchronised=synchronised))
    found = worst(seen)
    if plain:
        as_json(_document(seen, found))
    else:
        _show(Console(highlight=False, soft_wrap=True), seen)
    raise SystemExit(_EXITS[found])


def _document(seen: Sequence[Seen], found: Severity | None) -> dict[str, object]:
    findings = [
        {
            "group": one.group.value,
            "code": each.code,
            "severity": each.severity.value,
            "sentence": each.sentence,
            "remedy": each.remedy,
        }
        for one in seen
        for each in one.findings
    ]
    well = [{"group": one.group.value, "sentence": sentence} for one in seen for sentence in one.well]
    return {"worst": None if found is None else found.value, "findings": findings, "well": well}


def _show(console: Console, seen: Sequence[Seen]) -> None:
    counted: Counter[Severity] = Counter()
    for one in seen:
        console.print(Text(one.group.value, style="bold"))
        for each in one.findings:
            counted[each.severity] += 1
            mark, colour = _MARKS[each.severity]
            console.print(
                Text.assemble("  ", (mark, colour), f" {harmless(each.sentence)}", (f"  [{each.code}]", "dim"))
            )
            console.print(Text(f"    {harmless(each.remedy)}"))
        for sentence in one.well:
            console.print(Text.assemble("  ", ("✓", "green"), f" {harmless(sentence)}"))
    console.print()
    if not counted:
        console.print(Text("All is well.", style="bold green"))
        return
    console.print(Text(", ".join(f"{counted[each]} {each.value}" for each in Severity if counted[each]), style="bold"))
