"""Typesetting: a template of this folder and the values it shows become a PDF.

The texts of strangers reach typst as JSON among its inputs and are never part of its markup, so that nothing in them
is ever read as an instruction; and no character in them turns the direction of the words around it: in every document
it is named where it stands. Only the typefaces that typst carries itself and those of two locked packages are used
(ADR 38), none of the machine: the same values give the same bytes everywhere.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import typst

from core.canonical import Json
from core.plain_text import plainly

_HERE = Path(__file__).parent
_ARCHIVAL: "list[typst.PDFStandard]" = ["a-3a", "ua-1"]
"""ISO 19005-3 level A, to be read for decades, with the certificate in it; and ISO 14289-1, for all readers."""

_TYPEFACES = ("noto_cjk_sans_jp_regular", "fontpkg_noto_sans_thai")
"""Packages with typefaces for scripts that typst's own lack: Chinese, Japanese and Korean; Thai."""

_GLYPHS = "glyphs.typ"

_per_thread = threading.local()


def typeset(
    template: str, view: Mapping[str, Json], *, dated: datetime, places: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """Return a PDF of `view` as `template` sets it. Safe to call from several threads at once.

    It is archival and accessible (PDF/A-3a, PDF/UA-1) unless a character has no glyph in any typeface that we have,
    which these standards forbid: then it is an ordinary tagged PDF, shows a box there, and says where on its last page.

    Args:
        template: the name of a file beside this one, `notice.typ`.
        view: what it shows, ready to read.
        dated: the instant of the document, for its metadata; the clock is never read.
        places: by what a place is called, the words of strangers that stand there.
    """
    shown = {**view, "dated": _parts(dated.astimezone(UTC))}
    try:
        return _compile(template, {**shown, "glyphs_missing": None}, _ARCHIVAL)
    except typst.TypstError:
        # A defect of the template would fail here as well, and be told.
        boxed: list[Json] = [place for place, words in (places or {}).items() if _lacks_glyphs(words)]
        return _compile(template, {**shown, "glyphs_missing": boxed}, [])


def _lacks_glyphs(words: Sequence[str]) -> bool:
    try:
        _compile(_GLYPHS, {"words": [line(each) for each in words]}, _ARCHIVAL)
    except typst.TypstError:
        return True
    return False


def lines(text: str) -> list[Json]:
    """Return the lines of a stranger's text as they can be shown: no control character, no lone surrogate."""
    return [line(each) for each in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def line(text: str) -> str:
    """Return a stranger's text as one line that can be shown; what has no form on paper becomes U+FFFD."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\t\n\r\u2028\u2029":
        return " "
    code = ord(character)
    return "\N{REPLACEMENT CHARACTER}" if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 else character


def _compile(template: str, view: Mapping[str, Json], standards: "list[typst.PDFStandard]") -> bytes:
    made = _compiler().compile(
        _HERE / template,
        format="pdf",
        sys_inputs={"document": json.dumps(_plain(view))},
        pdf_standards=standards,
    )
    assert isinstance(made, bytes)  # a PDF is one file, and no output was named
    return made


def _plain(value: Json) -> Json:
    """A value in whose texts no character turns the direction of the others."""
    if isinstance(value, str):
        return plainly(value)
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _compiler() -> typst.Compiler:
    """One for each thread: a compiler serves one caller at a time."""
    found = getattr(_per_thread, "compiler", None)
    if not isinstance(found, typst.Compiler):
        found = _per_thread.compiler = typst.Compiler(
            root=_HERE, font_paths=[str(files(each)) for each in _TYPEFACES], ignore_system_fonts=True
        )
    return found


def _parts(at: datetime) -> list[Json]:
    return [at.year, at.month, at.day, at.hour, at.minute, at.second]
