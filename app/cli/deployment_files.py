"""Files of deployments cut into batches, so that a progress bar tells the truth. Nothing is judged here.

Lines about one device stay together, and devices that come down go before those that go up, as within one batch of
the service: a report that keeps within a limit must not exceed it half way. A DUIS message is one document and stays
whole, as does whatever cannot be read: the service says what is wrong with it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from core.canonical import read_json
from core.days import DayOrder, order_in
from core.deployments import Event, by_device
from core.errors import DeviceIdMalformed, TrialCpaError
from core.identifiers import parse_device_id
from core.plain_text import utf8
from intake.table import column_named, divided, row_of
from intake.workbook import is_workbook

USUAL_CHUNK = 5_000
"""Lines sent at once: a second or so of work, so that the bar moves."""

LARGEST_CHUNK = 100_000
"""Lines of one batch that the service takes."""

CSV, JSON, XML = "text/csv", "application/json", "application/xml"

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_UNREADABLE = (ValueError, TrialCpaError)


@dataclass(frozen=True)
class Chunk:
    """A part of a file.

    Args:
        octets: as they are sent.
        content_type: of them.
        lines: how many it holds, for the bar.
        numbers: of each line of the part, its number in the file; a line that is not in it has the same in both.
        order: of the dates in numbers, as the whole file shows it.
    """

    octets: bytes
    content_type: str
    lines: int
    numbers: Mapping[int, int] = field(default_factory=dict)
    order: DayOrder = DayOrder.UNKNOWN

    def line(self, number: int) -> int:
        """Return the number of a line in the whole file."""
        return self.numbers.get(number, number)


@dataclass(frozen=True)
class _Record:
    """One line of a report: its text, its number in the file, how many lines of text it takes, what it is about."""

    text: str
    number: int
    span: int
    devices: tuple[str, ...]
    event: str
    on: str


def chunks(octets: bytes, most: int) -> list[Chunk]:
    """Return a file in parts of at most `most` lines, unless more belong together; at least one part."""
    if is_workbook(octets):
        return [Chunk(octets, XLSX, 1)]
    start = octets.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return [Chunk(octets, XML, max(1, octets.count(b"\n")))]
    json_sent = start in {b"{", b"["}
    whole = Chunk(octets, JSON if json_sent else CSV, max(1, octets.count(b"\n")))
    try:
        header, records = _of_json(octets) if json_sent else _of_csv(octets)
    except _UNREADABLE:
        return [whole]
    if len(records) <= most:
        return [Chunk(octets, whole.content_type, max(1, len(records)))]
    make = _json_part if json_sent else _csv_part
    # What the whole column shows of the order in its dates, a part of it may not.
    order = order_in(each.on for each in records)
    return [replace(make(header, part), order=order) for part in _parts(records, most)]


# --- reading -----------------------------------------------------------------------------------------------------


def _of_csv(octets: bytes) -> tuple[list[str], list[_Record]]:
    """The lines of text of the header, and the records below it; ValueError if it is not such a file."""
    table = divided(octets)
    columns: list[str] | None = None
    # What stands between the cells is said, and not left to be found out again from the lines of a part.
    header, records = [f"sep={table.separator}"], []
    for each in table.records:
        row = row_of(table, each)
        if row is None or each.text is None:
            raise ValueError("it is no CSV")
        if not row.cells:
            continue
        if columns is None:
            columns = [column_named(cell.text) for cell in row.cells]
            header.append(each.text)
            continue
        said = dict(zip(columns, (cell.text for cell in row.cells), strict=False))
        records.append(_record(each.text, each.line, each.text.count("\n") + 1, said))
    if columns is None or "device_id" not in columns:
        raise ValueError("it has no header")
    return header, records


def _of_json(octets: bytes) -> tuple[list[str], list[_Record]]:
    # What the service would refuse must reach it as it is.
    document = read_json(utf8(octets), once_each=True)
    if not isinstance(document, dict) or document.keys() != {"lines"} or not isinstance(document["lines"], list):
        raise ValueError("it is not a list of lines")
    return [], [
        _record(json.dumps(each), number, 1, each if isinstance(each, dict) else {})
        for number, each in enumerate(document["lines"], 1)
    ]


def _record(text: str, number: int, span: int, said: Mapping[str, object]) -> _Record:
    named = (_device(str(said.get(name, ""))) for name in ("device_id", "by"))
    return _Record(
        text=text,
        number=number,
        span=span,
        devices=tuple(each for each in named if each),
        event=str(said.get("event", "")).casefold(),
        on=str(said.get("on", "")),
    )


def _device(named: str) -> str:
    """One form for one device, so that what is about it stays together; what is none is told by the service."""
    try:
        return parse_device_id(named)
    except DeviceIdMalformed:
        return named.casefold()


# --- cutting -----------------------------------------------------------------------------------------------------


def _parts(records: Sequence[_Record], most: int) -> Iterator[list[_Record]]:
    part: list[_Record] = []
    for group in sorted(by_device(records, lambda each: each.devices), key=_net):
        if part and len(part) + len(group) > most:
            yield part
            part = []
        part += group
    yield part


def _net(group: Sequence[_Record]) -> int:
    """How many devices more are deployed after a group than before."""
    return sum(_more(Event(each.event)) for each in group if each.event in set(Event))


def _more(event: Event) -> int:
    """How many devices more are deployed after a line than before; one that is replaced leaves its place filled."""
    match event:
        case Event.DEPLOYED | Event.NOT_DECOMMISSIONED:
            return 1
        case Event.DECOMMISSIONED | Event.CORRECTED:
            return -1
        case Event.REPLACED:
            return 0
        case _:
            assert_never(event)


def _csv_part(header: Sequence[str], part: Sequence[_Record]) -> Chunk:
    numbers, at = {}, sum(each.count("\n") + 1 for each in header) + 1
    for each in part:
        numbers[at] = each.number
        at += each.span
    texts = [*header, *(each.text for each in part), ""]
    return Chunk(octets="\r\n".join(texts).encode("utf-8"), content_type=CSV, lines=len(part), numbers=numbers)


def _json_part(_: Sequence[str], part: Sequence[_Record]) -> Chunk:
    numbers = {place: each.number for place, each in enumerate(part, 1)}
    return Chunk(
        octets=f'{{"lines":[{",".join(each.text for each in part)}]}}'.encode(),
        content_type=JSON,
        lines=len(part),
        numbers=numbers,
    )
