"""Pages as pictures, by PDFium: the one place where a stranger's document is opened. It runs in the confined child.

No form is filled in, so nothing of a form's scripts is looked at; files within a document, links and actions are not
either. PDFium as it comes in this package has neither V8 nor XFA.
"""

import codecs
import math
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from renderer.limits import HIGHEST, LONGEST_TEXT, MOST_PAGES, PAGES_AT_ONCE, WIDEST
from renderer.png import png
from renderer.wire import Leaf, Outcome, Outline

_COLOURS = 3
_LARGEST_SCALE = 4.0
"""Pixels for each point: a page of the size of a stamp stays small."""

_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
_WHITE = 0xFFFFFFFF


@dataclass(frozen=True)
class Undrawable(Exception):
    """It cannot be drawn."""

    outcome: Outcome


def load() -> None:
    """Load the library, and what text is read by: what draws later need open no file."""
    codecs.lookup("utf-16-le")
    blank = pypdfium2.PdfDocument.new()
    blank.new_page(72, 72)
    _drawn(blank[0], 8, 8)
    blank.close()


def outline(octets: bytes, first: int) -> Outline:
    """Return how many pages a document has, and of a few of them size and text.

    Args:
        octets: the document.
        first: of these, from 1.

    Raises:
        Undrawable: it cannot be opened, or has no such page.
    """
    document = _opened(octets)
    pages = len(document)
    if first > pages:
        raise Undrawable(Outcome.NO_PAGE)
    last = min(pages, MOST_PAGES, first + PAGES_AT_ONCE - 1)
    return Outline(pages, tuple(_leaf(document, number) for number in range(first, last + 1)))


def picture(octets: bytes, number: int) -> bytes:
    """Return a page as PNG.

    Raises:
        Undrawable: the document cannot be opened, has no such page, or the page cannot be read.
    """
    document = _opened(octets)
    if number > len(document):
        raise Undrawable(Outcome.NO_PAGE)
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise Undrawable(Outcome.UNREADABLE) from error
    width, height = size(page.get_width(), page.get_height())
    if not width:
        raise Undrawable(Outcome.UNREADABLE)
    return png(width, height, _drawn(page, width, height))


def size(width: float, height: float) -> tuple[int, int]:
    """Return the pixels of a page's picture; 0, 0 for a size that no page has.

    Args:
        width: in points, as the document says.
        height: the same.
    """
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        return 0, 0
    scale = min(WIDEST / width, HIGHEST / height, _LARGEST_SCALE)
    return max(1, min(WIDEST, round(width * scale))), max(1, min(HIGHEST, round(height * scale)))


def _opened(octets: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(octets)
    except pypdfium2.PdfiumError as error:
        protected = pdfium.FPDF_GetLastError() == pdfium.FPDF_ERR_PASSWORD
        raise Undrawable(Outcome.PROTECTED if protected else Outcome.UNREADABLE) from error


def _leaf(document: pypdfium2.PdfDocument, number: int) -> Leaf:
    try:
        page = document[number - 1]
        width, height = size(page.get_width(), page.get_height())
        text = page.get_textpage().get_text_bounded()[:LONGEST_TEXT]
    except pypdfium2.PdfiumError:
        return Leaf(number=number, width=0, height=0, text="")
    return Leaf(number=number, width=width, height=height, text=text)


def _drawn(page: pypdfium2.PdfPage, width: int, height: int) -> bytes:
    """A page's pixels, row after row, without anything between."""
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR)
    pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, _FLAGS)
    held, row = bytes(bitmap.buffer), width * _COLOURS
    return b"".join(held[at : at + row] for at in range(0, bitmap.stride * height, bitmap.stride))
