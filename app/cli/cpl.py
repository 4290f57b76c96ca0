"""`trialcpa cpl`: what the Panel is told about the Central Products List, and what it has done (F2.27 to F2.31)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS, Renamed
from app.client import path
from core.approval import DEVICE_COLUMNS
from core.cpl import InstructionState
from core.days import DayOrder
from core.errors import InputUnusable, ServiceRefused
from core.kinds import Addition
from ra.telling.views import AdditionJudged, EntryAnswer, InstructionAnswer, InstructionPage, Reconciled, UnknownAnswer
from ra.views import document

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
@click.option("--overdue", is_flag=True, help="Only those whose UK working day is over and that are not loaded.")
@click.option("--approval", help="Only those about this approval.")
@asks_service
def list_(*, state: str | None, overdue: bool, approval: str | None, service: Service) -> None:
    """List the instructions."""
    with service.connect() as client:
        late = "true" if overdue else None
        listed = client.pages(
            InstructionPage, path("cpl", "instructions"), state=state, overdue=late, approval=approval
        )
        found = [each for page in listed for each in page.instructions]
    if service.as_json:
        shown.as_json({"instructions": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("instruction", "what", "due", "approval", "device", "firmware", "expiry", "state"),
        [
            (each.instruction, each.kind, shown.day_of(each.due), each.approval, _device(each),
             each.firmware_version, shown.day_of(each.expiry), _state(each))
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
@click.option("--plain", is_flag=True, help="A CSV for programs: every value as it is.")
@asks_service
def export(form: str | None, output: Path, state: str | None, plain: bool, service: Service) -> None:  # noqa: FBT001 - click
    """Export the instructions for a spreadsheet; identifiers stay text.

    A workbook changes nothing. In a CSV a cell that a spreadsheet would run or change, 0012 or 1E10, begins with a
    NO-BREAK SPACE (U+00A0), which people do not see and programs have to take off; --plain leaves it away, and what is
    written then should not be opened in a spreadsheet.
    """
    chosen = form or output.suffix.lower().lstrip(".")
    if chosen not in FORMS:
        raise click.UsageError(f"Say --as {' or '.join(FORMS)}.")
    with service.connect() as client:
        wanted = "true" if plain else None
        fetched = client.fetch("/v1/cpl/instructions", FORMS[chosen], state=state, plain=wanted)
    shown.to_file(fetched.body, output)


@cpl.command(
    "addition",
    short_help="Say whether an addition stands or waits.",
    epilog="\b\nExample:\n  trialcpa cpl addition TDA-2027-0042-Y --waits",
)
@click.argument("approval")
@click.option("--stands", is_flag=True, help="It is added on its day; “certificate awaited”.")
@click.option("--waits", is_flag=True, help="It is added once a certificate holds.")
@asks_service
def addition_(*, approval: str, stands: bool, waits: bool, service: Service) -> None:
    """Say whether an entry is added though its certificate was cancelled for its key.

    F2.27 has the Panel add it on the start date; F2.26 needs a valid Trial CPA Certificate. The officers decide.
    """
    if stands == waits:
        raise click.UsageError("Say --stands or --waits.")
    said = Addition.STANDS if stands else Addition.WAITS
    with service.connect() as client:
        outcome = client.do(AdditionJudged, path("approvals", approval, "addition"), {"addition": said})
    if service.as_json:
        shown.as_json(document(outcome))
        return
    click.echo(f"{outcome.approval}: its addition {outcome.addition}.")


@cpl.command(
    short_help="Say what is loaded, or rejected.",
    epilog="\b\nExample:\n  trialcpa cpl acknowledge cpl-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("instruction", nargs=-1, required=True)
@click.option(
    "--reject", "--rejected", cls=Renamed, type=WORDS, metavar="WHY", help="It cannot be loaded; say why, or @FILE."
)
@asks_service
def acknowledge(instruction: tuple[str, ...], reject: str | None, service: Service) -> None:
    """Say that instructions are loaded into the list, or rejected; each stands alone."""
    body: dict[str, str] = {"outcome": InstructionState.LOADED}
    if reject is not None:
        body = {"outcome": InstructionState.REJECTED, "reason": reject}
    done: list[InstructionAnswer] = []
    problems: list[dict[str, str]] = []
    with service.connect() as client:
        for each in dict.fromkeys(instruction):
            try:
                done.append(client.do(InstructionAnswer, path("cpl", "instructions", each, "acknowledgement"), body))
            except ServiceRefused as error:
                problems.append({"instruction": each, "detail": str(error), "hint": error.hint})
    if service.as_json:
        shown.as_json({"acknowledged": [document(each) for each in done], "refused": problems})
    else:
        console = shown.out()
        for outcome in done:
            shown.sentence(console, f"{outcome.instruction}: {outcome.state}")
        for problem in problems:
            shown.sentence(console, f"{problem['instruction']}: {problem['detail']} {problem['hint']}", style="red")
    raise SystemExit(EXIT_DIFFERS if problems else 0)


@cpl.command(
    short_help="Compare the Panel's list with what it should be.",
    epilog="\b\nExample:\n  trialcpa cpl reconcile central-products-list.xlsx",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--day-first", is_flag=True, help="Of 03/04/2027 the 3 is the day; else the column must show it.")
@asks_service
def reconcile(file: Path, day_first: bool, service: Service) -> None:  # noqa: FBT001 - click
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
        order = DayOrder.DAY_FIRST if day_first else DayOrder.UNKNOWN
        said = client.hand_in(Reconciled, path("cpl", "reconciliations"), octets, content_type, dates=order.said)
    differs = any((said.missing, said.wrong, said.gone, said.unknown, said.unreadable))
    if service.as_json:
        shown.as_json(document(said))
    else:
        _show(said, differs=differs)
    raise SystemExit(EXIT_DIFFERS if differs else 0)


def _show(said: Reconciled, *, differs: bool) -> None:
    console = shown.out()
    _part(
        console,
        "Missing from the list",
        ("approval", "device", "firmware", "expiry", "instruction", "state"),
        [(*_entry(each), shown.day_of(each.expiry), each.instruction, each.instruction_state) for each in said.missing],
    )
    _part(
        console,
        "On the list, with something wrong",
        ("#line", "approval", "firmware", "what"),
        [
            (
                each.line,
                each.approval,
                each.firmware_version,
                [f"{one.field} is “{one.has}” and should be “{one.should}”" for one in each.fields],
            )
            for each in said.wrong
        ],
    )
    _part(
        console,
        "Should be gone",
        ("#line", "approval", "firmware", "why"),
        [(each.line, each.approval, each.firmware_version, each.sentence) for each in said.gone],
    )
    _part(
        console,
        "Trial entries that nobody here knows",
        ("#line", "approval", "device", "firmware"),
        [(each.line, *_entry(each)) for each in said.unknown],
    )
    _part(
        console,
        "Lines that could not be read",
        ("#line", "column", "what"),
        [(each.line, each.column, each.sentence) for each in said.unreadable],
    )
    for each in said.remarks:
        shown.sentence(console, f"Line {each.line}: {each.sentence}", style="yellow")
    if said.not_compared:
        shown.sentence(console, f"The list has no column for: {', '.join(said.not_compared)}.", style="yellow")
    if not differs:
        shown.heading(console, "The list holds what it should.", "bold green")


def _part(console: Console, title: str, columns: Sequence[str], rows: Sequence[Cells]) -> None:
    """Show one way in which the list is not what it should be, if it is so."""
    if rows:
        shown.heading(console, title)
        shown.table(console, columns, rows)


def _entry(each: EntryAnswer | UnknownAnswer) -> Cells:
    return each.approval, _device(each), each.firmware_version


def _device(each: EntryAnswer | UnknownAnswer) -> str:
    return " ".join(filter(None, (getattr(each, column) for column in DEVICE_COLUMNS)))


def _state(each: InstructionAnswer) -> str:
    if each.overdue:
        return f"{each.state}, overdue"
    return f"{each.state}, {each.remark}" if each.remark else each.state
