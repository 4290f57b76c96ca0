"""The instructions to the Panel as tables: what to do on the Central Products List (F2.27, F2.29, F2.31)."""

from collections.abc import Iterable, Mapping, Sequence

from core.approval import DEVICE_COLUMNS
from core.canonical import Json
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
)
"""The members of an instruction, which are also the names of the columns: a file that comes back is read by them."""


def instructions_csv(instructions: Iterable[Mapping[str, Json]]) -> bytes:
    """Return instructions as CSV, one a line; see `documents.tables` for how text survives a spreadsheet.

    Args:
        instructions: each with the members of COLUMNS; null is an empty cell, a boolean is `yes` or `no`.
    """
    return csv_text(COLUMNS, (_row(each) for each in instructions))


def instructions_xlsx(instructions: Iterable[Mapping[str, Json]]) -> bytes:
    """Return instructions as a workbook of one sheet, every cell text.

    Args:
        instructions: as for `instructions_csv`.
    """
    return workbook(
        [Sheet("CPL instructions", COLUMNS, [_row(each) for each in instructions])], title="CPL instructions"
    )


def _row(instruction: Mapping[str, Json]) -> Sequence[str]:
    return [_cell(instruction[name]) for name in COLUMNS]


def _cell(value: Json) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
