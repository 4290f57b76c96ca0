"""Verify a file of many: each line answered as it would be alone, shown, and to be saved as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, render_template, request

from console.answers import attached
from console.guard import actor, owner
from console.service import Answers, Console
from core.errors import BodyMalformed, NoSuchThing, TrialCpaError
from ra.doors import admit

MOST_SHOWN = 500
"""Lines that a page shows, those that need somebody first; the file has all of them."""

_CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line and its answer.

    Args:
        number: of the line in the file.
        asked: what it names.
        covered: the answer; None where it could not be asked.
        said: the approval and its state.
        detail: reasons with remedies, or what is wrong with the line.
    """

    number: str
    asked: str
    covered: bool | None
    said: str
    detail: str


def add_verifying_many(app: Flask, console: Console) -> None:
    """Add the pages to the application."""

    @app.get("/console/verify/file")
    def verify_file() -> str:
        """Ask for a file of questions."""
        admit(actor(), "verify")
        return render_template("verify_file.html", lines=None, error=None)

    @app.post("/console/verify/file")
    def verify_them() -> str | tuple[str, int]:
        """Answer each line of a file."""
        admit(actor(), "verify")
        file = request.files.get("file")
        try:
            octets = b"" if file is None else file.read()
            if not octets:
                raise BodyMalformed(detail="choose a file that has something in it")
            found = console.verify_many(octets)
        except TrialCpaError as error:
            return render_template("verify_file.html", lines=None, error=error), 422
        lines = sorted(_lines(found), key=lambda each: (each.covered is not None, each.covered))
        return render_template(
            "verify_file.html",
            lines=lines[:MOST_SHOWN],
            whole=len(lines),
            covered=sum(each.covered is True for each in lines),
            not_asked=sum(each.covered is None for each in lines),
            name=console.kept.keep(owner(), found.table),
            error=None,
        )

    @app.get("/console/verify/file/<name>")
    def verified_file(name: str) -> Response:
        """Send the answers as a table for spreadsheets; for an hour, to whoever asked."""
        admit(actor(), "verify")
        found = console.kept.found(owner(), name)
        if found is None:
            raise NoSuchThing(kind="result", identifier=name[:100])
        return attached(found, _CSV, "answers.csv")


def _lines(found: Answers) -> list[Line]:
    return [_line(dict(zip(found.header, each, strict=True)), found.notes) for each in found.rows]


def _line(cells: Mapping[str, str], notes: Mapping[str, str]) -> Line:
    asked = " ".join(value for name, value in cells.items() if name.startswith("asked_") and value)
    detail = [cells["detail"], notes.get(cells["line"], "")]
    return Line(
        number=cells["line"],
        asked=asked,
        covered=None if cells["problem"] else cells["valid"] == "yes",
        said=" ".join(each for each in (cells["approval"], cells["state"].replace("_", " ")) if each),
        detail=" ".join(each for each in detail if each),
    )
