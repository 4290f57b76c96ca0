"""Notices and reports to typeset, and a reader of the PDFs that come of it: only the bytes decide what they say."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIQ\n-----END CERTIFICATE-----\n"
CERTIFICATE = {
    "serial": "5F3A91C2D04477E1AB20934F5D1C8E07",
    "issue": 1,
    "sha256": "3f" * 32,
    "not_before": "2027-01-04T00:00:00Z",
    "not_after": "2027-06-30T23:59:59Z",
    "pem": PEM,
}


def fact(clause: str, label: str, value: str) -> dict[str, Any]:
    return {"clause": clause, "label": label, "value": value}


def passage(heading: str, classification: str, text: str, clause: str = "F2.21(b)") -> dict[str, Any]:
    return {
        "subject": "reasons",
        "heading": heading,
        "clause": clause,
        "classification": classification,
        "text": text,
    }


def notice(**changed: Any) -> dict[str, Any]:
    """Return the DCC's copy of a grant, with one thing changed."""
    return {
        "notice": "TTN-2027-0007",
        "kind": "grant",
        "title": "Trial Device Approval granted",
        "clause": "F2.21",
        "environment": "test",
        "authority": "TEST Trial CPA Authority",
        "recipient": "dcc",
        "classification": "amber",
        "written_at": "2026-12-17T14:03:22Z",
        "approval": "TDA-2027-0042-Y",
        "application": "APP-2026-0019",
        "manufacturer": "Maker Metering Ltd",
        "status_page": "http://127.0.0.1:8470/approvals/TDA-2027-0042-Y",
        "decision": {"meeting": "SSC 2026-24", "minute": "7.2"},
        "effective": None,
        "facts": [
            fact("F2.21(a)", "Device type", "ESME"),
            fact("F2.21(a)", "Model", "010A030B"),
            {"clause": "F2.21(c)", "label": "Start", "instant": "2027-01-04T00:00:00Z"},
            {"clause": "F2.21(c)", "label": "Expiry", "instant": "2027-06-30T23:59:59Z"},
            fact("F2.21(d)", "Maximum number of devices", "500"),
        ],
        "firmware": [{"version": "0002012F", "image_sha256": "ab" * 32}],
        "changes": [],
        "passages": [
            passage("Why the approval is granted", "green", "The trial proves the new board.\n\nThe risk is low."),
            passage("The assessment undertaken", "amber", "The Sub-Committee read the evaluation report."),
        ],
        "conditions": [
            {"number": 1, "classification": "green", "text": "Silence of 48 hours is told within a working day."},
            {"number": 2, "classification": "amber", "text": "Only in the regions named."},
        ],
        "withheld": 0,
        "certificate": CERTIFICATE,
        **changed,
    }


def report(approvals: int = 5, above: int = 1, **changed: Any) -> dict[str, Any]:
    """Return an issued report over so many approvals, the first ones above their limit."""
    each = [_approval(number, number < above) for number in range(approvals)]
    none = {"models": 0, "entries": 0}
    return {
        "report": "2027-05",
        "authority": "Trial CPA Authority",
        "environment": "live",
        "issued": True,
        "since": "2027-05-03T09:12:44Z",
        "until": "2027-06-02T10:00:00Z",
        "issued_at": "2027-06-02T10:00:00Z",
        "look_ahead_months": 3,
        "items": {
            "a": {"models": 71, "entries": 142, "instructed_not_acknowledged": {"models": 13, "entries": 26}},
            "b": {"models": 72, "entries": 73, "instructed_not_acknowledged": none},
            "c": {"models": 74, "entries": 75, "instructed_not_acknowledged": none},
            "d": {"deployed": 41_001},
            "e": {"deployed": 42_002, "of_earlier_periods": 77},
            "f": {"decommissioned": 43_003, "of_earlier_periods": 78},
            "g": {
                "expiring": [
                    {key: one[key] for key in ("approval", "manufacturer", "device", "expiry")} for one in each[:2]
                ]
            },
            "h": {
                "remarks": [
                    {
                        "text": "Told late by the installer.",
                        "made_at": "2027-06-01T15:00:00Z",
                        "made_by": "dcc.reporting",
                    }
                ],
                "attachments": [{"name": "sites.csv", "sha256": "9a" * 32, "size": 48_213, "media_type": "text/csv"}],
            },
        },
        "corrections": [{"approval": "TDA-2027-0002-Y", "devices": 3, "sentence": "3 devices were never installed."}],
        "approvals": each,
        **changed,
    }


def _approval(number: int, above: bool) -> dict[str, Any]:  # noqa: FBT001 - read beside its use
    limit = (50, 100, 250, 500, 1000, 2000)[number % 6]
    deployed = limit + limit // 5 if above else limit * (number % 97) // 100
    return {
        "approval": f"TDA-2027-{number + 1:04d}-Y",
        "manufacturer": "Maker Metering Ltd",
        "device": {"type": "ESME", "manufacturer": "AB01", "model": f"{number:08X}", "hardware_version": "01"},
        "state": "active",
        "start": "2027-01-04",
        "expiry": "2027-06-30",
        "limit": limit,
        "deployed": deployed,
        "deployed_since": deployed // 5,
        "decommissioned_since": deployed // 50,
        "above_limit": deployed > limit,
    }


# --- reading a PDF ------------------------------------------------------------------------------------------------

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\s")
_STREAM = re.compile(rb"/Length (\d+).*?stream\r?\n", re.DOTALL)
_TOKEN = re.compile(
    rb"\s*(?:(?P<name>/[^\s/<>\[\]()]*)|(?P<hex><[0-9A-Fa-f]*>)|(?P<sign><<|>>|[\[\]])|(?P<word>[^\s/<>\[\]()]+))"
)
_INSIDE = re.compile(rb"[^()\\]+|\\(?:[0-7]{1,3}|\r\n|.)|[()]", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"", b"\r\n": b""}
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")


@dataclass(frozen=True)
class Pdf:
    """A PDF as a reader that trusts nothing but its bytes finds it."""

    raw: bytes

    @property
    def objects(self) -> dict[int, tuple[bytes, bytes]]:
        """By number: the object's own text, and its stream decompressed."""
        found = {}
        for begins in _OBJECT.finditer(self.raw):
            rest = self.raw[begins.end() :]
            head, _, _ = rest.partition(b"endobj")
            stream = _STREAM.search(rest) if b"stream" in head and rest.startswith(b"<<") else None
            if stream is None:
                found[int(begins[1])] = (head, b"")
                continue
            content = rest[stream.end() : stream.end() + int(stream[1])]
            found[int(begins[1])] = (
                rest[: stream.end()],
                zlib.decompress(content) if b"/FlateDecode" in stream[0] else content,
            )
        return found

    @property
    def everything(self) -> bytes:
        """All bytes, with every stream decompressed: where something is searched that must not be there."""
        return self.raw + b"\n".join(head + stream for head, stream in self.objects.values())

    @property
    def pages(self) -> list[str]:
        """The text of each page, in the order in which it is drawn."""
        objects = self.objects
        pages = [head for head, _ in objects.values() if b"/Type/Page/" in head]
        return ["".join(_words(objects[_reference(page, b"/Contents")][1], _fonts(page, objects))) for page in pages]

    @property
    def text(self) -> str:
        """The text of all pages."""
        return "\n".join(self.pages)


def _reference(head: bytes, name: bytes) -> int:
    found = re.search(name + rb" (\d+) 0 R", head)
    assert found, name
    return int(found[1])


def _fonts(page: bytes, objects: dict[int, tuple[bytes, bytes]]) -> dict[bytes, dict[int, str]]:
    """By the name that the page gives a typeface: what its glyphs stand for."""
    listed = re.search(rb"/Font<<(.*?)>>", objects[_reference(page, b"/Resources")][0])
    named = re.findall(rb"(/f\d+) (\d+) 0 R", listed[1]) if listed else []
    return {name: _glyphs(objects[_reference(objects[int(at)][0], b"/ToUnicode")][1]) for name, at in named}


def _glyphs(cmap: bytes) -> dict[int, str]:
    found = {}
    for section in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        found.update({int(glyph, 16): _utf16(text) for glyph, text in _PAIR.findall(section)})
    for section in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in _RANGE.findall(section):
            begin = int(text, 16)
            found.update(
                {code: chr(begin + code - int(first, 16)) for code in range(int(first, 16), int(last, 16) + 1)}
            )
    return found


def _utf16(hexadecimal: bytes) -> str:
    return bytes.fromhex(hexadecimal.decode()).decode("utf-16-be")


def _words(content: bytes, fonts: dict[bytes, dict[int, str]]) -> Iterator[str]:
    glyphs: dict[int, str] = {}
    strings: list[bytes] = []
    depth, silent_at = 0, 0  # what stands under an ActualText is only how the text looks
    for token in _tokens(content):
        match token:
            case b"(", string:
                strings.append(string)
            case b"/", name:
                glyphs = fonts.get(name, glyphs)
            case _, b"BDC" | b"BMC":
                depth += 1
                if strings and not silent_at:  # the only strings among the properties are ActualText
                    yield _text_string(strings[-1])
                    silent_at = depth
                strings = []
            case _, b"EMC":
                silent_at = 0 if silent_at == depth else silent_at
                depth -= 1
            case _, b"BT":
                yield " "
            case _, b"TJ" | b"Tj":
                if not silent_at:
                    yield from (_read(string, glyphs) for string in strings)
                strings = []


def _tokens(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names (`/`), strings (`(`) and words of a content stream, as ISO 32000-1 (7.2, 7.3.4.2) writes them."""
    at = 0
    while at < len(content):
        if content[at : at + 1] == b"(":
            depth, octets = 1, b""
            at += 1
            while depth:
                piece = _INSIDE.match(content, at)
                assert piece
                at = piece.end()
                depth += {b"(": 1, b")": -1}.get(piece[0], 0)
                octets += _unescaped(piece[0]) if depth else b""
            yield b"(", octets
            continue
        found = _TOKEN.match(content, at)
        if found is None:
            at += 1
            continue
        at = found.end()
        if found["name"]:
            yield b"/", found["name"]
        elif found["hex"]:
            yield b"(", bytes.fromhex(found["hex"][1:-1].decode())
        elif found["word"]:
            yield b"", found["word"]


def _text_string(octets: bytes) -> str:
    if octets.startswith(b"\xfe\xff"):
        return octets[2:].decode("utf-16-be")
    return octets.decode("latin-1")


def _unescaped(piece: bytes) -> bytes:
    if not piece.startswith(b"\\"):
        return piece
    what = piece[1:]
    return bytes([int(what, 8)]) if what[:1].isdigit() else _NAMED.get(what, what)


def _read(string: bytes, glyphs: dict[int, str]) -> str:
    codes = (int.from_bytes(string[at : at + 2]) for at in range(0, len(string), 2))
    return "".join(glyphs.get(code, "\N{REPLACEMENT CHARACTER}") for code in codes)


def squeezed(text: str) -> str:
    """Return text without any white space or zero width space: lines break where they must."""
    return re.sub(r"[\s\u200b\u00a0]+", "", text)
