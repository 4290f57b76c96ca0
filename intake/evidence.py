"""Evidence files: recognised by what they hold, never by what they are called; a bomb is refused before it goes off.

Files from strangers that officers will open. Nothing of them is rendered, and no sentence here repeats a word of them.
"""

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from io import BytesIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.errors import EvidenceTooLarge, EvidenceUnacceptable, FileCompressed
from core.plain_text import TextUnreadable, is_gzip, utf8

EVIDENCE_LIMIT = 10 * 1024 * 1024
"""Octets of one file: a test report with its photographs fits; a register is no archive."""

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
TEXT = "text/plain"
_SAID_FOR = {"application/vnd.ms-excel": CSV}
"""What Windows calls a CSV where Excel is installed; a workbook of old under that name is not text, and is refused."""

_OCTETS = "application/octet-stream"
"""What generated clients call every file."""

MEDIA_TYPES = (PDF, XLSX, CSV, TEXT)
"""What is taken. A CSV is a text whose sender says that it is a table."""

LONGEST_NAME = 120
"""Characters of a file's name; every file system in use takes as many."""

MOST_MEMBERS = 2_000
"""Files within a workbook; one with a hundred sheets and their drawings has some hundreds."""

LARGEST_DIRECTORY = 1024 * 1024
"""Octets of a workbook's central directory: five times what MOST_MEMBERS need with the names that are usual."""

LARGEST_WORKBOOK = 64 * 1024 * 1024
"""Octets of a workbook when it is expanded, as declared and as found."""

HIGHEST_RATIO = 200
"""How many times larger a member may become; sheets become 5 to 30 times as large, deflate can reach 1,032."""

SMALL_MEMBER = 64 * 1024
"""Octets below which a member's ratio says nothing: a sheet of blanks may shrink to a few."""

LARGEST_CONTENT_TYPES = 512 * 1024
"""Octets of [Content_Types].xml, which has one short line for each member."""

_CHUNK = 64 * 1024
_TAIL = 1024
"""Octets from the end within which a PDF must say that it has ended; what readers look through."""

_PDF_HEAD = re.compile(rb"%PDF-[12]\.[0-9][\r\n \t]")
_PDF_END = re.compile(rb"%%EOF[\r\n\t \x00]*\Z")
# C0 and C1 controls but TAB, LF and CR; DEL.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# What no file may be called on some machine that it will be saved on.
_RESERVED = re.compile(r'[:*?"<>|]')

_ZIP_HEAD = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 0x1
_CONTENT_TYPES = "[Content_Types].xml"
_WORKBOOK = "xl/workbook.xml"
_WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_FILES = frozenset({"vbaproject.bin", "vbadata.xml"})
_MACRO_FOLDERS = ("xl/macrosheets/", "xl/activex/")
_MACRO_TYPES = ("macroenabled", "vbaproject", "macrosheet", "activex")

# What `zipfile` and its decompressors raise for hostile bytes; none of them is a fault of ours.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    OSError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)

_SUFFIXES = {PDF: (".pdf",), XLSX: (".xlsx",), CSV: (".csv",), TEXT: (".txt", ".text", ".md", ".log")}


def recognise(octets: bytes) -> str:
    """Return the media type of what a file holds: PDF, XLSX or TEXT.

    Args:
        octets: the file.

    Raises:
        EvidenceTooLarge: more than EVIDENCE_LIMIT.
        EvidenceUnacceptable: nothing of these, more than one of them at once, or a workbook that is not harmless.
    """
    if len(octets) > EVIDENCE_LIMIT:
        raise EvidenceTooLarge(limit=EVIDENCE_LIMIT)
    if not octets:
        raise EvidenceUnacceptable(detail="it is empty")
    if octets.startswith(b"%PDF-"):
        _require_pdf(octets)
        return PDF
    if octets.startswith(b"PK"):
        _require_workbook(octets)
        return XLSX
    _require_text(octets)
    return TEXT


def accepted_type(declared: str, octets: bytes) -> str:
    """Return the media type of a file whose sender says what it is.

    Args:
        declared: the media type as it was sent, with or without parameters.
        octets: the file.

    Raises:
        EvidenceTooLarge, EvidenceUnacceptable: as `recognise`, or if it is not what it is said to be.
    """
    said = _SAID_FOR.get(media := declared.partition(";")[0].strip().lower(), media)
    if is_gzip(octets):
        raise FileCompressed
    if said not in (*MEDIA_TYPES, _OCTETS):
        raise EvidenceUnacceptable(detail="its media type is not one of those that are taken")
    found = recognise(octets)
    if said == _OCTETS:
        return found
    if found != said and not (found == TEXT and said == CSV):
        raise EvidenceUnacceptable(detail=f"it is said to be {said} and its content is {found}")
    return said


def harmless_name(name: str, media_type: str) -> str:
    """Return a file's name without folders and without characters that cannot be printed, ending as its type does.

    Args:
        name: as its sender calls it.
        media_type: one of MEDIA_TYPES; a name with another ending gets its own.

    Returns:
        1 to LONGEST_NAME characters.
    """
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    printable = "".join(_RESERVED.sub("_", character) for character in last if _printable(character))
    stem = " ".join(printable.split()).strip(". ")
    suffix = next((each for each in _SUFFIXES[media_type] if stem.lower().endswith(each)), None)
    if suffix is None:
        suffix = _SUFFIXES[media_type][0]
    else:
        suffix = stem[-len(suffix) :]
        stem = stem[: -len(suffix)]
    stem = stem[: LONGEST_NAME - len(suffix)].strip(". ") or "evidence"
    return stem + suffix


def _printable(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")


# --- PDF and text ------------------------------------------------------------------------------------------------


def _require_pdf(octets: bytes) -> None:
    if not _PDF_HEAD.match(octets):
        raise EvidenceUnacceptable(detail="it begins like a PDF and is none")
    # Whatever follows the end is for another reader than the one that the officers will use.
    if not _PDF_END.search(octets[-_TAIL:]):
        raise EvidenceUnacceptable(detail="it is a PDF that does not end as one; it may have been cut off")
    if _ZIP_END in octets[-(_LONGEST_COMMENT + _ZIP_END_SIZE) :]:
        raise EvidenceUnacceptable(detail="it is a PDF and an archive at once")


def _require_text(octets: bytes) -> None:
    try:
        words = utf8(octets)
    except TextUnreadable as error:
        raise EvidenceUnacceptable(detail=f"it is no PDF, no XLSX workbook and no text in UTF-8: {error}") from None
    found = _CONTROLS.search(words)
    if found:
        line = words.count("\n", 0, found.start()) + 1
        column = found.start() - (words.rfind("\n", 0, found.start()) + 1) + 1
        raise EvidenceUnacceptable(detail=f"line {line}, column {column} has a character that no text has")


# --- workbooks ---------------------------------------------------------------------------------------------------


def _require_workbook(octets: bytes) -> None:
    """Refuse everything but a workbook without macros.

    In this order, so that nothing is expanded that has not been bounded:
    1. one archive, whole and alone: it begins at the first octet, ends at the last, and its directory is small;
    2. what the directory declares: number, names, sizes, ratios, and no member that holds a macro;
    3. what is there: each member expands to what was declared of it;
    4. the content types say a workbook, and no macros.
    """
    _require_one_archive(octets)
    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            members = archive.infolist()
            _require_bounded(members)
            _require_no_macros(member.filename for member in members)
            for member in members:
                _require_as_declared(archive, member)
            types = archive.read(_CONTENT_TYPES)
    except EvidenceUnacceptable:
        raise
    except _UNREADABLE:
        raise EvidenceUnacceptable(detail="it is an archive that cannot be read") from None
    _require_workbook_types(types)


def _require_one_archive(octets: bytes) -> None:
    end = len(octets) - _ZIP_END_SIZE
    if end < len(_ZIP_HEAD) or not octets.startswith(_ZIP_HEAD) or octets[end : end + 4] != _ZIP_END:
        # A comment, or anything else behind the end, hides a second file as easily as anything before the beginning.
        raise EvidenceUnacceptable(detail="it begins like an archive and does not end as one")
    if b"%PDF-" in octets[:_TAIL]:
        raise EvidenceUnacceptable(detail="it is a PDF and an archive at once")
    disk, first_disk, here, count, size, offset, comment = struct.unpack("<4H2IH", octets[end + 4 :])
    if disk or first_disk or here != count or comment or octets[end - 20 : end - 16] == _ZIP64_LOCATOR:
        raise EvidenceUnacceptable(detail="it is an archive of a kind that no workbook needs")
    if count > MOST_MEMBERS or size > LARGEST_DIRECTORY:
        raise EvidenceUnacceptable(detail=f"it is an archive of more than {MOST_MEMBERS:,} files")
    if offset + size != end:
        raise EvidenceUnacceptable(detail="it is an archive with something between its parts")


def _require_bounded(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise EvidenceUnacceptable(detail=f"it is an archive of more than {MOST_MEMBERS:,} files")
    names = [member.filename for member in members]
    if len({name.casefold() for name in names}) != len(names):
        raise EvidenceUnacceptable(detail="it is an archive with two files of one name")
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        raise EvidenceUnacceptable(detail="it is an archive whose files would lie outside it")
    if not {_CONTENT_TYPES, _WORKBOOK} <= set(names):
        raise EvidenceUnacceptable(detail="it is an archive and no XLSX workbook")
    if sum(member.file_size for member in members) > LARGEST_WORKBOOK:
        raise EvidenceUnacceptable(detail=f"it would expand to more than {LARGEST_WORKBOOK:,} octets")
    for member in members:
        if member.file_size > max(SMALL_MEMBER, HIGHEST_RATIO * member.compress_size):
            raise EvidenceUnacceptable(detail=f"a part of it would expand to more than {HIGHEST_RATIO} times its size")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise EvidenceUnacceptable(detail="a part of it is encrypted, or compressed in a way that no workbook is")
        if member.filename == _CONTENT_TYPES and member.file_size > LARGEST_CONTENT_TYPES:
            raise EvidenceUnacceptable(detail="its list of content types is too large")


def _require_no_macros(names: Iterable[str]) -> None:
    for name in names:
        lowered = name.casefold()
        if lowered.rpartition("/")[2] in _MACRO_FILES or lowered.startswith(_MACRO_FOLDERS):
            raise EvidenceUnacceptable(detail="it is a workbook with macros")


def _require_as_declared(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    # `zipfile` gives no octet beyond what is declared and then compares the checksum, so a member that is larger than
    # it says is noticed without being expanded.
    found = 0
    with archive.open(member) as opened:
        while chunk := opened.read(_CHUNK):
            found += len(chunk)
    if found != member.file_size:
        raise EvidenceUnacceptable(detail="a part of it has another size than it says")


def _require_workbook_types(types: bytes) -> None:
    try:
        root = fromstring(types, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise EvidenceUnacceptable(detail="its list of content types cannot be read") from None
    named = [(each.get("PartName", ""), each.get("ContentType", "")) for each in root.iter()]
    if any(macro in kind.casefold() for _, kind in named for macro in _MACRO_TYPES):
        raise EvidenceUnacceptable(detail="it is a workbook with macros")
    if (f"/{_WORKBOOK}", _WORKBOOK_TYPE) not in named:
        raise EvidenceUnacceptable(detail="it is an archive and no XLSX workbook")
