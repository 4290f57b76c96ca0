"""Files of deployments cut into batches, so that a progress bar tells the truth. Nothing is judged here.

A CSV file is cut between records, and each part gets the header; a JSON file between its lines; a DUIS message is one
document and stays whole, as does whatever cannot be read: the service says what is wrong with it.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LARGEST_CHUNK = 5_000
"""Lines sent at once: a second or so of work, so that the bar moves."""

CSV, JSON, XML = "text/csv", "application/json", "application/xml"

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Chunk:
    """A part of a file.

    Args:
        octets: as they are sent.
        content_type: of them.
        lines: how many it holds, for the bar.
        offset: what is added to a line number of the part to get that of the file.
        header: lines at the top of the part that stand at the top of the file too.
    """

    octets: bytes
    content_type: str
    lines: int
    offset: int = 0
    header: int = 0

    def line(self, number: int | None) -> int | None:
        """Return the number of a line in the whole file."""
        return number + self.offset if number is not None and number > self.header else number


def chunks(octets: bytes, most: int) -> list[Chunk]:
    """Return a file in parts of at most `most` lines, in order; at least one part."""
    start = octets.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        return [Chunk(octets, XML, max(1, octets.count(b"\n")))]
    if start in {b"{", b"["}:
        return _json(octets, most)
    return _csv(octets, most)


def _json(octets: bytes, most: int) -> list[Chunk]:
    try:
        document = json.loads(octets)
    except (ValueError, RecursionError):
        return [Chunk(octets, JSON, 1)]
    lines = document.get("lines") if isinstance(document, dict) and set(document) == {"lines"} else None
    if not isinstance(lines, list) or len(lines) <= most:
        return [Chunk(octets, JSON, len(lines) if isinstance(lines, list) else 1)]
    return [
        Chunk(json.dumps({"lines": lines[begin : begin + most]}).encode("ascii"), JSON, len(part), begin)
        for begin in range(0, len(lines), most)
        if (part := lines[begin : begin + most])
    ]


def _csv(octets: bytes, most: int) -> list[Chunk]:
    whole = [Chunk(octets, CSV, max(1, octets.count(b"\n")))]
    try:
        lines = list(io.StringIO(octets.decode("utf-8-sig"), newline=""))
        ends = list(_record_ends(lines))
    except (UnicodeDecodeError, csv.Error):
        return whole
    if len(ends) <= most + 1:
        return [Chunk(octets, CSV, max(1, len(ends) - 1))]
    first, *records = ends
    return list(_parts(lines, first, records, most))


def _parts(lines: Sequence[str], header: int, ends: Sequence[int], most: int) -> Iterator[Chunk]:
    """Cut after every `most` records; `ends` are the numbers of lines up to the end of each."""
    begin = header
    for place in range(0, len(ends), most):
        last = ends[min(place + most, len(ends)) - 1]
        text = "".join([*lines[:header], *lines[begin:last]])
        records = min(most, len(ends) - place)
        yield Chunk(text.encode("utf-8"), CSV, records, begin - header, header)
        begin = last


def _record_ends(lines: Sequence[str]) -> Iterator[int]:
    """The number of lines up to the end of each record: a quoted cell may hold line breaks."""
    delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    for _ in reader:
        yield reader.line_num
