"""How the service is doing: its checks and alarms; and notices that have not arrived."""

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.guard import actor, may
from console.service import Console
from core.identifiers import parse_serial
from core.limits import NAME_LIMIT
from ra.access import authorise_watching
from ra.telling.approvals import certificate
from ra.telling.notices import undelivered as undelivered_of

ROWS = 50


def add_watching(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/health")
    def health() -> str:
        """Show every check of the service, what somebody should look at, and whether the channels agree."""
        authorise_watching(actor())
        return render_template("health.html", it=console.health(), agreement=console.agreement())

    @app.get("/console/notices/undelivered")
    def undelivered() -> str:
        """List copies of notices that have not reached their recipients."""
        after = request.args.get("after", "")[:NAME_LIMIT]
        return render_template("undelivered.html", page=undelivered_of(desk, actor(), after=after, limit=ROWS))

    @app.get("/console/certificates/<serial>")
    def certificate_page(serial: str) -> Response:
        """Go on to the approval that a certificate is of; its Manufacturer to where it is answered."""
        found = certificate(desk, actor(), parse_serial(serial))
        return redirect(url_for("holding" if may("answerCertificate") else "approval", identifier=found.approval))
