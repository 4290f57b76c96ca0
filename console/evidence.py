"""Evidence to look at: pages of a PDF as pictures that another process has drawn, text as text, and always the file.

A stranger's document is opened by nobody here: its octets go to the renderer (renderer/), and what comes back is read
again before a browser gets it. Whatever fails, the page comes, says so, and offers the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, render_template, request

from console.answers import attached
from console.guard import actor
from console.service import Console
from core.kinds import EvidenceSubject
from core.plain_text import TextUnreadable, plainly, utf8
from ra.applying.evidence import MEDIA_TYPES, FetchedFile, fetch
from renderer.asking import MOST_PAGES, PAGES_AT_ONCE, Outline, Renderer, Unshown

EVIDENCE = "/console/evidence/"
"""What every address here begins with."""

LONGEST_TEXT = 60_000
"""Characters of a text that are shown; the file has all of them."""

_PDF, _TEXTS = MEDIA_TYPES[0], MEDIA_TYPES[2:]
_SAVED = "application/octet-stream"

_PAGES: Mapping[EvidenceSubject, str] = {
    EvidenceSubject.APPLICATION: "/console/applications/{}",
    EvidenceSubject.BREACH: "/console/breaches/{}",
    EvidenceSubject.REPORT: "/console/reports/{}",
    EvidenceSubject.AMENDMENT_REQUEST: "/console/amendment-requests/{}/files",
    EvidenceSubject.SUSPICION: "/console/breaches/{}",
}
"""Where whoever reads a file finds what it is attached to."""

WHY: Mapping[Unshown, str] = {
    Unshown.PROTECTED: "It is protected by a password, so that none of its pages can be shown.",
    Unshown.UNREADABLE: "It is no PDF that can be read, whatever it is called.",
    Unshown.NO_PAGE: "It has no such page.",
    Unshown.GAVE_UP: "Drawing it took more time or memory than a document may take, and was given up.",
    Unshown.SILENT: "Nobody draws pictures at this moment: the renderer does not answer. Try again in a minute.",
    Unshown.WRONG: "What was drawn is no picture that can be shown.",
    Unshown.TOO_LARGE: "It is larger than what is drawn.",
}
"""What a page says of a document of which it shows nothing."""

_NOT_DRAWN = "Nobody draws pictures at this authority."
_WORKBOOK = "It is a workbook, and workbooks are not shown here."
_NOT_TEXT = "It is no text that can be read."

_PICTURE = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
_NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="160" viewBox="0 0 1000 160">'
    '<rect x="1" y="1" width="998" height="158" fill="#fff" stroke="#6b7883" stroke-width="2"/>'
    '<text x="32" y="70" font-family="sans-serif" font-size="30" fill="#17242f">{words}</text>'
    '<text x="32" y="118" font-family="sans-serif" font-size="26" fill="#56636e">Save the file to look at it.</text>'
    "</svg>"
)
"""What stands in the place of a picture: a browser shows no words of ours there but in a picture of ours."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What there is to look at of a file.

    Args:
        outline: pages that are shown as pictures.
        words: a text.
        cut: whether the text goes on.
        why: why there is nothing; empty if there is.
    """

    outline: Outline | None = None
    words: str = ""
    cut: bool = False
    why: str = ""


def add_evidence(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get(f"{EVIDENCE}<identifier>")
    def evidence(identifier: str) -> Response:
        """Send a file to be saved: it is opened by nobody here."""
        file = fetch(desk, actor(), identifier)
        return attached(file.octets, _SAVED, file.name)

    @app.get(f"{EVIDENCE}<identifier>/shown")
    def evidence_shown(identifier: str) -> str:
        """Show a file as pictures or text, and offer it."""
        file = fetch(desk, actor(), identifier)
        first = _number(request.args.get("from", "1"))
        return render_template(
            "evidence.html",
            identifier=identifier,
            file=file,
            back=_PAGES[file.subject.kind].format(file.subject.identifier),
            shown=_shown(console.pictures, file, first),
            first=first,
            step=PAGES_AT_ONCE,
            most=MOST_PAGES,
        )

    @app.get(f"{EVIDENCE}<identifier>/pages/<int:number>")
    def evidence_page(identifier: str, number: int) -> Response:
        """Send a page as a picture, or a picture that says why there is none."""
        file = fetch(desk, actor(), identifier)
        found: bytes | Unshown = Unshown.NO_PAGE
        if console.pictures is None:
            found = Unshown.SILENT
        elif file.media_type == _PDF and 1 <= number <= MOST_PAGES:
            found = console.pictures.picture(file.octets, number)
        if isinstance(found, Unshown):
            words = f"Page {number:,} cannot be shown as a picture."
            return Response(_NO_PICTURE.format(words=words), 422, content_type="image/svg+xml", headers=_PICTURE)
        return Response(found, content_type="image/png", headers=_PICTURE)


def _number(said: str) -> int:
    return max(1, min(MOST_PAGES, int(said))) if re.fullmatch("[0-9]{1,4}", said) else 1


def _shown(pictures: Renderer | None, file: FetchedFile, first: int) -> Shown:
    if file.media_type in _TEXTS:
        return _text(file.octets)
    if file.media_type != _PDF:
        return Shown(why=_WORKBOOK)
    if pictures is None:
        return Shown(why=_NOT_DRAWN)
    found = pictures.outline(file.octets, first)
    return Shown(why=WHY[found]) if isinstance(found, Unshown) else Shown(outline=found)


def _text(octets: bytes) -> Shown:
    try:
        words = utf8(octets)
    except TextUnreadable:
        return Shown(why=_NOT_TEXT)
    return Shown(words=plainly(words[:LONGEST_TEXT]), cut=len(words) > LONGEST_TEXT)
