"""`trialcpa cpl`: what the Panel is told about the Central Products List, and what it has done (F2.27 to F2.31)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import path
from core.cpl import InstructionState
from core.errors import InputUnusable, ServiceRefused

FORMS: Mapping[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

EXIT_DIFFERS = 1

Cells = tuple[object, ...]
"""A row of a table."""

_STATES = [each.value for each in InstructionState]


@click.group(epilog="\b\nExample:\n  trialcpa cpl list --overdue\n  trialcpa cpl export -o instructions.xlsx")
def cpl() -> None:
    """The Central Products List: instructions to the Panel, and what was loaded."""


@cpl.command("list", epilog="\b\nExample:\n  trialcpa cpl list --overdue")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--overdue", is_flag=True, help="Only those whose day has come and that are not loaded.")
@asks_service
def list_(state: str | None, overdue: bool, service: Service) -> None:  # noqa: FBT001 - click
    """List the instructions."""
    with service.connect() as client:
        listed = client.every("/v1/cpl/instructions", "instructions", state=state, overdue="true" if overdue else None)
        found = list(listed)
    if service.as_json:
        shown.as_json({"instructions": found})
        return
    shown.table(
        shown.out(),
        ("instruction", "what", "due", "approval", "device", "firmware", "expiry", "state"),
        [
            (each["instruction"], each["kind"], shown.day_of(each["due"]), each["approval"], _device(each),
             each["firmware_version"], shown.day_of(each["expiry"]), _state(each))
            for each in found
        ],
        none="No instruction.",
    )  # fmt: skip


@cpl.command(
    short_help="Export the instructions for a spreadsheet.",
    epilog="\b\nExample:\n  trialcpa cpl export --as xlsx -o instructions.xlsx",
)
@click.option("--as", "form", type=click.Choice(tuple(FORMS)), help="Else by the name of the file.")
@click.option("-o", "output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="- is the terminal.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@asks_service
def export(form: str | None, output: Path, state: str | None, service: Service) -> None:
    """Export the instructions for a spreadsheet; identifiers stay text."""
    chosen = form or output.suffix.lower().lstrip(".")
    if chosen not in FORMS:
        raise click.UsageError(f"Say --as {' or '.join(FORMS)}.")
    with service.connect() as client:
        fetched = client.fetch("/v1/cpl/instructions", FORMS[chosen], state=state)
    shown.to_file(fetched.body, output)


@cpl.command(
    short_help="Say what is loaded, or rejected.",
    epilog="\b\nExample:\n  trialcpa cpl acknowledge cpl-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("instruction", nargs=-1, required=True)
@click.option("--rejected", metavar="REASON", help="It cannot be loaded, and why.")
@asks_service
def acknowledge(instruction: tuple[str, ...], rejected: str | None, service: Service) -> None:
    """Say that instructions are loaded into the list, or rejected; each stands alone."""
    body: dict[str, str] = {"outcome": InstructionState.LOADED}
    if rejected is not None:
        body = {"outcome": InstructionState.REJECTED, "reason": rejected}
    done, problems = [], []
    with service.connect() as client:
        for each in dict.fromkeys(instruction):
            try:
                done.append(client.post(path("cpl", "instructions", each, "acknowledgement"), body))
            except ServiceRefused as error:
                problems.append({"instruction": each, "detail": str(error), "hint": error.hint})
    if service.as_json:
        shown.as_json({"acknowledged": done, "refused": problems})
    else:
        console = shown.out()
        for outcome in done:
            shown.sentence(console, f"{outcome['instruction']}: {outcome['state']}")
        for problem in problems:
            shown.sentence(console, f"{problem['instruction']}: {problem['detail']} {problem['hint']}", style="red")
    raise SystemExit(EXIT_DIFFERS if problems else 0)


@cpl.command(
    short_help="Compare the Panel's list with what it should be.",
    epilog="\b\nExample:\n  trialcpa cpl reconcile central-products-list.xlsx",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@asks_service
def reconcile(file: Path, service: Service) -> None:
    """Compare the Panel's present list, CSV or XLSX, with what it should hold; nothing is changed.

    The exit status is 1 if they differ.
    """
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    # Only a workbook is a ZIP archive; the service looks for itself.
    content_type = FORMS["xlsx"] if octets.startswith(b"PK") else FORMS["csv"]
    with service.connect() as client:
        said = client.send("/v1/cpl/reconciliations", octets, content_type)
    differs = any(said[name] for name in _DIFFERENCES)
    if service.as_json:
        shown.as_json(said)
    else:
        _show(said, differs=differs)
    raise SystemExit(EXIT_DIFFERS if differs else 0)


def _entry(each: Mapping[str, Any]) -> Cells:
    return each["approval"], _device(each), each["firmware_version"]


@dataclass(frozen=True)
class _Difference:
    """One way in which the list is not what it should be: how it is called, and how its rows are shown."""

    title: str
    columns: tuple[str, ...]
    cells: Callable[[Mapping[str, Any]], Cells]


_DIFFERENCES: Mapping[str, _Difference] = {
    "missing": _Difference(
        "Missing from the list",
        ("approval", "device", "firmware", "expiry", "instruction", "state"),
        lambda each: (*_entry(each), shown.day_of(each["expiry"]), each["instruction"], each["instruction_state"]),
    ),
    "wrong": _Difference(
        "On the list, with something wrong",
        ("#line", "approval", "firmware", "what"),
        lambda each: (
            each["line"],
            each["approval"],
            each["firmware_version"],
            [f"{one['field']} is “{one['has']}” and should be “{one['should']}”" for one in each["fields"]],
        ),
    ),
    "gone": _Difference(
        "Should be gone",
        ("#line", "approval", "firmware", "why"),
        lambda each: (each["line"], each["approval"], each["firmware_version"], each["sentence"]),
    ),
    "unknown": _Difference(
        "Trial entries that nobody here knows",
        ("#line", "approval", "device", "firmware"),
        lambda each: (each["line"], *_entry(each)),
    ),
    "unreadable": _Difference(
        "Lines that could not be read",
        ("#line", "column", "what"),
        lambda each: (each["line"], each["column"], each["sentence"]),
    ),
}


def _show(said: Mapping[str, Any], *, differs: bool) -> None:
    console = shown.out()
    for name, difference in _DIFFERENCES.items():
        if said[name]:
            shown.heading(console, difference.title)
            shown.table(console, difference.columns, [difference.cells(each) for each in said[name]])
    for each in said["remarks"]:
        shown.sentence(console, f"Line {each['line']}: {each['sentence']}", style="yellow")
    if said["not_compared"]:
        shown.sentence(console, f"The list has no column for: {', '.join(said['not_compared'])}.", style="yellow")
    if not differs:
        shown.heading(console, "The list holds what it should.", "bold green")


def _device(each: Mapping[str, Any]) -> str:
    names = ("device_type", "manufacturer", "model", "hardware_version")
    return " ".join(str(each[name]) for name in names if each.get(name))


def _state(each: Mapping[str, Any]) -> str:
    return f"{each['state']}, overdue" if each.get("overdue") is True else str(each["state"])
