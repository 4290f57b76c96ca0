"""An auditor's page: the sealed journal with search, what proves it and the key to pin."""

import hashlib

from flask import Flask, render_template, request

from console.guard import actor
from console.service import Console
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
        pin = hashlib.sha256(bytes.fromhex(found.public_key)).hexdigest()
        return render_template("journal.html", page=found, said=said, pin=pin)
