"""An auditor's pages: the sealed journal with search, what proves it and the key to pin, and dossiers."""

from flask import Flask, Response, render_template, request

from console.answers import attached
from console.guard import actor
from console.service import Console
from ra.auditing.dossier import FetchedDossier, dossier
from ra.auditing.journal import journal, searched

ROWS = 50


def add_auditing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/journal")
    def journal_page() -> str:
        """Show the sealed journal, or what it has about a thing, a kind or a person."""
        said, after = request.args.get("q", "").strip()[:200], request.args.get("after", "")
        behind = int(after) if after.isdecimal() and len(after) <= 18 else 0
        if said:
            found = searched(desk, actor(), said, after=behind, limit=ROWS)
        else:
            found = journal(desk, actor(), after=behind, limit=ROWS)
        return render_template("journal.html", page=found, said=said)

    @app.get("/console/approvals/<identifier>/dossier")
    def dossier_file(identifier: str) -> Response | tuple[str, int, dict[str, str]]:
        """Send everything about an approval as one signed file; until it is signed, say so and look again by itself."""
        found = dossier(desk, actor(), identifier)
        if isinstance(found, FetchedDossier):
            return attached(found.octets, "application/zip", f"{found.name}.zip")
        return render_template("dossier_asked.html", it=found), 202, {"Refresh": "2"}
