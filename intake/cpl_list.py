"""The Panel's products list as it is, CSV or workbook: the entries that say they are trials, and what cannot be read.

Nobody outside has seen the list's own columns (docs/assumptions.md), so they are found by the names in its header row,
in any order; which names mean which is a setting with a default. A line that cannot be read is told with its number
and its column, and harms no other. Text is text: `0012` stays `0012`, and what begins with `=` is compared, not run.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.approval import DEVICE_COLUMNS, Device, device_listed
from core.cpl import Remark
from core.days import DayOrder, order_in, read_day
from core.errors import DayAmbiguous, InstantMalformed, ListTooLong, ListUnreadable
from intake.table import Table, TableUnreadable, divided, row_of
from intake.workbook import (
    ACROSS,
    CUT,
    ERROR,
    LONGEST_CELL,
    NO_RESULT,
    Row,
    Sheet,
    is_workbook,
    read_workbook,
)

LIST_LIMIT = 16 * 1024 * 1024
"""Octets of a list: some 100,000 lines with digests."""

MOST_LINES = 100_000
"""Lines of a CSV list; a sheet has its own limit."""

HEADER_AMONG = 20
"""Rows among which the header is looked for: titles and dates stand above it in many a sheet."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "approval": ("approval", "trial device approval", "trial approval", "approval identifier", "approval id"),
    "trial": ("trial", "trial marker", "trial device", "is trial", "trial flag"),
    "expiry": ("expiry", "expiry date", "expires", "expires on", "trial expiry", "trial expiry date", "end date"),
    "device_type": ("device type", "type"),
    "manufacturer": ("manufacturer", "manufacturer identifier", "manufacturer id", "device manufacturer"),
    "model": ("model", "model identifier", "model id", "device model"),
    "hardware_version": ("hardware version", "hardware", "hw version", "hardware revision"),
    "firmware_version": ("firmware version", "firmware", "fw version"),
    "image_sha256": ("image sha256", "image sha 256", "firmware hash", "firmware image hash", "image hash", "hash"),
}
"""By field, the names of its column, compared without case; a run of anything but letters and figures is a blank."""

NEEDED = ("approval", "trial", "expiry", "manufacturer", "model", "firmware_version")
"""What F2.27 has the list show, and what tells entries apart; a list without one of these columns shows too little."""

_YES = frozenset({"trial", "trial device", "yes", "y", "true", "1", "x"})
_NO = frozenset({"", "no", "n", "false", "0", "none", "n a", "na", "not a trial"})
# An expiry is a day; where the list shows an instant of it, that is the day.
_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?")
_NOT_READABLE = frozenset({ACROSS, CUT, ERROR, NO_RESULT})


@dataclass(frozen=True)
class ListedEntry:
    """One line of the list.

    Args:
        line: its number.
        marked: whether it shows the trial marker.
        approval: as it stands there, which need not be an identifier.
        device: what the line has no column for is empty.
        firmware_version: as it stands there.
        image_sha256: in lower case; None if the list has no such column.
        expiry: the day; None for a line that is no trial's and has none.
    """

    line: int
    marked: bool
    approval: str
    device: Device
    firmware_version: str
    image_sha256: str | None
    expiry: date | None

    @property
    def trial(self) -> bool:
        """Whether it says, by one thing or another, that it is a trial's."""
        return self.marked or bool(self.approval)


@dataclass(frozen=True)
class ListedSheet:
    """A list as its sheet shows it.

    Args:
        header: the line of its header.
        places: by field, the column, from 0.
        rows: all that holds something, what stands above the header too.
    """

    header: int
    places: Mapping[str, int]
    rows: Sequence[Row]


@dataclass(frozen=True)
class ProductsList:
    """A list that was read.

    Args:
        form: `csv` or `xlsx`.
        lines: how many lines it has below its header.
        entries: those that could be read.
        unreadable: why others could not.
        unread: of those, what could be read of a trial's entry: it stands on the list, whatever else it says.
        remarks: what must be known about cells that could.
        sheet: as it stands there.
    """

    form: str
    lines: int
    entries: tuple[ListedEntry, ...]
    unreadable: tuple[Remark, ...]
    unread: tuple[ListedEntry, ...]
    remarks: tuple[Remark, ...]
    sheet: ListedSheet

    @property
    def fields(self) -> frozenset[str]:
        """Of COLUMNS, those that the list has."""
        return frozenset(self.sheet.places)


def read_list(
    octets: bytes, columns: Mapping[str, Sequence[str]] = COLUMNS, order: DayOrder = DayOrder.UNKNOWN
) -> ProductsList:
    """Return the list that a file holds. What kind of file it is, its content says.

    Args:
        octets: CSV (UTF-8, UTF-16 with its mark, or Windows-1252; commas, semicolons or tabs) or XLSX; its size is
            bounded by whoever took it in.
        columns: by field, the names that its column may have.
        order: what its sender says of dates in numbers; else the column of expiry dates says it, or nobody does.

    Raises:
        FileCompressed: with gzip.
        ListUnreadable: it has no header row with the columns needed, or more than one sheet has.
        ListTooLong: more lines than MOST_LINES.
        WorkbookRefused, WorkbookTooLarge: a workbook that may not be opened.
    """
    if is_workbook(octets):
        return _of_rows("xlsx", *_listing_sheet(read_workbook(octets), columns), (), order)
    try:
        rows, unreadable = _csv_rows(divided(octets))
    except TableUnreadable as error:
        raise ListUnreadable(detail=str(error)) from None
    header = _header(rows, columns)
    if header is None:
        raise ListUnreadable(detail=_without_header(rows, columns))
    return _of_rows("csv", header, rows, unreadable, order)


# --- the header --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    """Where the columns are: by field the place, and by place the name."""

    line: int
    places: Mapping[str, int]
    names: Sequence[str]


def _header(rows: Sequence[Row], columns: Mapping[str, Sequence[str]]) -> _Header | None:
    """The first row that names every column needed; ListUnreadable if it names one of them twice."""
    known = _known(columns)
    for row in rows[:HEADER_AMONG]:
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(row.cells):
            field = known.get(_squeezed(cell.text))
            if field is not None:
                places.setdefault(field, []).append(place)
        if not all(field in places for field in NEEDED):
            continue
        for field, found in places.items():
            if len(found) > 1:
                twice = " and ".join(f"“{row.cells[place].text[:LONGEST_CELL]}”" for place in found[:2])
                raise ListUnreadable(detail=f"line {row.line}: {twice} would both be the {field.replace('_', ' ')}")
        return _Header(
            row.line, {field: found[0] for field, found in places.items()}, [cell.text for cell in row.cells]
        )
    return None


def _known(columns: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """The field of each name that a column may have; of a name that two would have, the first counts."""
    return {_squeezed(each): field for field, names in reversed(list(columns.items())) for each in names}


def _squeezed(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))


def _without_header(rows: Sequence[Row], columns: Mapping[str, Sequence[str]]) -> str:
    """What the row that comes nearest to a header lacks."""
    known = _known(columns)
    named = [{known.get(_squeezed(cell.text)) for cell in row.cells} for row in rows[:HEADER_AMONG]]
    best = max(named, key=lambda fields: len(fields & set(NEEDED)), default=set())
    lacking = ", ".join(f"“{columns[field][0]}”" for field in NEEDED if field not in best)
    return f"none of its first {HEADER_AMONG} rows names its columns; the nearest lacks {lacking}"


def _listing_sheet(sheets: Sequence[Sheet], columns: Mapping[str, Sequence[str]]) -> tuple[_Header, Sequence[Row]]:
    found = [(sheet, header) for sheet in sheets if (header := _header(sheet.rows, columns)) is not None]
    if not found:
        longest = max((sheet.rows for sheet in sheets), key=len, default=())
        raise ListUnreadable(detail=_without_header(longest, columns))
    if len(found) > 1:
        named = " and ".join(f"“{sheet.name}”" for sheet, _ in found[:2])
        raise ListUnreadable(detail=f"the sheets {named} both hold a list; hide or remove all but the one that counts")
    sheet, header = found[0]
    return header, sheet.rows


# --- CSV ---------------------------------------------------------------------------------------------------------


def _csv_rows(table: Table) -> tuple[list[Row], tuple[Remark, ...]]:
    """The rows that hold something, and the lines that could not be read."""
    if table.lines > MOST_LINES:
        raise ListTooLong(limit=MOST_LINES)
    rows, unreadable = [], []
    for record in table.records:
        row = row_of(table, record)
        if row is None:
            unreadable.append(
                Remark(record.line, "", "It cannot be divided into cells; a quotation mark is missing or too many.")
            )
        elif row.cells:
            rows.append(row)
    return rows, tuple(unreadable)


# --- entries -----------------------------------------------------------------------------------------------------


class _Line:
    """A row under its header, and what is said of it."""

    def __init__(self, header: _Header, row: Row) -> None:
        self._header = header
        self._row = row
        self.wrong: list[Remark] = []
        self.unclear = False
        """Whether nobody can say if it is a trial's."""
        self.remarks: list[Remark] = []

    def text(self, field: str) -> str:
        """The text of a field; empty if the line ends before it, or the list has no such column."""
        place = self._header.places.get(field)
        if place is None or place >= len(self._row.cells):
            return ""
        cell = self._row.cells[place]
        if cell.note:
            (self.wrong if cell.note in _NOT_READABLE else self.remarks).append(self._remark(field, cell.note))
        return cell.text

    def refuse(self, field: str, sentence: str) -> None:
        """Say why the line cannot be read."""
        self.wrong.append(self._remark(field, sentence))

    def _remark(self, field: str, sentence: str) -> Remark:
        place = self._header.places.get(field)
        return Remark(self._row.line, "" if place is None else self._header.names[place], sentence)


def _of_rows(
    form: str, header: _Header, rows: Sequence[Row], broken: Sequence[Remark], order: DayOrder
) -> ProductsList:
    entries: list[ListedEntry] = []
    unread: list[ListedEntry] = []
    remarks: list[Remark] = []
    unreadable = list(broken)
    below = [row for row in rows if row.line > header.line]
    if order is DayOrder.UNKNOWN:
        expiries = (row.cells[place].text for row in below if (place := header.places["expiry"]) < len(row.cells))
        order = order_in(_day_of(each) for each in expiries)
    for row in below:
        line = _Line(header, row)
        entry = _entry(line, row, header, order)
        if entry is None or line.unclear:
            unreadable += line.wrong
        elif entry.trial:
            remarks += line.remarks
            unreadable += line.wrong
        if entry is not None:
            (unread if line.wrong else entries).append(entry)
    return ProductsList(
        form=form,
        lines=len(below) + len(broken),
        entries=tuple(entries),
        unreadable=tuple(sorted(unreadable, key=lambda each: each.line)),
        unread=tuple(unread),
        remarks=tuple(remarks),
        sheet=ListedSheet(header.line, header.places, tuple(rows)),
    )


def _entry(line: _Line, row: Row, header: _Header, order: DayOrder) -> ListedEntry | None:
    """The entry of a line; None if nobody can say what stands in which column.

    What else is wrong with the line of an ordinary product is nobody's business here.
    """
    if any(cell.text for cell in row.cells[len(header.names) :]):
        line.refuse("", f"It has {len(row.cells)} cells where the header has {len(header.names)}.")
        return None
    approval = line.text("approval")
    marked = _marked(line)
    trial = marked or bool(approval)
    line.unclear = bool(line.wrong)
    device = device_listed({name: line.text(name) for name in DEVICE_COLUMNS})
    firmware_version = line.text("firmware_version")
    if trial and not firmware_version:
        line.refuse("firmware_version", "The firmware version of a trial's entry is missing.")
    return ListedEntry(
        line=row.line,
        marked=marked,
        approval=approval,
        device=device,
        firmware_version=firmware_version,
        image_sha256=line.text("image_sha256").lower() if "image_sha256" in header.places else None,
        expiry=_expiry(line, order) if trial else None,
    )


def _marked(line: _Line) -> bool:
    written = line.text("trial")
    said = _squeezed(written) or written.strip("- ")
    if said in _YES:
        return True
    if said not in _NO:
        line.refuse("trial", "It is not clear whether this is a trial's entry; write “Trial” or nothing.")
    return False


def _expiry(line: _Line, order: DayOrder) -> date | None:
    said = line.text("expiry")
    if not said:
        return None
    try:
        return read_day(_day_of(said), field="expiry", order=order)
    except DayAmbiguous as error:
        line.refuse("expiry", f"{str(error).partition(': ')[2]} Write the one that is meant as 2027-06-30.")
    except InstantMalformed:
        line.refuse("expiry", "This is no date; write it as 2027-06-30.")
    return None


def _day_of(said: str) -> str:
    instant = _INSTANT.fullmatch(said)
    return instant[1] if instant else said
