"""Evidence is recognised by what it holds: whatever is sent is taken for what it is or refused; nothing goes off."""

import random
import struct
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import EvidenceTooLarge, EvidenceUnacceptable
from intake import evidence as intake
from intake.evidence import (
    CSV,
    EVIDENCE_LIMIT,
    LARGEST_WORKBOOK,
    LONGEST_NAME,
    MEDIA_TYPES,
    MOST_MEMBERS,
    PDF,
    TEXT,
    XLSX,
    accepted_type,
    harmless_name,
    recognise,
)
from tests import evidence_world as files

BOOK = files.workbook(["test", "result"], ["heat", "passed"])
PARTS = files.members(BOOK)
TYPES = "[Content_Types].xml"


def refusal(octets: bytes, declared: str | None = None) -> str:
    with pytest.raises(EvidenceUnacceptable) as told:
        recognise(octets) if declared is None else accepted_type(declared, octets)
    return str(told.value)


# --- what is taken -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (files.PDF, PDF),
        (files.PDF.rstrip(), PDF),
        (files.PDF + b"\x00" * 200, PDF),
        (b"%PDF-2.0\r%%EOF", PDF),
        (BOOK, XLSX),
        (files.TEXT, TEXT),
        (files.CSV, TEXT),
        ("\ufeffÜberprüfung, 電力\n".encode(), TEXT),
        (b"x", TEXT),
        (b"PDF-1.7 is what this is about", TEXT),
    ],
)
def test_a_file_is_what_it_holds(octets: bytes, found: str) -> None:
    assert recognise(octets) == found


def test_what_is_said_must_be_what_is_found() -> None:
    good = {PDF: files.PDF, XLSX: BOOK, CSV: files.CSV, TEXT: files.TEXT}
    for said in MEDIA_TYPES:
        for is_, octets in good.items():
            if said == is_ or {said, is_} == {CSV, TEXT}:  # every table is a text
                assert accepted_type(said, octets) == said
            else:
                assert "is said to be" in refusal(octets, said)
    assert accepted_type("Text/CSV; charset=utf-8", files.CSV) == CSV
    for other in ("", "application/json", "text/html", "application/vnd.ms-excel.sheet.macroEnabled.12", "*/*"):
        assert "not one of those that are taken" in refusal(files.TEXT, other)


def test_a_file_has_a_limit_and_something_in_it() -> None:
    assert recognise(b"x" * EVIDENCE_LIMIT) == TEXT
    with pytest.raises(EvidenceTooLarge):
        recognise(b"x" * (EVIDENCE_LIMIT + 1))
    assert "empty" in refusal(b"")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"%PDF-1.7\n", "does not end as one"),
        (files.PDF[:-7], "does not end as one"),
        (files.PDF + b"<script>alert(1)</script>", "does not end as one"),
        (files.PDF + b"\x00" * 2000, "does not end as one"),
        (b"%PDF-x\n%%EOF", "begins like a PDF"),
        (b"%PDF-3.0\n%%EOF", "begins like a PDF"),
        (b"%PDF-", "begins like a PDF"),
        (b"one\ntwo\x00", "line 2, column 4"),
        (b"\x1b[2Jcleared", "line 1, column 1"),
        ("a\u0085b".encode(), "line 1, column 2"),
        (b"caf\xe9", "no text in UTF-8"),
        ("text".encode("utf-16"), "no text in UTF-8"),
        (b"MZ\x90\x00", "no text in UTF-8"),
        (b"\x7fELF", "line 1, column 1"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "no text in UTF-8"),  # the older workbooks, which hold macros unseen
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_something_else_is_refused_with_a_sentence(octets: bytes, words: str) -> None:
    assert words in refusal(octets)


# --- workbooks ---------------------------------------------------------------------------------------------------


def with_part(name: str, octets: bytes) -> bytes:
    return files.archive({**PARTS, name: octets})


def without_part(name: str) -> bytes:
    return files.archive({each: octets for each, octets in PARTS.items() if each != name})


def types_with(change: tuple[bytes, bytes]) -> bytes:
    return with_part(TYPES, PARTS[TYPES].replace(*change))


OVERRIDE = b"</Types>", b'<Override PartName="/xl/x.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
BOOKS: dict[str, tuple[bytes, str]] = {
    "an archive of something else": (files.archive({"a.txt": b"a"}), "no XLSX workbook"),
    "no workbook in it": (without_part("xl/workbook.xml"), "no XLSX workbook"),
    "no content types": (without_part(TYPES), "no XLSX workbook"),
    "macros": (with_part("xl/vbaProject.bin", b"x"), "with macros"),
    "macros elsewhere": (with_part("custom/VBAPROJECT.BIN", b"x"), "with macros"),
    "macros of 1992": (with_part("xl/macrosheets/sheet1.xml", b"x"), "with macros"),
    "macros by another name": (types_with(OVERRIDE), "with macros"),
    "a macro-enabled type": (types_with((b".sheet.main+xml", b".sheet.macroEnabled.main+xml")), "with macros"),
    "a type with an entity": (
        types_with((b".sheet.main+xml", b".sheet.&#109;acroEnabled.main+xml")), "with macros",
    ),
    "another kind of document": (types_with((b"spreadsheetml.sheet.main", b"wordprocessingml.main")), "no XLSX"),
    "entities": (
        with_part(TYPES, b'<!DOCTYPE t [<!ENTITY a "b">]>' + PARTS[TYPES].split(b"?>")[-1]), "cannot be read",
    ),
    "a document type": (
        with_part(TYPES, b"<!DOCTYPE Types>" + PARTS[TYPES].split(b"?>")[-1]), "cannot be read",
    ),
    "types that are no XML": (with_part(TYPES, b"<Types"), "cannot be read"),
    "types in a strange encoding": (
        with_part(TYPES, b'<?xml version="1.0" encoding="x-none"?><Types/>'), "cannot be read",
    ),
    "types without end": (with_part(TYPES, b" " * (512 * 1024 + 1)), "times its size"),
    "out of the archive": (with_part("../../etc/cron.d/x", b"x"), "outside it"),
    "absolute": (with_part("/etc/cron.d/x", b"x"), "outside it"),
    "two of one name": (with_part("XL/Workbook.xml", b"x"), "two files of one name"),
    "another compression": (files.archive(PARTS, compression=zipfile.ZIP_LZMA), "compressed in a way"),
    "something before it": (b"PK\x03\x04" + BOOK, "something between"),
    "something behind it": (BOOK + b"<script>", "does not end as one"),
    "cut off": (BOOK[:-1], "does not end as one"),
    "only its beginning": (b"PK\x03\x04", "does not end as one"),
    "PK": (b"PK", "does not end as one"),
    "too many files": (
        files.archive({**PARTS, **{f"x/{number}": b"" for number in range(MOST_MEMBERS)}}), "more than 2,000 files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BOOKS.values(), ids=BOOKS.keys())
def test_a_workbook_that_is_not_harmless_is_refused(case: tuple[bytes, str]) -> None:
    assert case[1] in refusal(case[0])


def test_a_workbook_at_the_limit_of_files_is_taken() -> None:
    room = MOST_MEMBERS - len(PARTS)
    assert recognise(files.archive({**PARTS, **{f"x/{number}": b"" for number in range(room)}})) == XLSX


def counted(octets: bytes, number: int) -> bytes:
    """The archive whose end says another number of members than its directory has."""
    return octets[:-14] + struct.pack("<2H", number, number) + octets[-10:]


def test_a_number_of_files_is_neither_believed_nor_exceeded() -> None:
    many = files.archive({**PARTS, **{f"x/{number}": b"" for number in range(MOST_MEMBERS)}})
    assert "more than 2,000 files" in refusal(counted(many, 1))
    assert "more than 2,000 files" in refusal(counted(BOOK, MOST_MEMBERS + 1))
    assert "more than 2,000 files" in refusal(files.archive({**PARTS, **{f"{n:0900}": b"" for n in range(1_150)}}))


def commented(octets: bytes, comment: bytes) -> bytes:
    return octets[:-2] + struct.pack("<H", len(comment)) + comment


def test_a_file_that_is_two_things_at_once_is_neither() -> None:
    hidden = files.archive({"a": b"a"})
    # An archive's reader looks from the end, a PDF's from the beginning.
    assert "an archive at once" in refusal(files.PDF + hidden + b"\n%%EOF\n")
    assert "an archive at once" in refusal(files.PDF[:-6] + commented(hidden, b"%%EOF"))
    assert "an archive at once" in refusal(files.archive({"a.pdf": files.PDF, **PARTS}, compression=zipfile.ZIP_STORED))
    assert "does not end as one" in refusal(commented(BOOK, b"%%EOF"))
    assert "something between" in refusal(commented(BOOK, hidden))


def patched(octets: bytes, name: bytes, *, declared: int) -> bytes:
    """The archive whose directory declares another size for a member."""
    place = octets.rindex(name) - 46
    assert octets[place : place + 4] == b"PK\x01\x02"
    return octets[: place + 24] + struct.pack("<I", declared) + octets[place + 28 :]


def test_a_bomb_is_refused_before_it_is_expanded() -> None:
    size = LARGEST_WORKBOOK + 1
    compressed = BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in PARTS.items():
            archive.writestr(name, octets)
        with archive.open("xl/worksheets/sheet9.xml", "w") as sheet:
            for _ in range(size // 2**16 + 1):
                sheet.write(b" " * 2**16)
    bomb = compressed.getvalue()
    assert len(bomb) < 100_000
    # One that says what it is; one that says it is small; one that says it is just within the ratio.
    lying = patched(bomb, b"xl/worksheets/sheet9.xml", declared=1_000)
    nearly = patched(bomb, b"xl/worksheets/sheet9.xml", declared=10_000_000)
    tracemalloc.start()
    try:
        assert "67,108,864 octets" in refusal(bomb)
        assert "cannot be read" in refusal(lying)
        assert "cannot be read" in refusal(nearly)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_a_part_that_becomes_too_many_times_larger_is_refused() -> None:
    assert "200 times its size" in refusal(with_part("xl/worksheets/sheet9.xml", b" " * 2**20))
    assert recognise(with_part("xl/worksheets/sheet9.xml", b" " * 2**16)) == XLSX


def test_many_parts_that_are_one_are_counted_each() -> None:
    """Every directory entry points at one part: the parts declared together would fill what is allowed and more."""
    inner = random.Random(1).randbytes(20 * 1024) * 50  # 1 MB that deflate makes 50 times smaller
    one = with_part("xl/m.bin", inner)
    place = one.rindex(b"xl/m.bin") - 46
    entry = one[place : place + 46 + len(b"xl/m.bin")]
    directory = one[one.index(b"PK\x01\x02") : one.rindex(b"PK\x05\x06")]
    more = b"".join(entry[:46] + f"xl/{number:05}".encode() for number in range(80))
    end = bytearray(one[-22:])
    count = len(PARTS) + 1 + 80
    struct.pack_into("<2HI", end, 8, count, count, len(directory) + len(more))
    bomb = one[: one.index(b"PK\x01\x02")] + directory + more + bytes(end)
    assert "67,108,864 octets" in refusal(bomb)


def taken_or_refused(octets: bytes) -> bool:
    """Both ends are fine; a crash is not."""
    try:
        return recognise(octets) in MEDIA_TYPES
    except EvidenceUnacceptable as told:
        return str(told).isprintable() and bool(told.hint)


@settings(max_examples=300)
@given(
    st.binary(max_size=400)
    | st.builds(
        lambda head, rest: head + rest, st.sampled_from([b"%PDF-1.4\n", b"PK\x03\x04", b"\xef\xbb\xbf"]), st.binary()
    )
)
@example(b"%PDF-1.7\n%%EOF")
def test_whatever_is_sent_is_taken_for_what_it_is_or_refused(octets: bytes) -> None:
    assert taken_or_refused(octets)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_workbook_is_a_workbook_or_refused(damage: list[tuple[int, int]]) -> None:
    octets = bytearray(BOOK)
    for place, value in damage:
        octets[place] = value
    assert taken_or_refused(bytes(octets))


@settings(max_examples=200)
@given(st.integers(0, 64), st.integers(0, 2**32 - 1))
def test_no_number_in_its_directory_makes_it_crash(place: int, value: int) -> None:
    octets = bytearray(BOOK)
    struct.pack_into("<I", octets, len(BOOK) - 4 - place, value)
    assert taken_or_refused(bytes(octets))


def test_workbooks_that_other_programs_wrote_are_taken() -> None:
    """What spreadsheets add: folders as members, members that are stored, a list of types with a byte order mark."""
    odd = BytesIO()
    with zipfile.ZipFile(odd, "w") as archive:
        archive.writestr(TYPES, b"\xef\xbb\xbf" + PARTS[TYPES])
        archive.writestr("xl/", b"")
        for name, octets in PARTS.items():
            if name != TYPES:
                archive.writestr(name, octets, zipfile.ZIP_DEFLATED)
    assert recognise(odd.getvalue()) == XLSX


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("Report.PDF", "Report.PDF"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("a\r\nContent-Type: x.pdf", "aContent-Type_ x.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("invoice.exe", "invoice.exe.pdf"),
        ("Prüfbericht 電力.pdf", "Prüfbericht 電力.pdf"),
        ("Pru\u0308fbericht.pdf", "Prüfbericht.pdf"),
        (" . .. .pdf", "pdf.pdf"),
        (".pdf", "pdf.pdf"),
        ("", "evidence.pdf"),
        ("/", "evidence.pdf"),
        ("\x00\x1b\x7f", "evidence.pdf"),
        ('a"b;c.pdf', "a_b;c.pdf"),
        ("x" * 300, "x" * (LONGEST_NAME - 4) + ".pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_made_harmless(sent: str, kept: str) -> None:
    assert harmless_name(sent, PDF) == kept


@given(st.text(max_size=400), st.sampled_from(MEDIA_TYPES))
def test_every_name_is_short_printable_and_of_its_type(sent: str, media_type: str) -> None:
    kept = harmless_name(sent, media_type)
    assert 1 < len(kept) <= LONGEST_NAME
    assert kept.isprintable()
    assert not set(kept) & set('/\\:*?"<>|')
    assert not kept.startswith((".", " "))
    assert Path(kept).name == kept
    assert Path(kept).suffix
    assert harmless_name(kept, media_type) == kept


def test_the_limits_are_the_ones_that_are_written_down() -> None:
    page = (Path(__file__).parent.parent / "docs" / "assumptions.md").read_text(encoding="utf-8")
    assert EVIDENCE_LIMIT == 10 * 1024 * 1024
    assert "10 MiB a file" in page
    assert intake.HIGHEST_RATIO == 200
