"""The Panel's list as they sent it, with what differs marked: for whoever changes it, line by line."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.approval import DEVICE_COLUMNS
from core.cpl import TRIAL_MARKER
from documents.marked_list import MOST_COLUMNS, Mark, MarkedSheet, Tint, marked_xlsx
from intake.cpl_list import ListedSheet, ProductsList
from ra.telling.views import MissingAnswer, Reconciled


def marked(listed: ProductsList, told: Reconciled) -> bytes:
    """Return a list as a workbook in which each difference is marked.

    Args:
        listed: as it was sent.
        told: what was found.
    """
    sheet = listed.sheet
    return marked_xlsx(
        MarkedSheet(
            header=sheet.header,
            rows={row.line: [cell.text for cell in row.cells] for row in sheet.rows},
            marks=_by_line(sheet, told),
            missing=[_missing(sheet, each) for each in told.missing],
        ),
        at=told.as_of,
    )


def _by_line(sheet: ListedSheet, told: Reconciled) -> dict[int, list[Mark]]:
    found: dict[int, list[Mark]] = defaultdict(list)
    for line, mark in _marks(sheet, told):
        found[line].append(mark)
    return found


def _marks(sheet: ListedSheet, told: Reconciled) -> Iterator[tuple[int, Mark]]:
    for wrong in told.wrong:
        for each in wrong.fields:
            said = f"{_words(each.field)}: should be “{each.should}”."
            yield wrong.line, Mark(Tint.WRONG, said, sheet.places.get(each.field))
    for gone in told.gone:
        yield gone.line, Mark(Tint.GONE, f"Take it off the list. {gone.sentence}")
    for unknown in told.unknown:
        yield unknown.line, Mark(Tint.UNKNOWN, "No such trial is known to the authority.")
    names = {name.text: place for row in sheet.rows if row.line == sheet.header for place, name in enumerate(row.cells)}
    for remark in (*told.unreadable, *told.remarks):
        yield remark.line, Mark(Tint.UNREAD, remark.sentence, names.get(remark.column))


def _missing(sheet: ListedSheet, entry: MissingAnswer) -> tuple[Sequence[str], str]:
    """The cells of a line that is to be added, and what to do."""
    values = {
        "approval": entry.approval,
        "trial": TRIAL_MARKER,
        "expiry": entry.expiry.date().isoformat(),
        "firmware_version": entry.firmware_version,
        "image_sha256": entry.image_sha256,
        **{name: getattr(entry, name) for name in DEVICE_COLUMNS},
    }
    places = {field: place for field, place in sheet.places.items() if place < MOST_COLUMNS}
    cells = [""] * (max(places.values(), default=-1) + 1)
    for field, place in places.items():
        cells[place] = values[field]
    asked = f" Instruction {entry.instruction} is about it." if entry.instruction else ""
    return cells, f"Add this line.{asked}"


def _words(field: str) -> str:
    return field.replace("_", " ").capitalize()
