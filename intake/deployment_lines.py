"""Reports of deployments as they are sent: a table with a header row, or JSON (F2.28). An inventory: duis.py.

A line that cannot be read is told with its number and column and harms no other. What was sent is repeated in no
sentence: it may be a postcode in the wrong column.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from core.approval import DEVICE_MEMBERS, VARIANT_MEMBERS
from core.days import DayOrder, Readings, order_in, read_day, readings
from core.deployments import (
    DEVICE_TEXT_LIMIT,
    FIRMWARE_LIMIT,
    MOST_LINES,
    Event,
    Form,
    Line,
    LineCode,
    Model,
    Outcome,
    Verdict,
    sentence,
)
from core.errors import (
    DayAmbiguous,
    DeploymentsMalformed,
    DeploymentsTooMany,
    DeviceIdMalformed,
    IdentifierMalformed,
    InstantMalformed,
)
from core.identifiers import ApprovalIdentifier, parse_device_id
from core.instants import first_second, read_instant
from core.json_text import JsonUnreadable, read_sent
from core.plain_text import trimmed
from core.words import says_something
from intake.table import TableUnreadable, column_named, divided, row_of
from intake.workbook import FORMULA, NUMBER, Row, is_workbook, read_workbook

REASON_LIMIT = 500
"""Characters of the reason of a correction."""

LONGEST_CELL = 1_000
"""Characters of a cell that has a form of its own; far beyond any of them."""

_LONGEST: Mapping[str, int] = {
    "firmware_version": FIRMWARE_LIMIT,
    "why": REASON_LIMIT,
    **dict.fromkeys(("event", "on", "approval"), LONGEST_CELL),
}

COLUMNS = (
    "event",
    "device_id",
    "on",
    "approval",
    *DEVICE_MEMBERS,
    "firmware_version",
    "by",
    "why",
)
"""The columns of a CSV file, in any order; the first three are always needed."""

NEEDED = COLUMNS[:3]
_IS_NUMBER = "this must be text, also where it looks like a number"
_MEMBERS = frozenset(COLUMNS) - frozenset(DEVICE_MEMBERS) | {"device"}
_EVENTS = {event.value: event for event in Event}
_EXPECTED = f"a header row with event, device_id, on and any of {', '.join(COLUMNS[3:])}"

_ELEMENTS: Mapping[str, str] = {
    "device_id": "DeviceID",
    "on": "DateCommissioned",
    "status": "DeviceStatus",
    "type": "DeviceType",
    "manufacturer": "DeviceManufacturer",
    "model": "DeviceModel",
    "firmware_version": "DeviceFirmwareVersion",
}


def column_name(form: Form, column: str | None) -> str | None:
    """Return how the sender of that form knows a column: as a header, a member or an element."""
    if column is None or form is Form.CSV:
        return column
    if form is Form.JSON:
        return f"device.{column}" if column in DEVICE_MEMBERS else column
    return _ELEMENTS.get(column, column)


# --- CSV and workbooks -------------------------------------------------------------------------------------------


def read_table(body: bytes, order: DayOrder = DayOrder.UNKNOWN) -> list[Line | Verdict]:
    """Return the lines of a table; what could not be read comes as a verdict.

    Args:
        body: CSV in any form in which a spreadsheet saves it, or an XLSX workbook of which one sheet is a report.
        order: what its sender says of dates in numbers; else the column `on` says it, or nobody does.

    Raises:
        FileCompressed: with gzip.
        DeploymentsMalformed: not such a file, or other columns.
        DeploymentsTooMany: more than MOST_LINES.
        WorkbookRefused, WorkbookTooLarge: a workbook that may not be opened.
    """
    head, rows = _sheet(body) if is_workbook(body) else _of_csv(body)
    columns = _header([cell.text for cell in head.cells])
    given = [_given(row, columns) for row in rows]
    if order is DayOrder.UNKNOWN:
        order = order_in(each.get("on", "") for each in given if not isinstance(each, Verdict))
    return _some(
        [
            each if isinstance(each, Verdict) else _line(row.line, each, order)
            for row, each in zip(rows, given, strict=True)
        ]
    )


def _of_csv(body: bytes) -> tuple[Row, list[Row]]:
    """The header, and the rows below it that hold something."""
    try:
        table = divided(body)
    except TableUnreadable as error:
        raise DeploymentsMalformed(detail=str(error)) from None
    head: Row | None = None
    rows: list[Row] = []
    for record in table.records:
        row = row_of(table, record)
        if row is None:
            what = f"line {record.line} is no row of CSV; look for a stray quotation mark"
            raise DeploymentsMalformed(detail=what)
        if not row.cells:
            continue  # spreadsheets leave empty rows behind
        if head is None:
            head = row
            continue
        if len(rows) == MOST_LINES:
            raise DeploymentsTooMany(limit=MOST_LINES)
        rows.append(row)
    if head is None:
        raise DeploymentsMalformed(detail=f"the file is empty; it must have {_EXPECTED}")
    return head, rows


def _sheet(body: bytes) -> tuple[Row, list[Row]]:
    sheets = [sheet.rows for sheet in read_workbook(body) if sheet.rows]
    named = [rows for rows in sheets if {column_named(cell.text) for cell in rows[0].cells} >= set(NEEDED)]
    if len(named) > 1:
        raise DeploymentsMalformed(detail="several of its sheets are reports; hide or remove all but one")
    if not named and not sheets:
        raise DeploymentsMalformed(detail=f"the workbook is empty; a sheet must have {_EXPECTED}")
    rows = (named or sheets)[0]
    return rows[0], list(rows[1:])


def _header(cells: Sequence[str]) -> list[str]:
    columns = [column_named(cell) for cell in cells]
    unknown = [place for place, name in enumerate(columns, 1) if name not in COLUMNS]
    if unknown:
        # The first row may be no header at all but somebody's data: its words are not repeated.
        raise DeploymentsMalformed(
            detail=f"column {unknown[0]} of its first row is not known; it must have {_EXPECTED}"
        )
    for name in NEEDED:
        if name not in columns:
            raise DeploymentsMalformed(detail=f"the column {name} is missing; it must have {_EXPECTED}")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DeploymentsMalformed(detail=f"the column {twice} is there twice")
    return columns


def _given(row: Row, columns: Sequence[str]) -> Mapping[str, str] | Verdict:
    """What a row says by column; spreadsheets leave empty cells at its end away, but never one that is needed."""
    least = 1 + max(columns.index(name) for name in NEEDED)
    if not least <= len(row.cells) <= len(columns):
        what = f"it has {len(row.cells)} cells where the header has {len(columns)}"
        return _refused(row.line, LineCode.MALFORMED, None, what=what)
    for name, cell in zip(columns, row.cells, strict=False):
        if cell.note and cell.note != FORMULA:
            # 12 in a workbook may have been 0012, and nobody can say.
            what = _IS_NUMBER if cell.note == NUMBER else f"{cell.note[0].lower()}{cell.note[1:].rstrip('.')}"
            return _refused(row.line, LineCode.MALFORMED, name, what=what)
    return {name: cell.text for name, cell in zip(columns, row.cells, strict=False)}


# --- JSON --------------------------------------------------------------------------------------------------------


def read_lines(body: bytes, order: DayOrder = DayOrder.UNKNOWN) -> list[Line | Verdict]:
    """Return the lines of `{"lines": […]}`; what could not be read comes as a verdict.

    Raises:
        DeploymentsMalformed: not such an object in UTF-8.
        DeploymentsTooMany: more than MOST_LINES.
    """
    try:
        value = read_sent(body)
    except JsonUnreadable as error:
        raise DeploymentsMalformed(detail=str(error)) from None
    if not isinstance(value, dict) or value.keys() != {"lines"} or not isinstance(value["lines"], list):
        raise DeploymentsMalformed(detail="it must be an object with the one member “lines”, a list")
    if len(value["lines"]) > MOST_LINES:
        raise DeploymentsTooMany(limit=MOST_LINES)
    given = [_member(number, each) for number, each in enumerate(value["lines"], 1)]
    if order is DayOrder.UNKNOWN:
        order = order_in(each.get("on", "") for each in given if not isinstance(each, Verdict))
    return _some(
        [each if isinstance(each, Verdict) else _line(number, each, order) for number, each in enumerate(given, 1)]
    )


def _member(number: int, line: object) -> Mapping[str, str] | Verdict:
    if not isinstance(line, dict) or not line.keys() <= _MEMBERS:
        what = f"it must be an object with members out of {', '.join(sorted(_MEMBERS))}"
        return _refused(number, LineCode.MALFORMED, None, what=what)
    device = line.get("device", {})
    if not isinstance(device, dict) or not device.keys() <= set(DEVICE_MEMBERS):
        what = f"device must be an object with members out of {', '.join(DEVICE_MEMBERS)}"
        return _refused(number, LineCode.MALFORMED, None, what=what)
    values = {**line, **device}
    values.pop("device", None)
    wrong = next((name for name, value in values.items() if not isinstance(value, str)), None)
    if wrong is not None:
        # A model 010A030B that became a number has lost its leading zeros: numbers are not turned back into text.
        return _refused(number, LineCode.MALFORMED, wrong, what=_IS_NUMBER)
    return {name: trimmed(value) for name, value in values.items()}


# --- one line, whatever its form ---------------------------------------------------------------------------------


class _UnreadableError(Exception):
    """Why a line cannot be read: the code, the column it lies in, and what its sentence needs."""

    def __init__(self, code: LineCode, column: str, what: str = "", **fields: str) -> None:
        super().__init__(code)
        self.code, self.column, self.fields = code, column, {"what": what, **fields}


def _line(number: int, given: Mapping[str, str], order: DayOrder) -> Line | Verdict:
    device_id = None
    try:
        device_id = _device("device_id", given)
        return _read(number, device_id, given, order)
    except _UnreadableError as error:
        return _refused(number, error.code, error.column, device_id, **error.fields)


def _read(number: int, device_id: str, given: Mapping[str, str], order: DayOrder) -> Line:
    _require_printable(given)
    event = _EVENTS.get(given.get("event", "").casefold())
    if event is None:
        raise _UnreadableError(LineCode.EVENT_UNKNOWN, "event")
    on = _instant(given.get("on", ""), order)
    if isinstance(on, Readings):
        raise _UnreadableError(LineCode.DAY_AMBIGUOUS, "on", first=str(on.day_first), second=str(on.month_first))
    if on is None:
        raise _UnreadableError(LineCode.INSTANT_MALFORMED, "on")
    approval = _identifier(given.get("approval", ""))
    if approval is None and given.get("approval"):
        raise _UnreadableError(LineCode.IDENTIFIER_MALFORMED, "approval")
    return Line(
        number=number,
        event=event,
        device_id=device_id,
        on=on[0],
        whole_day=on[1],
        approval=approval,
        model=_model(event, given),
        firmware=given.get("firmware_version", ""),
        by=_replacing(event, device_id, given),
        why=_why(event, given),
    )


def _require_printable(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        if not value:
            continue
        most = _LONGEST.get(name, DEVICE_TEXT_LIMIT)
        # What is no day is told as that; a blank that does not break, as people copy it along, is part of one.
        if len(value) > most or not (value.isprintable() or name == "on"):
            raise _UnreadableError(LineCode.MALFORMED, name, f"this may have up to {most} printable characters")


def _device(column: str, given: Mapping[str, str]) -> str:
    try:
        return parse_device_id(given.get(column, ""))
    except DeviceIdMalformed:
        raise _UnreadableError(LineCode.DEVICE_ID_MALFORMED, column) from None


def _model(event: Event, given: Mapping[str, str]) -> Model | None:
    if not any(given.get(name) for name in DEVICE_MEMBERS):
        if event is Event.DEPLOYED and not given.get("approval"):
            raise _UnreadableError(LineCode.MALFORMED, "approval", "name the approval, or manufacturer and model")
        return None
    if not (given.get("manufacturer") and given.get("model")):
        what = f"a device model is named by manufacturer and model, and may be by {' and '.join(VARIANT_MEMBERS)}"
        raise _UnreadableError(LineCode.MALFORMED, "model", what)
    return Model(**{name: given.get(name, "") for name in DEVICE_MEMBERS})


def _replacing(event: Event, device_id: str, given: Mapping[str, str]) -> str:
    if bool(given.get("by")) is not (event is Event.REPLACED):
        what = "a replacement names in “by” the device that took the place, and nothing else does"
        raise _UnreadableError(LineCode.MALFORMED, "by", what)
    if event is not Event.REPLACED:
        return ""
    replacing = _device("by", given)
    if replacing == device_id:
        raise _UnreadableError(LineCode.MALFORMED, "by", "a device cannot replace itself")
    return replacing


def _why(event: Event, given: Mapping[str, str]) -> str:
    why = given.get("why", "").strip()
    if says_something(why) is not (event in {Event.CORRECTED, Event.NOT_DECOMMISSIONED}):
        raise _UnreadableError(LineCode.MALFORMED, "why", "a correction says why, and nothing else does")
    return why


@lru_cache(maxsize=4_096)
def _instant(value: str, order: DayOrder) -> tuple[datetime, bool] | Readings | None:
    """The instant and whether it was given as a day; what it may mean if it may mean two days."""
    try:
        return first_second(read_day(value, field="on", order=order)), True
    except DayAmbiguous:
        return readings(value)
    except InstantMalformed:
        pass
    try:
        return read_instant(value, field="on"), False
    except InstantMalformed:
        return None


@lru_cache(maxsize=4_096)
def _identifier(value: str) -> str | None:
    if not value:
        return None
    try:
        return str(ApprovalIdentifier.parse(value))
    except IdentifierMalformed:
        return None


def _some(lines: list[Line | Verdict]) -> list[Line | Verdict]:
    if not lines:
        raise DeploymentsMalformed(detail="it has no line")
    return lines


def _refused(
    number: int, code: LineCode, column: str | None, device_id: str | None = None, **fields: object
) -> Verdict:
    return Verdict(
        number=number,
        outcome=Outcome.REFUSED,
        device_id=device_id,
        approval=None,
        code=code,
        column=column,
        detail=sentence(code, **fields),
    )
