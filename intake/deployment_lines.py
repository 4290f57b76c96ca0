"""Reports of deployments as they are sent: CSV with a header row, or JSON (F2.28). An inventory is read in duis.py.

A line that cannot be read is told with its number and column and harms no other. What was sent is repeated in no
sentence: it may be a postcode in the wrong column.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from core.approval import DEVICE_MEMBERS, VARIANT_MEMBERS
from core.deployments import (
    DEVICE_TEXT_LIMIT,
    FIRMWARE_LIMIT,
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
    DeploymentsMalformed,
    DeploymentsTooMany,
    DeviceIdMalformed,
    IdentifierMalformed,
    InstantMalformed,
)
from core.identifiers import ApprovalIdentifier, parse_device_id
from core.instants import day, first_second, parse

MOST_LINES = 100_000
"""Lines of one report (issue: batches of up to 100,000)."""

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


# --- CSV ---------------------------------------------------------------------------------------------------------


def read_csv(body: bytes) -> list[Line | Verdict]:
    """Return the lines of a CSV file; what could not be read comes as a verdict.

    Args:
        body: UTF-8, with or without a byte order mark; commas, semicolons or tabs between the cells.

    Raises:
        DeploymentsMalformed: not such a file, or other columns.
        DeploymentsTooMany: more than MOST_LINES.
    """
    rows = _rows(body)
    head = next(rows, None)
    if head is None:
        raise DeploymentsMalformed(detail=f"the file is empty; it must have {_EXPECTED}")
    columns = _header(head[1])
    lines: list[Line | Verdict] = []
    for number, cells in rows:
        if not any(cells):
            continue  # spreadsheets leave empty rows behind
        if len(lines) == MOST_LINES:
            raise DeploymentsTooMany(limit=MOST_LINES)
        if len(cells) != len(columns):
            what = f"it has {len(cells)} cells where the header has {len(columns)}"
            lines.append(_refused(number, LineCode.MALFORMED, None, what=what))
        else:
            lines.append(_line(number, dict(zip(columns, cells, strict=True))))
    return _some(lines)


def _rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of the line that it begins on; surrounding blanks are cut off."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DeploymentsMalformed(detail="the file is not text in UTF-8; save it as “CSV UTF-8”") from None
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise DeploymentsMalformed(
                detail=f"line {number} is no row of CSV; look for a stray quotation mark"
            ) from None
        yield number, [cell.strip() for cell in cells]
        number = reader.line_num + 1


def _header(cells: Sequence[str]) -> list[str]:
    columns = [cell.casefold() for cell in cells]
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


# --- JSON --------------------------------------------------------------------------------------------------------


def read_json(body: bytes) -> list[Line | Verdict]:
    """Return the lines of `{"lines": […]}`; what could not be read comes as a verdict.

    Raises:
        DeploymentsMalformed: not such an object in UTF-8.
        DeploymentsTooMany: more than MOST_LINES.
    """
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_once_each)
    except RecursionError:
        raise DeploymentsMalformed(detail="it is nested too deeply") from None
    except ValueError:
        # Also numbers of thousands of digits, octets that are not UTF-8, and the hook below.
        raise DeploymentsMalformed(detail="it is not JSON in UTF-8 with each member named once") from None
    if not isinstance(value, dict) or value.keys() != {"lines"} or not isinstance(value["lines"], list):
        raise DeploymentsMalformed(detail="it must be an object with the one member “lines”, a list")
    if len(value["lines"]) > MOST_LINES:
        raise DeploymentsTooMany(limit=MOST_LINES)
    return _some([_member(number, each) for number, each in enumerate(value["lines"], 1)])


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    # Readers differ in which of two equal names they believe (RFC 8259, 4).
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _member(number: int, line: object) -> Line | Verdict:
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
        what = "this member must be a string, also where it looks like a number"
        return _refused(number, LineCode.MALFORMED, wrong, what=what)
    return _line(number, values)


# --- one line, whatever its form ---------------------------------------------------------------------------------


class _UnreadableError(Exception):
    """Why a line cannot be read: the code, the column it lies in, and what its sentence needs."""

    def __init__(self, code: LineCode, column: str, what: str = "") -> None:
        super().__init__(code)
        self.code, self.column, self.what = code, column, what


def _line(number: int, given: Mapping[str, str]) -> Line | Verdict:
    device_id = None
    try:
        device_id = _device("device_id", given)
        return _read(number, device_id, given)
    except _UnreadableError as error:
        return _refused(number, error.code, error.column, device_id, what=error.what)


def _read(number: int, device_id: str, given: Mapping[str, str]) -> Line:
    _require_printable(given)
    event = _EVENTS.get(given.get("event", "").casefold())
    if event is None:
        raise _UnreadableError(LineCode.EVENT_UNKNOWN, "event")
    on = _instant(given.get("on", ""))
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
        most = _LONGEST.get(name, DEVICE_TEXT_LIMIT)
        if len(value) > most or not value.isprintable():
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
    if bool(why) is not (event in {Event.CORRECTED, Event.NOT_DECOMMISSIONED}):
        raise _UnreadableError(LineCode.MALFORMED, "why", "a correction says why, and nothing else does")
    return why


@lru_cache(maxsize=4_096)
def _instant(value: str) -> tuple[datetime, bool] | None:
    """The instant and whether it was given as a day."""
    try:
        if len(value) == len("2027-06-30"):
            return first_second(day(value, field="on")), True
        return parse(value, field="on"), False
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
