"""Breaches listed; and what a Manufacturer was told is suspected, which it answers (F2.23)."""

from flask import Flask, render_template, request, url_for
from werkzeug.wrappers import Response

from console.forms import request_key
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.typed import words
from core.errors import TrialCpaError
from core.kinds import EvidenceSubject
from core.limits import NAME_LIMIT
from ra.applying.evidence import Subject, attachments
from ra.doors import admit
from ra.reporting import suspicion as use
from ra.reporting.breach import listed

ROWS = 25


def add_suspected(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/breaches")
    def breaches() -> str:
        """List breaches of every approval."""
        after = request.args.get("after", "")[:NAME_LIMIT]
        return render_template("breaches.html", page=listed(desk, actor(), after=after, limit=ROWS))

    @app.get("/console/suspicions")
    def suspicions() -> str:
        """List what a Manufacturer was told is suspected."""
        after = request.args.get("after", "")[:NAME_LIMIT]
        return render_template("suspicions.html", page=use.suspicions_of(desk, actor(), after=after, limit=ROWS))

    def show(identifier: str, error: TrialCpaError | None = None) -> str:
        it = use.show_suspicion(desk, actor(), identifier)
        files = attachments(desk, actor(), Subject(EvidenceSubject.SUSPICION, identifier)).evidence
        return render_template("suspected.html", it=it, files=files, error=error)

    @app.get("/console/suspicions/<identifier>")
    def suspicion(identifier: str) -> str:
        """Show what was told, and the answer."""
        return show(identifier)

    @app.post("/console/suspicions/<identifier>/answer")
    def answer_suspicion(identifier: str) -> Response | tuple[str, int]:
        """Answer it, once."""
        admit(actor(), "answerSuspicion")

        def act() -> str:
            use.answer_suspicion(desk, actor(), identifier, words("answer"), request_key())
            return "Your answer is with the Security Sub-Committee."

        here = url_for("suspicion", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show(identifier, error))
