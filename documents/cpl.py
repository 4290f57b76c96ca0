"""The instructions to the Panel as tables: what to do on the Central Products List (F2.27, F2.29, F2.31)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from core.approval import DEVICE_COLUMNS
from core.cpl import Instruction
from core.instants import text
from documents.tables import Sheet, csv_text, workbook

COLUMNS = (
    "instruction",
    "kind",
    "due",
    "approval",
    "trial",
    "expiry",
    *DEVICE_COLUMNS,
    "firmware_version",
    "image_sha256",
    "state",
    "overdue",
    "remark",
)
"""The members of an instruction, which are also the names of the columns: a file that comes back is read by them."""

Remarked: TypeAlias = tuple[Instruction, str]
"""An instruction, and what the Panel should know beside it; mostly nothing."""


def instructions_csv(instructions: Iterable[Remarked], at: datetime) -> bytes:
    """Return instructions as CSV, one a line; see `documents.tables` for how text survives a spreadsheet.

    Args:
        instructions: as they are listed, each with what is to be said beside it.
        at: now: what is overdue was due before it.
    """
    return csv_text(COLUMNS, (_row(each, said, at) for each, said in instructions))


def instructions_plain(instructions: Iterable[Remarked], at: datetime) -> bytes:
    """Return instructions as CSV in which every value is as it is, for programs: a spreadsheet would change some.

    Args:
        instructions: as they are listed, each with what is to be said beside it.
        at: now: what is overdue was due before it.
    """
    return csv_text(COLUMNS, (_row(each, said, at) for each, said in instructions), guarded=False)


def instructions_xlsx(instructions: Iterable[Remarked], at: datetime) -> bytes:
    """Return instructions as a workbook of one sheet, every cell text.

    Args:
        instructions: as they are listed, each with what is to be said beside it.
        at: now: what is overdue was due before it.
    """
    rows = [_row(each, said, at) for each, said in instructions]
    return workbook([Sheet("CPL instructions", COLUMNS, rows)], title="CPL instructions")


def _row(instruction: Instruction, remark: str, at: datetime) -> Sequence[str]:
    cells = {
        "instruction": instruction.id,
        "kind": instruction.kind,
        "due": text(instruction.due),
        **instruction.entry.kept(),
        "state": instruction.state,
        "overdue": "yes" if instruction.overdue(at) else "no",
        "remark": remark,
    }
    return [str(cells[name]) for name in COLUMNS]
